"""Put an act on the ledger, and believe only what is read back; exchange/ledger/SPEC.md section 10.

`Appender.append` is the only maker of `Appended`, and makes one only after this hub's own follower
has read the entry at its position and the fold has said what counts there. Keys are handed over
against that and nothing else (design 7). Steps, and what a crash after each leaves behind:

1. authenticate, 2. share, 3. decide, 4. sign — nothing;
5. produce — an entry for an answer nobody got;
6. outcome unknown: wait, then the same bytes again — a copy, which is void;
7. read back — as 5.

Any number of appends run at once; a later one never waits for an earlier one's answer.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from typing import Final, assert_never

from exchange import metrics
from exchange.bus.ports import Bus, Outcome, Producer
from exchange.errors import ActRefused, BusUnavailable, HubUnavailable
from exchange.ledger.act import Act
from exchange.ledger.clock import CheckedClock, Clock
from exchange.ledger.entry import Entry, Statement, parse_entry, sign_entry, verify_entry
from exchange.ledger.fairness import Fairness
from exchange.ledger.follower import Follower
from exchange.ledger.topic import PARTITION
from exchange.ledger.verdict import Fold, Folded, Proposal, Verdict
from exchange.ledger.waits import Outcome as Expected
from keys.cose import Signer

UNKNOWN_MS: Final = 2_000
"""How long an entry of unknown outcome may take to be read back before it is sent again."""
DEADLINE_MS: Final = 20_000
PAUSE_MS: Final = 50
AUTHENTIC_KEPT: Final = 1_024

_MADE_HERE: Final = object()
_NOTHING: Final[Mapping[int, tuple[str, ...]]] = {}


@dataclass(frozen=True, slots=True)
class Appended:
    """An act that stands on the ledger, and the verdict at its position; only `append` makes one.

    ``time_ms`` is ledger time there; a denial is an `Appended` too.
    """

    index: int
    entry_hash: bytes
    act: Act
    verdict: Verdict
    time_ms: int
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _MADE_HERE:
            raise TypeError("only append makes an Appended")

    @property
    def permit(self) -> bool:
        """Whether the act is permitted at its position."""
        return self.verdict.permit

    @property
    def rules(self) -> tuple[str, ...]:
        """The determining rules, sorted by id."""
        return self.verdict.rules

    @property
    def refused(self) -> Mapping[int, tuple[str, ...]]:
        """Items of a key request that are refused, with the rules, by index."""
        return self.verdict.refused


class Appender:
    """A hub's pen. ``signer`` is the hub's entry key, which genesis names under ``hub``."""

    def __init__(
        self,
        bus: Bus,
        topic: str,
        follower: Follower,
        fold: Fold,
        *,
        hub: str,
        signer: Signer,
        clock: Clock,
        fairness: Fairness | None = None,
        unknown_ms: int = UNKNOWN_MS,
        deadline_ms: int = DEADLINE_MS,
    ) -> None:
        self._bus = bus
        self._topic = topic
        self._follower = follower
        self._fold = fold
        self._hub = hub
        self._signer = signer
        self._clock = clock
        self._checked_clock = CheckedClock(clock, bus)
        self._fairness = fairness or Fairness()
        self._unknown_ms = unknown_ms
        self._deadline_ms = deadline_ms
        self._producer: Producer | None = None
        self._opening = asyncio.Lock()
        self._under_way: set[bytes] = set()
        self._authentic: OrderedDict[bytes, Act] = OrderedDict()

    def authenticate(self, raw: bytes) -> Act:
        """The act, if it would not be void now; `ActRefused` otherwise. Nothing is written.

        Raises `HubUnavailable` while the follower has read nothing yet.
        """
        if self._follower.size == 0:
            raise _not_ready()
        act = self._fold.authenticate(raw, self._clock.now_ms(), self._authentic.get(raw))
        self._authentic[raw] = act
        if len(self._authentic) > AUTHENTIC_KEPT:
            self._authentic.popitem(last=False)
        return act

    async def pace(self, act: Act, items: int) -> None:
        """Return when this hub may spend its time on ``items`` of a key request by this member.

        `RateLimited` when the member has asked for so much already that it would wait too long.
        """
        wait_ms = self._fairness.items.take(act.member, items, self._clock.monotonic_ms())
        if wait_ms:
            await asyncio.sleep(wait_ms / 1_000)

    async def append(
        self, raw: bytes, *, refused: Mapping[int, tuple[str, ...]] | None = None
    ) -> Appended:
        """Append the act and return what holds at its position, a denial included.

        ``refused`` names items of a key request that this hub refuses on evidence only it has
        (registry/busrules.EVIDENCE). Raises `ActRefused` (void, ``seen-before`` for one that
        stands already: it yields nothing twice), `RuleRefused` for a denial repeated,
        `RateLimited`, `ClockOff`, `EntryRefused` (``too-large``), `HubUnavailable`,
        `BusUnavailable` and `LedgerBroken`.
        """
        act = self.authenticate(raw)
        if act.id in self._under_way:
            raise _seen_before()
        self._under_way.add(act.id)
        try:
            return await self._append(act, refused or _NOTHING)
        finally:
            self._under_way.discard(act.id)
            self._authentic.pop(raw, None)

    async def check_clock(self) -> None:
        """Return if this hub may append as far as its clock goes; `ClockOff` otherwise."""
        await self._checked_clock.now_ms(self._fold.time_ms)

    async def close(self) -> None:
        """Let go of the producer, after what is in flight."""
        if self._producer is not None:
            await self._producer.close()
            self._producer = None

    async def _append(self, act: Act, refused: Mapping[int, tuple[str, ...]]) -> Appended:
        self._fairness.acts.take(act.member, self._clock.monotonic_ms())
        producer = await self._opened()
        time_ms = await self._checked_clock.now_ms(self._fold.time_ms)
        # Nothing is awaited between the decision and the call that fixes the place in the order.
        proposal = self._fold.propose(act, time_ms, refused)
        if not proposal.verdict.permit:
            now_ms = self._clock.monotonic_ms()
            self._fairness.before.check(act, proposal.footprint, now_ms)
            self._fairness.denials.take(act.member, now_ms)
        entry = self._signed(act, proposal, time_ms)
        expected = self._follower.expect(entry, act)
        try:
            with metrics.LEDGER_APPEND.time():
                folded = await self._produce(producer, entry, expected)
        finally:
            self._follower.give_up(entry, expected)
        return self._appended(act, proposal, folded)

    async def _opened(self) -> Producer:
        if self._producer is None:
            async with self._opening:
                if self._producer is None:
                    self._producer = await self._bus.producer()
        return self._producer

    def _signed(self, act: Act, proposal: Proposal, time_ms: int) -> Entry:
        """The entry, verified as everybody else will, so that no broken signer divides the hubs."""
        statement = Statement(
            act.origin,
            self._hub,
            time_ms,
            act.raw,
            proposal.verdict.permit,
            proposal.verdict.rules,
            proposal.verdict.refused_items,
            proposal.footprint,
            proposal.valid_until_ms,
        )
        parsed = parse_entry(sign_entry(statement, self._signer))
        return verify_entry(parsed, self._fold.hub_public(self._hub, parsed.kid) or b"")

    async def _produce(self, producer: Producer, entry: Entry, expected: Expected) -> Folded:
        loop = asyncio.get_running_loop()
        until = loop.time() + self._deadline_ms / 1_000
        maybe_written, pause_ms = False, PAUSE_MS
        while loop.time() < until:
            produced = await producer.produce(self._topic, PARTITION, entry.raw)
            left_ms = max(1, int((until - loop.time()) * 1_000))
            maybe_written |= produced.outcome is not Outcome.NOT_WRITTEN
            match produced.outcome:
                case Outcome.WRITTEN:
                    wait_ms = left_ms
                case Outcome.UNKNOWN:
                    wait_ms = self._unknown_ms
                case Outcome.NOT_WRITTEN:
                    wait_ms, pause_ms = pause_ms, 2 * pause_ms
                case _:
                    assert_never(produced.outcome)
            folded = await self._follower.outcome(expected, min(left_ms, wait_ms))
            if folded is not None:
                return folded
        raise _not_appended(maybe_written=maybe_written)

    def _appended(self, act: Act, proposal: Proposal, folded: Folded) -> Appended:
        if not folded.fresh:
            raise _seen_before() if folded.reason == "seen-before" else _void(folded.reason)
        metrics.LEDGER_APPENDED.labels(verdict="permit" if folded.permit else "deny").inc()
        if not folded.permit and folded.carried:
            self._fairness.before.note(
                act, folded.index, folded.rules, proposal.footprint, self._clock.monotonic_ms()
            )
        return Appended(
            folded.index, folded.entry.leaf_hash, act, folded.verdict, folded.time_ms, _MADE_HERE
        )


def _not_ready() -> HubUnavailable:
    return HubUnavailable(
        "this hub is still reading the ledger",
        "本枢纽仍在读取账本",
        remedy=("wait until exchange status says ready", "请等待 exchange status 显示就绪"),
        failure="catching-up",
    )


def _seen_before() -> ActRefused:
    return ActRefused(
        "the act stands on the ledger already",
        "账本上已有该行为",
        remedy=("sign a new act", "请重新签署"),
        failure="seen-before",
    )


def _void(reason: str) -> ActRefused:
    return ActRefused(
        f"the act was void by the time it reached the ledger ({reason})",
        f"该行为写入账本时已失效（{reason}）",
        remedy=("sign a new act", "请重新签署"),
        failure=reason,
    )


def _not_appended(*, maybe_written: bool) -> BusUnavailable:
    if maybe_written:
        return BusUnavailable(
            "the act may or may not stand on the ledger: it was sent, and not read back in time",
            "该行为是否已写入账本尚不确定：已发送，但未能及时读回",
            remedy=("sign a new act and try again", "请重新签署后再试"),
            failure="outcome-unknown",
        )
    return BusUnavailable(
        "Kafka takes no entries now; the act does not stand on the ledger",
        "Kafka 当前不接受条目；该行为未写入账本",
        remedy=("try again; look at Kafka if it stays so", "请重试；若持续请检查 Kafka"),
        failure="not-written",
    )
