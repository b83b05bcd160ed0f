"""Where a reader stands in one stream, and what the next verified header is to it.

Pure: no I/O, no clock. A reader delivers only a contiguous prefix from its anchor (invariant 3).
Headers come in here after their signature was checked; the chain alone decides whether one is
next, a repetition, early, or evidence against its provider.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

HASHES_KEPT: Final = 4_096
"""Recent header hashes a reader compares repetitions with; older ones count as unchecked."""


class Step(Enum):
    """What a header is to a reader at this position."""

    NEXT = "next"
    """The next sequence number, chained to the head: deliver it."""
    DUPLICATE = "duplicate"
    """Seen before with the same hash: count it."""
    OLD = "old"
    """Before anything this reader remembers: count it."""
    EARLY = "early"
    """Something before it is missing: wait for that, then read this again."""
    FORK = "fork"
    """Another header of a sequence number already seen, both signed: equivocation, halt."""
    BROKEN = "broken"
    """The next sequence number, but chained to another head: halt."""


@dataclass(slots=True)
class Chain:
    """A reader's position: ``sequence`` (-1 before the first bundle) and that header's hash.

    Before the first bundle ``head`` is the stream id, as sequence 0 names it as its previous.
    """

    stream: bytes
    sequence: int
    head: bytes
    seen: OrderedDict[int, bytes] = field(default_factory=OrderedDict)

    @classmethod
    def at_start(cls, stream: bytes) -> "Chain":
        """The position of a reader that has seen nothing."""
        return cls(stream, -1, stream)

    @classmethod
    def at(cls, stream: bytes, sequence: int, head: bytes) -> "Chain":
        """The position after bundle ``sequence`` with header hash ``head``."""
        return cls(stream, sequence, head, OrderedDict({sequence: head}))

    def judge(self, sequence: int, previous: bytes, header_hash: bytes) -> Step:
        """What this header is; changes nothing."""
        if sequence <= self.sequence:
            known = self.seen.get(sequence)
            if known is None:
                return Step.OLD
            return Step.DUPLICATE if known == header_hash else Step.FORK
        if sequence > self.sequence + 1:
            return Step.EARLY
        return Step.NEXT if previous == self.head else Step.BROKEN

    def advance(self, sequence: int, header_hash: bytes) -> None:
        """Step onto the header that `judge` called NEXT, or over a gap that the ledger admits."""
        self.sequence = sequence
        self.head = header_hash
        self.seen[sequence] = header_hash
        while len(self.seen) > HASHES_KEPT:
            self.seen.popitem(last=False)
