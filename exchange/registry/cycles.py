"""Update cycles: the periods of a dataset that must each be provided, from anchors on the ledger.

A period is a whole day, week (from Monday), month, quarter, half year or year in China.
``real-time`` counts by the day; ``irregular`` and ``never`` owe no period. The first period that
counts is the first whole one after the duty began. A period is provided by any anchor filed in it:
one that does not move says that nothing changed. An anchor after a missed period provides it late.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from exchange.registry.dutyrows import Duty, Provided
from exchange.registry.state import Registry
from policies.periods import day_of
from policies.workdays import end_of_day_ms

_DAY: Final = timedelta(days=1)
_MONTHS: Final = {"monthly": 1, "quarterly": 3, "half-yearly": 6, "yearly": 12}
PERIODIC: Final = frozenset({"real-time", "daily", "weekly", *_MONTHS})
"""Cycles that owe periods."""


def period_of(cycle: str, day: date) -> date:
    """The first day of the period of a periodic ``cycle`` that ``day`` lies in."""
    if cycle == "weekly":
        return day - timedelta(days=day.weekday())
    if cycle in _MONTHS:
        months = _MONTHS[cycle]
        return date(day.year, (day.month - 1) // months * months + 1, 1)
    return day


def next_period(cycle: str, start: date) -> date:
    """The first day of the period after the one that begins on ``start``."""
    if cycle == "weekly":
        return start + 7 * _DAY
    if cycle in _MONTHS:
        months = start.month - 1 + _MONTHS[cycle]
        return date(start.year + months // 12, months % 12 + 1, 1)
    return start + _DAY


def occurrences(duty: Duty, registry: Registry, at_ms: int) -> Iterator[Duty]:
    """A duty for each period that has begun by ``at_ms``, newest first."""
    provided: Provided | None = None
    for start in reversed(list(_starts(duty, at_ms, _first(duty)))):
        provided = registry.provided.get((duty.id, start.toordinal()), provided)
        yield _period(duty, start, provided, at_ms)


def unmet(duty: Duty, registry: Registry, at_ms: int) -> Iterator[Duty]:
    """The same of the periods after the newest that was provided; not for looking back."""
    start = next_period(duty.cycle, date.fromordinal(duty.last)) if duty.last else _first(duty)
    for one in _starts(duty, at_ms, start):
        yield _period(duty, one, None, at_ms)


def occurrence(duty: Duty, registry: Registry, start: str, at_ms: int) -> Duty | None:
    """The duty of the period that begins on ``start`` (YYYY-MM-DD), if it has begun."""
    found = (one for one in occurrences(duty, registry, at_ms) if one.id.endswith(f"/{start}"))
    return next(found, None)


def missed(duty: Duty, day: date) -> int:
    """How many periods before that of ``day`` nothing provides: an anchor makes them late."""
    start, target = _first(duty), period_of(duty.cycle, day)
    if duty.last:
        start = next_period(duty.cycle, date.fromordinal(duty.last))
    count = 0
    while start < target:
        start, count = next_period(duty.cycle, start), count + 1
    return count


def _period(duty: Duty, start: date, provided: Provided | None, at_ms: int) -> Duty:
    ends_ms = end_of_day_ms(next_period(duty.cycle, start) - _DAY)
    one = replace(
        duty,
        id=f"{duty.id}/{start.isoformat()}",
        since_ms=end_of_day_ms(start - _DAY),
        by_ms=ends_ms,
        settled=None,
    )
    if provided is not None and provided.time_ms <= at_ms:
        return replace(one, settled=provided.index, settled_ms=provided.time_ms, outcome="done")
    if duty.settled is not None and duty.settled_ms < ends_ms:
        return replace(one, settled=duty.settled, settled_ms=duty.settled_ms, outcome="lapsed")
    return one


def _first(duty: Duty) -> date:
    return next_period(duty.cycle, period_of(duty.cycle, day_of(duty.since_ms)))


def _starts(duty: Duty, at_ms: int, start: date) -> Iterator[date]:
    until_ms = at_ms if duty.settled is None else min(at_ms, duty.settled_ms)
    last = day_of(until_ms)
    while start <= last:
        yield start
        start = next_period(duty.cycle, start)
