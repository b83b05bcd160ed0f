"""What each act says. One class a kind; the envelope around it is exchange/ledger/act.py.

Hashes and ids are bytes of stated length, times are milliseconds since the epoch (UTC), names are
slugs, regions are GB/T 2260 prefixes ("" is the whole country). No field may hold personal data:
codes, ids and references only (invariant 7).
"""

from typing import Annotated, ClassVar

from annotated_types import Len, MaxLen
from pydantic import StringConstraints

from exchange.limits import (
    ASK_ITEMS_MAX,
    CONTRACT_BYTES_MAX,
    HEADER_BYTES_MAX,
    POSSESSION_BYTES_MAX,
)
from exchange.model.actcodec import Body, Key, Part
from exchange.model.acttypes import (
    BasisKind,
    Code,
    Codes,
    Fields,
    Hash,
    ItemCodes,
    KidBytes,
    Level,
    Library,
    MemberKind,
    MldsaKey,
    Mode,
    Reason,
    Region,
    Regions,
    Secrecy,
    Sharing,
    Slug,
    Slugs,
)


class HubKeys(Part):
    """The keys of one hub: ``entry`` signs entries and answers, ``checkpoint`` signs tree heads.

    ``checkpoint_mldsa`` signs them as well, with ML-DSA-44; a ledger founded before it has none.
    """

    hub: Annotated[Slug, Key(0)]
    entry: Annotated[Hash, Key(1)]
    checkpoint: Annotated[Hash, Key(2)]
    checkpoint_mldsa: Annotated[MldsaKey | None, Key(3)] = None


class Genesis(Body):
    """Entry 0. Its leaf hash is what every participant pins."""

    kind: ClassVar[str] = "genesis"
    authority: Annotated[Slug, Key(0)]
    name_zh: Annotated[Code, Key(1)]
    name_en: Annotated[Code, Key(2)]
    credit_code: Annotated[Code, Key(3)]
    officer: Annotated[Hash, Key(4)]
    recovery: Annotated[Hash, Key(5)]
    hubs: Annotated[tuple[HubKeys, ...], Key(6)]
    ca: Annotated[Hash, Key(7)]
    """SHA-256 of the DER certificate of the CA that issues the hubs' TLS certificates."""
    rules: Annotated[Hash, Key(8)]
    """SHA-256 of the rule set in force from entry 1 on."""
    region: Annotated[Region, Key(9)]


class EnrolMember(Body):
    """The authority admits an organisation."""

    kind: ClassVar[str] = "member.enrol"
    member: Annotated[Slug, Key(0)]
    member_kind: Annotated[MemberKind, Key(1)]
    name_zh: Annotated[Code, Key(2)]
    name_en: Annotated[Code, Key(3)]
    credit_code: Annotated[Code, Key(4)]
    region: Annotated[Region, Key(5)]
    officer: Annotated[Hash, Key(6)]
    proof: Annotated[bytes, Key(7), MaxLen(1024)]
    """COSE_Sign1 of the officer key over the keys it claims, domain ``possession``."""


class SuspendMember(Body):
    """The authority suspends an organisation; its keys stop at this position."""

    kind: ClassVar[str] = "member.suspend"
    member: Annotated[Slug, Key(0)]
    reason: Annotated[Code, Key(1)]


class RegisterInstance(Body):
    """A member registers an adapter's own signing and KEM keys."""

    kind: ClassVar[str] = "instance.register"
    instance: Annotated[Slug, Key(0)]
    signing: Annotated[Hash, Key(1)]
    kem: Annotated[bytes, Key(2), Len(1216, 1216)]
    proof: Annotated[bytes, Key(3), MaxLen(4096)]
    """COSE_Sign1 of the instance's signing key over both keys, domain ``possession``."""


class RetireInstance(Body):
    """A member, or the authority, ends an adapter's keys."""

    kind: ClassVar[str] = "instance.retire"
    member: Annotated[Slug, Key(0)]
    instance: Annotated[Slug, Key(1)]


class CoreElements(Part):
    """The 13 core elements of 发改高技〔2017〕1272号; empty text is a missing element (CAT-01)."""

    classification: Annotated[Code, Key(0)]
    name: Annotated[Code, Key(1)]
    code: Annotated[Code, Key(2)]
    provider: Annotated[Code, Key(3)]
    provider_code: Annotated[Code, Key(4)]
    abstract: Annotated[str, Key(5), StringConstraints(max_length=2000)]
    format: Annotated[Code, Key(6)]
    items: Annotated[Fields, Key(7)]
    sharing: Annotated[Code, Key(8)]
    openness: Annotated[Code, Key(9)]
    cycle: Annotated[Code, Key(10)]
    published_on: Annotated[Code, Key(11)]
    related: Annotated[tuple[Code, ...], Key(12)] = ()
    mode: Annotated[Mode, Key(13)] = ""
    """The manner part of 共享属性; "" leaves it to the format (CAT-03)."""


class ProposeDataset(Body):
    """A provider proposes a catalogue entry with its contract."""

    kind: ClassVar[str] = "catalogue.propose"
    dataset: Annotated[Slug, Key(0)]
    elements: Annotated[CoreElements, Key(1)]
    sharing: Annotated[Sharing, Key(2)]
    secrecy: Annotated[Secrecy, Key(3)]
    basis: Annotated[Code, Key(4)]
    contract: Annotated[bytes, Key(5), MaxLen(CONTRACT_BYTES_MAX)]
    topic: Annotated[Code, Key(6)]
    partitions: Annotated[int, Key(7)]
    price: Annotated[Code, Key(8)] = ""
    """Anything but empty is a charge, and FEE-01 forbids it."""
    conditions: Annotated[tuple[Code, ...], Key(9)] = ()
    basis_kind: Annotated[BasisKind, Key(10)] = ""
    library: Annotated[Library, Key(11)] = ""
    core_item: Annotated[bool, Key(12)] = False
    """A core item of its base library, which nobody may put conditions on (BASE-01)."""
    scope: Annotated[Codes, Key(13)] = ()
    """Whom conditional data is for: members, kinds of member, region codes (CON-01)."""
    uses: Annotated[Slugs, Key(14)] = ()
    """What conditional data is for: codes of the purpose register (CON-01)."""
    sources: Annotated[ItemCodes, Key(15)] = ()
    """Items this dataset is the one authoritative source of (SRC-01)."""
    derived_from: Annotated[Slugs, Key(16)] = ()
    """Datasets of others that it passes on, with their providers' consent (TP-01)."""
    reflow: Annotated[bool, Key(17)] = False
    """回流: whether a place below the provider's may read back its own rows (REFLOW-01)."""


class PublishDataset(Body):
    """The authority puts a proposal, as it stands, into the catalogue."""

    kind: ClassVar[str] = "catalogue.publish"
    dataset: Annotated[Slug, Key(0)]
    proposal: Annotated[Hash, Key(1)]


class WithdrawDataset(Body):
    """The authority, or the provider, takes a dataset out of the catalogue."""

    kind: ClassVar[str] = "catalogue.withdraw"
    dataset: Annotated[Slug, Key(0)]
    reason: Annotated[Code, Key(1)]


class DatasetKey(Body):
    """The authority puts a KEM key for a dataset on record; adapters seal to no other."""

    kind: ClassVar[str] = "dataset.key"
    dataset: Annotated[Slug, Key(0)]
    public: Annotated[bytes, Key(1), Len(1216, 1216)]
    valid_from_ms: Annotated[int, Key(2)]
    valid_to_ms: Annotated[int, Key(3)]
    proof: Annotated[bytes, Key(4), MaxLen(POSSESSION_BYTES_MAX)]
    """COSE_Sign1 of a hub's entry key over the key and the challenge it answered."""


class OpenStream(Body):
    """A provider's instance opens a stream; the id of this act is the stream's id."""

    kind: ClassVar[str] = "stream.open"
    dataset: Annotated[Slug, Key(0)]
    region: Annotated[Region, Key(1)]
    topic: Annotated[Code, Key(2)]
    partition: Annotated[int, Key(3)]
    predecessor: Annotated[Hash | None, Key(4)] = None
    suite: Annotated[int, Key(5)] = 1
    """Number of the cryptographic suite its bundles are sealed with (keys/SPEC.md)."""


class Anchor(Part):
    """How far a stream has come: what a reader can hold its provider to."""

    stream: Annotated[Hash, Key(0)]
    epoch: Annotated[KidBytes, Key(1)]
    sequence: Annotated[int, Key(2)]
    head: Annotated[Hash, Key(3)]
    records: Annotated[int, Key(4)]
    version: Annotated[int, Key(5)]


class ReportProgress(Body):
    """A provider's instance anchors its streams, many at a time."""

    kind: ClassVar[str] = "stream.progress"
    anchors: Annotated[tuple[Anchor, ...], Key(0), MaxLen(400)]


class DeclareGap(Body):
    """A provider's instance admits that bundles of a stream are lost for good."""

    kind: ClassVar[str] = "stream.gap"
    stream: Annotated[Hash, Key(0)]
    first: Annotated[int, Key(1)]
    last: Annotated[int, Key(2)]
    head: Annotated[Hash, Key(3)]
    """Header hash of bundle ``last``, so that the chain goes on."""
    reason: Annotated[Code, Key(4)]


class ReportFork(Body):
    """Any instance files two signed headers that give one sequence of a stream two hashes.

    The headers prove themselves; whoever files them adds nothing but having found them.
    """

    kind: ClassVar[str] = "stream.fork"
    stream: Annotated[Hash, Key(0)]
    first: Annotated[bytes, Key(1), MaxLen(HEADER_BYTES_MAX)]
    second: Annotated[bytes, Key(2), MaxLen(HEADER_BYTES_MAX)]


class Apply(Body):
    """A consumer applies for data; an unconditional dataset is granted by this act itself.

    An application that leaves out scenario, manner, scope or time limit (empty, or 0) is returned
    once with the full list (REQ-01) and completed by `request.complete`.
    """

    kind: ClassVar[str] = "request.new"
    dataset: Annotated[Slug, Key(0)]
    contract: Annotated[Hash, Key(1)]
    fields: Annotated[Fields, Key(2)]
    regions: Annotated[Regions, Key(3)]
    purpose: Annotated[Code, Key(4)]
    duty: Annotated[Code, Key(5)]
    """The statutory duty as a citation; empty is refused by DUTY-01."""
    from_ms: Annotated[int, Key(6)]
    to_ms: Annotated[int, Key(7)]
    expires_ms: Annotated[int, Key(8)]
    scenario: Annotated[Code, Key(9)] = ""
    manner: Annotated[Mode, Key(10)] = ""
    necessary: Annotated[Fields, Key(11)] = ()
    """Fields of personal data without which the duty cannot be done (PI-01)."""
    assessment: Annotated[Code, Key(12)] = ""
    """Reference of the impact assessment of personal data (PI-02)."""


class AnswerRequest(Body):
    """The provider answers: approves at most what was asked, or refuses with a basis."""

    kind: ClassVar[str] = "request.answer"
    request: Annotated[Hash, Key(0)]
    approve: Annotated[bool, Key(1)]
    fields: Annotated[Fields, Key(2)] = ()
    regions: Annotated[Regions, Key(3)] = ()
    from_ms: Annotated[int, Key(4)] = 0
    to_ms: Annotated[int, Key(5)] = 0
    expires_ms: Annotated[int, Key(6)] = 0
    basis: Annotated[Code, Key(7)] = ""
    price: Annotated[Code, Key(8)] = ""
    conditions: Annotated[tuple[Code, ...], Key(9)] = ()
    reason: Annotated[Reason, Key(10)] = ""
    """Why it is refused, as a code; free text has no place on the ledger."""


class WithdrawRequest(Body):
    """The applicant takes an open application back."""

    kind: ClassVar[str] = "request.withdraw"
    request: Annotated[Hash, Key(0)]


class RevokeGrant(Body):
    """The provider, the consumer itself or the authority ends a grant, from this position on."""

    kind: ClassVar[str] = "grant.revoke"
    grant: Annotated[Hash, Key(0)]
    reason: Annotated[Code, Key(1)]


class AskItem(Part):
    """One epoch of one stream, as the signed header of one of its bundles describes it."""

    stream: Annotated[Hash, Key(0)]
    epoch: Annotated[KidBytes, Key(1)]
    header: Annotated[Hash, Key(2)]
    contract: Annotated[Hash, Key(3)]
    from_ms: Annotated[int, Key(4)]
    to_ms: Annotated[int, Key(5)]
    levels: Annotated[tuple[Level, ...], Key(6)]
    sequence: Annotated[int, Key(7)]
    """Sequence of that bundle: decides whether it lies beyond the last anchor of a provider's
    instance that has stopped (exchange/ledger/SPEC.md, section 9)."""


class AskKeys(Body):
    """A consumer's instance asks for section keys under one grant; one verdict an item."""

    kind: ClassVar[str] = "keys.ask"
    grant: Annotated[Hash, Key(0)]
    purpose: Annotated[Code, Key(1)]
    items: Annotated[tuple[AskItem, ...], Key(2), MaxLen(ASK_ITEMS_MAX)]


class ReceiptItem(Part):
    """A contiguous run of bundles that were opened and delivered."""

    stream: Annotated[Hash, Key(0)]
    first: Annotated[int, Key(1)]
    last: Annotated[int, Key(2)]
    head: Annotated[Hash, Key(3)]
    records: Annotated[int, Key(4)]
    levels: Annotated[tuple[Level, ...], Key(5)]


class FileReceipt(Body):
    """A consumer's instance states what it opened and delivered, and into what kind of sink."""

    kind: ClassVar[str] = "receipt.file"
    grant: Annotated[Hash, Key(0)]
    purpose: Annotated[Code, Key(1)]
    sink: Annotated[Slug, Key(2)]
    items: Annotated[tuple[ReceiptItem, ...], Key(3), MaxLen(256)]
