"""Whoever owns the broker can change, cut, extend and swap; a reader refuses all of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import BundleRefused
from tests.envelope.forging import SIGNING
from tests.envelope.good_cases import Good, good_cases
from tests.envelope.reading import read

GOOD = list(good_cases())


def is_refused(case: Good, raw: bytes) -> bool:
    try:
        read(raw, public=SIGNING.raw, contract=case.contract, keys=case.keys)
    except BundleRefused:
        return True
    return False


def test_the_bundles_are_good_to_begin_with() -> None:
    assert not any(is_refused(case, case.made.raw) for case in GOOD)


@given(st.sampled_from(GOOD), st.data())
def test_a_bundle_with_any_byte_changed_is_refused(case: Good, data: st.DataObject) -> None:
    raw = bytearray(case.made.raw)
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    assert is_refused(case, bytes(raw))


@pytest.mark.parametrize("bit", [0x01, 0x80])
def test_a_bundle_with_each_byte_changed_in_turn_is_refused(bit: int) -> None:
    case = GOOD[0]
    raw = bytearray(case.made.raw)
    for position in range(len(raw)):
        raw[position] ^= bit
        assert is_refused(case, bytes(raw)), position
        raw[position] ^= bit


@given(st.sampled_from(GOOD), st.data())
def test_a_bundle_cut_anywhere_is_refused(case: Good, data: st.DataObject) -> None:
    assert is_refused(case, case.made.raw[: data.draw(st.integers(0, len(case.made.raw) - 1))])


@given(st.sampled_from(GOOD), st.binary(min_size=1, max_size=50), st.booleans())
def test_a_bundle_with_bytes_around_it_is_refused(case: Good, more: bytes, before: bool) -> None:
    assert is_refused(case, more + case.made.raw if before else case.made.raw + more)


@given(st.sampled_from(GOOD), st.sampled_from(GOOD), st.data())
def test_two_bundles_spliced_are_refused(one: Good, other: Good, data: st.DataObject) -> None:
    left, right = one.made.raw, other.made.raw
    at = data.draw(st.integers(0, min(len(left), len(right))))
    spliced = left[:at] + right[at:]
    if spliced not in (left, right):
        assert is_refused(one, spliced)


@given(st.binary(max_size=300))
def test_whatever_else_is_on_the_topic_is_refused(raw: bytes) -> None:
    assert is_refused(GOOD[0], raw)
