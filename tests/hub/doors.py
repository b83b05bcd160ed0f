"""A hub's doors over collaborators that do what a test says, reached without a network."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx

from exchange.errors import NotFound, RuleRefused
from exchange.flow.token import Asked, sign_token
from exchange.hub.app import hub_app
from exchange.hub.datasetkeys import DatasetKeys
from exchange.hub.parts import Head, Parts, Published
from exchange.hub.readiness import Readiness, Step
from keys.custody import MemoryCustody

ORIGIN = "exchange.zj.example/2026"
NOW_MS = 1_700_000_000_000
TARGET = "https://hub.test"


@dataclass
class Scripted:
    """Collaborators of one hub. What they answer, or raise, is set by the test."""

    now_ms: int = NOW_MS
    answers: Callable[[bytes], bytes] = lambda act: b"signed " + act
    asked: list[tuple[bytes, Sequence[bytes]]] = field(default_factory=list)
    entries_held: list[bytes] = field(default_factory=lambda: [b"genesis", b"one", b"two"])
    members: dict[tuple[str, str], bytes] = field(default_factory=dict)
    recorded: list[bytes] = field(default_factory=list)
    standing: bytes | None = None
    closed: Exception | None = None
    clock_off: Exception | None = None
    steps: Sequence[Step] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    log_state: Published | None = None
    custody: MemoryCustody = field(default_factory=MemoryCustody)

    def __post_init__(self) -> None:
        self.entry_key = self.custody.generate_signing("entry")

    async def answer(self, act: bytes, headers: Sequence[bytes] | None = None) -> bytes:
        if headers is not None:
            self.asked.append((act, headers))
        return self.answers(act)

    async def recall(self, act: bytes) -> bytes | None:
        assert act
        return self.standing

    async def check_clock(self) -> None:
        if self.clock_off is not None:
            raise self.clock_off

    def check_open(self) -> None:
        if self.closed is not None:
            raise self.closed

    def head(self) -> Head:
        return Head(len(self.entries_held), bytes(32), self.now_ms)

    async def entries(self, first: int, *, count_max: int, bytes_max: int) -> list[bytes]:
        assert bytes_max > 0
        return self.entries_held[first : first + count_max]

    def serve(self, path: str) -> bytes:
        if path not in self.files:
            raise NotFound(path, f"没有 {path}", remedy=("look", "请核对"), failure="no-log-file")
        return self.files[path]

    def published(self) -> Published | None:
        return self.log_state

    def signing_key(self, member: str, instance: str) -> bytes | None:
        return self.members.get((member, instance))

    def is_authority(self, member: str) -> bool:
        return member == "data-bureau"

    def check_may_read(self, member: str, now_ms: int) -> None:
        assert now_ms == self.now_ms
        if member == "stranger":
            raise RuleRefused("no reading", "不可读", rules=("BASIS-01",))

    def enrol(self, member: str, instance: str = "") -> None:
        label = f"{member}/{instance}"
        self.members[member, instance] = self.custody.generate_signing(label).raw

    def parts(self) -> Parts:
        return Parts(
            origin=ORIGIN,
            hub="hub-1",
            clock=lambda: self.now_ms,
            acts=self,
            keys=self,
            ledger=self,
            members=self,
            log=self,
            dataset_keys=DatasetKeys(
                origin=ORIGIN,
                custody=self.custody,
                signer=self.custody.signer("entry"),
                recorded=lambda _dataset: self.recorded,
            ),
            readiness=Readiness(self.steps, now_s=lambda: 0.0),
            recall=self.recall,
            check_clock=self.check_clock,
            check_open=self.check_open,
        )

    def token(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        *,
        member: str = "audit-office",
        instance: str = "",
        now_ms: int | None = None,
    ) -> dict[str, str]:
        """The Authorization header for one request."""
        signed = sign_token(
            Asked(method, target, body),
            origin=ORIGIN,
            member=member,
            instance=instance,
            signer=self.custody.signer(f"{member}/{instance}"),
            now_ms=self.now_ms if now_ms is None else now_ms,
            nonce=secrets.token_bytes(16),
        )
        return {"Authorization": signed}


def reach(scripted: Scripted, *, address: str = "192.0.2.7") -> httpx.AsyncClient:
    """A client of the doors, from ``address``."""
    transport = httpx.ASGITransport(
        app=hub_app(scripted.parts()), raise_app_exceptions=False, client=(address, 4711)
    )
    return httpx.AsyncClient(transport=transport, base_url=TARGET)


def problem(response: httpx.Response, status: int, category: str, failure: str) -> None:
    """The response is the one JSON object, in both languages, with a remedy."""
    assert response.headers["content-type"] == "application/json"
    said = response.json()
    assert (response.status_code, said["category"], said["failure"]) == (status, category, failure)
    assert said["message"]["en"] != said["message"]["zh"]
    assert said["remedy"]["en"]
    assert said["remedy"]["zh"]
    assert said["retriable"] is (status in {408, 429, 500, 503} and category != "ledger-broken")
    assert ("retry-after" in response.headers) is (said["retriable"] and status in {429, 503})


def raising(scripted: Scripted, error: Exception) -> None:
    def answers(_act: bytes) -> bytes:
        raise error

    scripted.answers = answers
