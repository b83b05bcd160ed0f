"""The three sinks behind one face, so that each promise is held against each of them."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import psycopg

from adapters.jsonl_sink import JsonLinesSink
from adapters.ports import Sink
from adapters.postgres_sink import PostgresSink
from adapters.sqlite_sink import SqliteSink
from exchange.flow.ports import Delivery

DATASET = "exam-results"
COLUMNS = [("id", "text"), ("place", "text"), ("score", "integer")]
STREAM = "ab" * 32
OTHER = "cd" * 32

Rows = dict[str, tuple[Any, ...]]
"""First key field → the other columns, of records that are present."""


@dataclass(frozen=True, slots=True)
class Store:
    """Where a sink of one kind keeps things in this test."""

    kind: str
    location: str

    def open(
        self, columns: Sequence[tuple[str, str]] = COLUMNS, key: Sequence[str] = ("id",)
    ) -> Sink:
        """A sink; several may be open at once."""
        match self.kind:
            case "postgres":
                return PostgresSink(self.location, DATASET, columns, key)
            case "sqlite":
                return SqliteSink(Path(self.location) / "t.sqlite", DATASET, columns, key)
            case _:
                return JsonLinesSink(Path(self.location), DATASET, columns, key)

    def rows(self) -> Rows:
        """What a reader of the store sees."""
        match self.kind:
            case "postgres":
                with psycopg.connect(self.location) as connection:
                    found = connection.execute("SELECT * FROM exam_results").fetchall()
                return {row[0]: row[1:] for row in found}
            case "sqlite":
                file = sqlite3.connect(Path(self.location) / "t.sqlite")
                try:
                    found = file.execute("SELECT * FROM exam_results").fetchall()
                finally:
                    file.close()
                return {row[0]: row[1:] for row in found}
            case _:
                return fold(Path(self.location) / DATASET)


def fold(journal: Path) -> Rows:
    """The highest version of each key, as the journal's documentation tells readers to."""
    newest: dict[str, dict[str, Any]] = {}
    for path in sorted(journal.glob("*-*.jsonl")):
        for line in path.read_bytes().splitlines():
            record = orjson.loads(line)
            kept = newest.get(record["id"])
            if kept is None or record["_version"] > kept["_version"]:
                newest[record["id"]] = record
    return {
        key: tuple(value for name, value in record.items() if name not in {"id", "_version"})
        for key, record in newest.items()
        if "_operation" not in record
    }


def bundle(
    sequence: int,
    records: Sequence[tuple[Any, ...]],
    *,
    stream: str = STREAM,
    versions: Sequence[int],
    operations: list[int] | None = None,
    names: Sequence[str] = ("id", "place", "score"),
) -> Delivery:
    """A delivery of ``records`` that continues ``sequence - 1``."""
    columns = {name: [record[place] for record in records] for place, name in enumerate(names)}
    return Delivery(
        stream=stream,
        previous=sequence - 1,
        sequence=sequence,
        header_hash=f"{sequence:064x}",
        columns=columns,
        operations=operations,
        versions=list(versions),
    )


def disputed(store: Store) -> list[tuple[Any, ...]]:
    """(first key field, objection) of the records that a reader of the store sees as disputed."""
    query = "SELECT id, _objection FROM exam_results_disputed ORDER BY id, _objection"
    match store.kind:
        case "postgres":
            with psycopg.connect(store.location) as connection:
                return connection.execute(query).fetchall()
        case "sqlite":
            file = sqlite3.connect(Path(store.location) / "t.sqlite")
            try:
                return file.execute(query).fetchall()
            finally:
                file.close()
        case _:
            folder = Path(store.location) / DATASET
            said = orjson.loads((folder / "disputed.json").read_bytes())
            held = {
                record["_version"]: record["id"]
                for path in folder.glob("*-*.jsonl")
                for record in map(orjson.loads, path.read_bytes().splitlines())
            }
            marks = [(one["version"], one["objection"]) for one in said["records"]]
            return sorted((held[version], name) for version, name in marks if version in held)
