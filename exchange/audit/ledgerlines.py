"""One reader's line: what was released and receipted on one stream under one grant. Pure."""

from dataclasses import dataclass, field
from typing import NamedTuple

from exchange.model.acts import AskItem, ReceiptItem


class Released(NamedTuple):
    """One key that was handed over by ``entry``, asked for with bundle ``sequence``."""

    sequence: int
    levels: tuple[int, ...]
    entry: int
    time_ms: int


class Hole(NamedTuple):
    """Bundles that the receipt in ``entry`` passed over."""

    first: int
    last: int
    entry: int
    time_ms: int


@dataclass(slots=True)
class Runs:
    """Receipts into one kind of sink: up to which sequence, and what lies between them."""

    last: int
    holes: list[Hole] = field(default_factory=list)

    def add(self, run: ReceiptItem, entry: int, time_ms: int) -> None:
        """One more run, wherever it lies."""
        if run.first > self.last + 1:
            self.holes.append(Hole(self.last + 1, run.first - 1, entry, time_ms))
        if self.holes:
            self.holes = [
                left for hole in self.holes for left in without(hole, run.first, run.last)
            ]
        self.last = max(self.last, run.last)


@dataclass(slots=True)
class Line:
    """Releases and receipts of one grant on one stream."""

    lowest: int = 1 << 62
    """The lowest sequence that a key was asked for with."""
    levels: set[int] = field(default_factory=set)
    epochs: set[bytes] = field(default_factory=set)
    open: list[Released] = field(default_factory=list)
    """Keys that no receipt answers yet, in order of release."""
    sinks: dict[str, Runs] = field(default_factory=dict)

    def release(self, item: AskItem, entry: int, time_ms: int) -> None:
        """Note a key that was handed over."""
        self.lowest = min(self.lowest, item.sequence)
        self.levels.update(item.levels)
        self.epochs.add(item.epoch)
        self.open.append(Released(item.sequence, item.levels, entry, time_ms))

    def receive(self, run: ReceiptItem, sink: str, entry: int, time_ms: int) -> None:
        """Note what a receipt says, and strike out the keys that it answers."""
        if self.open:
            levels: set[int] = set(run.levels)
            self.open = [key for key in self.open if not _answers(run, levels, key)]
        runs = self.sinks.get(sink)
        if runs is None:
            runs = self.sinks[sink] = Runs(run.first - 1)
        runs.add(run, entry, time_ms)

    @property
    def reach(self) -> int:
        """The last sequence that any receipt names; -1 if there is none."""
        return max((runs.last for runs in self.sinks.values()), default=-1)


def without(hole: Hole, first: int, last: int) -> list[Hole]:
    """What is left of ``hole`` when ``first`` to ``last`` are taken out."""
    if last < hole.first or hole.last < first:
        return [hole]
    left = []
    if hole.first < first:
        left.append(hole._replace(last=first - 1))
    if last < hole.last:
        left.append(hole._replace(first=last + 1))
    return left


def _answers(run: ReceiptItem, levels: set[int], key: Released) -> bool:
    """Whether a receipt names the bundle that the key was asked for with, and all its sections."""
    return run.first <= key.sequence <= run.last and levels.issuperset(key.levels)
