"""Working days of China: which days count, and which day a term ends on. Pure; no clock.

    days = Workdays.parse(rules.files["workdays.csv"])
    days.after(date(2026, 2, 13), 10)      # date(2026, 3, 4), or AwaitingCalendar(2027)

A day counts if it is a Monday to Friday that the State Council does not take off, or a weekend day
that it makes up for one. A term of n working days ends on the n-th such day after the day of
receipt; that counting starts on the day after receipt is an assumption of the bus (grade B, 待核).
A year that the table lacks is never guessed at: the answer is `AwaitingCalendar`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from policies.errors import Finding, RuleSetInvalid
from policies.periods import start_ms

_DAY: Final = timedelta(days=1)
_HEADER: Final = "day,kind"
_KINDS: Final = frozenset({"off", "work"})


@dataclass(frozen=True, slots=True)
class AwaitingCalendar:
    """The term reaches ``year``, whose working days the authority has not adopted yet."""

    year: int


@dataclass(frozen=True, slots=True)
class Workdays:
    """The years that are known, their weekdays taken off and their weekend days made up."""

    years: frozenset[int]
    off: frozenset[date]
    work: frozenset[date]

    @classmethod
    def parse(cls, raw: bytes, name: str = "workdays.csv") -> "Workdays":
        """Read the file: ``YYYY-MM-DD,off`` and ``YYYY-MM-DD,work`` lines, ascending.

        Raises `RuleSetInvalid` naming every wrong line.
        """
        days: dict[date, str] = {}
        wrong: list[int] = []
        lines = raw.decode("utf-8", "replace").splitlines()
        for number, line in enumerate(lines, 1):
            if number == 1 or line.startswith("#") or not line:
                continue
            day, kind = _read(line)
            if day is None or (days and day <= max(days)) or (kind == "work") != _weekend(day):
                wrong.append(number)
            else:
                days[day] = kind
        if not lines or lines[0] != _HEADER:
            wrong.insert(0, 1)
        if wrong or not days:
            raise RuleSetInvalid(tuple(_finding(name, number) for number in wrong or [1]))
        return cls(
            frozenset(day.year for day in days),
            frozenset(day for day, kind in days.items() if kind == "off"),
            frozenset(day for day, kind in days.items() if kind == "work"),
        )

    def counts(self, day: date) -> bool:
        """Whether ``day``, of a year that is known, is a working day."""
        return day in self.work or (not _weekend(day) and day not in self.off)

    def after(self, received: date, count: int) -> date | AwaitingCalendar:
        """The last day of a term of ``count`` working days; ``received`` itself never counts."""
        day = received
        while count > 0:
            day += _DAY
            if day.year not in self.years:
                return AwaitingCalendar(day.year)
            count -= self.counts(day)
        return day

    def adopt(
        self, year: int, off: Iterable[date], work: Iterable[date], *, today: date
    ) -> "Workdays":
        """The table with the days of ``year`` as the authority adopted them on ``today``.

        A year that was unknown is taken whole. Of one that was known, and of the December before
        it, only days after ``today`` change: a term that has ended never ends anew.
        """
        known = year in self.years

        def stays(day: date) -> bool:
            return day.year != year or (known and day <= today)

        def comes(day: date) -> bool:
            return (day.year == year and not known) or day > today

        off_new = {day for day in off if not _weekend(day) and comes(day)}
        work_new = {day for day in work if _weekend(day) and comes(day)}
        return Workdays(
            self.years | {year},
            frozenset({day for day in self.off if stays(day)} | off_new),
            frozenset({day for day in self.work if stays(day)} | work_new),
        )

    def changed_past(self, later: "Workdays", *, today: date) -> date | None:
        """The first day up to ``today`` that ``later`` counts otherwise, or of a year it has lost.

        A year that nobody knew may come with it, whole.
        """
        lost = {date(year, 1, 1) for year in self.years - later.years}
        other = (self.off ^ later.off) | (self.work ^ later.work)
        past = {day for day in other if day <= today and day.year in self.years}
        return min(lost | past, default=None)

    def of_year(self, year: int) -> tuple[tuple[date, str], ...]:
        """The exceptions of one year, ascending, as the file has them."""
        found = [(day, "off") for day in self.off if day.year == year]
        found += [(day, "work") for day in self.work if day.year == year]
        return tuple(sorted(found))


def end_of_day_ms(day: date) -> int:
    """The first millisecond after ``day`` in China: what is done before it was done in time."""
    return start_ms(day + _DAY)


def written(days: Iterable[tuple[date, str]]) -> Iterator[str]:
    """The lines of a file that `Workdays.parse` reads."""
    yield _HEADER
    for day, kind in days:
        yield f"{day.isoformat()},{kind}"


def _read(line: str) -> tuple[date | None, str]:
    text, _, kind = line.partition(",")
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None, ""
    return (day if kind in _KINDS and len(text) == 10 else None), kind


def _weekend(day: date) -> bool:
    return day.weekday() >= 5


def _finding(name: str, line: int) -> Finding:
    return Finding(
        name,
        line,
        "bad-day",
        ("no day of a calendar, or out of order", "不是有效的日历条目，或未按顺序排列"),
        (
            "begin with day,kind; then YYYY-MM-DD,off for a weekday or YYYY-MM-DD,work for a"
            " weekend day, ascending",
            "首行为 day,kind；其后按日期升序填写 YYYY-MM-DD,off（工作日放假）或"
            " YYYY-MM-DD,work（周末上班）",
        ),
    )
