"""A hub across the network, as members use it: `exchange.flow.ports.Hub` over TLS 1.3.

What it believes: the CA whose hash genesis pins, and answers signed by an entry key of genesis.
What it does when it does not know: `submit` sends the same bytes again, because an act takes
effect once and the hub then says where it stands; `ask` never does, because a repeated request
yields no keys: its caller signs a new one after `HubUnavailable`.
"""

import asyncio
import base64
import binascii
import secrets
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from exchange.errors import HubUnavailable
from exchange.flow.answer import VerifiedAnswer, verify_answer
from exchange.flow.bodies import CBOR, COSE, ask_body, possession_body
from exchange.flow.ports import Admitted, Clock, KeysAnswered
from exchange.flow.possession import ProvenKey, make_challenge, verify_proof
from exchange.flow.token import Asked, sign_token
from exchange.ledger.act import parse_act
from exchange.ledger.tiles import BUNDLE_BYTES_MAX
from exchange.limits import ENTRIES_BYTES_MAX, LEAF_BYTES_MAX
from exchange.model.logstate import LogState
from exchange.model.problem import Problem
from exchange.wiring.remoteerrors import error_of, not_a_hub, unreachable
from keys.cbor import decode
from keys.cose import Signer
from keys.errors import KeysError
from keys.identity import check_kem_key

TIMEOUT: Final = httpx.Timeout(connect=5.0, read=45.0, write=20.0, pool=10.0)
"""Reading waits longer than a hub's own bound on an append (30 s), so its answer is heard."""
LIMITS: Final = httpx.Limits(max_connections=16, max_keepalive_connections=16, keepalive_expiry=20)
SUBMIT_TRIES: Final = 3
SUBMIT_PAUSE_S: Final = 0.5
ANSWER_WIRE_BYTES_MAX: Final = ENTRIES_BYTES_MAX + LEAF_BYTES_MAX + (64 << 10)


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: a member's officer (instance "") or one of its instances."""

    member: str
    instance: str
    signer: Signer


class HeadSeen(BaseModel):
    """What a hub says of its ledger; proof is for whoever holds entries and a signed head."""

    model_config = ConfigDict(frozen=True, strict=True)

    size: int
    root: str
    time: int


class _Readiness(BaseModel):
    log: LogState | None = None


class RemoteHub:
    """One hub. ``entry_keys`` gives the entry keys (32 bytes each) that the pinned ledger names.

    ``reader`` signs reads; without one only acts and key requests can be sent.
    """

    def __init__(
        self,
        address: str,
        *,
        tls: ssl.SSLContext,
        origin: str,
        entry_keys: Callable[[], Iterable[bytes]],
        clock: Clock,
        reader: Reader | None = None,
    ) -> None:
        self.permitted_by: set[str] = set()
        """Rules on the entries of permitted acts that went through here."""
        self._origin = origin
        self._entry_keys = entry_keys
        self._clock = clock
        self._reader = reader
        self._client = httpx.AsyncClient(
            base_url=address,
            verify=tls,
            timeout=TIMEOUT,
            limits=LIMITS,
            headers={"Accept-Encoding": "identity"},
            follow_redirects=False,
            trust_env=False,  # no proxy and no CA from the environment
        )

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def submit(self, act: bytes) -> Admitted:
        """See `exchange.flow.ports.Hub.submit`. Safe to repeat with the same bytes."""
        act_id = parse_act(act).id
        for tries_left in reversed(range(SUBMIT_TRIES)):
            try:
                response = await self._post("/v1/acts", act, COSE)
            except HubUnavailable:
                if not tries_left:
                    raise
            else:
                standing = _standing(response)
                if standing is not None:
                    return self._noted(self._verified(standing, act_id).admitted)
                if response.status_code == httpx.codes.OK:
                    return self._noted(self._verified(response.content, act_id).admitted)
                if not tries_left or not _try_again(response):
                    raise error_of(response)
            await asyncio.sleep(SUBMIT_PAUSE_S)
        raise AssertionError("the last try returns or raises")

    def _noted(self, admitted: Admitted) -> Admitted:
        """Keep the rules of what was permitted: prohibitions among them are warnings."""
        if admitted.permit:
            self.permitted_by.update(admitted.rules)
        return admitted

    async def ask(self, act: bytes, headers: Sequence[bytes]) -> KeysAnswered:
        """See `exchange.flow.ports.Hub.ask`. Never repeats the same bytes."""
        response = await self._post("/v1/keys", ask_body(act, headers), CBOR)
        answered = self._verified(_content(response), parse_act(act).id).keys
        self._noted(answered.admitted)
        return answered

    async def head(self) -> HeadSeen:
        """Size, root (hex) and time (ms) of the ledger as the hub has read it."""
        content = _content(await self._read("GET", "/v1/ledger/head"))
        try:
            return HeadSeen.model_validate_json(content)
        except ValidationError:
            raise not_a_hub("head") from None

    async def entries(self, first: int, count: int) -> list[bytes]:
        """Up to ``count`` raw entries from index ``first``; only an empty page is the end."""
        response = await self._read("GET", f"/v1/ledger/entries?from={first}&count={count}")
        match _decoded(_content(response)):
            case list(items) if all(isinstance(item, bytes) for item in items):
                return items
        raise not_a_hub("entries")

    async def log_file(self, path: str) -> bytes:
        """A file of the hub's published log by its path below ``/log/``; nothing is checked.

        `NotFound` if the log has none there.
        """
        target = f"/log/{path}"
        headers = {"Authorization": self._token(Asked("GET", target, b""))}
        return _content(await self._send("GET", target, b"", headers, BUNDLE_BYTES_MAX))

    async def prove_dataset_key(self, dataset: str) -> tuple[bytes, ProvenKey]:
        """The public KEM key that waits to be recorded for ``dataset``, and the hub's proof.

        Both go into the act `dataset.key`. For officers of the authority.
        """
        match _decoded(_content(await self._read("POST", f"/v1/dataset-keys/{dataset}"))):
            case [bytes(kid), bytes(public)] if _is_kid_of(kid, public):
                pass
            case _:
                raise not_a_hub("dataset-key")
        challenge = make_challenge(origin=self._origin, dataset=dataset, public=public)
        body = possession_body(dataset, kid, challenge.wrapped)
        proof = _content(await self._read("POST", "/v1/possession", body))
        return public, verify_proof(proof, challenge, entry_keys=self._entry_keys())

    async def ready(self) -> Problem | None:
        """None when the hub can work now, otherwise what is missing. HubUnavailable if silent."""
        return (await self.readiness())[0]

    async def readiness(self) -> tuple[Problem | None, LogState | None]:
        """The same, and how far the hub's log is published, if it is."""
        response = await self._send("GET", "/health/ready", b"", {})
        try:
            said = _Readiness.model_validate_json(response.content)
            if response.status_code == httpx.codes.OK:
                return None, said.log
            return Problem.model_validate_json(response.content), said.log
        except ValidationError:
            raise not_a_hub("ready") from None

    async def _post(self, path: str, body: bytes, content_type: str) -> httpx.Response:
        return await self._send("POST", path, body, {"Content-Type": content_type})

    async def _read(self, method: str, target: str, body: bytes = b"") -> httpx.Response:
        headers = {"Authorization": self._token(Asked(method, target, body))}
        return await self._send(
            method, target, body, headers | ({"Content-Type": CBOR} if body else {})
        )

    def _token(self, asked: Asked) -> str:
        if self._reader is None:
            raise ValueError("this hub was opened without a reader")
        return sign_token(
            asked,
            origin=self._origin,
            member=self._reader.member,
            instance=self._reader.instance,
            signer=self._reader.signer,
            now_ms=self._clock(),
            nonce=secrets.token_bytes(16),
        )

    async def _send(
        self,
        method: str,
        target: str,
        body: bytes,
        headers: Mapping[str, str],
        bytes_max: int = ANSWER_WIRE_BYTES_MAX,
    ) -> httpx.Response:
        try:
            async with self._client.stream(
                method, target, content=body, headers=dict(headers)
            ) as response:
                content = await bounded(response, bytes_max)
        except httpx.TransportError as error:
            raise unreachable(str(self._client.base_url), error) from error
        # Without its headers: a Content-Encoding would be undone here, beyond every bound.
        return httpx.Response(response.status_code, content=content)

    def _verified(self, raw: bytes, act_id: bytes) -> VerifiedAnswer:
        return verify_answer(raw, origin=self._origin, act=act_id, entry_keys=self._entry_keys())


async def bounded(response: httpx.Response, bytes_max: int) -> bytes:
    """The raw bytes of a streamed answer, if there are no more than ``bytes_max``."""
    content = bytearray()
    async for chunk in response.aiter_raw():
        content += chunk
        if len(content) > bytes_max:
            raise not_a_hub("too-long")
    return bytes(content)


def _content(response: httpx.Response) -> bytes:
    if response.status_code != httpx.codes.OK:
        raise error_of(response)
    return response.content


def _standing(response: httpx.Response) -> bytes | None:
    """The signed answer that a 409 carries for an act that stands already."""
    if response.status_code != httpx.codes.CONFLICT:
        return None
    try:
        encoded = Problem.model_validate_json(response.content).answer
        return base64.urlsafe_b64decode(encoded + "==") if encoded else None
    except (ValidationError, binascii.Error, ValueError):
        return None


def _try_again(response: httpx.Response) -> bool:
    """Whether the hub itself says that the same act may be admitted a moment later."""
    return response.status_code in {
        httpx.codes.TOO_MANY_REQUESTS,
        httpx.codes.SERVICE_UNAVAILABLE,
    }


def _decoded(content: bytes) -> object:
    try:
        return decode(content, bytes_max=ANSWER_WIRE_BYTES_MAX)
    except KeysError:
        raise not_a_hub("cbor") from None


def _is_kid_of(kid: bytes, public: bytes) -> bool:
    try:
        return check_kem_key(public) == kid
    except KeysError:
        return False
