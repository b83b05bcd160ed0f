"""Records wait for their bundle by region, in order, and never too many of them."""

from exchange.flow.waiting import BUNDLES_WAITING, Waiting
from exchange.model.batch import Batch

FULL = 10


def batch(first: int, count: int) -> Batch:
    """Records numbered from ``first`` on."""
    numbers = list(range(first, first + count))
    return Batch({"number": list(numbers)}, None, numbers)


def numbers(given: list[tuple[str, Batch]]) -> list[tuple[str, list[int]]]:
    """What an iterator gave, by region."""
    return [(region, list(one.columns["number"])) for region, one in given]


def test_records_wait_until_they_fill_a_bundle() -> None:
    waiting = Waiting()
    waiting.add("33", batch(0, FULL - 1))
    assert list(waiting.full("33", FULL)) == []
    waiting.add("33", batch(FULL - 1, 2))
    assert numbers(list(waiting.full("33", FULL))) == [("33", list(range(FULL)))]
    assert numbers(list(waiting.rest(FULL))) == [("33", [FULL])]


def test_a_large_batch_leaves_in_full_bundles_and_its_end_waits() -> None:
    waiting = Waiting()
    waiting.add("33", batch(0, 3 * FULL + 4))
    assert [len(found) for _, found in numbers(list(waiting.full("33", FULL)))] == [FULL] * 3
    assert numbers(list(waiting.rest(FULL))) == [("33", list(range(3 * FULL, 3 * FULL + 4)))]


def test_when_too_much_waits_the_largest_region_goes_first() -> None:
    waiting = Waiting()
    given: list[tuple[str, Batch]] = []
    for number in range(BUNDLES_WAITING * FULL):
        region = str(number % 4)
        waiting.add(region, batch(number, 1))
        given += waiting.full(region, FULL)
    assert given == []
    waiting.add("2", batch(100, 2))
    assert numbers(list(waiting.full("2", FULL))) == [("2", [2, 6, 100, 101])]


def test_a_reader_that_stops_half_way_loses_nothing() -> None:
    waiting = Waiting()
    waiting.add("33", batch(0, 2 * FULL))
    next(waiting.full("33", FULL))
    assert numbers(list(waiting.rest(FULL))) == [("33", list(range(FULL, 2 * FULL)))]


def test_what_left_waits_no_more() -> None:
    waiting = Waiting()
    waiting.add("33", batch(0, 3))
    assert len(list(waiting.rest(FULL))) == 1
    assert list(waiting.rest(FULL)) == []
