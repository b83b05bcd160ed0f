"""The rows of the state: frozen, one class a table; see exchange/registry/state.py.

A row's ``version`` is 1 + the index of the entry that last changed it; positions are indices of
entries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from exchange.model.acttypes import MemberKind, Mode, Reason, Secrecy, Sharing
from exchange.registry.liferows import Particulars

DatasetStatus = Literal["published", "withdrawn"]
ProposalStatus = Literal["open", "reviewed", "returned", "published", "replaced"]
"""``reviewed`` may be published, ``returned`` went back with what it wants."""
RequestStatus = Literal["open", "returned", "approved", "refused", "withdrawn"]
"""``returned`` waits for its applicant, with the full list of what it lacks."""


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub that may sign entries with ``entry``; both ``checkpoint`` keys sign tree heads."""

    id: str
    kid: bytes
    entry: bytes
    checkpoint: bytes
    checkpoint_mldsa: bytes | None = None


@dataclass(frozen=True, slots=True)
class SigningKey:
    """Whose key a kid names. ``instance`` is None for a member's officer."""

    kid: bytes
    public: bytes
    member: str
    instance: str | None


@dataclass(frozen=True, slots=True)
class Member:
    """An organisation; ``stopped`` is the position of its suspension."""

    id: str
    kind: MemberKind
    name_zh: str
    name_en: str
    credit_code: str
    region: str
    officer: bytes
    officer_kid: bytes
    enrolled: int
    version: int
    stopped: int | None = None

    @property
    def active(self) -> bool:
        """Not suspended."""
        return self.stopped is None


@dataclass(frozen=True, slots=True)
class Instance:
    """One registration of an adapter's keys; ``stopped`` is the position of its retirement."""

    member: str
    name: str
    signing: bytes
    signing_kid: bytes
    kem: bytes
    kem_kid: bytes
    registered: int
    version: int
    stopped: int | None = None

    @property
    def id(self) -> str:
        """``member/instance``."""
        return f"{self.member}/{self.name}"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A catalogue entry as its provider proposed it; ``id`` is the act's.

    ``elements`` is the canonical CBOR of the 13 core elements, ``missing`` names the empty ones.
    """

    id: bytes
    dataset: str
    provider: str
    sharing: Sharing
    secrecy: Secrecy
    basis: str
    contract_hash: bytes
    topic: str
    partitions: int
    price: str
    conditions: tuple[str, ...]
    elements: bytes
    missing: tuple[str, ...]
    said: Particulars
    status: ProposalStatus
    version: int
    wanting: tuple[str, ...] = ()
    """What a review found wrong, while the proposal stands returned."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A catalogue entry in force; ``published`` is the position of its newest publication."""

    id: str
    provider: str
    proposal: bytes
    sharing: Sharing
    secrecy: Secrecy
    basis: str
    contract_hash: bytes
    topic: str
    partitions: int
    price: str
    conditions: tuple[str, ...]
    elements: bytes
    said: Particulars
    status: DatasetStatus
    published: int
    version: int


@dataclass(frozen=True, slots=True)
class DatasetKey:
    """A KEM key that adapters may seal to, from ``valid_from_ms`` up to ``valid_to_ms``."""

    dataset: str
    kid: bytes
    public: bytes
    valid_from_ms: int
    valid_to_ms: int
    index: int


@dataclass(frozen=True, slots=True)
class Shape:
    """What decisions need to know of a contract: its sections, its key fields, its split.

    ``personal`` are the fields of personal data, ``sensitive`` those among them that are sensitive.
    """

    dataset: str
    sections: tuple[tuple[int, tuple[str, ...]], ...]
    key: tuple[str, ...]
    region_digits: int
    personal: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()

    def fields_of(self, levels: Sequence[int]) -> tuple[str, ...] | None:
        """The fields of these levels; None if the contract lacks one of them."""
        known = dict(self.sections)
        if not set(levels) <= known.keys():
            return None
        return tuple(name for level in levels for name in known[level])

    @property
    def fields(self) -> tuple[str, ...]:
        """All fields, by section."""
        return tuple(name for _, names in self.sections for name in names)


@dataclass(frozen=True, slots=True)
class Request:
    """An application; ``id`` is the act's, ``answer`` the act that closed it.

    ``missing`` is what it lacked when it was returned, ``received`` the position from which on its
    provider had it whole (None while it is returned): terms for an answer run from there.
    """

    id: bytes
    consumer: str
    dataset: str
    contract_hash: bytes
    fields: tuple[str, ...]
    regions: tuple[str, ...]
    purpose: str
    duty: str
    scenario: str
    from_ms: int
    to_ms: int
    expires_ms: int
    status: RequestStatus
    opened: int
    version: int
    answer: bytes | None = None
    basis: str = ""
    manner: Mode = ""
    necessary: tuple[str, ...] = ()
    assessment: str = ""
    missing: tuple[str, ...] = ()
    received: int | None = None
    reason: Reason = ""


@dataclass(frozen=True, slots=True)
class Grant:
    """Standing permission; ``id`` is that of the act that made it, ``revoked`` a position."""

    id: bytes
    request: bytes
    consumer: str
    dataset: str
    contract_hash: bytes
    fields: tuple[str, ...]
    regions: tuple[str, ...]
    purpose: str
    duty: str
    from_ms: int
    to_ms: int
    expires_ms: int
    conditions: tuple[str, ...]
    granted: int
    version: int
    revoked: int | None = None
    renewed: tuple[int, ...] = ()
    """Positions of its renewals."""


@dataclass(frozen=True, slots=True)
class Stream:
    """A stream; ``id`` is that of its opening act, ``kid`` the signing key it verifies under."""

    id: bytes
    dataset: str
    member: str
    instance: str
    kid: bytes
    region: str
    topic: str
    partition: int
    predecessor: bytes | None
    opened: int

    @property
    def provider(self) -> str:
        """``member/instance``, as headers name it."""
        return f"{self.member}/{self.instance}"


@dataclass(frozen=True, slots=True)
class Seen:
    """An act that was examined to the end, at ``index``; forgotten once it has expired."""

    index: int
    expires_ms: int
