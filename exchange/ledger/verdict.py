"""What a position on the ledger says about an act; SPEC.md sections 6 to 8.

Plain values that pass between the ledger, which knows positions, and the fold, which knows state.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from exchange.ledger.act import Act
from exchange.ledger.entry import Entry
from exchange.ledger.genesis import Root

RefusedItems = tuple[tuple[int, tuple[str, ...]], ...]
"""Index of an item of a key request and the rules that refuse it, ascending."""
Footprint = tuple[tuple[str, int], ...]
"""Key of a row and the version that was read, ascending."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Permitted or not, by which rules; for a key request also the items that are refused."""

    permit: bool
    rules: tuple[str, ...]
    refused_items: RefusedItems = ()

    @property
    def refused(self) -> Mapping[int, tuple[str, ...]]:
        """The refused items, by index."""
        return MappingProxyType(dict(self.refused_items))


@dataclass(frozen=True, slots=True)
class Proposal:
    """A verdict on a hub's own state, what it read, and until when a permit holds."""

    verdict: Verdict
    footprint: Footprint
    valid_until_ms: int | None


@dataclass(frozen=True, slots=True)
class Folded:
    """What stands at ``index``. A void act has ``fresh`` False, a reason, and no rules.

    ``act`` is None when its bytes are no act or its signature was not checked; ``time_ms`` is
    ledger time at the position; ``carried`` tells whether the hub's verdict stood or the rules were
    asked anew.
    """

    index: int
    entry: Entry
    act: Act | None
    act_id: bytes | None
    time_ms: int
    verdict: Verdict
    fresh: bool
    reason: str = ""
    carried: bool = False
    anew: Verdict | None = None
    """What the rules say where the hub's verdict stood and is not that; only a fold that
    scrutinises knows."""

    @property
    def disputed(self) -> bool:
        """Whether the hub's verdict stood although the rules do not give it."""
        return self.anew is not None

    @property
    def permit(self) -> bool:
        """Whether the act took effect here."""
        return self.verdict.permit

    @property
    def rules(self) -> tuple[str, ...]:
        """The determining rules, sorted by id."""
        return self.verdict.rules

    @property
    def refused_items(self) -> RefusedItems:
        """Items of a key request that are refused."""
        return self.verdict.refused_items


class Fold(Protocol):
    """The state that the entries make. Pure: no I/O, no clock; calls come in order of position."""

    @property
    def origin(self) -> str:
        """The log origin; empty before genesis."""

    @property
    def time_ms(self) -> int:
        """Ledger time after the last entry folded."""

    def begin(self, root: Root) -> Folded:
        """Start from genesis, which is leaf 0."""

    def hub_public(self, hub: str, kid: bytes) -> bytes | None:
        """The entry key of ``hub`` named by ``kid``, if it may sign the next entry."""

    def signing_public(self, kid: bytes) -> bytes | None:
        """A key that was enrolled under ``kid``, whoever's it is and whether or not it stands.

        For checking signatures ahead of their turn: whether it may sign is decided at the position.
        """

    def authenticate(self, act: bytes, at_ms: int, known: Act | None = None) -> Act:
        """The act, if it would not be void at the next position; otherwise `ActRefused`.

        ``known`` is that act as this process verified it a moment ago.
        """

    def propose(self, act: Act, at_ms: int, refused: Mapping[int, tuple[str, ...]]) -> Proposal:
        """The verdict on the state as it stands; ``refused`` are items refused on evidence."""

    def fold(self, entry: Entry, known: Act | None = None) -> Folded:
        """Take the next entry. ``known`` is its act, if this process has verified it before."""
