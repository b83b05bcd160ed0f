"""The shapes that sources and sinks share with whoever uses them, matched structurally.

Nothing here is imported from above: a flow's own dataclasses fit because their attributes do.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Columns = dict[str, list[Any]]
"""One list per field, all of one length."""

Lines = int | Sequence[int]
"""The line of the first record when the others follow one by one, or the line of each record."""

Mark = tuple[int, str, int]
"""(version of a disputed record, id of the objection in hex, since when in ms)."""

OPERATION: str = "_operation"
"""A column a source may have beside the fields: ``upsert`` (or empty) and ``delete``."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that is no record at all; sentences are (English, Chinese) and never quote it."""

    line: int
    reason: tuple[str, str]
    remedy: tuple[str, str]


class Source(Protocol):
    """Records of a department system, as columns, in their order."""

    def batches(self, records_max: int) -> Iterator[tuple[Lines, Columns]]:
        """Batches of 1 to ``records_max`` records; can be asked for once."""
        ...

    def take_rejected(self) -> list[BadLine]:
        """Lines skipped since the last call because they are no records."""
        ...


class Delivery(Protocol):
    """One opened bundle on its way into a sink."""

    @property
    def stream(self) -> str:
        """Hex id of the stream."""
        ...

    @property
    def previous(self) -> int:
        """Sequence that must be committed before; -1: none."""
        ...

    @property
    def sequence(self) -> int:
        """The bundle's place in its stream, from 0."""
        ...

    @property
    def header_hash(self) -> str:
        """Hex hash of its signed header."""
        ...

    @property
    def columns(self) -> Columns:
        """One list per field, equal lengths."""
        ...

    @property
    def operations(self) -> list[int] | None:
        """0 upsert, 1 delete, a record each; None: all are upserts."""
        ...

    @property
    def versions(self) -> Sequence[int]:
        """A version for each record; the higher one wins."""
        ...


class Sink(Protocol):
    """Where records end up.

    Durability contract: when ``commit`` or ``commit_many`` returns, records and positions of all
    its deliveries are durable together; when it raises, none are, except after `SinkUnavailable`,
    when only ``positions`` can tell. A row is replaced by a higher version only, deleted rows leave
    a tombstone, so streams may be delivered in any order relative to each other.
    """

    def positions(self) -> dict[str, tuple[int, str]]:
        """Stream (hex) → (last sequence committed, its header hash in hex)."""
        ...

    def commit(self, delivery: Delivery) -> None:
        """Commit one bundle; `PositionConflict` when it does not continue its stream."""
        ...

    def commit_many(self, deliveries: Sequence[Delivery]) -> None:
        """Commit several bundles, of one stream (in order) or of several, all or none."""
        ...

    def mark(self, marks: Sequence[Mark]) -> None:
        """Replace what is marked as disputed; records that an open objection names, no others."""
        ...

    def close(self) -> None:
        """Let go of files and connections; safe to repeat."""
        ...
