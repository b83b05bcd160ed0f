"""Gathers rows of uneven runs into batches of an even size."""

from collections.abc import Iterator, Sequence
from itertools import chain, pairwise
from typing import Final

from adapters.ports import Columns, Lines

BATCH_BYTES: Final = 8 << 20
"""A batch closes at about so many source bytes even when it has few records."""


class RowBuffer:
    """Holds at most one batch and one run."""

    def __init__(self, header: Sequence[str], records_max: int) -> None:
        self._records_max = records_max
        self._columns: Columns = {name: [] for name in header}
        self._lines: list[Sequence[int]] = []
        self._count = 0
        self._bytes = 0

    def add(self, lines: Lines, columns: Columns, count: int, size_bytes: int) -> None:
        """Append ``count`` rows; ``columns`` may lack some, which are then None."""
        for name in columns.keys() - self._columns.keys():
            self._columns[name] = [None] * self._count
        for name, kept in self._columns.items():
            kept.extend(columns.get(name) or [None] * count)
        self._lines.append(range(lines, lines + count) if isinstance(lines, int) else lines)
        self._count += count
        self._bytes += size_bytes

    def full(self) -> Iterator[tuple[Lines, Columns]]:
        """Batches that are ready to go."""
        while self._count >= self._records_max:
            yield self._take(self._records_max)
        if self._bytes >= BATCH_BYTES:
            yield from self.rest()

    def rest(self) -> Iterator[tuple[Lines, Columns]]:
        """What is left, if anything."""
        if self._count:
            yield self._take(self._count)

    def _take(self, count: int) -> tuple[Lines, Columns]:
        lines = _joined(self._lines)
        taken = {name: column[:count] for name, column in self._columns.items()}
        self._columns = {name: column[count:] for name, column in self._columns.items()}
        self._bytes = self._bytes * (self._count - count) // self._count
        self._count -= count
        self._lines = [lines[count:]] if self._count else []
        head = lines[:count]
        even = isinstance(head, range) or head[-1] - head[0] == count - 1
        return (head[0] if even else head), taken


def _joined(parts: Sequence[Sequence[int]]) -> Sequence[int]:
    """One range if the parts follow each other, else a list."""
    ranges = [part for part in parts if isinstance(part, range)]
    following = all(a.stop == b.start for a, b in pairwise(ranges))
    if len(ranges) == len(parts) and following:
        return range(ranges[0].start, ranges[-1].stop)
    return list(chain.from_iterable(parts))
