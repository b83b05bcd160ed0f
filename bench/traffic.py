"""What members of a busy bus sign, one act after another, as chance and the ledger's state have it.

Two dozen departments provide some dozens of datasets. Mostly they ask for keys, file receipts and
anchor their streams; now and then somebody applies, answers or revokes. A few acts are refused:
another purpose, a region outside the grant, an application that names no duty. A few receipts never
come. Seeded; everything refers to what stands on the ledger.
"""

import hashlib
import random
from collections import deque
from collections.abc import Callable, Iterator, Reversible
from typing import Final

from exchange.model import acts
from exchange.model.actcodec import Body
from exchange.model.acttypes import Reason
from exchange.registry.rows import Dataset, Grant
from tests.ledger.drafts import DAY_MS, HOUR_MS
from tests.ledger.world import World

DEPARTMENTS: Final = 24
DATASETS_EACH: Final = 2
REGIONS: Final = ("3301", "3302", "3303")
PURPOSES: Final = ("collaboration", "admin-basis", "verification", "reference")
DUTIES: Final = ("社会保险法 第七条", "行政许可法 第三十四条", "统计法 第二十条")
SINKS: Final = ("postgres", "sqlite", "jsonl")
APPLIED_FIRST: Final = 120
OFTEN: Final = {
    "ask": 36,
    "receipt": 33,
    "progress": 22,
    "apply": 5,
    "answer": 2,
    "revoke": 1,
}
WRONG: Final = 0.04
"""Share of key requests and applications that the rules refuse."""
LOST: Final = 0.01
"""Share of key requests that no receipt ever answers."""
PER_BUNDLE: Final = 100
EPOCH_BUNDLES: Final = 64
EPOCHS_AT_ONCE: Final = 8
"""Epochs of one stream that one act asks for at most."""

Signed = tuple[Body, str]
"""An act's body and who signs it, ``member`` or ``member/instance``."""


class Traffic:
    """The members of ``world`` at work. `next` says who signs what; the caller puts it on record.

    ``world`` must have joined and published already (`founded`), and its fold be the ledger's.
    """

    def __init__(self, world: World, *, seed: int) -> None:
        self._world = world
        self._chance = random.Random(seed)
        self._newest: dict[bytes, int] = {}
        self._streams: dict[str, list[bytes]] = {}
        self._due: deque[tuple[bytes, bytes, int, int]] = deque()
        """Grant, stream, first and last sequence that a receipt is owed for."""
        self._read: dict[tuple[bytes, bytes], int] = {}
        """Grant and stream → up to which sequence it has been read."""
        self._grants: list[bytes] = []
        self._known = 0
        self._open: list[bytes] = []
        self._asked = 0

    def opening(self) -> list[Signed]:
        """What is signed first: every dataset's streams, and the first applications."""
        signed: list[Signed] = []
        for row in self._world.registry.datasets.values():
            for number, region in enumerate(REGIONS):
                body = self._world.opening(row.id, region, partition=number)
                signed.append((body, f"{row.provider}/main"))
        return signed + [self._apply() for _ in range(APPLIED_FIRST)]

    def next(self) -> Signed:
        """The next act; call it after the one before stands on the ledger."""
        self._look()
        kinds: dict[str, Callable[[], Signed | None]] = {
            "ask": self._ask,
            "receipt": self._receipt,
            "progress": self._progress,
            "apply": self._apply,
            "answer": self._answer,
            "revoke": self._revoke,
        }
        (kind,) = self._chance.choices(list(OFTEN), list(OFTEN.values()))
        return kinds[kind]() or self._progress()

    def _look(self) -> None:
        """Take note of streams, applications and grants that are new on the ledger."""
        registry = self._world.registry
        if len(self._newest) < len(registry.streams):
            for row in registry.streams.values():
                if row.id not in self._newest:
                    self._newest[row.id] = -1
                    self._streams.setdefault(row.member, []).append(row.id)
        grants = registry.grants
        if self._known < len(grants):
            self._grants += list(grants) if self._known == 0 else _last(grants)
            self._known = len(grants)
        if self._asked < len(registry.requests):
            (newest,) = _last(registry.requests)
            self._asked = len(registry.requests)
            if registry.requests[newest].status == "open":
                self._open.append(newest)

    def _apply(self) -> Signed:
        world, chance = self._world, self._chance
        row = self._dataset()
        consumer = chance.choice([name for name in departments() if name != row.provider])
        wrong = chance.random() < WRONG
        body = world.application(
            row.id,
            regions=tuple(sorted(chance.sample(REGIONS, chance.randint(1, len(REGIONS))))),
            purpose=chance.choice(PURPOSES),
            duty="" if wrong else chance.choice(DUTIES),
            from_ms=world.now_ms - 30 * DAY_MS,
            to_ms=world.now_ms + 90 * DAY_MS,
            expires_ms=world.now_ms + chance.randint(20, 80) * DAY_MS,
        )
        return body, consumer

    def _answer(self) -> Signed | None:
        if not self._open:
            return None
        request = self._open.pop(self._chance.randrange(len(self._open)))
        row = self._world.registry.requests[request]
        approve = self._chance.random() < 0.85
        basis = "" if approve else "个人信息保护法 第三十四条"
        reason: Reason = "" if approve else "no-duty"
        body = acts.AnswerRequest(request=request, approve=approve, basis=basis, reason=reason)
        return body, self._world.registry.datasets[row.dataset].provider

    def _revoke(self) -> Signed | None:
        grant = self._grant()
        if grant is None:
            return None
        self._grants.remove(grant.id)
        provider = self._world.registry.datasets[grant.dataset].provider
        by = self._chance.choice((provider, grant.consumer))
        return acts.RevokeGrant(grant=grant.id, reason="用途已结束"), by

    def _ask(self) -> Signed | None:
        world, chance = self._world, self._chance
        grant = self._grant()
        if grant is None:
            return None
        streams = [row for row in world.registry.streams_of(grant.dataset) if self._has(row.id)]
        wrong = chance.random() < WRONG
        allowed = [row for row in streams if (row.region in grant.regions) is not wrong]
        if not allowed:
            return None
        picked = chance.sample(allowed, chance.randint(1, len(allowed)))
        runs = [(row.id, *self._run(grant.id, row.id)) for row in picked]
        items = tuple(
            world.item(
                stream,
                epoch=epoch_of(stream, sequence),
                header=world.anchor(stream, sequence).head,
                from_ms=world.now_ms - 2 * HOUR_MS,
                to_ms=world.now_ms - HOUR_MS,
                sequence=sequence,
            )
            for stream, first, last in runs
            for sequence in beginnings(first, last)
        )
        if not items:
            return None
        if not wrong:
            kept = chance.random() >= LOST
            for stream, first, last in runs:
                self._read[grant.id, stream] = last
                if kept and first <= last:
                    self._due.append((grant.id, stream, first, last))
        return world.ask(grant.id, *items, purpose=grant.purpose), f"{grant.consumer}/main"

    def _run(self, grant: bytes, stream: bytes) -> tuple[int, int]:
        """What there is to read next: a new reader begins with the newest epoch."""
        newest = self._newest[stream]
        first = self._read.get((grant, stream), newest - newest % EPOCH_BUNDLES - 1) + 1
        last = first - first % EPOCH_BUNDLES + EPOCHS_AT_ONCE * EPOCH_BUNDLES - 1
        return first, min(newest, last)

    def _receipt(self) -> Signed | None:
        runs: list[acts.ReceiptItem] = []
        grant = self._due[0][0] if self._due else b""
        while self._due and self._due[0][0] == grant:
            _, stream, first, last = self._due.popleft()
            head = self._world.anchor(stream, last).head
            records = PER_BUNDLE * (last - first + 1)
            run = acts.ReceiptItem(
                stream=stream, first=first, last=last, head=head, records=records, levels=(1, 2)
            )
            runs.append(run)
        if not runs:
            return None
        row = self._world.registry.grants[grant]
        sink = SINKS[grant[0] % len(SINKS)]
        body = acts.FileReceipt(grant=grant, purpose=row.purpose, sink=sink, items=tuple(runs))
        return body, f"{row.consumer}/main"

    def _progress(self) -> Signed:
        chance = self._chance
        provider = chance.choice(list(self._streams))
        streams = self._streams[provider]
        picked = chance.sample(streams, chance.randint(1, len(streams)))
        for stream in picked:
            self._newest[stream] += chance.randint(1, 4)
        ends = [(stream, self._newest[stream]) for stream in picked]
        anchors = tuple(
            self._world.anchor(stream, last, epoch=epoch_of(stream, last)) for stream, last in ends
        )
        return acts.ReportProgress(anchors=anchors), f"{provider}/main"

    def _has(self, stream: bytes) -> bool:
        """Whether anything was published on it."""
        return self._newest.get(stream, -1) >= 0

    def _grant(self) -> Grant | None:
        """One that stands; what has expired meanwhile is forgotten."""
        while self._grants:
            at = self._chance.randrange(len(self._grants))
            row = self._world.registry.grants[self._grants[at]]
            if row.expires_ms > self._world.now_ms:
                return row
            self._grants[at] = self._grants[-1]
            self._grants.pop()
        return None

    def _dataset(self) -> Dataset:
        return self._chance.choice(list(self._world.registry.datasets.values()))


def departments() -> list[str]:
    """The members that provide and consume."""
    return [f"department-{number:02}" for number in range(1, DEPARTMENTS + 1)]


def founded(*, seed: int) -> World:
    """A world in which all members are enrolled and all datasets published; a third conditional."""
    world = World(seed=seed)
    world.join("audit-office", "auditor")
    for number, member in enumerate(departments()):
        world.join(member)
        for one in range(DATASETS_EACH):
            sharing = "conditional" if (number + one) % 3 == 0 else "unconditional"
            world.publish(member, f"register-{number + 1:02}-{one + 1}", sharing=sharing)
    return world


def epoch_of(stream: bytes, sequence: int) -> bytes:
    """The id of the epoch that a bundle belongs to."""
    number = sequence // EPOCH_BUNDLES
    return hashlib.sha256(stream + number.to_bytes(8, "big")).digest()[:16]


def beginnings(first: int, last: int) -> Iterator[int]:
    """The bundles that a reader of ``first`` to ``last`` asks with: the first it has of each epoch.

    That of its first bundle may be known to it already; it asks again, as after a restart.
    """
    while first <= last:
        yield first
        first += EPOCH_BUNDLES - first % EPOCH_BUNDLES


def _last(ids: Reversible[bytes]) -> list[bytes]:
    """The newest of the ids of a table that grew by one."""
    return [next(reversed(ids))]
