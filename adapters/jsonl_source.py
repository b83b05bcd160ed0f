"""JSON Lines: one JSON object a line, UTF-8, gzip recognised.

Values keep their JSON types. A line that is no object, is too long, or holds an unknown name or one
name twice is skipped and told by `take_rejected`; the rest goes on. A name that a record lacks is
None there.
"""

import contextlib
import json
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, Final

import orjson

from adapters.ports import OPERATION, BadLine, Columns, Lines
from adapters.recordstream import open_input
from adapters.rowbuffer import RowBuffer

LINE_BYTES_MAX: Final = 8 << 20
"""Room for a record of 1 MiB in which every character is escaped."""

_NOT_JSON: Final = (
    ("not JSON in UTF-8", "不是 UTF-8 编码的 JSON"),
    ("write one JSON object on each line", "请每行写一个 JSON 对象"),
)
_NOT_OBJECT: Final = (
    ("JSON, but not an object", "是 JSON，但不是对象"),
    ('write {"field": value, …} on each line', '请每行写一个 {"字段": 值, …}'),
)
_NAME_TWICE: Final = (
    ("a name stands twice in the object", "同一对象中有重复的名称"),
    ("keep one of them: nobody can tell which value counts", "请只保留一个：无法判断以哪个值为准"),
)
_TOO_LONG: Final = (
    (f"longer than {LINE_BYTES_MAX} bytes", f"超过 {LINE_BYTES_MAX} 字节"),
    (
        "keep large content in a file and put its address and hash into the record",
        "请将大内容另存为文件，在记录中填写其地址和哈希",
    ),
)
_CHUNK_RECORDS: Final = 2_000


class JsonLinesSource:
    """Reads ``source`` once, in bounded memory.

    ``fields``: the names a record may have, beside ``_operation``. Without them any are taken.
    """

    def __init__(self, source: Path | BinaryIO, *, fields: Sequence[str] | None = None) -> None:
        self._file = open_input(source)
        self._fields = list(fields) if fields is not None else None
        self._known = None if fields is None else {*fields, OPERATION}
        self._rejected: list[BadLine] = []

    def take_rejected(self) -> list[BadLine]:
        """Lines skipped since the last call."""
        taken, self._rejected = self._rejected, []
        return taken

    def batches(self, records_max: int) -> Generator[tuple[Lines, Columns], None, None]:
        """Batches of 1 to ``records_max`` records, in the file's order."""
        with self._file:
            buffer = RowBuffer(self._fields or (), records_max)
            lines: list[int] = []
            records: list[dict[str, Any]] = []
            size_bytes = 0
            for line, raw in self._lines():
                record = self._record(line, raw)
                if record is None:
                    continue
                lines.append(line)
                records.append(record)
                size_bytes += len(raw)
                if len(records) >= min(_CHUNK_RECORDS, records_max):
                    self._flush(buffer, lines, records, size_bytes)
                    lines, records, size_bytes = [], [], 0
                    yield from buffer.full()
            self._flush(buffer, lines, records, size_bytes)
            yield from buffer.full()
            yield from buffer.rest()

    def _flush(
        self, buffer: RowBuffer, lines: list[int], records: list[dict[str, Any]], size_bytes: int
    ) -> None:
        if not records:
            return
        names = dict.fromkeys(self._fields or ())
        for record in records:
            if len(record) != len(names) or record.keys() - names.keys():
                names |= dict.fromkeys(record)
        columns = {name: [record.get(name) for record in records] for name in names}
        buffer.add(lines, columns, len(records), size_bytes)

    def _lines(self) -> Iterator[tuple[int, bytes]]:
        """Numbered lines that are not blank; one that is too long is skipped unread."""
        line = 0
        while raw := self._file.readline(LINE_BYTES_MAX):
            line += 1
            if line == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            if len(raw) == LINE_BYTES_MAX and not raw.endswith(b"\n"):
                self._rejected.append(BadLine(line, *_TOO_LONG))
                while (raw := self._file.readline(LINE_BYTES_MAX)) and not raw.endswith(b"\n"):
                    pass
            elif not raw.isspace():
                yield line, raw

    def _record(self, line: int, raw: bytes) -> dict[str, Any] | None:
        try:
            record = orjson.loads(raw)
        except orjson.JSONDecodeError:
            self._rejected.append(BadLine(line, *_NOT_JSON))
            return None
        if not isinstance(record, dict):
            self._rejected.append(BadLine(line, *_NOT_OBJECT))
            return None
        if raw.count(b":") > len(record) and _repeats_a_name(raw):
            self._rejected.append(BadLine(line, *_NAME_TWICE))
            return None
        if self._known is not None and not record.keys() <= self._known:
            self._rejected.append(self._unknown(line, record))
            return None
        return record

    def _unknown(self, line: int, record: dict[str, Any]) -> BadLine:
        known = ", ".join(self._fields or ())
        return BadLine(
            line,
            (
                f"a name that is not in the contract, which has: {known}",
                f"含合约之外的名称；合约字段为：{known}",
            ),
            ("rename or remove it, or revise the contract", "请改名或删除，或修订合约"),
        )


def _repeats_a_name(raw: bytes) -> bool:
    """Whether an object of this JSON text has a name twice; orjson keeps the last in silence."""
    repeats = False

    def look(pairs: list[tuple[str, Any]]) -> None:
        nonlocal repeats
        repeats = repeats or len(dict(pairs)) < len(pairs)

    with contextlib.suppress(RecursionError):  # no contract has a type for what is nested so deep
        json.loads(raw, object_pairs_hook=look)
    return repeats
