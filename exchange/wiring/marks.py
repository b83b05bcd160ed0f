"""Which version a record has that a person names by its key, and how far a dataset has come.

The key stays on this machine: an objection on the ledger names the version.
"""

import contextlib
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from adapters.sqltable import DELETED, VERSION, quoted
from exchange.errors import NotFound, UsageError
from exchange.registry.state import Registry


def versions_of(database: Path, dataset: str, where: Sequence[str]) -> tuple[int, ...]:
    """Versions of the received records that match every ``KEY=VALUE``; `NotFound` if none does."""
    table = f"{dataset.replace('-', '_')}_records"
    pairs = [_pair(one) for one in where]
    if not database.is_file():
        raise NotFound(
            f"there is no received database {database}",
            f"没有已接收的数据库 {database}",
            remedy=(
                "name it with --received, or name versions",
                "请用 --received 指定，或填写版本",
            ),
            failure="no-received",
        )
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    with contextlib.closing(connection):
        columns = {row[1] for row in connection.execute(f"PRAGMA table_info({quoted(table)})")}
        strange = [name for name, _ in pairs if name not in columns]
        if strange:
            raise UsageError(
                f"{database.name} holds no column {strange[0][:60]!r} of {dataset}",
                f"{database.name} 中 {dataset} 没有列 {strange[0][:60]!r}",
                remedy=(
                    f"its columns are: {', '.join(sorted(columns))}",
                    f"可用列：{'、'.join(sorted(columns))}",
                ),
                failure="no-such-field",
            )
        matching = [f"NOT {DELETED}", *(f"CAST({quoted(name)} AS TEXT) = ?" for name, _ in pairs)]
        query = " ".join(
            ("SELECT", VERSION, "FROM", quoted(table), "WHERE", " AND ".join(matching))
        )
        found = connection.execute(query, [value for _, value in pairs]).fetchall()
    if not found:
        raise NotFound(
            "no received record matches",
            "没有符合条件的已接收记录",
            remedy=("check --where; pull first", "请核对 --where，并先接收数据"),
            failure="no-such-record",
        )
    return tuple(row[0] for row in found)


def newest_version(registry: Registry, dataset: str) -> int:
    """The newest version that a stream of the dataset is anchored at; 0 before the first."""
    anchors = map(registry.newest_anchor, registry.streams_by_dataset.get(dataset, ()))
    return max((row.version for row in anchors if row is not None), default=0)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(
            "--where takes KEY=VALUE",
            "--where 的写法为 字段=值",
            remedy=("write for instance --where code=330102", "例如 --where code=330102"),
            failure="where",
        )
    return name, value
