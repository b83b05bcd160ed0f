"""Everything a search found, in one new CSV or JSON file that says what it stands on."""

import csv
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from exchange.cli.times import shown
from exchange.errors import UsageError

if TYPE_CHECKING:
    from exchange.audit.view import Standing
    from exchange.audit.viewquery import Found, Page

COLUMNS: Final = (
    "entry", "time", "hub", "act", "kind", "member", "instance", "about", "dataset", "grant",
    "purpose", "sections", "regions", "verdict", "void", "rules", "refused_items", "carried",
    "disputed", "hash",
)  # fmt: skip
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""Spreadsheets take a cell that begins so for a formula."""


@contextmanager
def new_export(file: Path | None) -> "Iterator[TextIO | None]":
    """``file``, new and empty, before anything is asked; gone again if what follows fails.

    Raises `UsageError` for another suffix, or if it exists or cannot be made.
    """
    if file is None:
        yield None
        return
    if file.suffix not in {".csv", ".json"}:
        raise _unusable(file, "is neither .csv nor .json", "不是 .csv 或 .json")
    try:
        target = file.open("x", encoding="utf-8", newline="")
    except FileExistsError:
        raise _unusable(file, "exists already", "已存在") from None
    except OSError as error:
        reason = error.strerror
        raise _unusable(file, f"cannot be made: {reason}", f"无法创建：{reason}") from None
    try:
        with target:
            yield target
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def write_entries(target: TextIO, pages: "Iterator[Page]") -> "tuple[Standing, int]":
    """All entries of ``pages`` into a `new_export`, by its suffix; what they stand on, how many."""
    csv_wanted = Path(target.name).suffix == ".csv"
    return _csv(target, pages) if csv_wanted else _json(target, pages)


def write_counts(target: TextIO, by: str, counted: Mapping[str, int], standing: "Standing") -> int:
    """Counts, or a series of them, in the same way; how many lines."""
    size, root = standing.size, standing.root.hex()
    if Path(target.name).suffix == ".json":
        said: dict[str, object] = {"counts": dict(counted)} if by else {"count": counted[""]}
        json.dump({"ledger": {"size": size, "root": root}, **said}, target, ensure_ascii=False)
        target.write("\n")
        return len(counted)
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow([by or "all", "entries", "ledger_size", "ledger_root"])
    for name, number in counted.items():
        writer.writerow([_cell(name or "all"), number, size, root])
    return len(counted)


def _csv(target: TextIO, pages: "Iterator[Page]") -> "tuple[Standing, int]":
    first = next(pages)
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow([*COLUMNS, "ledger_size", "ledger_root"])
    stands_on = [str(first.standing.size), first.standing.root.hex()]
    number = 0
    for page in _with(first, pages):
        for row in page.entries:
            values = _values(row)
            writer.writerow([*(_cell(values[name]) for name in COLUMNS), *stands_on])
            number += 1
    return first.standing, number


def _json(target: TextIO, pages: "Iterator[Page]") -> "tuple[Standing, int]":
    first = next(pages)
    ledger = {"size": first.standing.size, "root": first.standing.root.hex()}
    target.write(f'{{"ledger": {json.dumps(ledger)}, "entries": [')
    number = 0
    for page in _with(first, pages):
        for row in page.entries:
            target.write("," if number else "")
            target.write("\n" + json.dumps(_values(row), ensure_ascii=False))
            number += 1
    target.write("\n]}\n")
    return first.standing, number


def _with(first: "Page", rest: "Iterator[Page]") -> "Iterator[Page]":
    yield first
    yield from rest


def _values(row: "Found") -> dict[str, Any]:
    return {
        "entry": row.index,
        "time": shown(row.time_ms),
        "hub": row.hub,
        "act": row.act.hex(),
        "kind": row.kind,
        "member": row.member,
        "instance": row.instance,
        "about": row.subject,
        "dataset": row.dataset,
        "grant": row.grant,
        "purpose": row.purpose,
        "sections": list(row.sections),
        "regions": list(row.regions),
        "verdict": row.verdict,
        "void": row.void,
        "rules": list(row.rules),
        "refused_items": {str(item): list(rules) for item, rules in row.refused_items},
        "carried": row.carried,
        "disputed": row.disputed,
        "hash": row.entry_hash.hex(),
    }


def _cell(value: object) -> str:
    match value:
        case list():
            text = " ".join(map(str, value))
        case dict():
            text = json.dumps(value) if value else ""
        case _:
            text = str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _unusable(file: Path, en: str, zh: str) -> UsageError:
    return UsageError(
        f"{file} {en}",
        f"{file} {zh}",
        remedy=(
            "name a new file that ends in .csv or .json",
            "请指定以 .csv 或 .json 结尾的新文件",
        ),
        failure="export",
    )
