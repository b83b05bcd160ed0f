"""What the ledger says, at one position: frozen rows in indexed maps.

`Registry` is filled by exchange/registry/fold.py alone and read by everybody else. It is never
stored: whoever needs it folds the ledger. A row's ``version`` is 1 + the index of the entry that
last changed it; positions are indices of entries. Where a row is replaced, readers that hold the
old one keep a consistent picture of the past.

Adding a table: give it rows here, effects in effects.py, a footprint key in the ledger's SPEC.md,
and nothing in statehash.py, which walks every field of `Registry`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from exchange.errors import NotFound
from exchange.model.acts import MemberKind, Secrecy, Sharing
from exchange.registry.tracks import AnchorRow, Fork, Gap, Track

DatasetStatus = Literal["published", "withdrawn"]
ProposalStatus = Literal["open", "published", "replaced"]
RequestStatus = Literal["open", "approved", "refused", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Hub:
    """A hub that may sign entries with ``entry``; ``checkpoint`` signs tree heads."""

    id: str
    kid: bytes
    entry: bytes
    checkpoint: bytes


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
    status: ProposalStatus
    version: int


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
    """What decisions need to know of a contract: its sections, its key fields, its split."""

    dataset: str
    sections: tuple[tuple[int, tuple[str, ...]], ...]
    key: tuple[str, ...]
    region_digits: int

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
    """An application; ``id`` is the act's, ``answer`` the act that closed it."""

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


@dataclass(slots=True)
class Registry:
    """All tables. Maps keep the order of the ledger; nobody but the fold changes them."""

    origin: str = ""
    authority: str = ""
    size: int = 0
    time_ms: int = 0
    rules: bytes = b""
    rules_version: int = 0
    hubs: dict[str, Hub] = field(default_factory=dict)
    hubs_version: int = 0
    members: dict[str, Member] = field(default_factory=dict)
    instances: dict[tuple[str, str], Instance] = field(default_factory=dict)
    """The newest registration under each name."""
    registrations: dict[bytes, Instance] = field(default_factory=dict)
    """Every registration ever, by the kid of its signing key."""
    registered: dict[str, tuple[bytes, ...]] = field(default_factory=dict)
    """Kids of the registrations under ``member/instance``, oldest first."""
    signing_keys: dict[bytes, SigningKey] = field(default_factory=dict)
    kids: set[bytes] = field(default_factory=set)
    """Every kid ever enrolled, of members, instances, datasets and hubs: none comes twice."""
    proposals: dict[bytes, Proposal] = field(default_factory=dict)
    proposed: dict[str, bytes] = field(default_factory=dict)
    """The newest proposal for each dataset."""
    datasets: dict[str, Dataset] = field(default_factory=dict)
    keys_of_dataset: dict[str, tuple[DatasetKey, ...]] = field(default_factory=dict)
    contracts: dict[bytes, bytes] = field(default_factory=dict)
    """Every contract ever proposed, encoded, by its hash."""
    shapes: dict[bytes, Shape] = field(default_factory=dict)
    """The same, as decisions need them."""
    requests: dict[bytes, Request] = field(default_factory=dict)
    grants: dict[bytes, Grant] = field(default_factory=dict)
    grants_by_consumer: dict[str, list[bytes]] = field(default_factory=dict)
    grants_by_dataset: dict[str, list[bytes]] = field(default_factory=dict)
    revoked_at: dict[str, int] = field(default_factory=dict)
    """1 + the position of the newest revocation or suspension that touched each dataset."""
    streams: dict[bytes, Stream] = field(default_factory=dict)
    streams_by_dataset: dict[str, list[bytes]] = field(default_factory=dict)
    tracks: dict[bytes, Track] = field(default_factory=dict)
    forks: dict[bytes, Fork] = field(default_factory=dict)
    """The first fork of each stream that is proven to have one."""
    seen: dict[bytes, Seen] = field(default_factory=dict)

    def active(self, member: str, instance: str | None = None) -> bool:
        """Whether the member (and its instance, if one is named) may speak at this position."""
        row = self.members.get(member)
        if row is None or not row.active or instance is None:
            return row is not None and row.active
        adapter = self.instances.get((member, instance))
        return adapter is not None and adapter.stopped is None

    def signing_key(self, member: str, instance: str) -> bytes | None:
        """The active signing key of an instance, or of the officer when ``instance`` is empty."""
        if not self.active(member, instance or None):
            return None
        if instance:
            return self.instances[member, instance].signing
        return self.members[member].officer

    def instance_public(self, instance: str, index: int) -> bytes:
        """The signing key that ``member/instance`` had for entry ``index``; else `NotFound`."""
        for kid in self.registered.get(instance, ()):
            row = self.registrations[kid]
            stopped = self.stopped_at(row)
            if row.registered < index and (stopped is None or index <= stopped):
                return row.signing
        raise _not_found(
            f"active key of {instance} at entry {index}",
            f"{instance} 在条目 {index} 处的有效密钥",
            "instance-key",
        )

    def stopped_at(self, row: Instance) -> int | None:
        """Where a registration stopped: by retirement, or with its member; None while it runs."""
        stops = (row.stopped, self.members[row.member].stopped)
        return min((stop for stop in stops if stop is not None), default=None)

    def stream_public(self, stream: bytes) -> bytes:
        """The key that headers of a stream verify under, of a stopped instance too; `NotFound`."""
        return self.registrations[self._stream(stream).kid].signing

    def frontier(self, stream: bytes) -> int | None:
        """The last sequence a reader may accept; None while the stream's instance is active.

        -1 if the instance stopped without an anchor. Section 9 of the ledger's SPEC.md.
        """
        if self.stopped_at(self.registrations[self._stream(stream).kid]) is None:
            return None
        newest = self.newest_anchor(stream)
        return -1 if newest is None else newest.sequence

    def newest_anchor(self, stream: bytes) -> AnchorRow | None:
        """The newest anchor of a stream, if it has one."""
        track = self.tracks.get(stream)
        return track.anchors[-1] if track is not None and track.anchors else None

    def gaps_of(self, stream: bytes) -> tuple[Gap, ...]:
        """The gaps its provider has declared."""
        track = self.tracks.get(stream)
        return track.gaps if track is not None else ()

    def streams_of(self, dataset: str) -> tuple[Stream, ...]:
        """The streams of a dataset, oldest first."""
        return tuple(self.streams[stream] for stream in self.streams_by_dataset.get(dataset, ()))

    def dataset_keys(self, dataset: str) -> tuple[DatasetKey, ...]:
        """Every key ever put on record for a dataset, oldest first."""
        return self.keys_of_dataset.get(dataset, ())

    def dataset_key_at(self, dataset: str, time_ms: int) -> DatasetKey | None:
        """The newest key of a dataset that is valid at ``time_ms``."""
        for key in reversed(self.dataset_keys(dataset)):
            if key.valid_from_ms <= time_ms < key.valid_to_ms:
                return key
        return None

    def revocations(self, dataset: str) -> int:
        """Changes whenever somebody loses access to a dataset; an epoch must not outlive it."""
        return self.revoked_at.get(dataset, 0)

    def entry_keys(self) -> tuple[bytes, ...]:
        """The public keys under which hubs sign entries and answers."""
        return tuple(hub.entry for hub in self.hubs.values())

    def _stream(self, stream: bytes) -> Stream:
        row = self.streams.get(stream)
        if row is None:
            short = stream.hex()[:16]
            raise _not_found(f"stream {short}", f"数据流 {short}", "stream")
        return row


def _not_found(en: str, zh: str, failure: str) -> NotFound:
    remedy = ("check the name, or wait until the ledger has it", "请核对名称或等待账本更新")
    return NotFound(f"the ledger holds no {en}", f"账本中没有{zh}", remedy=remedy, failure=failure)
