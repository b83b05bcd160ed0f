"""Moments of a search: a date is a whole day where the reader lives."""

import time
from collections.abc import Iterator

import pytest

from exchange.cli.times import duration_ms, moment_ms, shown, span_ms, stated
from exchange.errors import UsageError


@pytest.fixture(autouse=True)
def hangzhou(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_a_search_to_a_date_holds_that_whole_day() -> None:
    first, last = span_ms("2026-10-01", "2026-10-31", now_ms=0)
    assert shown(first) == "2026-10-01 00:00:00+0800"
    assert shown(last) == "2026-10-31 23:59:59+0800"


def test_a_search_without_ends_holds_everything() -> None:
    assert span_ms("", "", now_ms=5) == (0, 1 << 62)


def test_a_moment_is_taken_as_it_stands() -> None:
    text = "2026-10-31T08:00+08:00"
    moment = moment_ms(text, now_ms=0)
    assert span_ms(text, "now", now_ms=moment + 7) == (moment, moment + 7)


@pytest.mark.parametrize(
    ("since", "until"),
    [("2026-10-02", "2026-10-01"), ("now", "2026-10-01"), ("2026-10-01", "2026-09-30T23:00+08:00")],
)
def test_a_search_that_ends_before_it_begins_is_none(since: str, until: str) -> None:
    with pytest.raises(UsageError, match="is after --to") as caught:
        span_ms(since, until, now_ms=1_900_000_000_000)
    assert caught.value.failure == "span"


def test_a_day_may_be_a_whole_search() -> None:
    first, last = span_ms("2026-10-01", "2026-10-01", now_ms=0)
    assert last - first == 86_400_000 - 1


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "9999-12-31"])
def test_what_is_no_moment_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="is no moment"):
        span_ms("", text, now_ms=0)


def test_lengths_of_time_have_a_unit() -> None:
    found = [duration_ms(text) for text in ("30s", "15m", "2h", "1d")]
    assert found == [30_000, 900_000, 7_200_000, 86_400_000]


@pytest.mark.parametrize("text", ["15", "m", "+15m", "1w", ""])
def test_what_is_no_length_of_time_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="no length of time"):
        duration_ms(text)


def test_a_signature_that_states_no_time_has_none() -> None:
    assert (stated(0), stated(1)) == ("-", shown(1_000))
