"""What the ledger says, at one position: frozen rows in indexed maps.

`Registry` is filled by exchange/registry/fold.py alone and read by everybody else. It is never
stored: whoever needs it folds the ledger. A row's ``version`` is 1 + the index of the entry that
last changed it; positions are indices of entries. Where a row is replaced, readers that hold the
old one keep a consistent picture of the past.

Adding a table: its rows go into rows.py or a module like it (imported here), its field here, its
effects into effects.py or a module like it, its footprint key into the ledger's SPEC.md, and
nothing into statehash.py, which walks every field of `Registry`.
"""

from bisect import bisect_left
from dataclasses import dataclass, field

from exchange.errors import NotFound
from exchange.registry.dutyrows import (
    AdoptedYear,
    Demand,
    Duty,
    Escalation,
    Notice,
    Objection,
    Provided,
)
from exchange.registry.lawrows import Adoption, Holder
from exchange.registry.liferows import Claim, Collection, Consent, Purpose
from exchange.registry.rows import (
    Dataset,
    DatasetKey,
    Grant,
    Hub,
    Instance,
    Member,
    Proposal,
    Request,
    Seen,
    Shape,
    SigningKey,
    Stream,
)
from exchange.registry.tracks import AnchorRow, Fork, Gap, Track


@dataclass(slots=True)
class Registry:
    """All tables. Maps keep the order of the ledger; nobody but the fold changes them."""

    origin: str = ""
    authority: str = ""
    size: int = 0
    time_ms: int = 0
    rules: bytes = b""
    rules_version: int = 0
    rule_sets: dict[bytes, bytes] = field(default_factory=dict)
    """Every rule set ever adopted, as its act carried it, by its hash."""
    adoptions: list[Adoption] = field(default_factory=list)
    """Which rule set came into force where, from genesis on."""
    holders: dict[str, Holder] = field(default_factory=dict)
    """Who holds which roles, by the code of the person."""
    hubs: dict[str, Hub] = field(default_factory=dict)
    hubs_version: int = 0
    members: dict[str, Member] = field(default_factory=dict)
    organisations: dict[str, str] = field(default_factory=dict)
    """The newest member enrolled under each credit code."""
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
    items: dict[str, Claim] = field(default_factory=dict)
    """The published dataset that is the authoritative source of each item (SRC-01)."""
    codes: dict[str, Claim] = field(default_factory=dict)
    """The published dataset under each resource code."""
    consents: dict[tuple[str, str], Consent] = field(default_factory=dict)
    """By dataset and the member that may pass it on."""
    purposes: dict[str, Purpose] = field(default_factory=dict)
    collections: dict[bytes, Collection] = field(default_factory=dict)
    seen: dict[bytes, Seen] = field(default_factory=dict)
    duties: dict[str, Duty] = field(default_factory=dict)
    """Every obligation ever, by its id; exchange/registry/SPEC.md."""
    duties_open: set[str] = field(default_factory=set)
    """Those that are not settled."""
    duties_first: dict[tuple[str, str], list[tuple[int, str]]] = field(default_factory=dict)
    """First provisions that are waited for, by dataset and region: heaps of (from, duty)."""
    anchored: dict[tuple[str, str], int] = field(default_factory=dict)
    """When a stream of a dataset in a region, or in a place within it, was last anchored."""
    duties_register: dict[str, set[str]] = field(default_factory=dict)
    """What a proposal of the dataset settles: entries promised, entries to be updated."""
    duty_counts: dict[tuple[str, str], int] = field(default_factory=dict)
    """How many duties under a rule ended in a state."""
    cycles: dict[tuple[str, str], str] = field(default_factory=dict)
    """The standing duty to provide each period, by dataset and region."""
    provided: dict[tuple[str, int], Provided] = field(default_factory=dict)
    """By standing duty and day number of the period's start."""
    ended: dict[bytes, int] = field(default_factory=dict)
    """When a grant was revoked, in ledger time."""
    demands: dict[bytes, Demand] = field(default_factory=dict)
    objections: dict[bytes, Objection] = field(default_factory=dict)
    objections_open: dict[str, list[bytes]] = field(default_factory=dict)
    """Pending objections by dataset: their records are marked for readers."""
    escalations: dict[bytes, Escalation] = field(default_factory=dict)
    escalated: dict[str, bytes] = field(default_factory=dict)
    """The newest escalation about each duty."""
    notices: dict[bytes, Notice] = field(default_factory=dict)
    calendar: tuple[AdoptedYear, ...] = ()
    """Working days that the authority adopted, in the order of the ledger."""

    def rules_at(self, index: int) -> bytes:
        """The hash of the rule set that decided entry ``index``; of the first one for genesis."""
        at = bisect_left(self.adoptions, index, key=lambda adoption: adoption.index)
        return self.adoptions[max(0, at - 1)].rules

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
