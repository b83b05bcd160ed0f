"""PostgreSQL as a sink; see `adapters.sqltable` for the tables it keeps.

Large commits travel by COPY into a temporary table and one ``INSERT … ON CONFLICT``; small ones by
a prepared statement. ``synchronous_commit`` is set on, whatever the server's default, because a
receipt is filed for what a commit returned from. A lost connection is opened anew by the next call.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import psycopg

from adapters import postgres_copy
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

Connection = psycopg.Connection[tuple[object, ...]]

CONNECT_SECONDS: Final = 10
SAID_CHARACTERS: Final = 300
SMALL_RECORDS: Final = 100
"""Up to here a prepared INSERT is quicker than COPY."""

_TYPES: Final = {
    **dict.fromkeys(("text", "code", "resident-id", "credit-code", "region"), "text"),
    "integer": "bigint",
    "decimal": "numeric",
    "boolean": "boolean",
    "date": "date",
    "datetime": "timestamptz",
}
"""``text`` keys sort by bytes (``COLLATE "C"`` below): quicker, and equal on every server."""

_SETUP_LOCK: Final = 0x45584348
"""Two processes that start together must not create the same table at once."""


class PostgresSink:
    """One dataset's table in the database that ``conninfo`` names, created if missing."""

    def __init__(
        self, conninfo: str, dataset: str, columns: Sequence[tuple[str, str]], key: Sequence[str]
    ) -> None:
        self._table = Table.of(dataset, columns, key)
        self._conninfo = conninfo
        self._connection: Connection | None = None
        self._insert = self._table.upsert(
            f"VALUES ({', '.join(['%s'] * len(self._table.stored_names))})"
        )
        try:
            with self._session() as connection:
                self._create(connection)
        except AdapterError:
            self.close()
            raise

    def __repr__(self) -> str:
        return f"PostgresSink({self._table.dataset!r})"  # conninfo may hold a password

    def positions(self) -> dict[str, tuple[int, str]]:
        """Stream (hex) → (last sequence committed, its header hash in hex)."""
        query = "SELECT stream, sequence, header_hash FROM exchange_positions WHERE dataset = %s"
        with self._session() as connection:
            rows = connection.execute(query, (self._table.dataset,)).fetchall()
        return {str(row[0]): (int(str(row[1])), str(row[2])) for row in rows}

    def commit(self, delivery: Delivery) -> None:
        """Commit one bundle."""
        self.commit_many([delivery])

    def commit_many(self, deliveries: Sequence[Delivery]) -> None:
        """Commit several bundles in one transaction.

        Positions move first: their row locks make a second writer wait, and then be refused.
        """
        with self._session() as connection:
            for delivery in deliveries:
                self._move(connection, delivery)
            for delivery in deliveries:
                columns = rows_of(self._table, delivery)
                if len(delivery.versions) <= SMALL_RECORDS:
                    with connection.cursor() as cursor:
                        rows = list(zip(*columns, strict=True))
                        cursor.executemany(self._insert.encode(), rows)
                else:
                    postgres_copy.merge(connection, self._table, columns)

    def mark(self, marks: Sequence[Mark]) -> None:
        """Replace the marks of this dataset in one transaction."""
        place = self._table.dataset
        with self._session() as connection, connection.cursor() as cursor:
            cursor.execute("DELETE FROM exchange_disputed WHERE dataset = %s", (place,))
            cursor.executemany(
                "INSERT INTO exchange_disputed VALUES (%s, %s, %s, %s)",
                [(place, *mark) for mark in marks],
            )

    def close(self) -> None:
        """Close the connection; safe to repeat."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _create(self, connection: Connection) -> None:
        table = self._table
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_SETUP_LOCK,))
        connection.execute(CREATE_POSITIONS)
        connection.execute(CREATE_DISPUTED)
        connection.execute(table.create_records(_TYPES_STORED, "boolean").encode())
        found = connection.execute(
            "SELECT attname::text FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
            " AND NOT attisdropped ORDER BY attnum",
            (quoted(table.records),),
        ).fetchall()
        if tuple(row[0] for row in found) != table.stored_names:
            raise _mismatch(table)
        view = f"CREATE OR REPLACE VIEW {quoted(table.view)} AS {table.view_query()}"
        connection.execute(view.encode())
        disputed = f"CREATE OR REPLACE VIEW {quoted(table.disputed)} AS {table.disputed_query()}"
        connection.execute(disputed.encode())

    def _move(self, connection: Connection, delivery: Delivery) -> None:
        place = (self._table.dataset, delivery.stream)
        if delivery.previous < 0:
            moved = connection.execute(
                "INSERT INTO exchange_positions (dataset, stream, sequence, header_hash)"
                " VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
                (*place, delivery.sequence, delivery.header_hash),
            )
        else:
            moved = connection.execute(
                "UPDATE exchange_positions SET sequence = %s, header_hash = %s"
                " WHERE dataset = %s AND stream = %s AND sequence = %s",
                (delivery.sequence, delivery.header_hash, *place, delivery.previous),
            )
        if moved.rowcount != 1:
            raise position_conflict(delivery.stream, delivery.sequence, delivery.previous)

    @contextmanager
    def _session(self) -> Iterator[Connection]:
        """The connection inside one transaction; PostgreSQL's errors as ours, values left out."""
        try:
            if self._connection is None or self._connection.closed:
                self._connection = self._connect()
            with self._connection.transaction():
                yield self._connection
        except psycopg.Error as error:
            if self._connection is not None and self._connection.broken:
                self.close()
            raise _translated(error, self._table) from None

    def _connect(self) -> Connection:
        try:
            connection = psycopg.connect(
                self._conninfo,
                autocommit=True,
                connect_timeout=CONNECT_SECONDS,
                application_name="exchange sink",
                client_encoding="UTF8",
            )
        except psycopg.Error as error:
            raise _not_connected(error) from None
        connection.execute("SET synchronous_commit = on")
        return connection


_TYPES_STORED: Final = {
    kind: 'text COLLATE "C"' if stored == "text" else stored for kind, stored in _TYPES.items()
}


def _not_connected(error: psycopg.Error) -> SinkUnavailable:
    """No record has been near this connection, so the server's own words are safe to show."""
    said = " ".join(str(error).split())[:SAID_CHARACTERS] or type(error).__name__
    return SinkUnavailable(
        f"no connection to PostgreSQL: {said}",
        f"无法连接 PostgreSQL：{said}",
        remedy=(
            "start it, or check address, user, password and database",
            "请启动数据库，或检查地址、用户、密码和库名",
        ),
        failure="no-connection",
    )


def _mismatch(table: Table) -> SinkMismatch:
    return SinkMismatch(
        f"table {table.records} exists with other columns",
        f"表 {table.records} 已存在，但列不一致",
        remedy=(
            "rename or drop it and its rows in exchange_positions, then pull again from the start",
            "请改名或删除该表及 exchange_positions 中的对应行，再从头接收",
        ),
        failure="columns",
    )


def _translated(error: psycopg.Error, table: Table) -> AdapterError:
    state = error.sqlstate or ""
    if state.startswith("53") and state != "53300":
        return DiskFull(
            f"PostgreSQL has no room left (SQLSTATE {state})",
            f"PostgreSQL 空间不足（SQLSTATE {state}）",
            remedy=("free some space; delivery goes on by itself", "请清理磁盘，之后自动继续"),
        )
    if state[:2] in {"22", "23"}:
        return RecordUnstorable(
            f"table {table.records} refuses a record (SQLSTATE {state})",
            f"表 {table.records} 拒绝写入一条记录（SQLSTATE {state}）",
            remedy=("compare the table with the contract", "请核对表结构与合约"),
        )
    if state[:2] in {"28", "42", "3D", "3F"}:
        return SinkMismatch(
            f"PostgreSQL refuses: login, rights or table definition (SQLSTATE {state})",
            f"PostgreSQL 拒绝：登录、权限或表定义有误（SQLSTATE {state}）",
            remedy=(
                "check user, password, database and the right to create tables",
                "请检查用户、密码、数据库和建表权限",
            ),
            failure="not-allowed",
        )
    what = f"{type(error).__name__} {state}".strip()
    return SinkUnavailable(
        f"PostgreSQL does not answer or gave up ({what})",
        f"PostgreSQL 无响应或中断（{what}）",
        remedy=(
            "start it or check its address; delivery goes on from the stored positions",
            "请启动数据库或检查地址；之后从已存位置继续",
        ),
    )
