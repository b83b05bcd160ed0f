"""Records as columns: what travels from a source to a sink.

No dictionary per record exists on the way; a batch of 20,000 records with six fields is six lists
and their versions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Batch:
    """Columns by field name, in the contract's order, all of the same length.

    A value is what JSON can carry without loss: text, integer of 64 bits, boolean, or None; exact
    decimals, dates and times are canonical text. ``versions`` only grow per dataset and provider;
    of records that follow one another they may be a ``range``, which takes no room.
    """

    columns: dict[str, list[Any]]
    operations: list[int] | None
    """0 upsert, 1 delete, one for each record; None if all are upserts."""
    versions: Sequence[int]
    scalars: bool = False
    """Whether every value is known to be such a one, as of columns that a contract has judged;
    whoever seals others looks at each."""

    @property
    def records(self) -> int:
        """How many."""
        return len(self.versions)
