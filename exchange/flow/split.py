"""Split validated columns into one batch a stream: records of different regions travel apart."""

from collections.abc import Mapping, Sequence
from itertools import chain, pairwise
from operator import itemgetter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from exchange.model.batch import Batch
from exchange.model.checkdigits import number
from exchange.model.contract import Contract
from exchange.model.textcolumn import TextColumn


def split(contract: Contract, batch: Batch) -> dict[str, Batch]:
    """``batch``, of validated records, by stream region.

    A region is a GB/T 2260 prefix, ``""`` for a contract without a region field. Within it the
    order of records, and so of their versions, is kept.
    """
    if contract.region is None:
        return {"": batch}
    digits = contract.region_digits
    codes = batch.columns[contract.region.field]
    column = TextColumn.of_whole(codes) or TextColumn.of(codes)
    which = number(column.matrix(np.arange(batch.records), digits))
    if bool((which == which[0]).all()):  # sources are often sorted by place
        return {codes[0][:digits]: batch}
    found, firsts = np.unique(which, return_index=True)
    return {
        codes[firsts[place]][:digits]: _take(batch, np.flatnonzero(which == found[place]))
        for place in np.argsort(firsts).tolist()
    }


def concatenate(batches: list[Batch]) -> Batch:
    """One batch of all records, in order; the batches share their fields."""
    if len(batches) == 1:
        return batches[0]
    columns: dict[str, list[Any]] = {name: [] for name in batches[0].columns}
    for batch in batches:
        for name, whole in columns.items():
            whole.extend(batch.columns[name])
    versions = _concatenated([batch.versions for batch in batches])
    scalars = all(batch.scalars for batch in batches)
    if all(batch.operations is None for batch in batches):
        return Batch(columns, None, versions, scalars)
    operations = [
        operation for batch in batches for operation in (batch.operations or [0] * batch.records)
    ]
    return Batch(columns, operations, versions, scalars)


def slices(batch: Batch, records_max: int) -> list[Batch]:
    """``batch`` in pieces of at most ``records_max`` records, in order."""
    if batch.records <= records_max:
        return [batch]
    return [
        cut(batch, slice(start, start + records_max))
        for start in range(0, batch.records, records_max)
    ]


def cut(batch: Batch, part: slice) -> Batch:
    """The records of ``batch`` in ``part``."""
    columns = {name: column[part] for name, column in batch.columns.items()}
    operations = None if batch.operations is None else batch.operations[part]
    return Batch(columns, operations, batch.versions[part], batch.scalars)


def _concatenated(versions: Sequence[Sequence[int]]) -> Sequence[int]:
    """One range if each goes on where the one before it ends, else a list."""
    ranges = [one for one in versions if isinstance(one, range)]
    if len(ranges) == len(versions) and all(a.stop == b.start for a, b in pairwise(ranges)):
        return range(ranges[0].start, ranges[-1].stop)
    return list(chain.from_iterable(versions))


def _take(batch: Batch, rows: NDArray[np.intp]) -> Batch:
    first, last = int(rows[0]), int(rows[-1])
    if last - first == len(rows) - 1:  # sources are often sorted by place
        return cut(batch, slice(first, last + 1))
    pick = itemgetter(*rows.tolist())
    columns: Mapping[str, list[Any]] = {
        name: list(pick(column)) for name, column in batch.columns.items()
    }
    operations = None if batch.operations is None else list(pick(batch.operations))
    return Batch(dict(columns), operations, list(pick(batch.versions)), batch.scalars)
