"""What a reconciliation keeps of the ledger while it reads it, in one pass. Pure.

What is kept grows with the lines (one a grant and stream), with the keys that no receipt answers,
and by one hash a bundle that anybody named. Entries after ``as_of_ms`` (ledger time), and beyond
the first ``size_max``, do not exist here. What it comes to: exchange/audit/reconcile.py.
"""

from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

from exchange.audit.ledgerlines import Hole, Line
from exchange.ledger.verdict import Folded
from exchange.model import acts

RECEIPT_DUE_MS: Final = 15 * 60_000
DELIVERY_DUE_MS: Final = 24 * 3_600_000
_INDEX_BYTES: Final = 5


@dataclass(frozen=True, slots=True)
class Due:
    """How long things may take before they are findings.

    ``receipt_ms``: from a key to the receipt (adapters file every 30 s). ``delivery_ms``: from an
    anchor to the receipt that reaches it, and from a receipt to the anchor that does.
    """

    receipt_ms: int = RECEIPT_DUE_MS
    delivery_ms: int = DELIVERY_DUE_MS


@dataclass(frozen=True, slots=True)
class Anchored:
    """An anchor: how far, in which entry, when."""

    sequence: int
    index: int
    time_ms: int


@dataclass(slots=True)
class Ahead:
    """A receipt has gone beyond the newest anchor: since when, how far."""

    since_ms: int
    index: int
    last: int


@dataclass(slots=True)
class _Epoch:
    """The bundles of a stream that its anchors place in one epoch for certain."""

    epoch: bytes
    first: int
    last: int


class Tally:
    """Releases, receipts and anchors, indexed; hand `take` every leaf in order."""

    def __init__(self, *, as_of_ms: int, due: Due, size_max: int = 1 << 62) -> None:
        self.as_of_ms = as_of_ms
        self._size_max = size_max
        self.due = due
        self.size = 0
        self.keys = self.receipts = self.anchors = 0
        self.lines: dict[tuple[bytes, bytes], Line] = {}
        self.begun: dict[bytes, int] = {}
        """When each application or answer took effect; a grant has the id of one."""
        self._heads: dict[bytes, dict[int, bytes]] = {}
        """Stream → sequence → header hash and the entry that named it first."""
        self._epochs: dict[bytes, list[_Epoch]] = {}
        self.newest: dict[bytes, Anchored] = {}
        self.settled: dict[bytes, Anchored] = {}
        """The newest anchor that is old enough for everybody to have fetched what it names."""
        self.ahead: dict[bytes, Ahead] = {}
        self.gaps: dict[bytes, list[Hole]] = {}
        self.forked: dict[bytes, tuple[int, int]] = {}
        self.strays: list[tuple[bytes, acts.ReceiptItem, int, int]] = []
        self.clashes: dict[tuple[bytes, int], tuple[int, int, int]] = {}

    def take(self, folded: Folded) -> None:
        """Note the next leaf."""
        if folded.time_ms > self.as_of_ms or folded.index >= self._size_max:
            return
        self.size = folded.index + 1
        if not folded.permit or folded.act is None:
            return
        match folded.act.body:
            case acts.AskKeys() as body:
                self._take_keys(body, folded)
            case acts.FileReceipt() as body:
                self._take_receipt(body, folded)
            case acts.ReportProgress() as body:
                for anchor in body.anchors:
                    self._take_anchor(anchor, folded)
            case acts.DeclareGap() as body:
                hole = Hole(body.first, body.last, folded.index, folded.time_ms)
                self.gaps.setdefault(body.stream, []).append(hole)
                self._compare(body.stream, body.last, body.head, folded)
            case acts.ReportFork() as body:
                self.forked[body.stream] = (folded.index, folded.time_ms)
            case acts.Apply() | acts.AnswerRequest():
                self.begun[folded.act.id] = folded.time_ms

    def _take_keys(self, body: acts.AskKeys, folded: Folded) -> None:
        refused = {item for item, _ in folded.refused_items}
        for number, item in enumerate(body.items):
            if number in refused:
                continue
            self.keys += 1
            line = self.lines.get((body.grant, item.stream))
            if line is None:
                line = self.lines[body.grant, item.stream] = Line()
            line.release(item, folded.index, folded.time_ms)
            self._compare(item.stream, item.sequence, item.header, folded)

    def _take_receipt(self, body: acts.FileReceipt, folded: Folded) -> None:
        self.receipts += 1
        for run in body.items:
            line = self.lines.get((body.grant, run.stream))
            if line is None:
                line = self.lines[body.grant, run.stream] = Line()
            if not self._released(line, run):
                self.strays.append((body.grant, run, folded.index, folded.time_ms))
            line.receive(run, body.sink, folded.index, folded.time_ms)
            self._compare(run.stream, run.last, run.head, folded)
            newest = self.newest.get(run.stream)
            if newest is None or newest.sequence < run.last:
                ahead = self.ahead.setdefault(
                    run.stream, Ahead(folded.time_ms, folded.index, run.last)
                )
                ahead.last = max(ahead.last, run.last)

    def _released(self, line: Line, run: acts.ReceiptItem) -> bool:
        """Whether the ledger shows keys for all that a run says was opened, as far as it can."""
        if run.first < line.lowest or not line.levels.issuperset(run.levels):
            return False
        known = self._epochs.get(run.stream, [])
        at = bisect_left(known, run.first, key=_end)
        while at < len(known) and known[at].first <= run.last:
            if known[at].epoch not in line.epochs:
                return False
            at += 1
        return True

    def _take_anchor(self, anchor: acts.Anchor, folded: Folded) -> None:
        self.anchors += 1
        row = Anchored(anchor.sequence, folded.index, folded.time_ms)
        self.newest[anchor.stream] = row
        if folded.time_ms + self.due.delivery_ms <= self.as_of_ms:
            self.settled[anchor.stream] = row
        epochs = self._epochs.setdefault(anchor.stream, [])
        if epochs and epochs[-1].epoch == anchor.epoch:
            epochs[-1].last = anchor.sequence
        else:
            epochs.append(_Epoch(anchor.epoch, anchor.sequence, anchor.sequence))
        self._compare(anchor.stream, anchor.sequence, anchor.head, folded)
        ahead = self.ahead.get(anchor.stream)
        if ahead is not None:
            ahead.since_ms = folded.time_ms
            if anchor.sequence >= ahead.last:
                del self.ahead[anchor.stream]

    def _compare(self, stream: bytes, sequence: int, head: bytes, folded: Folded) -> None:
        """Two entries must not name two hashes for one bundle."""
        heads = self._heads.setdefault(stream, {})
        named = heads.setdefault(sequence, head + folded.index.to_bytes(_INDEX_BYTES, "big"))
        if not named.startswith(head):
            first = int.from_bytes(named[-_INDEX_BYTES:], "big")
            self.clashes.setdefault((stream, sequence), (first, folded.index, folded.time_ms))


def _end(epoch: _Epoch) -> int:
    return epoch.last
