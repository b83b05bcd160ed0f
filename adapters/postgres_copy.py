"""The bulk path into PostgreSQL: columns to COPY text, a temporary table, one merge.

COPY's text format is built column by column: escaping looks at a whole column at once and touches
single values only in columns that need it.
"""

from collections.abc import Sequence
from typing import Any, Final

import psycopg

from adapters.sqltable import VERSION, Table, quoted

STAGE: Final = "exchange_stage"

_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_NULL: Final = "\\N"


def merge(
    connection: psycopg.Connection[Any], table: Table, columns: Sequence[Sequence[object]]
) -> None:
    """Merge ``columns`` (as stored) into the records table, within the caller's transaction."""
    stage = quoted(f"{STAGE}_{table.view}"[:63])
    connection.execute(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS {stage} (LIKE {quoted(table.records)})"
        " ON COMMIT DELETE ROWS".encode()
    )
    connection.execute(f"TRUNCATE {stage}".encode())
    with connection.cursor() as cursor, cursor.copy(f"COPY {stage} FROM STDIN".encode()) as copy:
        copy.write(copy_text(columns))
    connection.execute(table.upsert(_rows(table, columns, stage)).encode())


def _rows(table: Table, columns: Sequence[Sequence[object]], stage: str) -> str:
    """One statement may touch a key once: where keys repeat, the highest version is taken."""
    names = ", ".join(map(quoted, table.stored_names))
    keys = [columns[table.stored_names.index(name)] for name in table.key]
    different = len(set(keys[0] if len(keys) == 1 else zip(*keys, strict=True)))
    if different == len(columns[0]):
        return " ".join(("SELECT", names, "FROM", stage))
    key = ", ".join(map(quoted, table.key))
    distinct = f"DISTINCT ON ({key}) {names}"
    return " ".join(("SELECT", distinct, "FROM", stage, "ORDER BY", key, ",", VERSION, "DESC"))


def copy_text(columns: Sequence[Sequence[object]]) -> bytes:
    """COPY text format of columns of one length, which is not 0."""
    texts = [_column_text(column) for column in columns]
    return ("\n".join(map("\t".join, zip(*texts, strict=True))) + "\n").encode()


def _column_text(column: Sequence[object]) -> Sequence[str]:
    """Every value escaped as COPY wants it."""
    try:
        run = "".join(column)  # type: ignore[arg-type]
    except TypeError:  # None, numbers or booleans among them
        kinds = set(map(type, column))
        if kinds == {int}:
            return list(map(str, column))
        if kinds == {bool}:
            return ["t" if value else "f" for value in column]
        return [_NULL if value is None else _value_text(value) for value in column]
    if run.isalnum() or not any(sign in run for sign in "\\\t\n\r"):
        return column  # type: ignore[return-value]
    return [str(value).translate(_ESCAPES) for value in column]


def _value_text(value: object) -> str:
    if value is True:
        return "t"
    if value is False:
        return "f"
    return str(value).translate(_ESCAPES) if isinstance(value, str) else str(value)
