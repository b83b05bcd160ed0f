"""Deterministic CBOR: one encoding of each value, and a class for each way to break that."""

from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import cbor
from keys.errors import MalformedCbor
from keys.secret import Secret

NUMBERS = st.integers(-(1 << 64), (1 << 64) - 1)
SCALARS = st.none() | st.booleans() | NUMBERS | st.binary(max_size=40) | st.text(max_size=40)
VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=5)
        | st.dictionaries(st.integers(0, (1 << 64) - 1), inner, max_size=5)
        | st.dictionaries(st.text(max_size=8), inner, max_size=5)
    ),
    max_leaves=20,
)
BAD = [
    ("truncated", ""),
    ("truncated", "18"),
    ("truncated", "19ff"),
    ("truncated", "42aa"),
    ("truncated", "8201"),
    ("truncated", "a1"),
    ("truncated", "a101"),
    ("truncated", "5b000000010000000000"),
    ("truncated", "9b000000010000000000"),
    ("trailing-bytes", "0000"),
    ("trailing-bytes", "80f6"),
    ("not-shortest", "1817"),
    ("not-shortest", "1900ff"),
    ("not-shortest", "1a0000ffff"),
    ("not-shortest", "1b00000000ffffffff"),
    ("not-shortest", "3800"),
    ("not-shortest", "580161"),
    ("not-shortest", "7801" + "61"),
    ("not-shortest", "980100"),
    ("not-shortest", "b8010000"),
    ("not-shortest", "a1180000"),
    ("indefinite", "5f4101ff"),
    ("indefinite", "7f6161ff"),
    ("indefinite", "9f01ff"),
    ("indefinite", "bf0101ff"),
    ("indefinite", "ff"),
    ("reserved", "1c"),
    ("reserved", "5d"),
    ("reserved", "fe"),
    ("tag", "c000"),
    ("tag", "c249010000000000000000"),
    ("tag", "d81c81d81d00"),
    ("tag", "d82365282b612b29"),
    ("tag", "d9010281" + "01"),
    ("float", "f93c00"),
    ("float", "fa3f800000"),
    ("float", "fb3ff0000000000000"),
    ("float", "81f97e00"),
    ("simple", "f7"),
    ("simple", "e0"),
    ("simple", "f820"),
    ("simple", "f8ff"),
    ("too-many", "9a00010001" + "00" * 65_537),
    ("too-many", "b90100" + "".join(f"19{key:04x}990100" + "80" * 256 for key in range(256, 512))),
    ("truncated", "9affffffff" + "00" * 65_537),
    ("depth", "81" * 17 + "00"),
    ("depth", "a100" * 17 + "00"),
    ("depth", "81" * 100_000),
    ("key-type", "a12000"),
    ("key-type", "a1410000"),
    ("key-type", "a1800000"),
    ("key-type", "a1f500"),
    ("key-type", "a1c00000"),
    ("key-type", "a2000061610"[:-1] + "00"),
    ("duplicate-key", "a200000001"),
    ("duplicate-key", "a2616100616101"),
    ("unsorted", "a201000000"),
    ("unsorted", "a2616200616100"),
    ("unsorted", "a262616100616200"),
    ("unsorted", "a218180000" + "00"),
    ("not-utf8", "6180"),
    ("not-utf8", "63eda080"),
]


def failure_of(data: bytes, bytes_max: int = 1 << 20) -> str:
    with pytest.raises(MalformedCbor) as caught:
        cbor.decode(data, bytes_max=bytes_max)
    assert caught.value.text[0]
    assert caught.value.text[1]
    return caught.value.failure


@pytest.mark.parametrize(("failure", "data"), BAD)
def test_every_other_spelling_is_refused_by_its_class(failure: str, data: str) -> None:
    assert failure_of(bytes.fromhex(data)) == failure


def test_more_bytes_than_the_reader_accepts_are_refused_unread() -> None:
    assert failure_of(b"\xff" * 11, bytes_max=10) == "too-large"
    assert cbor.decode(cbor.encode(b"x" * 8), bytes_max=9) == b"x" * 8


@given(VALUES)
def test_what_is_encoded_is_decoded_again(value: object) -> None:
    encoded = cbor.encode(value)
    assert cbor.decode(encoded, bytes_max=len(encoded)) == value
    assert encoded == cbor2.dumps(value, canonical=True)


@given(st.binary(max_size=60))
def test_what_is_decoded_has_one_encoding(data: bytes) -> None:
    try:
        value = cbor.decode(data, bytes_max=60)
    except MalformedCbor:
        return
    assert cbor.encode(value) == data
    assert cbor2.loads(data) == value


@given(VALUES, st.data())
def test_a_changed_byte_gives_another_value_or_none(value: object, data: st.DataObject) -> None:
    encoded = bytearray(cbor.encode(value))
    encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        changed = cbor.decode(bytes(encoded), bytes_max=len(encoded))
    except MalformedCbor:
        return
    assert cbor.encode(changed) == bytes(encoded) != cbor.encode(value)


@pytest.mark.parametrize(
    ("failure", "value"),
    [
        ("type", 1.0),
        ("type", {1, 2}),
        ("type", [object()]),
        ("type", bytearray(b"x")),
        ("range", 1 << 64),
        ("range", -(1 << 64) - 1),
        ("key-type", {-1: 0}),
        ("key-type", {b"k": 0}),
        ("key-type", {True: 0}),
        ("key-type", {0: 0, "a": 0}),
        ("not-utf8", "\ud800"),
    ],
)
def test_a_value_without_an_encoding_is_refused(failure: str, value: object) -> None:
    with pytest.raises(MalformedCbor) as caught:
        cbor.encode(value)
    assert caught.value.failure == failure


def test_a_value_nested_too_deep_is_refused() -> None:
    value: object = 0
    for _ in range(16):
        value = [value]
    assert cbor.decode(cbor.encode(value), bytes_max=20) == value
    with pytest.raises(MalformedCbor):
        cbor.encode([value])
    with pytest.raises(MalformedCbor):
        cbor.encode({0: value})


def test_tuples_are_lists_and_secrets_are_byte_strings() -> None:
    assert cbor.encode((1, (2,))) == cbor.encode([1, [2]])
    assert cbor.encode([Secret(b"key")]) == cbor.encode([b"key"])


def scanned(data: bytes, items_max: int) -> int | None:
    """What the scan that calls itself for every item says of the length."""
    try:
        return cbor._scan(data, 0, cbor.DEPTH_MAX, [items_max])
    except MalformedCbor:
        return None


@given(VALUES, st.integers(1, 60), st.data())
def test_the_scan_for_usual_values_never_passes_what_the_other_refuses(
    value: object, items_max: int, data: st.DataObject
) -> None:
    raw = bytearray(cbor.encode(value))
    for _ in range(data.draw(st.integers(0, 2))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    whole = bytes(raw[: data.draw(st.integers(0, len(raw)))] if data.draw(st.booleans()) else raw)
    usual = cbor._usual(whole, items_max)
    if usual == len(whole):
        assert scanned(whole, items_max) == len(whole)


@given(
    st.recursive(
        st.none() | st.booleans() | NUMBERS | st.binary(max_size=300) | st.text(max_size=30),
        lambda inner: (
            st.lists(inner, max_size=5) | st.dictionaries(st.integers(0, 23), inner, max_size=5)
        ),
        max_leaves=20,
    )
)
def test_what_messages_are_made_of_is_usual(value: object) -> None:
    raw = cbor.encode(value)
    assert cbor._usual(raw, cbor.ITEMS_MAX) == len(raw)


@pytest.mark.parametrize(("depth", "whole"), [(cbor.DEPTH_MAX, True), (cbor.DEPTH_MAX + 1, False)])
def test_usual_values_are_no_deeper_than_others(depth: int, *, whole: bool) -> None:
    raw = b"\x81" * depth + b"\x01"
    assert (cbor._usual(raw, cbor.ITEMS_MAX) == len(raw)) == whole
