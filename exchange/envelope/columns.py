"""A section's plaintext: columns to JSON and back; SPEC.md §2.

No Python code runs per record in either direction. What is parsed is first shown to have exactly
the values it should, so that a small plaintext cannot become a large object.
"""

import re
from collections.abc import Sequence
from operator import lt
from typing import Any, Final

import orjson

from exchange.envelope.header import Header
from exchange.envelope.refusals import refused
from exchange.model.batch import Batch

Values = list[Any]

_SCALARS: Final = frozenset({str, int, bool, type(None)})
_NOT_STRUCTURE: Final = bytes(set(range(256)) - set(b'",[{'))
_STRING: Final = re.compile(rb'"[^"]*"')
_ESCAPE: Final = re.compile(rb"\\.", re.DOTALL)


def check_batch(batch: Batch, names: Sequence[str]) -> None:
    """`BundleRefused` unless ``batch`` has exactly columns ``names``, and versions that grow."""
    records = batch.records
    if records == 0:
        raise refused("batch-empty")
    if set(batch.columns) != set(names):
        raise refused("batch-columns")
    columns = [*batch.columns.values(), *([] if batch.operations is None else [batch.operations])]
    if any(len(column) != records for column in columns):
        raise refused("batch-columns")
    if not _ascending(batch.versions):
        raise refused("batch-versions")
    if batch.operations is not None and not _are_operations(batch.operations):
        raise refused("batch-values")
    if not all(_SCALARS.issuperset(map(type, column)) for column in batch.columns.values()):
        raise refused("batch-values")


def encode_columns(batch: Batch, fields: Sequence[str]) -> bytes:
    """The plaintext of the section with ``fields`` of a checked batch."""
    versions = None if _contiguous(batch.versions) else batch.versions
    operations = batch.operations if batch.operations and any(batch.operations) else None
    try:
        return orjson.dumps([versions, operations, *(batch.columns[name] for name in fields)])
    except orjson.JSONEncodeError:  # an integer over 64 bits, a lone surrogate
        raise refused("batch-values") from None


def decode_columns(plain: bytes, header: Header, fields: Sequence[str]) -> Batch:
    """The batch in ``plain``; steps 20 to 24 of SPEC.md §6, tied to the header's record count."""
    _check_structure(plain, len(fields), header.records)
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
        if not _SCALARS.issuperset(map(type, column)):
            raise refused("values")
    return Batch(
        columns=dict(zip(fields, columns, strict=True)),
        operations=_operations(operations, header.records),
        versions=_versions(versions, header),
    )


def _check_structure(plain: bytes, columns: int, records: int) -> None:
    """Count what lies outside strings, without parsing.

    Deleting all but quotes, commas and openings leaves a string as its two quotes around the
    commas and openings inside it. Should that go astray, then at a byte where the JSON is invalid
    and where the parser stops as well: what precedes it was counted right.
    """
    unescaped = _ESCAPE.sub(b"", plain) if b"\\" in plain else plain
    skeleton = _STRING.sub(b"", unescaped.translate(None, _NOT_STRUCTURE).replace(b'""', b""))
    arrays = skeleton.count(b"[")
    commas = columns + 1 + (arrays - 1) * (records - 1)
    if (
        not columns < arrays <= columns + 3
        or skeleton.count(b"{")
        or skeleton.count(b",") != commas
    ):
        raise refused("structure")


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


def _contiguous(versions: Values) -> bool:
    """Of ascending versions: whether none is left out."""
    return bool(versions[-1] - versions[0] == len(versions) - 1)


def _ascending(values: Values) -> bool:
    return set(map(type, values)) == {int} and all(map(lt, values, values[1:]))
