"""Terms: which rows of law put a duty under which number of days, and when those days end.

Pure. The rules of the day decide which row holds; the working days are those of the rule set in
force with the years that the authority adopted over them (policies/SPEC.md section 6).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Protocol

from exchange.registry.dutyrows import AdoptedYear, Duty
from exchange.registry.state import Registry
from policies.errors import RuleUnknown
from policies.periods import day_of
from policies.register import Register
from policies.rule import Rule
from policies.workdays import AwaitingCalendar, Workdays, end_of_day_ms


class Law(Protocol):
    """The rule set in force, as far as duties need it; `policies.engine.Engine`."""

    @property
    def register(self) -> Register:
        """Its rows."""

    @property
    def workdays(self) -> Workdays:
        """Its working days."""


@dataclass(frozen=True, slots=True)
class Term:
    """When a duty must be met: ``ends_ms`` is the first moment that is too late.

    ``ends_ms`` None: no day is set, or (``awaiting`` is a year) its end is not known yet.
    """

    ends_ms: int | None = None
    last_day: date | None = None
    awaiting: int | None = None

    def over(self, at_ms: int) -> bool:
        """Whether it has ended; one that is not known has not."""
        return self.ends_ms is not None and at_ms >= self.ends_ms


def row_on(law: Law, rule: str, at_ms: int) -> Rule | None:
    """The row of law if it holds on the day of ``at_ms`` in China and is enforced at all."""
    day = day_of(at_ms)
    found = law.register.rules.get(rule)
    try:
        profile = law.register.profile_on(day)
    except RuleUnknown:
        return None
    if found is None or found.mode == "off" or found.enforced == "later":
        return None
    return found if profile in found.profiles and found.holds_on(day) else None


def rows_on(law: Law, rules: Iterable[str], at_ms: int) -> tuple[Rule, ...]:
    """Those of ``rules`` that hold, in that order."""
    found = (row_on(law, rule, at_ms) for rule in rules)
    return tuple(row for row in found if row is not None)


def working_days(rows: Iterable[Rule]) -> tuple[int, int]:
    """The days and the most that may be added, of the first row that states any; else 0, 0."""
    for row in rows:
        term = row.deadline
        if term is not None and term.kind == "within" and term.unit == "working-day":
            return term.count, term.extension
    return 0, 0


def calendar(registry: Registry, law: Law) -> Workdays:
    """The working days in force at the registry's position."""
    return _with_adopted(law.workdays, registry.calendar)


@lru_cache(maxsize=8)
def _with_adopted(base: Workdays, adopted: tuple[AdoptedYear, ...]) -> Workdays:
    for year in adopted:
        today = day_of(year.adopted_ms)
        base = base.adopt(year.year, map(as_date, year.off), map(as_date, year.work), today=today)
    return base


@lru_cache(maxsize=4_096)
def _ends(days: Workdays, received: date, count: int) -> date | AwaitingCalendar:
    """The same day has the same end for everybody; books are read a row at a time."""
    return days.after(received, count)


def as_date(day: int) -> date:
    """The date of YYYYMMDD; ValueError if there is none."""
    return date(day // 10_000, day // 100 % 100, day % 100)


def term_of(duty: Duty, since_ms: int, days: Workdays, *, at_ms: int) -> Term:
    """The term of ``duty`` as it stood at ``at_ms``, counted from ``since_ms``."""
    extended = duty.extended_days if 0 < duty.extended_ms <= at_ms else 0
    if duty.by_ms:
        if not extended:
            return Term(duty.by_ms, day_of(duty.by_ms - 1))
        end = _ends(days, day_of(duty.by_ms - 1), extended)
    elif duty.days:
        end = _ends(days, day_of(since_ms), duty.days + extended)
    else:
        return Term()
    if isinstance(end, AwaitingCalendar):
        return Term(awaiting=end.year)
    return Term(end_of_day_ms(end), end)
