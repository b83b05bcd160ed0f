"""Sources and sinks by what a person writes: a file name, a folder, a connection string."""

import contextlib
import csv
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from adapters.jsonl_sink import JsonLinesSink
from adapters.postgres_sink import PostgresSink
from adapters.sqlite_sink import SqliteSink
from exchange.errors import UsageError
from exchange.flow.ports import Sink
from exchange.flow.subscription import Subscription

_POSTGRES: Final = ("postgres://", "postgresql://")
_DATABASES: Final = (".db", ".sqlite", ".sqlite3")
_EXPORTS: Final = (".csv", ".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class Target:
    """Where records go. ``sink`` is the slug that receipts name.

    ``export`` is a file that is written anew from the database ``place`` after each delivery.
    """

    sink: str
    place: str
    export: Path | None = None

    @property
    def shown(self) -> str:
        """For people: the place, without what may be a password."""
        if self.export is not None:
            return str(self.export)
        return "postgresql" if self.sink == "postgres" else self.place


def target_of(out: str, fallback: Path) -> Target:
    """What ``--out`` means; ``fallback`` is the database used when only an export was named."""
    if not out:
        return Target("sqlite", str(fallback))
    if out.startswith(_POSTGRES) or ("dbname=" in out and "=" in out):
        return Target("postgres", out)
    path = Path(out.removeprefix("sqlite:")).expanduser()
    if out.startswith("sqlite:") or path.suffix in _DATABASES:
        return Target("sqlite", str(path))
    if path.suffix in _EXPORTS:
        return Target("sqlite", str(fallback), export=path)
    if path.suffix:
        raise UsageError(
            f"--out {path.name}: records are written as {', '.join((*_EXPORTS, *_DATABASES))}",
            f"--out {path.name}：可用的格式为 {'、'.join((*_EXPORTS, *_DATABASES))}",
            remedy=(
                "name such a file, a folder, sqlite:PATH, or postgresql://…",
                "请使用上述后缀的文件、目录、sqlite:路径或 postgresql://…",
            ),
            failure="out",
        )
    return Target("jsonl", str(path))


def open_sink(target: Target, subscription: Subscription) -> Sink:
    """The sink for what ``subscription`` delivers, its tables or folder made if missing."""
    contract = subscription.contract
    columns = [(name, contract.field(name).type) for name in subscription.fields]
    place = (contract.dataset, columns, contract.key)
    match target.sink:
        case "postgres":
            return PostgresSink(target.place, *place)
        case "jsonl":
            return JsonLinesSink(Path(target.place), *place)
        case _:
            path = Path(target.place)
            path.parent.mkdir(parents=True, exist_ok=True)
            return SqliteSink(path, *place)


def export(database: Path, file: Path, dataset: str) -> int:
    """Write the present records of ``dataset`` in ``database`` to ``file``; how many there are.

    The file is replaced at once when it is whole; a reader never sees half of it.
    """
    if not file.parent.is_dir():
        raise UsageError(
            f"there is no folder {file.parent} to write {file.name} into",
            f"目录 {file.parent} 不存在，无法写入 {file.name}",
            remedy=("make it, or name another place with --out", "请新建该目录，或用 --out 改名"),
            failure="out",
        )
    draft = file.with_name(f".{file.name}.part")
    names, rows = _present(database, dataset)
    draft.unlink(missing_ok=True)
    try:
        written = _write(draft, file.suffix, names, rows)
        draft.replace(file)
    except OSError as error:
        draft.unlink(missing_ok=True)  # on a full disk it would keep what others need
        error.filename = str(file)
        raise
    return written


def _write(draft: Path, suffix: str, names: list[str], rows: Iterator[tuple[object, ...]]) -> int:
    written = 0
    # Opened records: at most the group reads them, and no link that lay there is followed.
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as opened:
        if suffix == ".csv":
            writer = csv.writer(opened)
            writer.writerow(names)
            for row in rows:
                writer.writerow(row)
                written += 1
        else:
            for row in rows:
                opened.write(orjson.dumps(dict(zip(names, row, strict=True))).decode() + "\n")
                written += 1
    return written


def _present(database: Path, dataset: str) -> tuple[list[str], Iterator[tuple[object, ...]]]:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    view = '"' + dataset.replace("-", "_") + '"'
    found = connection.execute(f"SELECT * FROM {view}")  # noqa: S608 - a checked dataset id
    names = [column[0] for column in found.description]

    def rows() -> Iterator[tuple[object, ...]]:
        with contextlib.closing(connection):
            yield from found

    return names, rows()
