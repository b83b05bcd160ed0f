"""Judge a batch of columns against its contract: the good records pass, each bad one is named.

::

    found = validate(contract, {"code": [...], "name": [...]}, first_line=2)
    found.columns  # canonical values of the good records, in contract order
    found.rejected  # line, field, reason and remedy of the others; never a value

Beside the fields a source may give a column ``_operation``: ``upsert`` (or nothing) or ``delete``,
which says that a key is gone and needs key and region only; whatever else it holds is dropped.

Rejects a whole batch (`InputUnreadable`) only when its columns are not those of the contract. Two
records with one key in a batch are both good: the later has the higher version.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.errors import InputUnreadable
from exchange.limits import RECORD_BYTES_MAX
from exchange.model import problems
from exchange.model.contract import Contract
from exchange.model.fieldtypes import Bad, Checked, check_column
from exchange.model.text import Text

KEY_BYTES_MAX: Final = 2_000
"""PostgreSQL indexes at most 2,704 bytes of a row."""

OPERATION: Final = "_operation"
"""No field can have this name: field names do not begin with ``_``."""

UPSERT: Final = 0
DELETE: Final = 1
_OPERATIONS: Final = {None: UPSERT, "": UPSERT, "upsert": UPSERT, "delete": DELETE}


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why one record was refused; ``field`` is ``""`` when the record as a whole is at fault."""

    line: int
    field: str
    reason: Text
    remedy: Text


@dataclass(frozen=True, slots=True)
class Validated:
    """What passed, column by column, with the rows of the batch it came from, and what did not.

    ``operations``: None when all that passed are upserts, else 0 upsert or 1 delete for each.
    """

    columns: dict[str, list[Any]]
    operations: list[int] | None
    kept: Sequence[int]
    rejected: tuple[Rejected, ...]


def validate(
    contract: Contract,
    columns: Mapping[str, Sequence[Any]],
    *,
    first_line: int | Sequence[int],
    operations: Sequence[int] | None = None,
) -> Validated:
    """Judge ``columns`` (text or JSON values, all of one length) against ``contract``.

    ``first_line``: the line of the first record, others following one by one, or the line of each.
    ``operations``: 0 upsert or 1 delete for each record, instead of a column ``_operation``.
    Lists are taken over, not copied: nobody may change them afterwards.
    Raises `InputUnreadable` for an unknown column or a missing required one.
    """
    count = _record_count(contract, columns)
    named, faults = _operations(columns.get(OPERATION))
    done = named if operations is None else list(operations)
    deleted = frozenset(row for row, operation in enumerate(done) if operation == DELETE)
    checked: list[Checked] = []
    for place, field in enumerate(contract.fields):
        given = columns.get(field.name)
        values = _as_list(given, count)
        needed = field.name in contract.key or field.name == _region_name(contract)
        exempt = frozenset() if needed else deleted
        if exempt:
            values = [None if row in exempt else value for row, value in enumerate(values)]
        digits = contract.region_digits if field.name == _region_name(contract) else 0
        column = check_column(field, values, region_digits=digits)
        checked.append(column)
        faults |= {(row, place): problem for row, problem in column.bad.items()}
        if field.required:
            absent = _absent(column, exempt)
            faults |= dict.fromkeys(((row, place) for row in absent), problems.MISSING)
    for row, problem in _oversized(contract, checked, count).items():
        faults.setdefault((row, _WHOLE), problem)
    return _sorted_out(contract, checked, done, faults, count, first_line)


_Faults = dict[tuple[int, int], problems.Problem]
"""(Row, place of the field in the contract) → what is wrong."""

_WHOLE: Final = -1
"""The place of a fault that concerns the record as a whole."""


def _operations(given: Sequence[Any] | None) -> tuple[list[int], _Faults]:
    """One operation a record, none if all are upserts; and the rows that name no operation."""
    if given is None:
        return [], {}
    known = [
        _OPERATIONS.get(value) if value is None or type(value) is str else None for value in given
    ]
    faults = {
        (row, _WHOLE): problems.NOT_OPERATION for row, found in enumerate(known) if found is None
    }
    return [found or UPSERT for found in known], faults


def _record_count(contract: Contract, columns: Mapping[str, Sequence[Any]]) -> int:
    """How many records there are, once the columns are known to be the contract's."""
    for place, name in enumerate(columns, start=1):
        if name not in contract.names and name != OPERATION:
            raise _unknown_column(contract, place)
    for field in contract.fields:
        if field.required and field.name not in columns:
            raise _missing_column(contract, field.name)
    counts = {len(values) for values in columns.values()}
    if len(counts) != 1:
        raise InputUnreadable(
            "the columns of a batch differ in length",
            "一批数据的各列长度不一致",
            remedy=("report a fault of the source", "请报告数据源的缺陷"),
            failure="ragged",
        )
    return counts.pop()


def _as_list(given: Sequence[Any] | None, count: int) -> list[Any]:
    if given is None:
        return [None] * count
    return given if isinstance(given, list) else list(given)


def _unknown_column(contract: Contract, place: int) -> InputUnreadable:
    """By its place: in a file without a header the "name" is a value of the first record."""
    known = ", ".join(contract.names)
    return InputUnreadable(
        f"column {place} of the source is no field of {contract.dataset}, which has: {known}",
        f"数据源第 {place} 列不是数据集 {contract.dataset} 的字段；其字段为：{known}",
        remedy=(
            "rename or remove the column, or revise the contract",
            "请改名或删除该列，或修订合约",
        ),
        failure="unknown-column",
    )


def _missing_column(contract: Contract, name: str) -> InputUnreadable:
    return InputUnreadable(
        f"the source lacks column {name!r}, which {contract.dataset} requires",
        f"数据源缺少数据集 {contract.dataset} 的必填列 {name!r}",
        remedy=(
            "add the column, or rename the one that holds it",
            "请补充该列，或将相应的列改为此名",
        ),
        failure="missing-column",
    )


def _region_name(contract: Contract) -> str | None:
    return None if contract.region is None else contract.region.field


def _absent(column: Checked, exempt: frozenset[int]) -> list[int]:
    """Rows without a value, bad ones (whose value was taken out) not counted."""
    if column.filled or None not in column.values:
        return []
    values = enumerate(column.values)
    return [
        row
        for row, value in values
        if value is None and row not in column.bad and row not in exempt
    ]


def _oversized(contract: Contract, checked: Sequence[Checked], count: int) -> Bad:
    if sum(int(column.sizes.max(initial=0)) for column in checked) <= KEY_BYTES_MAX:
        return {}  # nearly always
    sizes: NDArray[np.int64] = np.zeros(count, dtype=np.int64)
    keys: NDArray[np.int64] = np.zeros(count, dtype=np.int64)
    for field, column in zip(contract.fields, checked, strict=True):
        sizes += column.sizes
        if field.name in contract.key:
            keys += column.sizes
    bad = dict.fromkeys(
        np.flatnonzero(keys > KEY_BYTES_MAX).tolist(), problems.key_too_large(KEY_BYTES_MAX)
    )
    large = np.flatnonzero(sizes > RECORD_BYTES_MAX).tolist()
    return bad | dict.fromkeys(large, problems.TOO_LARGE)


def _sorted_out(
    contract: Contract,
    checked: Sequence[Checked],
    operations: list[int],
    faults: _Faults,
    count: int,
    first_line: int | Sequence[int],
) -> Validated:
    columns = {name: column.values for name, column in zip(contract.names, checked, strict=True)}
    kept: Sequence[int] = range(count)
    rejected: tuple[Rejected, ...] = ()
    if faults:
        rejected = _named(contract, faults, first_line)
        good = np.ones(count, dtype=np.bool_)
        good[[row for row, _ in faults]] = False
        selectors = good.tolist()
        columns = {name: list(compress(values, selectors)) for name, values in columns.items()}
        operations = list(compress(operations, selectors))
        kept = np.flatnonzero(good).tolist()
    return Validated(
        columns=columns,
        operations=operations if any(operations) else None,
        kept=kept,
        rejected=rejected,
    )


def _named(
    contract: Contract, faults: _Faults, first_line: int | Sequence[int]
) -> tuple[Rejected, ...]:
    """The faults by line, then in the contract's order; the record as a whole comes first."""
    names = (*contract.names, "")  # place -1 is the record as a whole

    def line(row: int) -> int:
        return first_line + row if isinstance(first_line, int) else first_line[row]

    return tuple(
        Rejected(line(row), names[place], *faults[row, place]) for row, place in sorted(faults)
    )
