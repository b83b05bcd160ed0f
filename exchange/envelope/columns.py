"""A section's plaintext: columns to JSON and back; SPEC.md §2.

No Python code runs per record in either direction. What is parsed is first shown to have exactly
the values it should, so that a small plaintext cannot become a large object.
"""

import re
from collections.abc import Iterable, Sequence
from operator import lt
from typing import Any, Final, NamedTuple

import orjson

from exchange.envelope.header import Header
from exchange.envelope.refusals import refused
from exchange.model.batch import Batch

Values = list[Any]

_SCALARS: Final = frozenset({str, int, bool, type(None)})
_NOT_STRUCTURE: Final = bytes(set(range(256)) - set(b'",[{'))
_STRING: Final = re.compile(rb'"[^"]*"')


class Stamps(NamedTuple):
    """Versions and operations as every section of a bundle carries them; None for the usual."""

    versions: Values | None
    operations: Values | None


def check_batch(batch: Batch, names: Sequence[str]) -> Stamps:
    """What a bundle of ``batch`` says besides its columns, which are exactly ``names``.

    Refuses, with a class of SPEC.md §6 "Sealing", a batch that has no form.
    """
    records, columns = batch.records, batch.columns
    if records == 0:
        raise refused("batch-empty")
    if set(columns) != set(names) or any(len(column) != records for column in columns.values()):
        raise refused("batch-columns")
    contiguous = _contiguous(batch.versions)
    if not contiguous and not _ascending(batch.versions):
        raise refused("batch-versions")
    operations = batch.operations
    if operations is not None and (len(operations) != records or not _are_operations(operations)):
        raise refused("batch-operations")
    if not batch.scalars and not all(map(_are_scalars, columns.values())):
        raise refused("batch-values")
    deletes = operations is not None and any(operations)
    return Stamps(None if contiguous else list(batch.versions), operations if deletes else None)


def encode_columns(stamps: Stamps, columns: Iterable[Values]) -> bytes:
    """The plaintext of a section with ``columns`` of a checked batch."""
    try:
        return orjson.dumps([*stamps, *columns])
    except orjson.JSONEncodeError:  # an integer over 64 bits, a lone surrogate
        raise refused("batch-values") from None


def decode_columns(plain: bytes, header: Header, fields: Sequence[str]) -> Batch:
    """The batch in ``plain``; steps 20 to 24 of SPEC.md §6, tied to the header's record count."""
    all_text = _holds_only_text(plain, len(fields), header.records)
    try:
        value = orjson.loads(plain)
    except orjson.JSONDecodeError:
        raise refused("json") from None
    match value:
        case [versions, operations, *columns] if len(columns) == len(fields):
            pass
        case _:
            raise refused("columns")
    for column in columns:
        if not isinstance(column, list) or len(column) != header.records:
            raise refused("columns")
        if not all_text and not _are_scalars(column):
            raise refused("values")
    return Batch(
        columns=dict(zip(fields, columns, strict=True)),
        operations=_operations(operations, header.records),
        versions=_versions(versions, header),
    )


def _holds_only_text(plain: bytes, columns: int, records: int) -> bool:
    """Whether all values of columns are text; counts what lies outside strings, unparsed.

    Deleting all but quotes, commas and openings leaves a string as its two quotes around the
    commas and openings inside it. Should that go astray, then at a byte where the JSON is invalid
    and where the parser stops as well: what precedes it was counted right.

    Versions and operations are numbers or the bundle is refused, so as many strings as there are
    values in columns are those values.
    """
    # Backslashes pair up from the left of a run, so what is left of one escapes what follows it.
    unescaped = plain.replace(b"\\\\", b"").replace(b'\\"', b"") if b"\\" in plain else plain
    skeleton = unescaped.translate(None, _NOT_STRUCTURE)
    quotes = skeleton.count(b'"')
    if quotes > 2 * (columns + 2) * records:  # bounds what comes next
        raise refused("structure")
    # Two quotes side by side are one string with nothing left in it; strings never touch.
    if 2 * skeleton.count(b'""') != quotes:
        skeleton = _STRING.sub(b"", skeleton.replace(b'""', b""))
    arrays = skeleton.count(b"[")
    commas = columns + 1 + (arrays - 1) * (records - 1)
    if (
        not columns < arrays <= columns + 3
        or skeleton.count(b"{")
        or skeleton.count(b",") != commas
    ):
        raise refused("structure")
    return quotes == 2 * columns * records


def _versions(versions: object, header: Header) -> Values:
    first, last, records = header.version_first, header.version_last, header.records
    if versions is None:
        if last - first != records - 1:
            raise refused("versions")
        return list(range(first, last + 1))
    if (
        not isinstance(versions, list)
        or len(versions) != records
        or not _ascending(versions)
        or (versions[0], versions[-1]) != (first, last)
        or last - first == records - 1
    ):
        raise refused("versions")
    return versions


def _operations(operations: object, records: int) -> Values | None:
    if operations is None:
        return None
    if (
        not isinstance(operations, list)
        or len(operations) != records
        or not _are_operations(operations)
        or not any(operations)
    ):
        raise refused("operations")
    return operations


def _are_operations(values: Values) -> bool:
    return set(map(type, values)) == {int} and set(values) <= {0, 1}


def _are_scalars(column: Values) -> bool:
    """Whether every value is of a type that §2 allows.

    Most columns are text from end to end, and joining them is the cheapest way to find out: the
    check of types one by one costs as much as the compression.
    """
    try:
        "".join(column)
    except TypeError:
        return set(map(type, column)) <= _SCALARS
    return True


def _contiguous(versions: Sequence[int]) -> bool:
    if isinstance(versions, range):
        return versions.step == 1
    first = versions[0]
    return type(first) is int and versions == list(range(first, first + len(versions)))


def _ascending(values: Sequence[int]) -> bool:
    return set(map(type, values)) == {int} and all(map(lt, values, values[1:]))
