"""Sources by name: what a person calls a file, and the adapter that reads it.

Apart from the sinks, because reading and checking records loads Arrow: a process that only receives
is smaller without it by a third.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from adapters.csv_source import CsvSource
from adapters.jsonl_source import JsonLinesSource
from exchange.errors import InputUnreadable, UsageError
from exchange.flow.ports import Source
from exchange.wiring.delimiter import checked_delimiter


def open_source(
    place: str, fields: Sequence[str] | None, *, form: str = "", delimiter: str = ","
) -> Source:
    """A CSV or JSON Lines file, or ``-`` for standard input; ``form`` csv or jsonl decides.

    ``fields`` are the names that it may have; None takes any.

    Without ``form`` the name decides; standard input is CSV then. `InputUnreadable` if the file
    cannot be opened, `UsageError` if ``delimiter`` is none or ``form`` neither.
    """
    sign = checked_delimiter(delimiter)
    if form not in {"", "csv", "jsonl"}:
        raise _unknown_form(form)
    given = _open(place)
    lines = form == "jsonl" or (not form and _bare(place).endswith((".jsonl", ".ndjson", ".json")))
    if lines:
        return JsonLinesSource(given, fields=fields)
    return CsvSource(given, fields=fields, delimiter=sign)


def _open(place: str) -> Path | BinaryIO:
    if place == "-":
        return sys.stdin.buffer
    path = Path(place).expanduser()
    if path.is_dir():
        raise InputUnreadable(
            f"{place[:200]} is a folder",
            f"{place[:200]} 是目录",
            remedy=(
                "name a file in it; - reads standard input",
                "请指定其中的文件；- 表示标准输入",
            ),
            failure="not-readable",
        )
    if not path.is_file():
        raise InputUnreadable(
            f"there is no file {place[:200]}",
            f"文件 {place[:200]} 不存在",
            remedy=("check the path; - reads standard input", "请检查路径；- 表示标准输入"),
            failure="not-readable",
        )
    return path


def _unknown_form(form: str) -> UsageError:
    return UsageError(
        f"--format is csv or jsonl, not {form[:20]!r}",
        f"--format 只能是 csv 或 jsonl，不能是 {form[:20]!r}",
        remedy=("say --format csv or --format jsonl", "请使用 --format csv 或 --format jsonl"),
        failure="format",
    )


def _bare(place: str) -> str:
    return place.lower().removesuffix(".gz")
