"""Records that wait for their bundle to fill, by region; bounded, whatever a source holds.

A dataset may split into hundreds of regions, and a source may name them in any order. Each region's
records wait until they fill a bundle, but all of them together never exceed `BUNDLES_WAITING`
bundles: then the region with most goes out in a smaller one. Within a region the order is kept.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from exchange.flow.split import concatenate, cut, slices
from exchange.limits import BUNDLE_RECORDS_MAX
from exchange.model.batch import Batch

BUNDLES_WAITING: Final = 1
"""Records of so many full bundles may wait; more would buy larger bundles with memory."""


@dataclass(slots=True)
class _Region:
    batches: deque[Batch] = field(default_factory=deque)
    records: int = 0


class Waiting:
    """See the module. What an iterator has not given yet goes on waiting."""

    def __init__(self) -> None:
        self._regions: dict[str, _Region] = {}
        self._records = 0

    def add(self, region: str, batch: Batch) -> None:
        """Let ``batch`` wait behind what waits for ``region``."""
        waiting = self._regions.setdefault(region, _Region())
        waiting.batches.extend(slices(batch, BUNDLE_RECORDS_MAX))
        waiting.records += batch.records
        self._records += batch.records

    def full(self, region: str, bundle_records: int) -> Iterator[tuple[str, Batch]]:
        """Full bundles of ``region``, to which something was added, then whatever is too much."""
        while region in self._regions and self._regions[region].records >= bundle_records:
            yield region, self._take(region, bundle_records)
        while self._records > BUNDLES_WAITING * bundle_records:
            most = max(self._regions, key=lambda name: self._regions[name].records)
            yield most, self._take(most, bundle_records)

    def rest(self, bundle_records: int) -> Iterator[tuple[str, Batch]]:
        """Everything that waits, in bundles."""
        for region in list(self._regions):
            while region in self._regions:
                yield region, self._take(region, bundle_records)

    def _take(self, region: str, records_max: int) -> Batch:
        """The first records of ``region``, at most so many."""
        waiting = self._regions[region]
        taken: list[Batch] = []
        room = records_max
        while waiting.batches and room:
            batch = waiting.batches.popleft()
            if batch.records > room:
                waiting.batches.appendleft(cut(batch, slice(room, None)))
                batch = cut(batch, slice(room))
            taken.append(batch)
            room -= batch.records
        waiting.records -= records_max - room
        self._records -= records_max - room
        if not waiting.batches:
            del self._regions[region]
        return concatenate(taken)
