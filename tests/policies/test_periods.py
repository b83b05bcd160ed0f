"""A decision is made by the rows that hold at its time, not by those of another day."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.engine import ENGINE_DENIAL, Engine
from policies.facts import Answer
from policies.periods import day_of, period_at, start_ms
from policies.ruleset import REGISTER
from tests.policies.laws import with_change
from tests.policies.world import BASES, GRANT, PROPOSED, ask

FIRST = start_ms(date(2014, 11, 28))


@pytest.mark.parametrize(
    ("day", "rules"),
    [
        (date(2014, 11, 28), ("FEE-01",)),
        (date(2017, 6, 29), ("FEE-01",)),
        (date(2017, 6, 30), ("CAT-01", "FEE-01")),
        (date(2025, 7, 31), ("CAT-01", "FEE-01")),
        (date(2025, 8, 1), ("CAT-01", "FEE-01", "SEC-01")),
        (date(2040, 1, 1), ("CAT-01", "FEE-01", "SEC-01")),
    ],
)
def test_what_forbids_is_the_law_of_the_day(
    engine: Engine, day: date, rules: tuple[str, ...]
) -> None:
    question = ask("catalogue.publish", missing=("摘要",), price="1", time=start_ms(day))
    secret = replace(question, resource=replace(PROPOSED, secrecy="work"))
    assert engine.decide(secret) == Answer(permit=False, rules=rules)


def test_a_law_begins_at_midnight_in_china(engine: Engine) -> None:
    first = start_ms(date(2025, 8, 1))
    assert datetime.fromtimestamp(first / 1_000, UTC).isoformat() == "2025-07-31T16:00:00+00:00"
    assert day_of(first) == date(2025, 8, 1)
    assert day_of(first - 1) == date(2025, 7, 31)
    periods = [period_at(engine.periods, moment) for moment in (first - 1, first)]
    assert [period.profile for period in periods if period] == ["cn-2016", "cn-2025"]


def test_nothing_is_permitted_before_the_first_law(engine: Engine) -> None:
    for action in BASES:
        assert engine.decide(ask(action, time=FIRST - 1)) == ENGINE_DENIAL
        assert engine.decide(ask(action, time=-(1 << 62))) == ENGINE_DENIAL
    assert engine.decide(ask("catalogue.publish", time=FIRST)).permit
    assert engine.decide(ask("catalogue.publish", time=(1 << 63) - 1)).permit


def test_nothing_is_permitted_between_two_laws() -> None:
    gap = with_change(REGISTER, "    valid_to: 2016-09-04\n", "    valid_to: 2016-08-31\n")
    engine = Engine(gap)
    inside = start_ms(date(2016, 9, 1))
    assert engine.decide(ask("member.enrol", time=inside - 1)).permit
    assert engine.decide(ask("member.enrol", time=inside)) == ENGINE_DENIAL
    assert engine.decide(ask("member.enrol", time=start_ms(date(2016, 9, 5)))).permit


def test_a_row_that_ended_decides_no_more() -> None:
    ended = with_change(
        REGISTER,
        "    valid_from: 2021-09-01\n",
        "    valid_from: 2021-09-01\n    valid_to: 2026-06-30\n",
    )
    engine = Engine(ended)
    last = start_ms(date(2026, 7, 1)) - 1
    expires = last + 10
    assert engine.decide(ask("request.new", duty="", time=last, expires=expires)).rules == (
        "DUTY-01",
    )
    assert engine.decide(ask("request.new", duty="", time=last + 1, expires=expires)).permit


def test_a_revoked_grant_opened_nothing_before_the_text_that_says_so(engine: Engine) -> None:
    """REV-01 cites a standard of 2021; the bus never served a revoked grant."""
    revoked = replace(ask("keys.ask"), resource=replace(GRANT, revoked=True))
    for day, rules in ((date(2020, 1, 1), ("BASIS-01",)), (date(2026, 1, 1), ("REV-01",))):
        asked = replace(revoked, context={**revoked.context, "time": start_ms(day)})
        assert engine.decide(asked).rules == rules


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_every_time_has_a_day(time_ms: int) -> None:
    day = day_of(time_ms)
    assert date.min <= day <= date.max
    if date.min < day < date.max:
        assert start_ms(day) <= time_ms < start_ms(day) + 86_400_000
