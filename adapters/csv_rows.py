"""One run of CSV records to columns of text.

The fast way is pyarrow. It does not say on which line a row stood, skips blank lines in silence and
quotes whole rows in its errors; so its answer is taken only if it found exactly one row a line.
Otherwise the run is read again by Python's ``csv``, which counts lines: a run with line breaks
inside values, blank lines or ragged rows costs more time and loses nothing.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any, Final, cast

import pyarrow as pa
import pyarrow.csv as pa_csv

from adapters.ports import BadLine, Columns, Lines
from adapters.recordstream import RUN_BYTES_MAX, Run, unreadable

csv.field_size_limit(RUN_BYTES_MAX)

_SAMPLE: Final = 256
_REPEATED: Final = 4
"""A column repeats its texts if one in so many cells of a sample is new, at most."""
_QUOTE_REMEDY: Final = (
    "put the value in quotation marks and double those inside it",
    "请给该值加引号，并将值中的引号写成两个",
)


@dataclass(frozen=True, slots=True)
class Rows:
    """Columns of one run; empty cells are None."""

    lines: Lines
    columns: Columns
    count: int
    bad: tuple[BadLine, ...] = ()


def parse_rows(run: Run, header: Sequence[str], delimiter: str) -> Rows:
    """The rows of ``run`` under ``header``; ragged ones come back as `BadLine` s."""
    table = _quick(run, header, delimiter)
    if table is None:
        return _careful(run, header, delimiter)
    columns = {name: _values(table.column(place)) for place, name in enumerate(header)}
    return Rows(lines=run.line, columns=columns, count=table.num_rows)


def _values(column: "pa.ChunkedArray[Any]") -> list[str | None]:
    """The cells of ``column``; one that repeats few texts, as codes do, holds each of them once."""
    if len(column.slice(0, _SAMPLE).unique()) * _REPEATED > min(_SAMPLE, len(column)):
        return cast(list[str | None], column.to_pylist())
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    texts = encoded.dictionary.to_pylist()
    return [texts[place] for place in encoded.indices.to_numpy().tolist()]


def _quick(run: Run, header: Sequence[str], delimiter: str) -> "pa.Table | None":
    if run.data.count(b"\r") != run.data.count(b"\r\n"):
        return None  # pyarrow takes a bare carriage return for a line end
    lines = run.data.count(b"\n") + (not run.data.endswith(b"\n"))
    places = [str(place) for place in range(len(header))]
    try:
        table = pa_csv.read_csv(
            cast(IO[Any], pa.BufferReader(run.data)),
            read_options=pa_csv.ReadOptions(
                use_threads=False, block_size=len(run.data) + 1, column_names=places
            ),
            parse_options=pa_csv.ParseOptions(
                delimiter=delimiter,
                newlines_in_values=True,
                ignore_empty_lines=True,
                invalid_row_handler=lambda _: "skip",
            ),
            convert_options=pa_csv.ConvertOptions(
                column_types=dict.fromkeys(places, pa.string()),
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except pa.ArrowInvalid:
        return None
    return table if table.num_rows == lines else None


def _careful(run: Run, header: Sequence[str], delimiter: str) -> Rows:
    reader = csv.reader(
        io.StringIO(run.data.decode(), newline=""), delimiter=delimiter, strict=True
    )
    width = len(header)
    rows: list[list[str | None]] = []
    lines: list[int] = []
    bad: list[BadLine] = []
    begins = run.line
    try:
        for row in reader:
            if len(row) == width:
                rows.append([cell or None for cell in row])
                lines.append(begins)
            elif row:
                bad.append(_ragged(begins, width, len(row)))
            begins = run.line + reader.line_num
    except csv.Error:
        raise unreadable(
            begins,
            "a stray quotation mark or carriage return",
            "引号或回车符使用不当",
            _QUOTE_REMEDY,
            "stray-quote",
        ) from None
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in header]
    return Rows(
        lines=lines,
        columns=dict(zip(header, columns, strict=True)),
        count=len(rows),
        bad=tuple(bad),
    )


def _ragged(line: int, expected: int, found: int) -> BadLine:
    return BadLine(
        line,
        (
            f"{found} values where the header has {expected}",
            f"有 {found} 个值，而表头有 {expected} 列",
        ),
        (
            "quote values that contain the delimiter or a line break; add what is missing",
            "含分隔符或换行的值须加引号；请补齐缺少的值",
        ),
    )
