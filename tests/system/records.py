"""The records that travel: a contract, sources that follow from a seed, and what sinks hold."""

import csv
import json
import random
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import psycopg

from exchange.model import regions
from tests.system.installation import CONSUMER, PROVIDER, WAIT_S, Installation

FIELDS = ("id", "area", "amount", "note")
COUNTIES = 16
"""Streams of a dataset: one a county, four partitions."""

Row = tuple[str, str, str, str]
Rows = dict[str, Row]
"""Records by key."""
Positions = dict[str, int]
"""Stream (hex) → last sequence."""

_CONTRACT = """\
dataset: {dataset}
title: {{zh: 补贴发放记录, en: Subsidies paid}}
fields:
  - {{name: id, type: text, level: 1, required: true, length: 40}}
  - {{name: area, type: region, level: 1, required: true}}
  - {{name: amount, type: decimal, level: 2, digits: 12, scale: 2, required: true}}
  - {{name: note, type: text, level: 3, length: 400}}
key: [id]
region: {{field: area, level: county}}
cycle: daily
retention_days: 30
"""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A published dataset and the grant under which the consumer receives it."""

    name: str
    grant: str

    @property
    def table(self) -> str:
        """The view in a database sink."""
        return self.name.replace("-", "_")


@cache
def counties() -> tuple[str, ...]:
    """Some real division codes of counties in Zhejiang."""
    codes = sorted(code for code in regions.names() if len(code) == 6 and code.startswith("33"))
    return tuple(codes[:COUNTIES])


def publish(installation: Installation, folder: Path, name: str) -> Dataset:
    """Propose and publish a dataset, and have the consumer apply for all of it."""
    contract = folder / f"{name}.yaml"
    contract.write_text(_CONTRACT.format(dataset=name), "utf-8")
    said = (
        "--sharing",
        "unconditional",
        "--basis",
        "《政务数据共享条例》",
        "--classification",
        "基础",
    )
    code = f"306001/{int.from_bytes(name.encode()[:8], 'big')}"
    more = ("--code", code, "--abstract", "补贴发放记录")
    installation.run("catalogue", "propose", str(contract), *said, *more, member=PROVIDER)
    installation.run("catalogue", "review", name, "--approve")
    installation.run("catalogue", "publish", name)
    wanted = (
        *("--purpose", "verification", "--duty", "《社会保险法》第八条", "--scenario", "资格核验"),
        *("--manner", "table", "--fields", "all", "--regions", "all", "--expires", "+366d"),
    )
    answer = installation.run("request", "new", name, *wanted, member=CONSUMER).answer
    return Dataset(name, answer["grant"])


def generate(label: str, count: int, *, shared: int = 0, seed: int = 1) -> Rows:
    """``shared`` keys that every label rewrites and ``count`` of its own.

    ``label`` stands in every note, so a row tells which source it came from.
    """
    dice = random.Random(f"{label}/{seed}")
    keys = [f"shared-{number}" for number in range(shared)]
    keys += [f"{label}-{number}" for number in range(count)]
    places = counties()
    return {
        key: (
            key,
            places[sum(key.encode()) % len(places)],
            f"{dice.randrange(10**9)}.{dice.randrange(100):02}",
            f"{label} {dice.getrandbits(64):016x}",
        )
        for key in keys
    }


def write_csv(file: Path, rows: Rows) -> Path:
    """A source file."""
    with file.open("w", encoding="utf-8", newline="") as target:
        writer = csv.writer(target)
        writer.writerow(FIELDS)
        writer.writerows(rows.values())
    return file


def by_key(rows: Iterable[Sequence[Any]]) -> Rows:
    """Rows as a sink gives them; a key that comes twice is a doubled record."""
    found: Rows = {}
    for row in rows:
        assert row[0] not in found, f"{row[0]} is there twice"
        found[row[0]] = (row[0], row[1], f"{float(row[2]):.2f}", row[3])
    return found


def in_sqlite(file: Path, dataset: Dataset) -> tuple[Rows, Positions]:
    """What a SQLite sink holds at one moment: present records and positions."""
    if not file.exists():  # to connect would make it
        return {}, {}
    with closing(sqlite3.connect(file, timeout=WAIT_S)) as store:
        store.execute("BEGIN")
        made = store.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (dataset.table,))
        if made.fetchone() is None:
            return {}, {}
        rows = store.execute(f"SELECT {', '.join(FIELDS)} FROM {dataset.table}").fetchall()
        places = store.execute("SELECT stream, sequence FROM exchange_positions").fetchall()
    return by_key(rows), dict(places)


def in_postgres(conninfo: str, dataset: Dataset) -> tuple[Rows, Positions]:
    """What a PostgreSQL sink holds at one moment: a killed client's last commit may come late."""
    with psycopg.connect(conninfo) as store:
        store.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        made = store.execute("SELECT to_regclass(%s)", (dataset.table,)).fetchone()
        if made == (None,):
            return {}, {}
        query = f"SELECT {', '.join(FIELDS)} FROM {dataset.table}"
        rows = store.execute(query.encode()).fetchall()
        places = store.execute("SELECT stream, sequence FROM exchange_positions").fetchall()
    return by_key(rows), dict(places)


@dataclass(frozen=True, slots=True)
class Journal:
    """A folder sink: bundle by bundle what was delivered, and so the oracle for other sinks."""

    bundles: dict[tuple[str, int], list[dict[str, Any]]]

    @classmethod
    def read(cls, folder: Path, dataset: Dataset) -> "Journal":
        """Every file of the journal; its name is stream and sequence."""
        bundles = {}
        for file in sorted((folder / dataset.name).glob("*-*.jsonl")):
            stream, _, sequence = file.stem.rpartition("-")
            lines = file.read_text("utf-8").splitlines()
            bundles[stream, int(sequence)] = [json.loads(line) for line in lines]
        return cls(bundles)

    def versions(self) -> list[int]:
        """The version of every record that was ever delivered."""
        return [record["_version"] for bundle in self.bundles.values() for record in bundle]

    def ends(self) -> Positions:
        """The last bundle of each stream."""
        ends: Positions = {}
        for stream, sequence in self.bundles:
            ends[stream] = max(sequence, ends.get(stream, -1))
        return ends

    def rows(self, upto: Positions) -> Rows:
        """What a table holds that has committed exactly the bundles up to ``upto``."""
        newest: dict[str, dict[str, Any]] = {}
        for (stream, sequence), records in self.bundles.items():
            for record in records if sequence <= upto.get(stream, -1) else ():
                known = newest.get(record["id"])
                if known is None or known["_version"] < record["_version"]:
                    newest[record["id"]] = record
        return by_key([record[name] for name in FIELDS] for record in newest.values())
