"""Duties as they stand at a moment: due, done, late, breached, escalated, awaiting the calendar.

    for duty, standing in book(registry, law, as_of_ms):
        ...

Pure. The rows come from the ledger alone (dutynotes.py, dutyeffects.py); nothing here is stored,
and time passing never permits anything. ``as_of_ms`` may lie behind the ledger's time, or ahead of
it: then the book is a projection of what stands if nothing more happens.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from exchange.registry.cycles import occurrence, occurrences, unmet
from exchange.registry.dutyrows import Duty, Escalation
from exchange.registry.state import Registry
from exchange.registry.terms import Law, Term, calendar, term_of
from policies.workdays import Workdays

State = Literal[
    "due", "done", "late", "breached", "escalated", "awaiting-calendar", "lapsed", "ahead"
]
"""``late`` was met after its term, ``lapsed`` lost its ground, ``ahead`` has not begun."""
OPEN = frozenset({"due", "breached", "escalated", "awaiting-calendar"})
OVERDUE = frozenset({"breached", "escalated"})


@dataclass(frozen=True, slots=True)
class Standing:
    """How a duty stands: its state, when it began, its term, and the escalation that is open."""

    state: State
    since_ms: int
    term: Term
    escalation: Escalation | None = None

    @property
    def overdue(self) -> bool:
        """Its term is over, or somebody insists, and it is not met."""
        return self.state in OVERDUE


def standing(duty: Duty, registry: Registry, law: Law, at_ms: int) -> Standing:
    """How ``duty`` stands at ``at_ms``."""
    return _standing(duty, registry, calendar(registry, law), at_ms)


def book(registry: Registry, law: Law, at_ms: int) -> Iterator[tuple[Duty, Standing]]:
    """Every duty that has begun by ``at_ms``, in the order of the ledger; cycles by period."""
    days = calendar(registry, law)
    for row in registry.duties.values():
        periodic = bool(row.cycle)
        for duty in reversed(list(occurrences(row, registry, at_ms))) if periodic else (row,):
            found = _standing(duty, registry, days, at_ms)
            if found.state != "ahead":
                yield duty, found


def open_book(registry: Registry, law: Law, at_ms: int) -> Iterator[tuple[Duty, Standing]]:
    """The duties that nobody has met; costs what is open, not what there ever was."""
    days = calendar(registry, law)
    for name in tuple(registry.duties_open):  # whoever counts slowly may let the ledger go on
        row = registry.duties[name]
        for duty in unmet(row, registry, at_ms) if row.cycle else (row,):
            found = _standing(duty, registry, days, at_ms)
            if found.state in OPEN:
                yield duty, found


def find(registry: Registry, name: str, at_ms: int) -> Duty | None:
    """The duty of that id: a row, or a period of a cycle."""
    row = registry.duties.get(name)
    if row is not None:
        return None if row.cycle else row
    base, _, start = name.rpartition("/")
    row = registry.duties.get(base)
    return None if row is None or not row.cycle else occurrence(row, registry, start, at_ms)


def ground(duty: Duty, registry: Registry, law: Law, at_ms: int) -> str:
    """Why its beneficiary may insist: ``overdue``, ``negative``, or "" for no reason."""
    if duty.settled is not None:
        return "negative" if duty.outcome == "refused" else ""
    found = standing(duty, registry, law, at_ms)
    return "overdue" if found.term.over(at_ms) else ""


def next_tier(duty: Duty, registry: Registry, law: Law, at_ms: int) -> int:
    """The tier that may be asked now; 0 while one is open, or when all three are through.

    A tier is through when it upheld, when what it was asked about was refused anew since, or when
    its decision, or what it directed, did not come in its term; also when no row of law bound
    anybody to that as it came (ESC-01), so that there is no term to wait for.
    """
    last = registry.escalated.get(duty.id)
    if last is None:
        return 1
    row = registry.escalations[last]
    follow_up = registry.duties.get(f"{_followed(row)}/{last.hex()}")
    refused_anew = duty.settled is not None and duty.settled_ms > row.opened_ms
    unheard = follow_up is None or (
        follow_up.settled is None and standing(follow_up, registry, law, at_ms).term.over(at_ms)
    )
    through = row.decision == "upholds" or refused_anew or unheard
    return row.tier + 1 if through and row.tier < 3 else 0


def _followed(row: Escalation) -> str:
    return "directed" if row.decision == "directs" else "decide"


def _standing(duty: Duty, registry: Registry, days: Workdays, at_ms: int) -> Standing:
    since_ms, duty = _begun(duty, registry, at_ms)
    if since_ms > at_ms:
        return Standing("ahead", since_ms, Term())
    term = term_of(duty, since_ms, days, at_ms=at_ms)
    insisted = _insisted(duty, registry, at_ms)
    return Standing(_state(duty, term, insisted, at_ms), since_ms, term, insisted)


def _state(duty: Duty, term: Term, insisted: Escalation | None, at_ms: int) -> State:
    met = duty.settled is not None and duty.settled_ms <= at_ms
    in_time = not term.over(duty.settled_ms)
    if insisted is not None:
        return "escalated"
    if met and duty.outcome == "lapsed":
        return "lapsed" if in_time else "breached"
    if met:
        return "done" if in_time else "late"
    if term.awaiting is not None:
        return "awaiting-calendar"
    return "breached" if term.over(at_ms) else "due"


def _begun(duty: Duty, registry: Registry, at_ms: int) -> tuple[int, Duty]:
    """When its clock starts, and the duty with what only the grant's end tells.

    Deletion is due from the end of the grant; persons are told, and a first provision is owed,
    while it lasts. A grant may be renewed.
    """
    if duty.grant is None:
        return duty.since_ms, duty
    ended_ms = _end_of(duty.grant, registry)
    if duty.kind == "notify":
        return duty.since_ms, replace(duty, by_ms=ended_ms)
    if duty.kind == "delete":
        return ended_ms, duty
    if duty.settled is None and ended_ms <= at_ms:
        return duty.since_ms, replace(
            duty, settled=duty.basis, settled_ms=ended_ms, outcome="lapsed"
        )
    return duty.since_ms, duty


def _end_of(grant: bytes, registry: Registry) -> int:
    """When a grant ended, or will: by its expiry, or by the act that ended it before."""
    expires_ms = registry.grants[grant].expires_ms
    return min(expires_ms, registry.ended.get(grant, expires_ms))


def ended(grant: bytes, registry: Registry, at_ms: int) -> bool:
    """Whether a grant's purpose has ended by ``at_ms``."""
    return _end_of(grant, registry) <= at_ms


def _insisted(duty: Duty, registry: Registry, at_ms: int) -> Escalation | None:
    """The escalation that is open at ``at_ms`` and about which nothing has come since."""
    last = registry.escalated.get(duty.id)
    row = registry.escalations[last] if last is not None else None
    if row is None or row.opened_ms > at_ms:
        return None
    settled_since = duty.settled is not None and row.opened_ms <= duty.settled_ms <= at_ms
    decided = row.decision is not None and row.decided_ms <= at_ms
    return None if settled_since or decided else row
