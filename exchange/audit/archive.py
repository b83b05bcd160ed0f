"""A ledger in one file, verifiable with no network; SPEC.md section 1.

`ArchiveWriter` writes entries as they come; `ArchiveReader` gives them back block by block and
holds one block at a time, whatever the file says of itself.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

import zstandard

from exchange.errors import CheckFailed
from exchange.ledger.entry import leaf_hash
from exchange.ledger.merkle import HASH_BYTES, Tree
from keys import cbor
from keys.errors import KeysError

MAGIC: Final = b"exchange-ledger-archive/1\n"
VERSION: Final = 1
BLOCK_ENTRIES: Final = 1_024
CONTENT_BYTES_MAX: Final = 4 << 20
FRAME_BYTES_MAX: Final = 5 << 20
HEADER_BYTES_MAX: Final = 64 << 10
END_BYTES_MAX: Final = 4 << 20
PREFIX_BYTES: Final = 8
_LEVEL: Final = 6
_WINDOW_BYTES_MAX: Final = 1 << 23
_LENGTH: Final = struct.Struct(">I")
_SHORT: Final = struct.Struct(">H")


@dataclass(frozen=True, slots=True)
class Header:
    """What an archive says it holds; ``pin`` is a claim."""

    origin: str
    pin: bytes
    written_ms: int


@dataclass(frozen=True, slots=True)
class End:
    """What an archive says it held; ``checkpoints`` are signed notes, oldest first."""

    size: int
    root: bytes
    checkpoints: tuple[bytes, ...]


class ArchiveWriter:
    """Writes one archive; `close` completes it, and without it the file counts as truncated."""

    def __init__(self, file: BinaryIO, header: Header) -> None:
        self._file = file
        self._tree = Tree()
        self._hashes: list[bytes] = []
        self._entries: list[bytes] = []
        self._bytes = _SHORT.size
        file.write(MAGIC)
        self._put(cbor.encode({0: VERSION, 1: header.origin, 2: header.pin, 3: header.written_ms}))

    def add(self, entry: bytes) -> None:
        """Write the next entry."""
        weight = PREFIX_BYTES + _SHORT.size + len(entry)
        if len(self._entries) == BLOCK_ENTRIES or self._bytes + weight > CONTENT_BYTES_MAX:
            self._flush()
        hashed = leaf_hash(entry)
        self._tree.append(hashed)
        self._hashes.append(hashed[:PREFIX_BYTES])
        self._entries.append(entry)
        self._bytes += weight

    def close(self, checkpoints: Sequence[bytes] = ()) -> End:
        """Write the end; the file stays open."""
        self._flush()
        end = End(self._tree.size, self._tree.root(), tuple(checkpoints))
        self._file.write(_LENGTH.pack(0))
        self._put(cbor.encode({0: end.size, 1: end.root, 2: end.checkpoints}))
        return end

    def _flush(self) -> None:
        if not self._entries:
            return
        parts = [_SHORT.pack(len(self._entries)), *self._hashes]
        for entry in self._entries:
            parts += (_SHORT.pack(len(entry)), entry)
        compressor = zstandard.ZstdCompressor(
            level=_LEVEL, write_content_size=True, write_checksum=True, write_dict_id=False
        )
        self._put(compressor.compress(b"".join(parts)))
        self._hashes, self._entries, self._bytes = [], [], _SHORT.size

    def _put(self, data: bytes) -> None:
        self._file.write(_LENGTH.pack(len(data)))
        self._file.write(data)


class ArchiveReader:
    """Reads one archive once: `blocks` to the end, then ``end`` is known and was checked.

    Everything raises `CheckFailed` with a failure of SPEC.md section 1.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._tree = Tree()
        self.end: End | None = None
        if file.read(len(MAGIC)) != MAGIC:
            raise _failed("magic", "it does not begin as an archive does", "文件开头不符")
        self.header = _header(self._take(HEADER_BYTES_MAX))

    @property
    def size(self) -> int:
        """Entries read so far."""
        return self._tree.size

    def blocks(self) -> Iterator[list[bytes]]:
        """The entries, a block at a time."""
        while (length := self._length()) != 0:
            if length > FRAME_BYTES_MAX:
                raise self._broken("block", "has a block that is too long", "区块过长")
            yield self._unpacked(self._exactly(length))
        self._finish(_end(self._take(END_BYTES_MAX), self.size))

    def _unpacked(self, frame: bytes) -> list[bytes]:
        try:
            declared = zstandard.frame_content_size(frame)
            if not 0 < declared <= CONTENT_BYTES_MAX:
                raise self._broken(
                    "block", "has a block of unstated or too large a size", "区块的解压大小不合规"
                )
            content = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES_MAX).decompress(
                frame, max_output_size=declared, read_across_frames=False, allow_extra_data=False
            )
        except zstandard.ZstdError:
            raise self._broken("block", "is damaged", "区块已损坏") from None
        return self._entries(content)

    def _entries(self, content: bytes) -> list[bytes]:
        found: list[bytes] = []
        try:
            (count,) = _SHORT.unpack_from(content)
            at = _SHORT.size + count * PREFIX_BYTES
            for number in range(count):
                (length,) = _SHORT.unpack_from(content, at)
                entry = content[at + _SHORT.size : at + _SHORT.size + length]
                at += _SHORT.size + length
                stated = content[_SHORT.size + number * PREFIX_BYTES :][:PREFIX_BYTES]
                self._note(entry, stated)
                found.append(entry)
        except struct.error:
            count = at = -1
        if at != len(content) or not 1 <= count <= BLOCK_ENTRIES:
            raise self._broken("block", "has a malformed block", "区块格式有误")
        return found

    def _note(self, entry: bytes, stated: bytes) -> None:
        hashed = leaf_hash(entry)
        if hashed[:PREFIX_BYTES] != stated:
            raise self._broken(
                "entry", "has other entries than were archived there", "条目与存档时不符"
            )
        self._tree.append(hashed)

    def _finish(self, end: End) -> None:
        if self._file.read(1):
            raise self._broken("end", "goes on after its end", "文件尾之后另有内容")
        if end.size != self.size or end.root != self._tree.root():
            raise self._broken(
                "end", "ends and states another size or root", "文件结束，但所称条数或根不符"
            )
        self.end = end

    def _length(self) -> int:
        return int.from_bytes(self._exactly(_LENGTH.size), "big")

    def _take(self, bytes_max: int) -> bytes:
        length = self._length()
        if length > bytes_max:
            raise self._broken(
                "end" if self.size else "header", "has too long a part", "有过长的部分"
            )
        return self._exactly(length)

    def _exactly(self, count: int) -> bytes:
        data = self._file.read(count)
        if len(data) != count:
            raise self._broken("truncated", "is missing: the file is cut", "缺失：文件被截断")
        return data

    def _broken(self, failure: str, en: str, zh: str) -> CheckFailed:
        at = self.size
        return _failed(failure, f"from entry {at} on it {en}", f"自第 {at} 条起{zh}")


def _header(data: bytes) -> Header:
    match _decoded(data, HEADER_BYTES_MAX):
        case {0: 1, 1: str(origin), 2: bytes(pin), 3: int(written), **rest} if (
            not rest and len(pin) == HASH_BYTES
        ):
            return Header(origin, pin, written)
    raise _failed(
        "header", "its header is malformed, or of another version", "文件头有误或版本不符"
    )


def _end(data: bytes, size: int) -> End:
    match _decoded(data, END_BYTES_MAX):
        case {0: int(stated), 1: bytes(root), 2: list(notes), **rest} if not rest and all(
            isinstance(note, bytes) for note in notes
        ):
            return End(stated, root, tuple(notes))
    raise _failed("end", f"its end, after entry {size - 1}, is malformed", "文件尾有误")


def _decoded(data: bytes, bytes_max: int) -> object:
    try:
        return cbor.decode(data, bytes_max=bytes_max)
    except KeysError:
        return None


def _failed(failure: str, en: str, zh: str) -> CheckFailed:
    return CheckFailed(
        f"this archive of a ledger cannot be relied on: {en}",
        f"该账本存档不可信：{zh}",
        remedy=(
            "get another copy, or export the ledger again: exchange audit export FILE",
            "请另取副本，或重新导出：exchange audit export 文件",
        ),
        failure=f"archive-{failure}",
    )
