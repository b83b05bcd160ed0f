"""A SQLite file as a sink; see `adapters.sqltable` for the tables it keeps.

WAL with ``synchronous=FULL``: a commit that returned survives power loss. ``BEGIN IMMEDIATE`` lets
one process write at a time; whoever comes second finds the position moved and is refused.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from adapters.errors import (
    AdapterError,
    DiskFull,
    RecordUnstorable,
    SinkMismatch,
    SinkUnavailable,
    position_conflict,
)
from adapters.ports import Delivery, Mark
from adapters.sqltable import CREATE_DISPUTED, CREATE_POSITIONS, Table, quoted, rows_of

BUSY_SECONDS: Final = 30.0
"""How long to wait for another process's transaction."""

_TYPES: Final = {
    **dict.fromkeys(("text", "decimal", "date", "datetime", "code"), "TEXT"),
    **dict.fromkeys(("resident-id", "credit-code", "region"), "TEXT"),
    **dict.fromkeys(("integer", "boolean"), "INTEGER"),
}
"""Decimals and dates stay text: SQLite's numbers are doubles."""

_FULL: Final = sqlite3.SQLITE_FULL


class SqliteSink:
    """One dataset's table in the file ``path``, created if missing."""

    def __init__(
        self, path: Path, dataset: str, columns: Sequence[tuple[str, str]], key: Sequence[str]
    ) -> None:
        self._table = Table.of(dataset, columns, key)
        self._path = path
        self._upsert = self._table.upsert(
            f"VALUES ({', '.join('?' * len(self._table.stored_names))})"
        )
        with self._failures():
            _make(path)
            self._connection = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
        try:
            with self._failures():
                self._open()
        except AdapterError:
            self.close()
            raise

    def _open(self) -> None:
        run = self._connection.execute
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        with self._transaction():
            run(CREATE_POSITIONS)
            run(CREATE_DISPUTED)
            run(self._table.create_records(_TYPES, "INTEGER"))
            found = run(f"PRAGMA table_info({quoted(self._table.records)})").fetchall()
            if tuple(row[1] for row in found) != self._table.stored_names:
                raise _mismatch(self._table)
            view = quoted(self._table.view)
            run(f"CREATE VIEW IF NOT EXISTS {view} AS {self._table.view_query()}")
            disputed = quoted(self._table.disputed)
            run(f"CREATE VIEW IF NOT EXISTS {disputed} AS {self._table.disputed_query()}")

    def positions(self) -> dict[str, tuple[int, str]]:
        """Stream (hex) → (last sequence committed, its header hash in hex)."""
        with self._failures():
            found = self._connection.execute(
                "SELECT stream, sequence, header_hash FROM exchange_positions WHERE dataset = ?",
                (self._table.dataset,),
            ).fetchall()
        return {stream: (sequence, header_hash) for stream, sequence, header_hash in found}

    def commit(self, delivery: Delivery) -> None:
        """Commit one bundle."""
        self.commit_many([delivery])

    def commit_many(self, deliveries: Sequence[Delivery]) -> None:
        """Commit several bundles in one transaction."""
        with self._failures(), self._transaction():
            for delivery in deliveries:
                self._move(delivery)
                rows = zip(*rows_of(self._table, delivery), strict=True)
                self._connection.executemany(self._upsert, rows)

    def mark(self, marks: Sequence[Mark]) -> None:
        """Replace the marks of this dataset in one transaction."""
        place = self._table.dataset
        with self._failures(), self._transaction():
            self._connection.execute("DELETE FROM exchange_disputed WHERE dataset = ?", (place,))
            self._connection.executemany(
                "INSERT INTO exchange_disputed VALUES (?, ?, ?, ?)",
                [(place, *mark) for mark in marks],
            )

    def close(self) -> None:
        """Close the file; safe to repeat."""
        self._connection.close()

    def _move(self, delivery: Delivery) -> None:
        place = (self._table.dataset, delivery.stream)
        if delivery.previous < 0:
            moved = self._connection.execute(
                "INSERT INTO exchange_positions (dataset, stream, sequence, header_hash)"
                " VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (*place, delivery.sequence, delivery.header_hash),
            )
        else:
            moved = self._connection.execute(
                "UPDATE exchange_positions SET sequence = ?, header_hash = ?"
                " WHERE dataset = ? AND stream = ? AND sequence = ?",
                (delivery.sequence, delivery.header_hash, *place, delivery.previous),
            )
        if moved.rowcount != 1:
            raise position_conflict(delivery.stream, delivery.sequence, delivery.previous)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing; whatever leaves by an exception is rolled back first."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    @contextmanager
    def _failures(self) -> Iterator[None]:
        """SQLite's errors as ours, without the values they may quote."""
        try:
            yield
        except sqlite3.Error as error:
            raise _translated(error, self._path) from None


def _mismatch(table: Table) -> SinkMismatch:
    return SinkMismatch(
        f"table {table.records} exists with other columns",
        f"表 {table.records} 已存在，但列不一致",
        remedy=(
            "rename or drop it and pull again from the start",
            "请改名或删除该表，再从头接收",
        ),
        failure="columns",
    )


def _translated(error: sqlite3.Error, path: Path) -> AdapterError:
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == _FULL:
        return DiskFull(
            f"no room left for {path}",
            f"{path} 所在磁盘已满",
            remedy=("free some space; delivery goes on by itself", "请清理磁盘，之后自动继续"),
        )
    if isinstance(error, sqlite3.IntegrityError | sqlite3.DataError | sqlite3.InterfaceError):
        return RecordUnstorable(
            f"{path} refuses a record ({type(error).__name__})",
            f"{path} 拒绝写入一条记录（{type(error).__name__}）",
            remedy=("compare the table with the contract", "请核对表结构与合约"),
        )
    if code in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
        return SinkMismatch(
            f"{path} is no SQLite database or is damaged",
            f"{path} 不是 SQLite 数据库或已损坏",
            remedy=("name another file", "请指定其他文件"),
            failure="not-a-database",
        )
    return SinkUnavailable(
        f"{path} cannot be used now (SQLite error {code})",
        f"{path} 暂不可用（SQLite 错误 {code}）",
        remedy=("check the path, its permissions and other users", "请检查路径、权限和占用情况"),
    )


def _make(path: Path) -> None:
    """The file, if it is missing: opened records, which at most the group reads.

    SQLite gives the files beside it the same rights, and says what is wrong where this fails.
    """
    with suppress(OSError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640))
