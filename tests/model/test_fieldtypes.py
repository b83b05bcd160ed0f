"""Every type takes what it should, in canonical form, and nothing that only looks like it."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.model import problems
from exchange.model.contract import TEXT_LENGTH_MAX, ContractField, FieldKind
from exchange.model.fieldtypes import check_column

Options = dict[str, Any]


def field(kind: FieldKind, **options: Any) -> ContractField:
    if kind == "decimal":
        options = {"digits": 6, "scale": 2, **options}
    if kind == "code":
        options = {"values": {"01": "", "02": ""}, **options}
    return ContractField.model_validate({"name": "f", "type": kind, "level": 1, **options})


GOOD: list[tuple[FieldKind, object, object]] = [
    ("text", "清波门 社区", "清波门 社区"),
    ("text", " kept as it is ", " kept as it is "),
    ("integer", "0", 0),
    ("integer", "-0", 0),
    ("integer", "9223372036854775807", (1 << 63) - 1),
    ("integer", "-9223372036854775808", -(1 << 63)),
    ("integer", 12, 12),
    ("decimal", "12", "12.00"),
    ("decimal", "-0.5", "-0.50"),
    ("decimal", "-0.0", "0.00"),
    ("decimal", "9999.99", "9999.99"),
    ("decimal", 7, "7.00"),
    ("decimal", 0.1, "0.10"),
    ("decimal", -12.5, "-12.50"),
    ("boolean", "true", True),
    ("boolean", "是", True),
    ("boolean", "0", False),
    ("boolean", False, False),
    ("date", "2024-02-29", "2024-02-29"),
    ("date", "9999-12-31", "9999-12-31"),
    ("datetime", "2026-01-31T08:00:00+08:00", "2026-01-31T00:00:00Z"),
    ("datetime", "2026-01-31T08:00:00.5Z", "2026-01-31T08:00:00.500000Z"),
    ("code", "01", "01"),
    ("resident-id", "11010519491231002X", "11010519491231002X"),
    ("resident-id", "11010519491231002x", "11010519491231002X"),
    ("credit-code", "91350100M000100Y43", "91350100M000100Y43"),
    ("credit-code", "91350100m000100y43", "91350100M000100Y43"),
    ("region", "33", "33"),
    ("region", "3301", "3301"),
    ("region", "330102", "330102"),
    ("region", "330102001", "330102001"),
    ("region", "441900003001", "441900003001"),
]

BAD: list[tuple[FieldKind, object, problems.Problem]] = [
    ("text", 12, problems.NOT_TEXT),
    ("text", ["a"], problems.NOT_TEXT),
    ("text", b"bytes", problems.NOT_TEXT),
    ("text", "half \ud800", problems.NOT_UNICODE),
    ("text", "zero \0", problems.NOT_UNICODE),
    ("integer", "012", problems.NOT_INTEGER),
    ("integer", "１２", problems.NOT_INTEGER),
    ("integer", "1\n", problems.NOT_INTEGER),
    ("integer", "1_000", problems.NOT_INTEGER),
    ("integer", "12.0", problems.NOT_INTEGER),
    ("integer", " 1", problems.NOT_INTEGER),
    ("integer", "\ud800", problems.NOT_INTEGER),
    ("integer", "9223372036854775808", problems.NOT_INTEGER),
    ("integer", 1 << 63, problems.NOT_INTEGER),
    ("integer", True, problems.NOT_INTEGER),
    ("integer", 3.0, problems.NOT_INTEGER),
    ("decimal", "1.234", problems.not_decimal(6, 2)),
    ("decimal", "10000", problems.not_decimal(6, 2)),
    ("decimal", "1e3", problems.not_decimal(6, 2)),
    ("decimal", "1,000", problems.not_decimal(6, 2)),
    ("decimal", ".5", problems.not_decimal(6, 2)),
    ("decimal", "NaN", problems.not_decimal(6, 2)),
    ("decimal", True, problems.not_decimal(6, 2)),
    ("decimal", 1 << 200, problems.not_decimal(6, 2)),
    ("decimal", 0.1 + 0.2, problems.not_decimal(6, 2)),
    ("decimal", [], problems.not_decimal(6, 2)),
    ("boolean", "yes", problems.NOT_BOOLEAN),
    ("boolean", 1, problems.NOT_BOOLEAN),
    ("date", "2023-02-29", problems.NOT_DATE),
    ("date", "2024-13-01", problems.NOT_DATE),
    ("date", "0000-01-01", problems.NOT_DATE),
    ("date", "2024/01/01", problems.NOT_DATE),
    ("date", "２０24-01-01", problems.NOT_DATE),
    ("date", "2024-1-1", problems.NOT_DATE),
    ("date", 20240101, problems.NOT_DATE),
    ("datetime", "2026-01-31T08:00:00", problems.NOT_DATETIME),
    ("datetime", "2026-01-31 08:00:00Z", problems.NOT_DATETIME),
    ("datetime", "2026-02-30T08:00:00Z", problems.NOT_DATETIME),
    ("datetime", "2026-01-31T25:00:00Z", problems.NOT_DATETIME),
    ("datetime", "9999-12-31T23:00:00-08:00", problems.NOT_DATETIME),
    ("datetime", 1769817600, problems.NOT_DATETIME),
    ("code", "1", problems.NOT_LISTED),
    ("code", 1, problems.NOT_LISTED),
    ("resident-id", "110105194912310021", problems.ID_CHECK),
    ("resident-id", "11010519491231002Ⅹ", problems.ID_SHAPE),
    ("resident-id", "11010519491331002X", problems.ID_SHAPE),
    ("resident-id", "99010519491231002X", problems.ID_SHAPE),
    ("resident-id", "X1010519491231002X", problems.ID_SHAPE),
    ("resident-id", "1101051949123100", problems.ID_SHAPE),
    ("resident-id", 110105194912310021, problems.NOT_TEXT),
    ("credit-code", "91350100M000100Y44", problems.CREDIT_CHECK),
    ("credit-code", "91350100I000100Y43", problems.CREDIT_SHAPE),
    ("credit-code", "9135010AM000100Y43", problems.CREDIT_SHAPE),
    ("credit-code", "91350100M000100Y4", problems.CREDIT_SHAPE),
    ("region", "3", problems.REGION_SHAPE),
    ("region", "33010", problems.REGION_SHAPE),
    ("region", "33 102", problems.REGION_SHAPE),
    ("region", "３３", problems.REGION_SHAPE),
    ("region", "99", problems.REGION_UNKNOWN),
    ("region", "330000", problems.REGION_UNKNOWN),
    ("region", "330199001001", problems.REGION_UNKNOWN),
    ("region", 330102, problems.NOT_TEXT),
]


@pytest.mark.parametrize(("kind", "value", "canonical"), GOOD)
def test_a_good_value_takes_its_canonical_form(
    kind: FieldKind, value: object, canonical: object
) -> None:
    for values in ([value], [None, value, value], ["", value]):
        checked = check_column(field(kind), list(values))
        assert checked.bad == {}
        assert checked.values[-1] == canonical
        assert type(checked.values[-1]) is type(canonical)
        assert checked.values[0] in {None, canonical}


@pytest.mark.parametrize(("kind", "value", "problem"), BAD)
def test_a_bad_value_is_named_with_its_reason(
    kind: FieldKind, value: object, problem: problems.Problem
) -> None:
    good = next(one for known, one, _ in GOOD if known == kind)
    assert check_column(field(kind), [good, None, value, good]).bad == {2: problem}
    assert check_column(field(kind), [value]).bad == {0: problem}


@pytest.mark.parametrize(("kind", "value", "_canonical"), GOOD)
def test_canonical_values_are_good_and_stay_as_they_are(
    kind: FieldKind, value: object, _canonical: object
) -> None:
    once = check_column(field(kind), [value]).values
    assert check_column(field(kind), list(once)).values == once


def test_texts_and_json_values_may_mix_in_a_column() -> None:
    checked = check_column(field("integer"), ["1", 2, None, "x", 3.5, "4"])
    assert set(checked.bad) == {3, 4}
    assert [checked.values[row] for row in (0, 1, 2, 5)] == [1, 2, None, 4]


def test_a_text_is_as_long_as_the_contract_says_in_characters() -> None:
    short = field("text", length=3)
    assert check_column(short, ["一二三", "一二三四"]).bad == {1: problems.too_long(3)}
    long = "x" * (TEXT_LENGTH_MAX + 1)
    assert check_column(field("text"), [long]).bad == {0: problems.too_long(TEXT_LENGTH_MAX)}


def test_a_region_must_be_as_fine_as_streams_split() -> None:
    checked = check_column(field("region"), ["33", "3301", "99"], region_digits=4)
    assert checked.bad == {
        0: problems.region_too_coarse(4),
        2: problems.REGION_UNKNOWN,
    }


def test_decimals_without_whole_or_broken_part() -> None:
    whole = field("decimal", digits=3, scale=0)
    assert check_column(whole, ["12", "1.0", 5, 5.0, "1.5"]).bad == {4: problems.not_decimal(3, 0)}
    assert check_column(whole, ["12", "-0", 5.0]).values == ["12", "0", "5"]
    fraction = field("decimal", digits=9, scale=9)
    assert check_column(fraction, ["0.000000001"]).values == ["0.000000001"]
    assert check_column(fraction, ["1.0"]).bad == {0: problems.not_decimal(9, 9)}


@pytest.mark.parametrize(("kind", "value", "canonical"), GOOD)
def test_repeated_values_are_judged_as_single_ones_are(
    kind: FieldKind, value: object, canonical: object
) -> None:
    checked = check_column(field(kind), [value, None] * 500)
    assert checked.bad == {}
    assert checked.values == [canonical, None] * 500
    assert {type(one) for one in checked.values} == {type(canonical), type(None)}


@pytest.mark.parametrize(("kind", "value", "problem"), BAD)
def test_every_repetition_of_a_bad_value_is_named(
    kind: FieldKind, value: object, problem: problems.Problem
) -> None:
    good = next(one for known, one, _ in GOOD if known == kind)
    rows = dict.fromkeys(range(1, 1000, 2), problem)
    assert check_column(field(kind), [good, value] * 500).bad == rows


def test_equal_json_values_of_different_types_are_told_apart() -> None:
    mixed = [1, True, 1.0, "1"] * 100
    assert set(check_column(field("integer"), mixed).bad) == {
        row for row in range(400) if row % 4 in {1, 2}
    }


def test_one_long_text_among_many_short_ones_is_measured_by_itself() -> None:
    sizes = check_column(field("text"), [*["a"] * 999, "x" * 1000]).sizes
    assert sizes.tolist() == [*[1] * 999, 1000]


def test_sizes_count_bytes_of_utf8() -> None:
    assert check_column(field("text"), ["社区", None, "ab"]).sizes.tolist() == [6, 0, 2]


_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def resident_check(first: str) -> str:
    """The standard, value by value."""
    total = sum(int(digit) * weight for digit, weight in zip(first, _WEIGHTS, strict=True))
    return "10X98765432"[total % 11]


def credit_check(first: str) -> str:
    """The standard, value by value."""
    total = sum(_ALPHABET.index(sign) * pow(3, place, 31) for place, sign in enumerate(first))
    return _ALPHABET[(31 - total % 31) % 31]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(("110105", "330102", "659001")),
            st.dates(
                min_value=date(1850, 1, 1),
                max_value=date(2100, 12, 31),
            ),
            st.integers(0, 999),
            st.sampled_from("0123456789X"),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_resident_ids_pass_exactly_when_the_standard_says(people: list[Any]) -> None:
    values = [f"{place}{born:%Y%m%d}{order:03}{last}" for place, born, order, last in people]
    wrong = {row for row, value in enumerate(values) if resident_check(value[:17]) != value[17]}
    assert set(check_column(field("resident-id"), list(values)).bad) == wrong


@given(
    st.lists(
        st.tuples(
            st.text(_ALPHABET, min_size=2, max_size=2),
            st.text("0123456789", min_size=6, max_size=6),
            st.text(_ALPHABET, min_size=10, max_size=10),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_credit_codes_pass_exactly_when_the_standard_says(companies: list[Any]) -> None:
    values = ["".join(parts) for parts in companies]
    right = [value[:17] + credit_check(value[:17]) for value in values]
    assert check_column(field("credit-code"), list(right)).bad == {}
    wrong = {row for row, value in enumerate(values) if value != right[row]}
    assert set(check_column(field("credit-code"), list(values)).bad) == wrong


@given(st.sampled_from([kind for kind, _, _ in GOOD]), st.lists(st.text(max_size=20), max_size=5))
def test_no_text_breaks_a_type(kind: FieldKind, values: list[str]) -> None:
    checked = check_column(field(kind), list(values))
    assert len(checked.values) == len(values)
    assert set(checked.bad) <= set(range(len(values)))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=3,
)


@given(st.sampled_from([kind for kind, _, _ in GOOD]), st.lists(_JSON, max_size=5))
def test_no_json_value_breaks_a_type(kind: FieldKind, values: list[Any]) -> None:
    checked = check_column(field(kind), list(values))
    for row, value in enumerate(checked.values):
        if row not in checked.bad:
            assert value is None or type(value) in {str, int, bool}
