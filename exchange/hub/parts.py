"""What the doors stand in front of: small Protocols that exchange/wiring/hub.py fills.

Nothing here decides anything; the doors authenticate, limit and translate, and leave the rest to
these.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from exchange.flow.ports import Clock
from exchange.hub.datasetkeys import DatasetKeys
from exchange.hub.readiness import Readiness


class AnswersActs(Protocol):
    """`exchange.flow.release.Admissions`."""

    async def answer(self, act: bytes, /) -> bytes:
        """The signed answer; ActRefused, RuleRefused, RateLimited, Unavailable."""
        ...


class AnswersKeys(Protocol):
    """`exchange.flow.release.Releases`."""

    async def answer(self, request: bytes, headers: Sequence[bytes], /) -> bytes:
        """The signed answer; as above, and ReleaseRefused."""
        ...


@dataclass(frozen=True, slots=True)
class Head:
    """The ledger as this hub has folded it: entries, RFC 6962 root (32 bytes), ledger time."""

    size: int
    root: bytes
    time_ms: int


class ReadsLedger(Protocol):
    """The hub's follower, as far as readers see it."""

    def head(self) -> Head:
        """The newest head."""
        ...

    async def entries(self, first: int, *, count_max: int, bytes_max: int) -> list[bytes]:
        """Raw entries from index ``first`` on; empty past the end. BusUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Published:
    """How far the log is published: entries under the newest checkpoint, and what is not yet.

    ``age_ms`` is how long ago this hub published the checkpoint, ``cosignatures_missing`` how many
    witnesses of its policy have not cosigned it.
    """

    entries: int
    unsealed: int
    age_ms: int
    cosignatures_missing: int


class ServesLog(Protocol):
    """The hub's published log."""

    def serve(self, path: str, /) -> bytes:
        """The file at ``path`` below the prefix; NotFound, NoteRefused. Called in a thread."""
        ...

    def published(self) -> Published | None:
        """How far it is; None before the first checkpoint."""
        ...


class KnowsMembers(Protocol):
    """The registry at the hub's position."""

    def signing_key(self, member: str, instance: str) -> bytes | None:
        """The active key (32 bytes) of a member's officer (instance "") or instance, if any."""
        ...

    def is_authority(self, member: str) -> bool:
        """Whether ``member`` is the authority that genesis names."""
        ...

    def check_may_read(self, member: str, now_ms: int) -> None:
        """Return if the rules let ``member`` read here; RuleRefused names them otherwise."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """Everything the app is made of; ``clock`` is the hub's wall clock in ms."""

    origin: str
    hub: str
    clock: Clock
    acts: AnswersActs
    keys: AnswersKeys
    ledger: ReadsLedger
    members: KnowsMembers
    log: ServesLog
    dataset_keys: DatasetKeys
    readiness: Readiness
    recall: Callable[[bytes], Awaitable[bytes | None]]
    """The signed answer for an act that stands on the ledger already, without keys; or None."""
    check_clock: Callable[[], Awaitable[None]]
    """Return if the hub's clock may be believed; ClockOff, BusUnavailable otherwise."""
    check_open: Callable[[], None]
    """Return if the hub has read the whole ledger; raise why it cannot work otherwise."""
