"""What publish, release and deliver need from outside: small Protocols with durability contracts.

Concrete classes are named in exchange/wiring only. Adapters match `Source` and `Sink` by shape,
without importing this module.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from exchange.registry.state import Registry


@dataclass(frozen=True, slots=True)
class Delivery:
    """One opened bundle on its way into a sink.

    ``stream`` and ``header_hash`` are hex; ``previous`` is the sequence that must be committed
    before (-1: none). ``columns`` holds one list a granted field, all of equal length, in contract
    order; ``operations`` is None when all are upserts, otherwise 0 upsert or 1 delete a record;
    ``versions`` has one number a record, and only a higher one replaces a row.
    """

    stream: str
    previous: int
    sequence: int
    header_hash: str
    columns: dict[str, list[Any]]
    operations: list[int] | None
    versions: Sequence[int]


class Unreadable(Protocol):
    """A line of a source that is no record at all; sentences are (English, Chinese)."""

    @property
    def line(self) -> int:
        """Counted from 1."""
        ...

    @property
    def reason(self) -> tuple[str, str]:
        """What is wrong, without the content."""
        ...

    @property
    def remedy(self) -> tuple[str, str]:
        """What to do about it."""
        ...


class Source(Protocol):
    """Records of a department system, as columns."""

    def batches(
        self, records_max: int
    ) -> Iterator[tuple[int | Sequence[int], dict[str, list[Any]]]]:
        """(lines, columns by field name), at most ``records_max`` records.

        ``lines`` is the line of the first record when the others follow one by one, otherwise the
        line of each; `exchange.model.validate` takes either.
        """
        ...

    def take_rejected(self) -> Sequence[Unreadable]:
        """Lines skipped since the last call because they are no records; each is told once."""
        ...


class Sink(Protocol):
    """Where records end up. A commit is one transaction of the sink's own store."""

    def positions(self) -> dict[str, tuple[int, str]]:
        """Stream (hex) → (last sequence committed, its header hash in hex)."""
        ...

    def commit_many(self, deliveries: Sequence[Delivery]) -> None:
        """Commit records and positions of all ``deliveries`` together, or none of them.

        When this returns they are durable. A delivery whose ``previous`` is not the position that
        stands is refused with the sink's PositionConflict: somebody else has moved on.
        """
        ...

    def mark(self, marks: Sequence[tuple[int, str, int]]) -> None:
        """Mark these records as disputed, and no others: (version, objection in hex, since ms)."""
        ...

    def close(self) -> None:
        """Let go of files and connections; safe to repeat."""
        ...


@dataclass(frozen=True, slots=True)
class Admitted:
    """A hub's signed answer to an act, verified: where it stands and what the rules said."""

    act: bytes
    index: int
    entry_hash: bytes
    permit: bool
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KeysAnswered:
    """A hub's signed answer to a key request, verified; ``sealed`` opens with the asker's KEM key.

    ``refused`` maps the index of an item to the rules that refuse it.
    """

    admitted: Admitted
    refused: Mapping[int, tuple[str, ...]]
    sealed: bytes


class Hub(Protocol):
    """A hub as members see it. Raises HubUnavailable when it cannot be reached or is not ready."""

    async def submit(self, act: bytes) -> Admitted:
        """Append an act; answers only after it is durable on the ledger and its verdict stands."""
        ...

    async def ask(self, act: bytes, headers: Sequence[bytes]) -> KeysAnswered:
        """Ask for keys; ``headers[i]`` is the signed header that item ``i`` of the act names."""
        ...


class Unwraps(Protocol):
    """Custody of KEM keys; the private keys stay inside."""

    def unwrap(self, kid: bytes, wrapped: bytes, info: bytes) -> bytes:
        """What was wrapped to ``kid`` under ``info``. Raises KeyMissing or OpenRefused."""
        ...


class LedgerView(Protocol):
    """The ledger as this process follows it, from entries it verified itself."""

    @property
    def registry(self) -> Registry:
        """State at the position reached; changes under the caller whenever it awaits."""
        ...

    async def catch_up(self) -> None:
        """Return when everything that stood on the topic at the call is folded."""
        ...

    async def wait_for(self, act: bytes) -> None:
        """Return when the act of this id is folded. Raises BusUnavailable after a bounded time."""
        ...


class Clock(Protocol):
    """Milliseconds since the epoch (UTC)."""

    def __call__(self) -> int:
        """Now."""
        ...
