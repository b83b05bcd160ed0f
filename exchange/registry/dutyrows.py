"""Rows about duties and what leads to them; see exchange/registry/state.py and duties.py."""

from dataclasses import dataclass
from typing import Literal

from exchange.model.dutyacts import (
    Decision,
    DemandOutcome,
    NoticeKind,
    ObjectionOutcome,
    ObjectionReason,
)

DutyKind = Literal[
    "answer",
    "catalogue",
    "correct",
    "cycle",
    "decide",
    "delete",
    "demand",
    "directed",
    "first",
    "notify",
    "objection",
    "register",
]
"""What is owed: SPEC.md beside this file. Names are for ever; ids of duties begin with them."""

DutyOutcome = Literal["", "done", "refused", "lapsed"]
"""How a duty ended: met, met by a negative answer, or its ground fell away."""


@dataclass(frozen=True, slots=True)
class Duty:
    """An obligation. ``owner`` owes it to ``beneficiary`` ("": whoever holds a grant).

    The term is ``by_ms`` (exclusive) if that is set, else ``days`` working days from ``since_ms``,
    none if both are 0. ``extension`` is the most that may be added with consent.
    """

    id: str
    kind: DutyKind
    owner: str
    beneficiary: str
    rules: tuple[str, ...]
    dataset: str
    region: str
    basis: int
    """Index of the entry that it rests on."""
    since_ms: int
    version: int
    days: int = 0
    extension: int = 0
    by_ms: int = 0
    grant: bytes | None = None
    cycle: str = ""
    last: int = 0
    """Of a cycle: the day number of the start of the newest period that was provided; 0: none."""
    settled: int | None = None
    settled_ms: int = 0
    outcome: DutyOutcome = ""
    asked_days: int = 0
    extended_days: int = 0
    extended_ms: int = 0


@dataclass(frozen=True, slots=True)
class Provided:
    """The first anchor that a period of a cycle got."""

    index: int
    time_ms: int


@dataclass(frozen=True, slots=True)
class Demand:
    """Data that somebody wants and nobody has registered; ``id`` is the act's."""

    id: bytes
    consumer: str
    provider: str
    title: str
    items: tuple[str, ...]
    region: str
    purpose: str
    duty: str
    filed: int
    outcome: DemandOutcome | None = None
    dataset: str = ""
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Objection:
    """Disputed records of a dataset, by version; ``outcome`` is None while it is pending."""

    id: bytes
    objector: str
    dataset: str
    provider: str
    grant: bytes
    versions: tuple[int, ...]
    fields: tuple[str, ...]
    reason: ObjectionReason
    proof: bool
    credit: bool
    filed: int
    filed_ms: int
    outcome: ObjectionOutcome | None = None
    version: int = 0
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Escalation:
    """One tier of a dispute about ``duty``; ``decision`` is None while nobody has decided."""

    id: bytes
    duty: str
    applicant: str
    tier: int
    opened: int
    opened_ms: int
    decision: Decision | None = None
    decided_ms: int = 0
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """A duty that the authority laid on a provider; ``settled`` is the entry that answers it."""

    id: bytes
    kind: NoticeKind
    dataset: str
    provider: str
    reference: str
    filed: int
    settled: int | None = None
    basis: str = ""


@dataclass(frozen=True, slots=True)
class AdoptedYear:
    """The working days of a year as the authority adopted them; days are YYYYMMDD."""

    year: int
    off: tuple[int, ...]
    work: tuple[int, ...]
    adopted_ms: int
    index: int
