"""Read: which messages are the next bundles of the streams a subscription covers.

Every message is parsed, matched with a stream of the ledger, verified under the instance that
opened it, and judged against the reader's chain. Only what comes out of `Reader.accept` may be
opened. What the broker's owner puts on the topic besides neither blocks nor advances a reader.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from exchange import metrics
from exchange.bus.ports import Message, Place
from exchange.envelope.open import (
    Expected,
    ParsedBundle,
    VerifiedBundle,
    VerifiedHeader,
    parse_bundle,
    verify_bundle,
)
from exchange.errors import BundleRefused
from exchange.flow.chain import Chain, Step
from exchange.flow.forks import Contradiction
from exchange.flow.ports import LedgerView
from exchange.flow.probation import Probation
from exchange.flow.report import Halt, Report
from exchange.flow.subscription import Subscription
from exchange.limits import WITHHELD_MS
from exchange.registry.busrules import FORK

_LOG = structlog.get_logger(__name__)

EARLY_KEPT: Final = 1_024
"""Bundles behind a hole whose places a reader remembers, for each stream: a hole that is never
filled must not fill its memory."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A bundle to open next, and the sequence that was accepted before it (-1: none).

    The two are adjacent unless the ledger holds a gap act for what lies between.
    """

    bundle: VerifiedBundle
    after: int


class Reader:
    """The chains of one subscription; see the module."""

    def __init__(
        self,
        subscription: Subscription,
        view: LedgerView,
        positions: Mapping[str, tuple[int, str]],
        report: Report,
    ) -> None:
        self._subscription = subscription
        self._view = view
        self._report = report
        self._chains = {
            bytes.fromhex(stream): Chain.at(bytes.fromhex(stream), sequence, bytes.fromhex(head))
            for stream, (sequence, head) in positions.items()
        }
        self._accepted = {stream: chain.sequence for stream, chain in self._chains.items()}
        self._at_start = dict(self._accepted)
        self._repeated: list[VerifiedHeader] = []
        self._read_to: dict[Place, int] = {}
        self._early: dict[bytes, dict[int, tuple[Place, int]]] = defaultdict(dict)
        self._forgot_early = False
        self._rewind: dict[Place, int] = {}
        self._probations: dict[bytes, Probation] = {}
        self._contradictions: list[Contradiction] = []
        self._size_at_start = view.registry.size

    def starts(
        self, bounds: Mapping[Place, tuple[int, int]], hint: Mapping[Place, int]
    ) -> dict[Place, int]:
        """Where to read each partition from: the hint, if it lies on the partition."""
        starts = {}
        for place, (first, end) in bounds.items():
            hinted = hint.get(place, first)
            starts[place] = hinted if first <= hinted <= end else first
        return starts

    def settled(self, reached: Mapping[Place, int]) -> dict[Place, int]:
        """Of the offsets reached, what need not be read again: nothing if a stream is held up."""
        early = any(self._early.values()) or self._forgot_early
        held_up = self._report.halted or early or self._unproven()
        return {} if held_up else dict(reached)

    def _unproven(self) -> bool:
        return any(not probation.proven for probation in self._probations.values())

    async def accept(self, messages: Sequence[Message]) -> list[Accepted]:
        """The bundles among ``messages`` to open next, in order; everything else is counted."""
        accepted = []
        for message in messages:
            parsed = await self._parse(message)
            bundle = self._judge(message, parsed) if parsed is not None else None
            if bundle is not None:
                stream, sequence = bundle.header.header.stream, bundle.header.header.sequence
                accepted.append(Accepted(bundle, self._accepted.get(stream, -1)))
                self._accepted[stream] = sequence
            place = (message.topic, message.partition)
            self._read_to[place] = max(message.offset, self._read_to.get(place, -1))
        return accepted

    def repeated(self) -> list[VerifiedHeader]:
        """Headers since the last call of bundles that the sink had when this reader began."""
        repeated, self._repeated = self._repeated, []
        return repeated

    def is_halted(self, stream: bytes) -> bool:
        """Whether ``stream`` is not read further."""
        return stream.hex() in self._report.halted

    def may_deliver(self, stream: bytes, sequence: int) -> bool:
        """Whether an accepted bundle is still good: what lies before a halt is."""
        halt = self._report.halted.get(stream.hex())
        return halt is None or sequence < halt.sequence

    def halt(self, stream: bytes, why: Halt) -> None:
        """Read ``stream`` no further in this run, and say so."""
        self._report.halted[stream.hex()] = why
        metrics.STREAMS_HALTED.set(len(self._report.halted))
        _LOG.warning(
            "stream halted", stream=stream.hex(), sequence=why.sequence, failure=why.failure
        )

    def rewind(self) -> dict[Place, int]:
        """Offsets to read again because what came before them has arrived; {} mostly."""
        rewind, self._rewind = self._rewind, {}
        return rewind

    def contradictions(self) -> list[Contradiction]:
        """Second headers of a sequence found since the last call, for `Forks.file`."""
        found, self._contradictions = self._contradictions, []
        return found

    def conclude(self, now_ms: int) -> None:
        """Report holes, and streams behind an anchor that the broker should have served by now.

        Halt streams whose provider has told others, or the ledger, another history.

        An anchor is filed after the broker acknowledged what it names: one that was on the ledger
        before this reader learnt the end of the topic must have been reached at that end.
        """
        registry = self._view.registry
        self._report.missing.clear()
        self._report.withheld.clear()
        for stream in registry.streams_of(self._subscription.grant.dataset):
            if not self._subscription.covers(stream) or self.is_halted(stream.id):
                continue
            sequence = self._chain(stream.id).sequence
            two = self._two_histories(stream.id)
            if two is not None:
                self.halt(stream.id, two)
                continue
            if any(early > sequence for early in self._early[stream.id]):
                self._report.missing[stream.id.hex()] = sequence + 1
            anchor = registry.newest_anchor(stream.id)
            if anchor is None or anchor.sequence <= sequence:
                continue
            if anchor.index < self._size_at_start or anchor.time_ms + WITHHELD_MS <= now_ms:
                self._report.withheld[stream.id.hex()] = anchor.sequence
        metrics.STREAMS_WITHHELD.set(len(self._report.withheld))

    async def _parse(self, message: Message) -> ParsedBundle | None:
        if message.value is None:
            self._ignore(message, "null")
            return None
        try:
            parsed = parse_bundle(message.value)
        except BundleRefused as error:
            self._ignore(message, error.failure)
            return None
        if parsed.header.stream not in self._view.registry.streams:
            await self._view.catch_up()  # a stream may be newer than our view of the ledger
        return parsed

    def _judge(self, message: Message, parsed: ParsedBundle) -> VerifiedBundle | None:
        registry = self._view.registry
        stream = registry.streams.get(parsed.header.stream)
        if stream is None:
            self._ignore(message, "unknown-stream")
            return None
        if not self._subscription.covers(stream) or self.is_halted(stream.id):
            return None
        try:
            expected = Expected(
                registry.origin, stream.dataset, stream.provider, stream.id, stream.region
            )
            bundle = verify_bundle(parsed, registry.stream_public(stream.id), expected)
            if not self._proven(message, bundle):
                return None
        except BundleRefused as error:
            self._ignore(message, error.failure)
            return None
        return self._step(message, bundle)

    def _proven(self, message: Message, bundle: VerifiedBundle) -> bool:
        """False while the chain of a stopped instance is not proven; see exchange/flow/probation.

        Raises BundleRefused for what lies beyond the frontier of a stopped instance.
        """
        said = bundle.header.header
        frontier = self._view.registry.frontier(said.stream)
        if frontier is None:
            return True
        if said.sequence > frontier:
            raise BundleRefused(
                "the bundle was signed by an instance that has stopped",
                "该数据包由已停用的实例签署",
                failure="beyond-frontier",
            )
        chain = self._chain(said.stream)
        if said.sequence <= chain.sequence:
            if chain.seen.get(said.sequence, bundle.header.hash) != bundle.header.hash:
                raise BundleRefused(
                    "the key of a stopped instance signed another bundle of this sequence",
                    "已停用实例的密钥对该序号签署了另一数据包",
                    failure="unproven",
                )
            return True
        anchor = self._view.registry.newest_anchor(said.stream)
        probation = self._probations.setdefault(said.stream, Probation(chain, anchor))
        if probation.proven:
            return True
        place = (message.topic, message.partition)
        found = probation.walk(
            said.sequence, said.previous, bundle.header.hash, (place, message.offset)
        )
        if found is not None:
            self._read_again(*found)
        return False

    def _two_histories(self, stream: bytes, following: bytes | None = None) -> Halt | None:
        """Why to go no further: a fork on record, or an anchor that says otherwise.

        ``following`` is the header hash of the bundle that would be accepted next.
        """
        registry, chain = self._view.registry, self._chain(stream)
        fork = registry.forks.get(stream)
        if fork is not None and chain.sequence + 1 >= fork.sequence:
            return Halt("equivocation", fork.sequence, (FORK,), fork.index)
        for row in registry.tracks[stream].anchors:
            ahead = row.sequence == chain.sequence + 1
            mine = following if ahead else chain.seen.get(row.sequence)
            if mine not in (None, row.head):
                return Halt("equivocation", row.sequence, (FORK,), row.index)
        return None

    def _step(self, message: Message, bundle: VerifiedBundle) -> VerifiedBundle | None:
        said, header_hash = bundle.header.header, bundle.header.hash
        chain = self._chain(said.stream)
        step = chain.judge(said.sequence, said.previous, header_hash)
        two = self._two_histories(said.stream, header_hash) if step is Step.NEXT else None
        if two is not None:
            self.halt(said.stream, two)
            return None
        match step:
            case Step.NEXT:
                chain.advance(said.sequence, header_hash)
                self._recall(chain)
                return bundle
            case Step.DUPLICATE | Step.OLD:
                if said.sequence <= self._at_start.get(said.stream, -1):
                    self._repeated.append(bundle.header)
                if self._first_time(message):
                    self._report.duplicates += 1
                    metrics.DELIVER_DUPLICATES.inc()
            case Step.EARLY:
                place = (message.topic, message.partition)
                self._note_early(said.stream, said.sequence, (place, message.offset))
                self._step_over_gap(chain)
            case Step.FORK:
                here = Halt("equivocation", said.sequence)
                self.halt(said.stream, self._two_histories(said.stream) or here)
                self._contradictions.append(
                    Contradiction(
                        said.stream,
                        said.sequence,
                        chain.seen[said.sequence],
                        bundle.header.raw,
                        (message.topic, message.partition),
                    )
                )
            case Step.BROKEN:
                self.halt(said.stream, Halt("chain-broken", said.sequence))
        return None

    def _chain(self, stream: bytes) -> Chain:
        if stream not in self._chains:
            self._chains[stream] = Chain.at_start(stream)
        return self._chains[stream]

    def _recall(self, chain: Chain) -> None:
        """The bundle after the head came too early: read from there again."""
        early = self._early[chain.stream]
        if found := early.pop(chain.sequence + 1, None):
            self._read_again(*found)

    def _note_early(self, stream: bytes, sequence: int, at: tuple[Place, int]) -> None:
        """Remember where the nearest bundles behind a hole lie; the others are read on the way."""
        early = self._early[stream]
        early[sequence] = at
        if len(early) > EARLY_KEPT:
            del early[max(early)]
            self._forgot_early = True

    def _read_again(self, place: Place, offset: int) -> None:
        self._rewind[place] = min(offset, self._rewind.get(place, offset))

    def _step_over_gap(self, chain: Chain) -> None:
        """Go on behind a loss that the provider has admitted on the ledger."""
        for gap in self._view.registry.gaps_of(chain.stream):
            if gap.first == chain.sequence + 1:
                self._report.gaps[chain.stream.hex()] = gap.last - gap.first + 1
                chain.advance(gap.last, gap.head)
                self._recall(chain)

    def _first_time(self, message: Message) -> bool:
        """Whether this is no second look after a rewind: what is counted is counted once."""
        return message.offset > self._read_to.get((message.topic, message.partition), -1)

    def _ignore(self, message: Message, failure: str) -> None:
        """Count and alarm a message that is no bundle of anybody registered."""
        if not self._first_time(message):
            return
        self._report.ignored[failure] = self._report.ignored.get(failure, 0) + 1
        metrics.DELIVER_REFUSED.labels(failure=failure).inc()
        _LOG.warning(
            "message ignored",
            topic=message.topic,
            partition=message.partition,
            offset=message.offset,
            failure=failure,
        )
