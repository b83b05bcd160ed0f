"""Columns of texts as bytes: both ways of making one agree, and the quick one knows its limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.model.checkdigits import number
from exchange.model.textcolumn import TextColumn

TEXT = st.text(st.characters(codec="utf-8"), max_size=4)
ALIKE = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.text("a0\x00", min_size=width, max_size=width), min_size=1)
)


def _texts(column: TextColumn) -> list[str]:
    return [
        column.data[start : start + length].tobytes().decode()
        for start, length in zip(column.starts.tolist(), column.lengths.tolist(), strict=True)
    ]


def test_both_ways_hold_the_same_texts() -> None:
    texts = ["330102001000", "村", "x", "浙江省"]
    whole = TextColumn.of_whole(texts)
    assert whole is not None
    assert _texts(whole) == texts == _texts(TextColumn.of(texts))


@pytest.mark.parametrize("odd", ["", None, 7, True, b"x", "a\0b", "\ud800", ["x"]])
def test_a_column_with_anything_odd_is_not_whole(odd: object) -> None:
    assert TextColumn.of_whole(["a", odd, "b"]) is None
    assert TextColumn.of_whole([odd]) is None


def test_absent_texts_are_empty() -> None:
    assert _texts(TextColumn.of(["a", None, "", "bc", None])) == ["a", "", "", "bc", ""]
    assert _texts(TextColumn.of([])) == []


@pytest.mark.parametrize("rows", [[], [2], [0, 1, 2, 3], [0, 2], [1, 3], [3, 0]])
@pytest.mark.parametrize("texts", [["3301", "3302", "3303", "3304"], ["331", "33", "3304", "335"]])
def test_a_matrix_has_the_beginnings_of_the_rows(texts: list[str], rows: list[int]) -> None:
    for column in (TextColumn.of(texts), TextColumn.of_whole(texts)):
        assert column is not None
        found = column.matrix(np.array(rows, dtype=np.intp), 2)
        assert [row.tobytes().decode() for row in found] == [texts[row][:2] for row in rows]


def test_zero_bytes_are_found_in_their_rows() -> None:
    column = TextColumn.of(["a", None, "b\0", "", "\0\0", "c"])
    assert column.rows_with_zero_byte().tolist() == [2, 4]


@given(st.lists(TEXT, min_size=1) | ALIKE)
def test_a_column_is_taken_whole_exactly_if_no_text_is_empty_or_holds_u0000(
    texts: list[str],
) -> None:
    whole = TextColumn.of_whole(texts)
    assert (whole is not None) == all(text and "\0" not in text for text in texts)
    if whole is not None:
        assert _texts(whole) == texts


def test_an_empty_column_is_not_taken_whole() -> None:
    assert TextColumn.of_whole([]) is None


@pytest.mark.parametrize("width", [1, 2, 6, 9, 10, 12, 18])
def test_a_number_of_any_width_is_exact(width: int) -> None:
    largest, other = "9" * width, "1".zfill(width)
    rows = np.frombuffer((largest + other).encode(), dtype=np.uint8).reshape(2, width)
    assert number(rows).tolist() == [int(largest), 1]
    assert number(rows[:0]).tolist() == []
