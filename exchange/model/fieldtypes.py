"""What a value of each field type must be; a whole column is judged at once.

Sources give text (CSV) or JSON values (JSON Lines). Text is parsed for every type; JSON values must
have the right JSON type already: ``true`` is no integer, ``3.0`` neither. What passes is in the
canonical form of CONTRACT-SPEC.md, section 4. pydantic judges types and lengths and names all bad
rows of a column in one call; check digits, dates and regions are numpy on the column's bytes.

Here a value is right or wrong by itself; whether it may be absent is for `exchange.model.validate`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Final, Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, TypeAdapter, ValidationError

from exchange.model import checkdigits, fieldscalars, problems
from exchange.model.contract import TEXT_LENGTH_MAX, ContractField
from exchange.model.creditcode import WIDTH
from exchange.model.problems import Problem
from exchange.model.regioncolumn import known_prefixes
from exchange.model.regions import LENGTHS
from exchange.model.textcolumn import TextColumn

SCALAR_BYTES: Final = 40
"""What a number, date or truth value counts towards a record's size, at most."""

FEW_SAMPLE: Final = 256
FEW_MAX: Final = 64
"""A column whose first 256 values hold at most so many different ones probably repeats."""
FEW_BYTES_MAX: Final = 64
"""Repeated values no longer than this all count as long as the longest; more is looked at."""

Bad = dict[int, Problem]
"""Row → what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A judged column; values at bad rows are meaningless.

    ``sizes``: bytes of each value, or one number for all. ``filled``: whether every value is known
    to be there, so that nobody needs to look for None.
    """

    values: list[Any]
    bad: Bad
    sizes: NDArray[np.int64]
    filled: bool = False


def check_column(field: ContractField, values: list[Any], *, region_digits: int = 0) -> Checked:
    """Judge ``values`` (``None`` is absent, and so is ``""``) as ``field`` of a contract.

    ``region_digits``: for the field that splits streams, how many digits it must have.
    """
    few = _few_texts(values)
    if few:
        judged = _judge_column(field, few, region_digits)
        size_bytes = int(judged.sizes.max())
        if not judged.bad and size_bytes <= FEW_BYTES_MAX:
            if judged.values != few:
                canonical = dict(zip(few, judged.values, strict=True))
                values = [canonical[value] for value in values]
            sizes = np.asarray(size_bytes, dtype=np.int64)
            return Checked(values, {}, sizes, filled=None not in judged.values)
    return _judge_column(field, values, region_digits)


def _few_texts(values: list[Any]) -> list[Any]:
    """The different values of a column that repeats few texts, as codes do; else nothing.

    Equal values are judged once. Not so with numbers: ``1``, ``1.0`` and ``true`` are equal in
    Python and differ in JSON, but none of them equals a text.
    """
    try:
        if len(set(values[:FEW_SAMPLE])) > FEW_MAX:
            return []
        few = set(values)
    except TypeError:  # lists and objects of JSON
        return []
    worth = len(few) * 4 <= len(values)
    return list(few) if worth and set(map(type, few)) <= {str, type(None)} else []


def _judge_column(field: ContractField, values: list[Any], region_digits: int) -> Checked:
    """`check_column`, looking at every value."""
    if field.type in _SCALARS:
        parsed, bad = _SCALARS[field.type](field, _emptied(values))
        return Checked(parsed, bad, np.asarray(SCALAR_BYTES, dtype=np.int64))
    whole = _whole(field, values)
    texts, bad = _texts(field, _emptied(values)) if whole is None else (values, {})
    column = TextColumn.of(texts) if whole is None else whole
    if field.type in _MATRICES:
        _fold(bad, _MATRICES[field.type](column))
        if any(map(str.islower, filter(None, texts))):
            texts = [text.upper() if text else text for text in texts]
    elif field.type == "region":
        _fold(bad, _regions(column, region_digits))
    elif whole is None and field.type == "text":
        _fold(bad, dict.fromkeys(column.rows_with_zero_byte().tolist(), problems.NOT_UNICODE))
    lengths = column.lengths
    return Checked(texts, bad, lengths, filled=bool(lengths.all()))


def _emptied(values: list[Any]) -> list[Any]:
    """The column with None for ``""``."""
    return [None if value == "" else value for value in values] if "" in values else values


def _fold(bad: Bad, more: Bad) -> None:
    """The first problem found with a value is the one to tell."""
    for row, problem in more.items():
        bad.setdefault(row, problem)


# --- texts ---


@lru_cache(maxsize=256)
def _text_adapter(length: int) -> TypeAdapter[list[str | None]]:
    text = Annotated[str, Field(strict=True, max_length=length)]
    return TypeAdapter(list[text | None])


@lru_cache(maxsize=256)
def _code_adapter(codes: tuple[str, ...]) -> TypeAdapter[list[str | None]]:
    return TypeAdapter(list[Literal[codes] | None])  # type: ignore[valid-type]


def _whole(field: ContractField, values: list[Any]) -> TextColumn | None:
    """The bytes of a column of which `_texts` would find nothing to say; None if it might."""
    column = None if field.type == "code" else TextColumn.of_whole(values)
    if column is None or len(values) == 0:
        return None
    length = field.length or TEXT_LENGTH_MAX
    fits = int(column.lengths.max()) <= length or max(map(len, values)) <= length
    return column if fits else None


def _texts(field: ContractField, values: list[Any]) -> tuple[list[str | None], Bad]:
    """The column with bad values taken out, and why they are bad."""
    length = field.length or TEXT_LENGTH_MAX
    if field.type == "code":
        adapter = _code_adapter(tuple(field.values or ()))
    else:
        adapter = _text_adapter(length)
    try:
        adapter.validate_python(values)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        bad = {cast(int, one["loc"][0]): _text_problem(one["type"], length) for one in found}
        return [None if row in bad else value for row, value in enumerate(values)], bad
    return values, {}


def _text_problem(kind: str, length: int) -> Problem:
    match kind:
        case "literal_error":
            return problems.NOT_LISTED
        case "string_too_long":
            return problems.too_long(length)
        case "string_unicode":
            return problems.NOT_UNICODE
        case _:
            return problems.NOT_TEXT


# --- identifiers and regions ---


def _resident_ids(column: TextColumn) -> Bad:
    return _identifiers(
        column,
        checkdigits.resident_ids_shaped,
        checkdigits.resident_ids_checked,
        problems.ID_SHAPE,
        problems.ID_CHECK,
    )


def _credit_codes(column: TextColumn) -> Bad:
    return _identifiers(
        column,
        checkdigits.credit_codes_shaped,
        checkdigits.credit_codes_checked,
        problems.CREDIT_SHAPE,
        problems.CREDIT_CHECK,
    )


_Judge = Callable[[checkdigits.Matrix], checkdigits.Verdicts]


def _identifiers(
    column: TextColumn, shaped: _Judge, checked: _Judge, shape: Problem, check: Problem
) -> Bad:
    lengths = column.lengths
    bad = dict.fromkeys(np.flatnonzero((lengths != 0) & (lengths != WIDTH)).tolist(), shape)
    rows = np.flatnonzero(lengths == WIDTH)
    matrix = _upper(column.matrix(rows, WIDTH))
    fits = shaped(matrix)
    bad |= dict.fromkeys(rows[~fits].tolist(), shape)
    wrong = ~checked(matrix[fits])
    return bad | dict.fromkeys(rows[fits][wrong].tolist(), check)


def _upper(matrix: checkdigits.Matrix) -> checkdigits.Matrix:
    """ASCII capitals: people type a small x."""
    small = (matrix >= 0x61) & (matrix <= 0x7A)
    return np.where(small, matrix - 0x20, matrix).astype(np.uint8) if small.any() else matrix


_SHAPED: Final = np.isin(np.arange(max(LENGTHS) + 2), (0, *LENGTHS))
"""At index n, whether a code (or an absent one) may have n digits; the last is for all longer."""


def _regions(column: TextColumn, digits_min: int) -> Bad:
    lengths = column.lengths
    bad: Bad = dict.fromkeys(
        np.flatnonzero(~_SHAPED[np.minimum(lengths, len(_SHAPED) - 1)]).tolist(),
        problems.REGION_SHAPE,
    )
    for length in LENGTHS:
        rows = np.flatnonzero(lengths == length)
        if len(rows) == 0:
            continue
        matrix = column.matrix(rows, length)
        digits = checkdigits.all_digits(matrix)
        bad |= dict.fromkeys(rows[~digits].tolist(), problems.REGION_SHAPE)
        prefix = min(length, 6)
        numeric = matrix if digits.all() else matrix[digits]
        codes = checkdigits.number(numeric[:, :prefix])
        unknown = ~known_prefixes(prefix)[codes]
        bad |= dict.fromkeys(rows[digits][unknown].tolist(), problems.REGION_UNKNOWN)
        if length < digits_min:
            coarse = problems.region_too_coarse(digits_min)
            bad = dict.fromkeys(rows.tolist(), coarse) | bad
    return bad


_MATRICES: Final[dict[str, Callable[[TextColumn], Bad]]] = {
    "resident-id": _resident_ids,
    "credit-code": _credit_codes,
}


# --- scalars ---

_Scalar = Callable[[ContractField, Sequence[Any]], tuple[list[Any], Bad]]


def _scalar(
    parse: Callable[[Sequence[Any]], tuple[list[Any], Iterable[int]]], problem: Problem
) -> _Scalar:
    def judged(_: ContractField, values: Sequence[Any]) -> tuple[list[Any], Bad]:
        parsed, bad_rows = parse(values)
        return parsed, dict.fromkeys(bad_rows, problem)

    return judged


def _decimals(field: ContractField, values: Sequence[Any]) -> tuple[list[Any], Bad]:
    digits, scale = field.digits or 0, field.scale or 0
    parsed, bad_rows = fieldscalars.decimals(values, digits=digits, scale=scale)
    return parsed, dict.fromkeys(bad_rows, problems.not_decimal(digits, scale))


_SCALARS: Final[dict[str, _Scalar]] = {
    "integer": _scalar(fieldscalars.integers, problems.NOT_INTEGER),
    "boolean": _scalar(fieldscalars.booleans, problems.NOT_BOOLEAN),
    "date": _scalar(fieldscalars.dates, problems.NOT_DATE),
    "datetime": _scalar(fieldscalars.datetimes, problems.NOT_DATETIME),
    "decimal": _decimals,
}
