"""Rows about how far streams have come: anchors, gaps, forks; see exchange/registry/state.py."""

from dataclasses import dataclass
from typing import Final

ANCHORS_KEPT: Final = 64
"""Newest anchors of a stream that the state keeps; older ones are on the ledger."""


@dataclass(frozen=True, slots=True)
class AnchorRow:
    """How far a stream had come, by its provider's word, at entry ``index`` and ledger time."""

    epoch: bytes
    sequence: int
    head: bytes
    records: int
    version: int
    index: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class Gap:
    """Bundles ``first`` to ``last`` are lost for good; ``head`` is the header hash of ``last``."""

    first: int
    last: int
    head: bytes
    reason: str
    index: int


@dataclass(frozen=True, slots=True)
class Fork:
    """Two headers of ``sequence`` are on record, by entry ``index``: nobody reads that far."""

    sequence: int
    index: int


@dataclass(frozen=True, slots=True)
class Track:
    """The newest anchors of a stream, oldest first, and its gaps."""

    version: int
    anchors: tuple[AnchorRow, ...] = ()
    gaps: tuple[Gap, ...] = ()
