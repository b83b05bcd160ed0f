"""Which rows decide at which time: the profile of a day, and the rows that hold on it.

    for period in periods(register):
        period.from_ms, period.profile, period.enforced, period.warned

Days are those of China Standard Time (UTC+8, no daylight saving): a law in force from 1 August
decides from 31 July 16:00 UTC on. Pure; the moment of a decision is the ledger's time.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Final

from policies.errors import RuleUnknown
from policies.register import Register

CHINA: Final = timezone(timedelta(hours=8))
_DAY: Final = timedelta(days=1)
_DAY_MS: Final = 86_400_000
_AHEAD_MS: Final = 8 * 3_600_000
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time in which the same rows decide; it ends where the next one starts.

    ``enforced`` are the ids of rows that permit or forbid, ``warned`` those whose prohibition is
    only told. ``profile`` is empty, and so is everything else, where no profile covers the time.
    """

    from_ms: int
    profile: str
    enforced: frozenset[str]
    warned: frozenset[str]


def day_of(time_ms: int) -> date:
    """The day in China at ``time_ms``; far-off times give the first or the last day there is."""
    day = _EPOCH_DAY + (time_ms + _AHEAD_MS) // _DAY_MS
    return date.fromordinal(min(max(day, date.min.toordinal()), date.max.toordinal()))


def start_ms(day: date) -> int:
    """The first millisecond of ``day`` in China."""
    return int(datetime(day.year, day.month, day.day, tzinfo=CHINA).timestamp()) * 1_000


def periods(register: Register) -> tuple[Period, ...]:
    """Every period, ascending; nothing decides before the first."""
    found: list[Period] = []
    for day in sorted(_turning_points(register)):
        period = _period(register, day)
        if not found or _content(found[-1]) != _content(period):
            found.append(period)
    return tuple(found)


def period_at(found: Sequence[Period], time_ms: int) -> Period | None:
    """The one of ``found`` (ascending) in which ``time_ms`` lies; None before the first."""
    at = bisect_right(found, time_ms, key=lambda period: period.from_ms)
    return found[at - 1] if at else None


def _turning_points(register: Register) -> set[date]:
    spans = [(row.valid_from, row.valid_to) for row in register.file.profiles.values()]
    spans += [(rule.valid_from, rule.valid_to) for rule in register]
    starts = {start for start, _ in spans}
    return starts | {end + _DAY for _, end in spans if end is not None and end < date.max}


def _period(register: Register, day: date) -> Period:
    try:
        profile, rows = register.profile_on(day), register.in_force(day)
    except RuleUnknown:
        profile, rows = "", ()
    return Period(
        start_ms(day),
        profile,
        frozenset(rule.id for rule in rows if rule.mode == "enforce"),
        frozenset(rule.id for rule in rows if rule.mode == "warn"),
    )


def _content(period: Period) -> tuple[object, ...]:
    return period.profile, period.enforced, period.warned
