"""Numbers, truth values, dates and instants: from text or JSON values to canonical JSON values.

Every function takes a column (``None`` is absent) and returns the column in canonical form with the
rows that are wrong; values at those rows are meaningless.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError

from exchange.model.checkdigits import all_digits, dates_exist, number
from exchange.model.textcolumn import TextColumn

Parsed = tuple[list[Any], list[int]]

INTEGER_MIN: Final = -(1 << 63)
INTEGER_MAX: Final = (1 << 63) - 1

# [0-9] and not \d, which also matches full-width digits.
_INTEGER: Final = r"^-?(0|[1-9][0-9]{0,18})$"
_SAFE_INTEGER_CHARACTERS: Final = 18
"""Any integer this short fits 64 bits."""
_INSTANT: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})$"
)
_EXACT_FLOAT_DIGITS: Final = 15
"""A JSON number of so many significant digits survives being read as a double."""

_TRUTHS: Final = {
    **dict.fromkeys(("true", "TRUE", "True", "1", "是"), True),
    **dict.fromkeys(("false", "FALSE", "False", "0", "否"), False),
}

_INTEGERS: Final = TypeAdapter(
    list[Annotated[int, Field(strict=True, ge=INTEGER_MIN, le=INTEGER_MAX)] | None]
)
_BOOLEANS: Final = TypeAdapter(list[Annotated[bool, Field(strict=True)] | None])
_INSTANTS: Final = TypeAdapter(list[AwareDatetime | None])


def integers(values: Sequence[Any]) -> Parsed:
    """64-bit whole numbers; text without leading zeros, which would make it an identifier."""
    return _split(values, _integers_of_text, lambda rest: _strict(_INTEGERS, rest))


def booleans(values: Sequence[Any]) -> Parsed:
    """``true false 1 0 是 否`` as text, or JSON truth values."""
    return _split(values, _booleans_of_text, lambda rest: _strict(_BOOLEANS, rest))


def dates(values: Sequence[Any]) -> Parsed:
    """``YYYY-MM-DD``; JSON has no dates, so text only."""
    return _split(values, _dates_of_text, _none_fits)


def datetimes(values: Sequence[Any]) -> Parsed:
    """RFC 3339 with a zone, turned into UTC: one instant has one form. Text only."""
    return _split(values, _datetimes_of_text, _none_fits)


def decimals(values: Sequence[Any], *, digits: int, scale: int) -> Parsed:
    """Exact decimals as text with ``scale`` digits after the point, ``digits`` in all.

    A JSON number passes if it has at most 15 significant digits: up to there a double is exact.
    """
    return _split(
        values,
        lambda texts: _decimals_of_text(texts, digits, scale),
        lambda rest: _decimals_of_text(list(map(_number_text, rest)), digits, scale),
    )


def _split(
    values: Sequence[Any],
    of_text: Callable[[list[str | None]], Parsed],
    of_json: Callable[[list[Any]], Parsed],
) -> Parsed:
    """Parse texts one way and other values another; nearly every column is all of one kind."""
    kinds = set(map(type, values))
    if kinds <= {str, type(None)}:
        return of_text(cast(list[str | None], values))
    if str not in kinds:
        return of_json(list(values))
    parsed, bad = of_json([None if type(value) is str else value for value in values])
    texts, bad_texts = of_text([value if type(value) is str else None for value in values])
    merged = [json if text is None else text for json, text in zip(parsed, texts, strict=True)]
    return merged, sorted({*bad, *bad_texts})


def _strict(adapter: TypeAdapter[Any], values: list[Any]) -> Parsed:
    try:
        return adapter.validate_python(values), []
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        return values, [cast(int, one["loc"][0]) for one in found]


def _none_fits(values: list[Any]) -> Parsed:
    return values, [row for row, value in enumerate(values) if value is not None]


def _matching(texts: Sequence[str | None], pattern: str) -> tuple[Any, list[int]]:
    """An Arrow array of the texts that match, absent where one does not; and the rows that do not.

    Arrow's stubs lose the element type of computed arrays, hence ``Any``.
    """
    array = pa.array([text if text is None else _sound(text) for text in texts], type=pa.string())
    fits: Any = pc.match_substring_regex(array, pattern=pattern)
    refused: Any = pc.fill_null(pc.invert(fits), False)
    bad = np.flatnonzero(refused.to_numpy(zero_copy_only=False))
    kept: Any = pc.if_else(fits, array, pa.scalar(None, type=pa.string()))
    return kept, bad.tolist()


def _sound(text: str) -> str:
    """Lone surrogates cannot be encoded; nothing that must match here holds them."""
    return text if text.isascii() else "?"


def _integers_of_text(texts: list[str | None]) -> Parsed:
    array, bad = _matching(texts, _INTEGER)
    longest = pc.max(pc.binary_length(array)).as_py() or 0
    if longest <= _SAFE_INTEGER_CHARACTERS:
        return pc.cast(array, pa.int64()).to_pylist(), bad
    parsed = [text if text is None else int(text) for text in array.to_pylist()]
    beyond = [
        row
        for row, value in enumerate(parsed)
        if value is not None and not INTEGER_MIN <= value <= INTEGER_MAX
    ]
    return parsed, bad + beyond


def _booleans_of_text(texts: list[str | None]) -> Parsed:
    parsed = [None if text is None else _TRUTHS.get(text) for text in texts]
    if parsed.count(None) == texts.count(None):
        return parsed, []
    pairs = zip(texts, parsed, strict=True)
    return parsed, [row for row, (text, truth) in enumerate(pairs) if truth is None is not text]


def _dates_of_text(texts: list[str | None]) -> Parsed:
    column = TextColumn.of([text if text is None else _sound(text) for text in texts])
    lengths = column.lengths
    bad = np.flatnonzero((lengths != 0) & (lengths != 10)).tolist()
    rows = np.flatnonzero(lengths == 10)
    matrix = column.matrix(rows, 10)
    years, months, days = matrix[:, 0:4], matrix[:, 5:7], matrix[:, 8:10]
    shaped = all_digits(years) & all_digits(months) & all_digits(days)
    shaped &= (matrix[:, 4] == 0x2D) & (matrix[:, 7] == 0x2D)
    exist = dates_exist(number(years), number(months), number(days))
    return texts, bad + rows[~(shaped & exist)].tolist()


def _datetimes_of_text(texts: list[str | None]) -> Parsed:
    array, bad = _matching(texts, _INSTANT)
    parsed, impossible = _strict(_INSTANTS, array.to_pylist())
    if impossible:
        wrong = set(impossible)
        kept = [None if row in wrong else text for row, text in enumerate(parsed)]
        parsed = _INSTANTS.validate_python(kept)
    instants = [instant if instant is None else _utc(instant) for instant in parsed]
    beyond = [row for row, instant in enumerate(instants) if instant == ""]
    return instants, bad + impossible + beyond


def _utc(instant: datetime) -> str:
    """``""`` for an instant that leaves the calendar when its zone is taken away."""
    try:
        return instant.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    except OverflowError:
        return ""


def _number_text(value: object) -> str | None:
    """The text of a JSON number, or something that is no decimal."""
    if value is None:
        return None
    if type(value) is int:
        return str(value) if abs(value) < 1 << 127 else "?"
    shown = repr(value) if type(value) is float else "?"
    significant = shown.replace(".", "").lstrip("-0")
    return shown if len(significant) <= _EXACT_FLOAT_DIGITS else "?"


def _decimals_of_text(texts: list[str | None], digits: int, scale: int) -> Parsed:
    whole = digits - scale
    whole_pattern = f"(0|[1-9][0-9]{{0,{whole - 1}}})" if whole else "0"
    tail_pattern = f"(\\.[0-9]{{1,{scale}}})?" if scale else "(\\.0)?"
    array, bad = _matching(texts, f"^-?{whole_pattern}{tail_pattern}$")
    parts = pc.extract_regex(array, pattern=r"^(?P<whole>-?[0-9]+)\.?(?P<tail>[0-9]*)$")
    canonical = pc.struct_field(parts, "whole")
    if scale:
        tail = pc.utf8_rpad(pc.struct_field(parts, "tail"), width=scale, padding="0")
        canonical = pc.binary_join_element_wise(canonical, tail, ".")
    zero = pc.match_substring_regex(canonical, pattern=r"^-0(\.0*)?$")
    canonical = pc.if_else(zero, pc.utf8_replace_slice(canonical, 0, 1, ""), canonical)
    return canonical.to_pylist(), bad
