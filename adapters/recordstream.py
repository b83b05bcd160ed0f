"""Bytes of a text file, cut into runs of whole records, with exact line numbers.

Knows gzip (by its magic number), a UTF-8 byte order mark, and GB18030, which Chinese spreadsheets
write: the first bytes beyond ASCII decide between UTF-8 and GB18030. Cutting works on raw bytes,
since neither encoding uses the bytes of a newline or a quotation mark inside a character. Memory is
bounded by `RUN_BYTES_MAX`, whatever the input.
"""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, cast

from adapters.errors import SourceUnreadable

READ_BYTES: Final = 256 << 10
"""A few thousand records, whose values weigh ten times as much as their text."""
RUN_BYTES_MAX: Final = 32 << 20
"""A record that goes on longer than this is a quotation mark that nobody closed."""

_BOM: Final = b"\xef\xbb\xbf"
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class Run:
    """Whole records as UTF-8; ``line`` is the 1-based line on which the first begins."""

    line: int
    data: bytes


def unreadable(line: int, en: str, zh: str, remedy: tuple[str, str], failure: str) -> Exception:
    """A `SourceUnreadable` that begins with its line."""
    return SourceUnreadable(
        f"line {line}: {en}", f"第 {line} 行：{zh}", remedy=remedy, failure=failure
    )


def open_input(source: Path | BinaryIO) -> BinaryIO:
    """``source`` opened and unzipped if need be; `SourceUnreadable` if it cannot be opened."""
    if not isinstance(source, Path):
        return source
    try:
        with source.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
        return cast(BinaryIO, gzip.open(source, "rb")) if zipped else source.open("rb")
    except OSError as error:
        raise SourceUnreadable(
            f"{source}: {error.strerror}",
            f"{source}：无法读取（{error.strerror}）",
            remedy=("check the path and its permissions", "请检查路径和权限"),
            failure="not-readable",
        ) from None


class RecordStream:
    """Iterates over `Run` s; ``quoted`` says whether quotation marks may hide newlines."""

    def __init__(self, file: BinaryIO, *, quoted: bool) -> None:
        self._file = file
        self._quoted = quoted
        self._encoding: str | None = None
        self._line = 1

    def runs(self) -> Iterator[Run]:
        """Every run until the end; raises `SourceUnreadable` naming the line."""
        kept = b""
        at_start = True
        while block := self._read():
            if at_start:
                block = self._without_mark(block)
                at_start = False
            kept += block
            end = self._records_end(kept)
            if end:
                yield self._run(kept[:end])
                kept = kept[end:]
            elif len(kept) > RUN_BYTES_MAX:
                raise self._unclosed(kept)
        if kept:
            if self._quoted and kept.count(b'"') % 2:
                raise self._unclosed(kept)
            yield self._run(kept)

    def _read(self) -> bytes:
        try:
            return self._file.read(READ_BYTES)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise unreadable(
                self._line,
                "the gzip file ends early or is damaged behind this line",
                "gzip 文件在此行之后不完整或已损坏",
                ("transfer it again", "请重新传输该文件"),
                "torn-gzip",
            ) from None

    @staticmethod
    def _without_mark(block: bytes) -> bytes:
        if block.startswith(_UTF16):
            raise unreadable(
                1,
                "the file is UTF-16",
                "文件为 UTF-16 编码",
                ("save it as 'CSV UTF-8'", "请另存为“CSV UTF-8”"),
                "encoding",
            )
        return block.removeprefix(_BOM)

    def _records_end(self, kept: bytes) -> int:
        """Just behind the last newline that ends a record; 0 if there is none yet."""
        end = kept.rfind(b"\n") + 1
        if not self._quoted or end == 0:
            return end
        odd = kept.count(b'"', 0, end) % 2
        while odd and end:
            mark = kept.rfind(b'"', 0, end)  # newlines behind it are inside a value
            end = kept.rfind(b"\n", 0, mark) + 1
            odd ^= 1 ^ kept.count(b'"', end, mark) % 2
        return end

    def _run(self, raw: bytes) -> Run:
        line = self._line
        zero = raw.find(b"\0")
        if zero >= 0:
            raise unreadable(
                line + raw.count(b"\n", 0, zero),
                "a zero byte: this is no text file",
                "含有零字节，不是文本文件",
                (
                    "export it as text (CSV or JSON Lines, UTF-8)",
                    "请导出为 UTF-8 文本（CSV 或 JSON Lines）",
                ),
                "zero-byte",
            )
        self._line += raw.count(b"\n")
        return Run(line=line, data=raw if raw.isascii() else self._utf8(raw, line))

    def _utf8(self, raw: bytes, line: int) -> bytes:
        guessed = self._encoding is None
        encoding = self._encoding or _guess(raw)
        self._encoding = encoding
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError as error:
            wrong = "UTF-8 / GB18030" if guessed else encoding.upper()
            raise unreadable(
                line + raw.count(b"\n", 0, error.start),
                f"bytes that are no {wrong}",
                f"存在不符合 {wrong} 编码的字节",
                (
                    "export the whole file in one encoding, best UTF-8",
                    "请统一用一种编码（建议 UTF-8）导出",
                ),
                "encoding",
            ) from None
        return raw if encoding == "utf-8" else text.encode()

    def _unclosed(self, kept: bytes) -> Exception:
        opened = kept.find(b'"')
        if opened < 0:
            return unreadable(
                self._line,
                f"a record of more than {RUN_BYTES_MAX >> 20} MiB",
                f"一条记录超过 {RUN_BYTES_MAX >> 20} MiB",
                (
                    "end each record with a line break; keep large content in files of its own",
                    "每条记录须以换行结束；大内容请另存为文件",
                ),
                "record-large",
            )
        return unreadable(
            self._line + kept.count(b"\n", 0, opened),
            "a quotation mark opened on this line or below is never closed"
            f" (a record has at most {RUN_BYTES_MAX >> 20} MiB)",
            f"此行或其后的引号没有闭合（一条记录最多 {RUN_BYTES_MAX >> 20} MiB）",
            ("double quotation marks inside values", '值中的引号须成对书写（""）'),
            "unclosed-quote",
        )


def _guess(raw: bytes) -> str:
    """UTF-8 if the first bytes beyond ASCII are, else GB18030."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8"
