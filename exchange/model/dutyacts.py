"""Acts about duties: demands, objections, escalations, notices, confirmations, the calendar.

A record is named by dataset and *version* (one record has it, exchange/model/batch.py), never by
its key: no personal data stands on the ledger. Reasons are codes, references are numbers of
documents that lie elsewhere. Days are integers YYYYMMDD.
"""

from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Le, Len, MaxLen
from pydantic import StringConstraints

from exchange.model.actcodec import Body, Key
from exchange.model.acttypes import Code, Fields, Hash, Region, Slug

DutyId = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Version = Annotated[int, Ge(0)]
Versions = Annotated[tuple[Version, ...], Len(1, 1000)]
Day = Annotated[int, Ge(2004_01_01), Le(2199_12_31)]
Days = Annotated[tuple[Day, ...], MaxLen(400)]
Tier = Literal[1, 2, 3]

DemandOutcome = Literal["registers", "refers", "lacks", "refuses"]
"""``registers`` promises the entry, ``refers`` names one that stands, the others are negative."""
ObjectionReason = Literal["wrong", "outdated", "incomplete", "duplicate", "not-the-person", "other"]
ObjectionOutcome = Literal["corrected", "explained", "withdrawn"]
NoticeKind = Literal["law-changed", "correct-by", "register-by"]
Decision = Literal["directs", "upholds"]


class NewDemand(Body):
    """A department asks for data nobody has registered (供需对接); ``provider`` must answer."""

    kind: ClassVar[str] = "demand.new"
    provider: Annotated[Slug, Key(0)]
    title: Annotated[Text, Key(1)]
    items: Annotated[Fields, Key(2)]
    region: Annotated[Region, Key(3)]
    purpose: Annotated[Code, Key(4)]
    duty: Annotated[Code, Key(5)]
    """The statutory duty as a citation; empty is refused by DUTY-01."""


class AnswerDemand(Body):
    """Whoever was asked answers; what it promises to register becomes a duty with a date."""

    kind: ClassVar[str] = "demand.answer"
    demand: Annotated[Hash, Key(0)]
    outcome: Annotated[DemandOutcome, Key(1)]
    dataset: Annotated[Slug | None, Key(2)] = None
    by_ms: Annotated[int, Key(3)] = 0
    """Until when it is registered; 0 leaves it to TERM-01."""
    basis: Annotated[Code, Key(4)] = ""


class NewObjection(Body):
    """A reader under ``grant`` disputes records (异议); they are marked while it is pending."""

    kind: ClassVar[str] = "objection.new"
    grant: Annotated[Hash, Key(0)]
    versions: Annotated[Versions, Key(1)]
    fields: Annotated[Fields, Key(2)]
    reason: Annotated[ObjectionReason, Key(3)]
    proof: Annotated[bool, Key(4)] = False
    """The person concerned holds a valid proof: service goes on meanwhile (COR-02)."""
    credit: Annotated[bool, Key(5)] = False
    """It disputes a credit record (COR-04); so does every objection in the credit library."""


class AnswerObjection(Body):
    """The provider corrects or explains, or the objector takes it back."""

    kind: ClassVar[str] = "objection.answer"
    objection: Annotated[Hash, Key(0)]
    outcome: Annotated[ObjectionOutcome, Key(1)]
    version: Annotated[Version, Key(2)] = 0
    """Version of the corrected record; its stream must be anchored that far."""
    basis: Annotated[Code, Key(3)] = ""


class Escalate(Body):
    """An applicant insists: tier 1 consults (协商), 2 the authority, 3 the government above it."""

    kind: ClassVar[str] = "escalate.new"
    duty: Annotated[DutyId, Key(0)]
    tier: Annotated[Tier, Key(1)]
    reference: Annotated[Code, Key(2)] = ""


class DecideEscalation(Body):
    """Who decides a tier directs the owner to act by a date, or upholds what it did, on a basis."""

    kind: ClassVar[str] = "escalate.decide"
    escalation: Annotated[Hash, Key(0)]
    decision: Annotated[Decision, Key(1)]
    by_ms: Annotated[int, Key(2)] = 0
    """Until when the owner must act; 0 leaves it to TERM-01."""
    basis: Annotated[Code, Key(3)] = ""


class NewNotice(Body):
    """The authority puts a provider under a duty: law or function changed, correct, register."""

    kind: ClassVar[str] = "notice.new"
    notice: Annotated[NoticeKind, Key(0)]
    dataset: Annotated[Slug, Key(1)]
    provider: Annotated[Slug, Key(2)]
    reference: Annotated[Text, Key(3)]
    by_ms: Annotated[int, Key(4)] = 0
    """The date it sets; ``law-changed`` has its own term (CAT-05)."""
    behalf: Annotated[Slug | None, Key(5)] = None
    """In whose interest; that member may extend and escalate. The authority itself if absent."""


class SettleNotice(Body):
    """The provider states how it met a notice."""

    kind: ClassVar[str] = "notice.settle"
    notice: Annotated[Hash, Key(0)]
    basis: Annotated[Text, Key(1)]
    version: Annotated[Version, Key(2)] = 0
    """Version of the corrected record (``correct-by``); its stream must be anchored that far."""


class ConfirmDeletion(Body):
    """A consumer confirms that its copies under a grant that has ended are deleted (PI-04)."""

    kind: ClassVar[str] = "deletion.confirm"
    grant: Annotated[Hash, Key(0)]
    reference: Annotated[Text, Key(1)]
    """Number of the record of deletion."""


class NotifyPersons(Body):
    """A consumer states how the persons concerned were told, or why they need not be (PI-03)."""

    kind: ClassVar[str] = "person.notify"
    grant: Annotated[Hash, Key(0)]
    manner: Annotated[Text, Key(1)]
    exception: Annotated[Code, Key(2)] = ""
    """The provision that excepts it; empty when they were told."""


class ExtendDuty(Body):
    """Who owes a duty asks for more working days, before its term ends."""

    kind: ClassVar[str] = "duty.extend"
    duty: Annotated[DutyId, Key(0)]
    days: Annotated[int, Key(1), Ge(1), Le(200)]
    reason: Annotated[Code, Key(2)] = ""


class ConsentExtension(Body):
    """The other side agrees to the days asked for, or does not."""

    kind: ClassVar[str] = "duty.consent"
    duty: Annotated[DutyId, Key(0)]
    agree: Annotated[bool, Key(1)]


class AdoptCalendar(Body):
    """The authority adopts the working days of a year, by the State Council's notice."""

    kind: ClassVar[str] = "calendar.adopt"
    year: Annotated[int, Key(0), Ge(2004), Le(2199)]
    off: Annotated[Days, Key(1)]
    work: Annotated[Days, Key(2)]
    reference: Annotated[Text, Key(3)]
    """Number of the notice."""
