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
from exchange.errors import InputUnreadable
from exchange.flow.ports import Source


def open_source(
    place: str, fields: Sequence[str] | None, *, form: str = "", delimiter: str = ","
) -> Source:
    """A CSV or JSON Lines file, or ``-`` for standard input; ``form`` csv or jsonl decides.

    ``fields`` are the names that it may have; None takes any.

    Without ``form`` the name decides; standard input is CSV then. `InputUnreadable` if the file
    cannot be opened.
    """
    given = _open(place)
    lines = form == "jsonl" or (not form and _bare(place).endswith((".jsonl", ".ndjson", ".json")))
    if lines:
        return JsonLinesSource(given, fields=fields)
    return CsvSource(given, fields=fields, delimiter=delimiter)


def _open(place: str) -> Path | BinaryIO:
    if place == "-":
        return sys.stdin.buffer
    path = Path(place).expanduser()
    if not path.is_file():
        raise InputUnreadable(
            f"there is no file {place[:200]}",
            f"文件 {place[:200]} 不存在",
            remedy=("check the path; - reads standard input", "请检查路径；- 表示标准输入"),
            failure="not-readable",
        )
    return path


def _bare(place: str) -> str:
    return place.lower().removesuffix(".gz")
