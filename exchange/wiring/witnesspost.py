"""How a hub talks to witnesses: small HTTP POSTs that are bounded in time and size."""

import httpx

from exchange.errors import HubUnavailable
from exchange.ledger.witnessing import ANSWER_BYTES_MAX
from exchange.wiring.remote import bounded

TIMEOUT = httpx.Timeout(connect=2.0, read=5.0, write=5.0, pool=2.0)


class WitnessPost:
    """An `exchange.ledger.cosigning.Post`; connections are opened when needed and kept."""

    def __init__(self) -> None:
        self._client: httpx.AsyncClient | None = None

    async def __call__(self, url: str, body: bytes) -> tuple[int, bytes]:
        """Status and body of the answer; `HubUnavailable` if there is none."""
        if self._client is None:
            self._client = httpx.AsyncClient(
                timeout=TIMEOUT,
                headers={"Accept-Encoding": "identity"},
                follow_redirects=False,
                trust_env=False,
            )
        try:
            async with self._client.stream("POST", url, content=body) as response:
                return response.status_code, await bounded(response, ANSWER_BYTES_MAX)
        except (httpx.TransportError, httpx.InvalidURL) as error:
            raise HubUnavailable(
                f"the witness at {url} does not answer",
                f"位于 {url} 的见证人无响应",
                remedy=("see whether it runs", "请检查其是否运行"),
                failure="witness-silent",
            ) from error

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None
