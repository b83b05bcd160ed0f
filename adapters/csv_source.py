"""CSV files and streams as columns of text.

The first line is the header. UTF-8 (with or without byte order mark), GB18030 and gzip are
recognised. Every value is text; an empty cell, quoted or not, is None. A row with too few or too
many values is skipped and told by `take_rejected`, the rest goes on; what makes the whole file
doubtful (zero bytes, damaged gzip, a stray quotation mark) raises `SourceUnreadable` with its line.

Line numbers are exact, also behind line breaks in quoted values and blank lines: each batch says
the line of its first record, or of every record where they do not follow one by one.
"""

import csv
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from adapters.csv_rows import Rows, parse_rows
from adapters.errors import SourceUnreadable
from adapters.ports import OPERATION, BadLine, Columns, Lines
from adapters.recordstream import RecordStream, Run, open_input, unreadable
from adapters.rowbuffer import RowBuffer

DELIMITERS: Final = (",", ";", "\t", "|")


class CsvSource:
    """Reads ``source`` once, in bounded memory.

    ``fields``: the names that may stand in the header, beside ``_operation``; the header is then
    checked before any row. Without them any header is taken.
    """

    def __init__(
        self,
        source: Path | BinaryIO,
        *,
        fields: Sequence[str] | None = None,
        delimiter: str = ",",
    ) -> None:
        self._file = open_input(source)
        self._fields = fields
        self._delimiter = delimiter
        self._rejected: list[BadLine] = []

    def take_rejected(self) -> list[BadLine]:
        """Rows skipped since the last call because they are ragged."""
        taken, self._rejected = self._rejected, []
        return taken

    def batches(self, records_max: int) -> Generator[tuple[Lines, Columns], None, None]:
        """Batches of 1 to ``records_max`` records, in the file's order."""
        with self._file:
            runs = RecordStream(self._file, quoted=True).runs()
            first = next(runs, None)
            if first is None:
                raise _empty()
            header, rest = self._header(first)
            buffer = RowBuffer(header, records_max)
            for run in _chain(rest, runs):
                rows: Rows = parse_rows(run, header, self._delimiter)
                self._rejected.extend(rows.bad)
                buffer.add(rows.lines, rows.columns, rows.count, len(run.data))
                yield from buffer.full()
            yield from buffer.rest()

    def _header(self, first: Run) -> tuple[list[str], Run]:
        line, found, rest = first.data.partition(b"\n")
        if b"\r" in line.rstrip(b"\r"):
            raise unreadable(
                1,
                "lines end with a bare carriage return",
                "行尾为单独的回车符",
                ("save the file with LF or CRLF line ends", "请以 LF 或 CRLF 换行保存"),
                "line-ends",
            )
        shown = line.decode().rstrip("\r")
        try:
            names = next(csv.reader([shown], delimiter=self._delimiter, strict=True), [])
        except csv.Error:
            raise _bad_header(
                "a quotation mark is not closed on this line", "本行引号没有闭合"
            ) from None
        header = [name.strip() for name in names]
        self._check_header(header, shown)
        return header, Run(line=2 if found else 1, data=rest)

    def _check_header(self, header: list[str], shown: str) -> None:
        if not any(header):
            raise _bad_header("no column names", "没有列名")
        known = {*(self._fields or header), OPERATION}
        other = next((sign for sign in DELIMITERS if len(header) == 1 and sign in shown), None)
        typed = "tab" if other == "\t" else f"'{other}'"
        if other is not None and header[0] not in known - {header[0] if not self._fields else ""}:
            raise unreadable(
                1,
                f"one column only; the file seems to be separated by {typed}",
                f"只有一列；文件似乎以 {typed} 分隔",
                (f"set the delimiter: --delimiter {typed}", f"请设置分隔符：--delimiter {typed}"),
                "delimiter",
            )
        for place, name in enumerate(header, start=1):
            if not name:
                raise _bad_header(f"column {place} has no name", f"第 {place} 列没有列名")
            if name not in known:
                raise _unknown_column(place, self._fields or (), header)
            if name in header[: place - 1]:
                first = header.index(name) + 1
                raise _bad_header(
                    f"columns {first} and {place} have the same name",
                    f"第 {first} 列与第 {place} 列同名",
                )


def _chain(rest: Run, runs: Iterator[Run]) -> Iterator[Run]:
    if rest.data:
        yield rest
    yield from runs


def _empty() -> SourceUnreadable:
    return SourceUnreadable(
        "the file is empty",
        "文件为空",
        remedy=("the first line must name the columns", "第一行须为列名"),
        failure="empty",
    )


def _bad_header(en: str, zh: str) -> Exception:
    return unreadable(
        1,
        en,
        zh,
        ("the first line must name every column once", "第一行须为各列唯一的列名"),
        "header",
    )


def _unknown_column(place: int, fields: Sequence[str], header: Sequence[str]) -> Exception:
    """By its place: in a file without a header the "name" is a value of the first record."""
    known = ", ".join(fields)
    open_en = ", ".join(name for name in fields if name not in header) or "none"
    return unreadable(
        1,
        f"column {place} is not named as in the contract, which has: {known}"
        f" (not in the header yet: {open_en})",
        f"第 {place} 列的列名不在合约中；合约字段为：{known}（表头中尚缺：{open_en}）",
        (
            "add the header line if there is none; rename or remove the column, or revise the"
            " contract",
            "若缺少表头请补上；请改名或删除该列，或修订合约",
        ),
        "unknown-column",
    )
