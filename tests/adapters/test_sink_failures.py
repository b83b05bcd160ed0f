"""A store that is full, gone, foreign or damaged gives one clear error and holds what it had."""

import errno
import os
import sqlite3
import traceback
from pathlib import Path

import psycopg
import pytest

from adapters.errors import AdapterError, DiskFull, RecordUnstorable, SinkMismatch, SinkUnavailable
from adapters.jsonl_sink import POSITIONS_FILE, JsonLinesSink
from adapters.postgres_sink import PostgresSink
from adapters.sqlite_sink import SqliteSink
from tests.adapters.stores import COLUMNS, DATASET, Store, bundle

SECRET = "11010519491231002X"


def said(error: AdapterError) -> str:
    """Everything a log could make of the error."""
    return "".join(traceback.format_exception(error)) + repr(error) + str(error.text)


@pytest.mark.postgres
@pytest.mark.parametrize("others", [0, 500])
def test_postgres_refuses_a_wrong_value_without_quoting_it(postgres: str, others: int) -> None:
    sink = PostgresSink(postgres, DATASET, COLUMNS, ["id"])
    many = [(f"x{row}", "33", row) for row in range(others)]
    records = [("1", "33", SECRET), *many]
    with pytest.raises(RecordUnstorable) as caught:
        sink.commit(bundle(0, records, versions=range(1, 1 + len(records))))
    assert SECRET not in said(caught.value)
    assert "22P02" in caught.value.text[1]
    assert sink.positions() == {}
    sink.close()


def test_sqlite_refuses_a_wrong_value_without_quoting_it(tmp_path: Path) -> None:
    sink = SqliteSink(tmp_path / "t.sqlite", DATASET, COLUMNS, ["id"])
    with pytest.raises(RecordUnstorable) as caught:
        sink.commit(bundle(0, [(None, SECRET, 1)], versions=[1]))
    assert SECRET not in said(caught.value)
    assert sink.positions() == {}
    sink.close()


@pytest.mark.postgres
def test_a_lost_connection_is_opened_anew(postgres: str) -> None:
    sink = PostgresSink(postgres, DATASET, COLUMNS, ["id"])
    sink.commit(bundle(0, [("1", "33", 1)], versions=[1]))
    with psycopg.connect(postgres, autocommit=True) as other:
        other.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'exchange sink'"
        )
    with pytest.raises(SinkUnavailable) as caught:
        sink.commit(bundle(1, [("2", "33", 1)], versions=[2]))
    assert caught.value.retriable
    assert caught.value.exit_code == 3
    assert len(sink.positions()) == 1
    sink.commit(bundle(1, [("2", "33", 1)], versions=[2]))
    assert Store("postgres", postgres).rows() == {"1": ("33", 1), "2": ("33", 1)}
    sink.close()


def test_a_server_that_is_not_there_is_named_with_the_remedy(tmp_path: Path) -> None:
    conninfo = f"host={tmp_path} password={SECRET}"
    with pytest.raises(SinkUnavailable) as caught:
        PostgresSink(conninfo, DATASET, COLUMNS, ["id"])
    assert caught.value.failure == "no-connection"
    assert str(tmp_path) in caught.value.text[0]
    assert SECRET not in said(caught.value)


@pytest.mark.postgres
def test_a_user_without_rights_is_told(postgres: str) -> None:
    role = f"r{os.getpid()}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN".encode())
        try:
            with pytest.raises(SinkMismatch) as caught:
                PostgresSink(
                    psycopg.conninfo.make_conninfo(postgres, user=role), DATASET, COLUMNS, ["id"]
                )
        finally:
            connection.execute(f"DROP ROLE {role}".encode())
    assert caught.value.failure == "not-allowed"


@pytest.mark.postgres
def test_commits_are_durable_whatever_the_server_defaults_to(postgres: str) -> None:
    off = psycopg.conninfo.make_conninfo(postgres)
    options = psycopg.conninfo.conninfo_to_dict(off)["options"]
    relaxed = psycopg.conninfo.make_conninfo(off, options=f"{options} -csynchronous_commit=off")
    sink = PostgresSink(relaxed, DATASET, COLUMNS, ["id"])
    with sink._session() as connection:
        found = connection.execute("SHOW synchronous_commit").fetchone()
    assert found == ("on",)
    assert "host" not in repr(sink)
    sink.close()


@pytest.mark.postgres
def test_a_full_postgres_is_a_full_disk(postgres: str) -> None:
    sink = PostgresSink(postgres, DATASET, COLUMNS, ["id"])
    with pytest.raises(DiskFull), sink._session() as connection:
        connection.execute("DO $$ BEGIN RAISE EXCEPTION SQLSTATE '53100'; END $$")
    sink.close()


def test_a_full_sqlite_file_loses_nothing(tmp_path: Path) -> None:
    sink = SqliteSink(tmp_path / "t.sqlite", DATASET, COLUMNS, ["id"])
    sink.commit(bundle(0, [("1", "33", 1)], versions=[1]))
    (pages,) = sink._connection.execute("PRAGMA page_count").fetchone()
    sink._connection.execute(f"PRAGMA max_page_count = {pages + 1}")
    large = bundle(1, [(str(row), "33" * 500, 1) for row in range(50)], versions=range(2, 52))
    with pytest.raises(DiskFull) as caught:
        sink.commit(large)
    assert caught.value.exit_code == 3
    sink._connection.execute("PRAGMA max_page_count = 10000")
    sink.commit(large)
    assert len(Store("sqlite", str(tmp_path)).rows()) == 50
    sink.close()


def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "t.sqlite"
    path.write_bytes(b"a,b\n1,2\n" * 500)
    with pytest.raises(SinkMismatch) as caught:
        SqliteSink(path, DATASET, COLUMNS, ["id"])
    assert caught.value.failure == "not-a-database"
    assert path.read_bytes().startswith(b"a,b")


def test_a_path_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(SinkUnavailable, match="none"):
        SqliteSink(tmp_path / "none" / "t.sqlite", DATASET, COLUMNS, ["id"])
    (tmp_path / "file").touch()
    with pytest.raises(SinkUnavailable, match="file"):
        JsonLinesSink(tmp_path / "file", DATASET, COLUMNS, ["id"])


def test_a_busy_database_is_unavailable_and_not_half_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.sqlite_sink.BUSY_SECONDS", 0.05)
    sink = SqliteSink(tmp_path / "t.sqlite", DATASET, COLUMNS, ["id"])
    other = sqlite3.connect(tmp_path / "t.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(SinkUnavailable):
        sink.commit(bundle(0, [("1", "33", 1)], versions=[1]))
    other.execute("ROLLBACK")
    other.close()
    sink.commit(bundle(0, [("1", "33", 1)], versions=[1]))
    sink.close()


def test_a_full_disk_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    sink = JsonLinesSink(tmp_path, DATASET, COLUMNS, ["id"])
    with monkeypatch.context() as patch, pytest.raises(DiskFull):
        patch.setattr(os, "fsync", full)
        sink.commit(bundle(0, [("1", "33", 1)], versions=[1]))
    assert list((tmp_path / DATASET).iterdir()) == []
    sink.commit(bundle(0, [("1", "33", 1)], versions=[1]))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"format": 2, "streams": {}}'])
def test_damaged_positions_are_not_taken_for_none(tmp_path: Path, content: bytes) -> None:
    sink = JsonLinesSink(tmp_path, DATASET, COLUMNS, ["id"])
    (tmp_path / DATASET / POSITIONS_FILE).write_bytes(content)
    with pytest.raises(SinkMismatch) as caught:
        sink.commit(bundle(0, [("1", "33", 1)], versions=[1]))
    assert caught.value.failure == "positions"


def test_a_stream_id_never_leaves_the_folder(tmp_path: Path) -> None:
    sink = JsonLinesSink(tmp_path, DATASET, COLUMNS, ["id"])
    with pytest.raises(SinkMismatch):
        sink.commit(bundle(0, [("1", "33", 1)], stream="../../x", versions=[1]))
