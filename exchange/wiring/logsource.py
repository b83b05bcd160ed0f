"""Where a published log can be read: a hub's door, a folder, a web server that serves the folder.

Each is an `exchange.ledger.logreader.LogSource`. None is trusted: what comes out is checked against
a signed checkpoint by whoever reads.
"""

import asyncio
from pathlib import Path

import httpx

from exchange.errors import HubUnavailable, NotFound, UsageError
from exchange.ledger.tiles import BUNDLE_BYTES_MAX
from exchange.wiring.remote import TIMEOUT, RemoteHub, bounded


class HubLog:
    """The log of a hub, read with a member's token."""

    def __init__(self, hub: RemoteHub) -> None:
        self._hub = hub

    async def read(self, path: str) -> bytes:
        """See `LogSource`."""
        return await self._hub.log_file(path)


class FolderLog:
    """A copy of a log in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def read(self, path: str) -> bytes:
        """See `LogSource`."""
        try:
            return await asyncio.to_thread((self._folder / path).read_bytes)
        except (FileNotFoundError, NotADirectoryError):
            raise _nothing(f"{self._folder / path}") from None

    async def close(self) -> None:
        """Nothing is open."""


class WebLog:
    """A log that a web server serves below ``prefix``; close it after use."""

    def __init__(self, prefix: str) -> None:
        self._client = httpx.AsyncClient(
            base_url=prefix.rstrip("/") + "/",
            timeout=TIMEOUT,
            headers={"Accept-Encoding": "identity"},
            follow_redirects=False,
            trust_env=False,
        )

    async def read(self, path: str) -> bytes:
        """See `LogSource`; `HubUnavailable` if the server does not answer, or not with the file."""
        place = f"{self._client.base_url}{path}"
        try:
            async with self._client.stream("GET", path) as response:
                content = await bounded(response, BUNDLE_BYTES_MAX)
        except httpx.TransportError as error:
            raise _silent(place, type(error).__name__) from error
        if response.status_code in {httpx.codes.NOT_FOUND, httpx.codes.GONE}:
            raise _nothing(place)
        if response.status_code != httpx.codes.OK:
            raise _silent(place, f"HTTP {response.status_code}")
        return content

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def open_source(where: str) -> FolderLog | WebLog:
    """A folder or an ``http(s)://`` address as a source; `UsageError` if it is neither."""
    if where.startswith(("http://", "https://")):
        return WebLog(where)
    folder = Path(where)
    if not folder.is_dir():
        raise UsageError(
            f"{where[:200]} is neither a folder nor an http address",
            f"{where[:200]} 既不是目录也不是 http 地址",
            remedy=("name a copy of a published log", "请指定日志副本的位置"),
            failure="log-source",
        )
    return FolderLog(folder)


def _nothing(place: str) -> NotFound:
    return NotFound(
        f"there is no {place[:200]}",
        f"{place[:200]} 不存在",
        remedy=("check the place; is this a whole copy of a log?", "请核对位置及副本是否完整"),
        failure="no-log-file",
    )


def _silent(place: str, why: str) -> HubUnavailable:
    return HubUnavailable(
        f"{place[:200]} cannot be read: {why}",
        f"无法读取 {place[:200]}：{why}",
        remedy=("check the address, then try again", "请检查地址后重试"),
        failure="log-source",
    )
