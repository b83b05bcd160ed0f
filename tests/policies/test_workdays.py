"""Terms in working days, against dates written by hand from the State Council's notices.

2024: Spring Festival 10 to 17 February off, Sundays 4 and 18 February worked; National Day 1 to 7
October off, Sunday 29 September and Saturday 12 October worked. 2025: 28 January to 4 February off,
Sunday 26 January and Saturday 8 February worked; 1 to 8 October off, Sunday 28 September and
Saturday 11 October worked. 2026: 15 to 23 February off, Saturdays 14 and 28 February worked; 1 to 7
October off, Sunday 20 September and Saturday 10 October worked.
"""

from datetime import date

import pytest

from policies.engine import Engine
from policies.errors import RuleSetInvalid
from policies.periods import day_of
from policies.workdays import AwaitingCalendar, Workdays, end_of_day_ms, written
from tests.policies import generate_workdays


@pytest.fixture(scope="module")
def days(engine: Engine) -> Workdays:
    return engine.workdays


def test_the_file_is_what_the_package_knows() -> None:
    assert generate_workdays.FILE.read_text("utf-8") == generate_workdays.content()


@pytest.mark.parametrize(
    ("received", "count", "ends"),
    [
        # 2024, Spring Festival: Sunday 4 February is worked.
        ("2024-02-02", 1, "2024-02-04"),
        ("2024-02-02", 6, "2024-02-09"),
        # 4 5 6 7 8 9 | off 10 to 17 | Sunday 18, 19 20 21
        ("2024-02-02", 10, "2024-02-21"),
        ("2024-02-09", 1, "2024-02-18"),
        # 18 19 20 21 22 23, 26 27 28 29
        ("2024-02-09", 10, "2024-02-29"),
        # received in the holiday: counted from its end
        ("2024-02-12", 5, "2024-02-22"),
        # 2024, National Day: Sunday 29 September and Saturday 12 October are worked.
        ("2024-09-27", 1, "2024-09-29"),
        # 29 30 | off 1 to 7 | 8 9 10 11, Saturday 12, 14 15 16
        ("2024-09-27", 10, "2024-10-16"),
        ("2024-09-30", 5, "2024-10-12"),
        # 2025, Spring Festival: Sunday 26 January and Saturday 8 February are worked.
        ("2025-01-24", 2, "2025-01-27"),
        # 26 27 | off 28 January to 4 February | 5 6 7, Saturday 8, 10 11 12 13
        ("2025-01-24", 10, "2025-02-13"),
        ("2025-01-27", 4, "2025-02-08"),
        # twenty working days: ... 13 14, 17 18 19 20 21, 24 25 26 27
        ("2025-01-24", 20, "2025-02-27"),
        # 2025, National Day with Mid-Autumn: Sunday 28 September, Saturday 11 October are worked.
        ("2025-09-26", 3, "2025-09-30"),
        # 28 29 30 | off 1 to 8 | 9 10, Saturday 11, 13 14 15 16
        ("2025-09-26", 10, "2025-10-16"),
        ("2025-09-30", 3, "2025-10-11"),
        # 2026, Spring Festival: Saturdays 14 and 28 February are worked.
        ("2026-02-13", 1, "2026-02-14"),
        # 14 | off 15 to 23 | 24 25 26 27, Saturday 28, March 2 3 4 5
        ("2026-02-13", 10, "2026-03-05"),
        ("2026-02-16", 5, "2026-02-28"),
        # 2026, National Day: Sunday 20 September and Saturday 10 October are worked.
        ("2026-09-18", 1, "2026-09-20"),
        # 28 29 30 | off 1 to 7 | 8 9, Saturday 10, 12 13 14 15
        ("2026-09-27", 10, "2026-10-15"),
        ("2026-09-30", 3, "2026-10-10"),
        # an ordinary week
        ("2026-07-06", 1, "2026-07-07"),
        ("2026-07-10", 1, "2026-07-13"),
        ("2026-07-06", 0, "2026-07-06"),
    ],
)
def test_a_term_ends_as_counted_by_hand(
    days: Workdays, received: str, count: int, ends: str
) -> None:
    assert days.after(date.fromisoformat(received), count) == date.fromisoformat(ends)


@pytest.mark.parametrize(
    "day",
    [
        "2024-02-04",
        "2024-02-18",
        "2024-09-29",
        "2024-10-12",
        "2025-01-26",
        "2025-02-08",
        "2025-09-28",
        "2025-10-11",
        "2026-02-14",
        "2026-02-28",
        "2026-09-20",
        "2026-10-10",
    ],
)
def test_make_up_days_of_the_weekend_count(days: Workdays, day: str) -> None:
    assert date.fromisoformat(day).weekday() >= 5
    assert days.counts(date.fromisoformat(day))


def test_a_term_that_reaches_an_unpublished_year_waits_for_it(days: Workdays) -> None:
    # December 2026: 28 29 30 31 are ordinary; what 2027 takes off nobody has published here.
    assert days.after(date(2026, 12, 25), 4) == date(2026, 12, 31)
    assert days.after(date(2026, 12, 25), 5) == AwaitingCalendar(2027)
    assert days.after(date(2028, 6, 1), 1) == AwaitingCalendar(2028)
    assert days.after(date(2003, 12, 31), 1) == date(2004, 1, 2)


def test_an_adopted_year_resolves_it(days: Workdays) -> None:
    off = [date(2027, 1, 1), date(2027, 1, 2), date(2027, 1, 4)]
    more = days.adopt(2027, off, [date(2027, 1, 9)], today=date(2026, 12, 1))
    assert more.after(date(2026, 12, 25), 5) == date(2027, 1, 5)
    assert more.after(date(2027, 1, 8), 1) == date(2027, 1, 9)
    assert more.of_year(2027) == (
        (date(2027, 1, 1), "off"),
        (date(2027, 1, 4), "off"),
        (date(2027, 1, 9), "work"),
    )
    assert days.after(date(2026, 12, 25), 5) == AwaitingCalendar(2027)


def test_a_known_year_changes_ahead_of_today_only(days: Workdays) -> None:
    today = date(2026, 9, 1)
    changed = days.adopt(
        2026, [date(2026, 3, 2), date(2026, 9, 2)], [date(2026, 9, 5)], today=today
    )
    assert changed.counts(date(2026, 3, 2))
    assert not changed.counts(date(2026, 2, 17))
    assert not changed.counts(date(2026, 9, 2))
    assert changed.counts(date(2026, 9, 5))
    # what the act no longer lists is an ordinary day again
    assert changed.counts(date(2026, 10, 1))
    assert not changed.counts(date(2026, 10, 10))


def test_a_notice_reaches_into_the_december_before(days: Workdays) -> None:
    more = days.adopt(2027, [date(2026, 12, 31)], [date(2026, 12, 26)], today=date(2026, 11, 28))
    assert not more.counts(date(2026, 12, 31))
    assert more.counts(date(2026, 12, 26))
    late = days.adopt(2027, [date(2026, 12, 31)], [], today=date(2026, 12, 31))
    assert late.counts(date(2026, 12, 31))


def test_a_day_is_a_day_in_china() -> None:
    # 2026-02-13T16:00Z is midnight of the 14th in China
    midnight_ms = 1_771_005_600_000 - 2 * 3_600_000
    assert day_of(midnight_ms) == date(2026, 2, 14)
    assert day_of(midnight_ms - 1) == date(2026, 2, 13)
    assert end_of_day_ms(date(2026, 2, 13)) == midnight_ms


@pytest.mark.parametrize(
    ("raw", "lines"),
    [
        (b"", [1]),
        (b"day,kind\n", [1]),
        (b"kind,day\n2026-01-01,off\n", [1]),
        (b"day,kind\n2026-01-01,off\n2026-01-01,off\n", [3]),
        (b"day,kind\n2026-01-02,off\n2026-01-01,off\n", [3]),
        (b"day,kind\n2026-01-03,off\n2026-01-05,work\n", [2, 3]),
        (b"day,kind\n2026-13-01,off\n20260101,off\n2026-01-01\n", [2, 3, 4]),
        (b"day,kind\n\xff\n", [2]),
    ],
)
def test_a_wrong_line_is_named(raw: bytes, lines: list[int]) -> None:
    with pytest.raises(RuleSetInvalid) as raised:
        Workdays.parse(raw)
    assert [finding.line for finding in raised.value.findings] == lines
    assert {finding.failure for finding in raised.value.findings} == {"bad-day"}


def test_what_is_written_is_read(days: Workdays) -> None:
    lines = "\n".join(("# by hand", "", *written(days.of_year(2026))))
    with pytest.raises(RuleSetInvalid):
        Workdays.parse(lines.encode())
    again = Workdays.parse("\n".join(written(days.of_year(2026))).encode())
    assert again.of_year(2026) == days.of_year(2026)
    assert again.years == {2026}
