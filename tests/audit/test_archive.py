"""Archives: what is written is read back, and every bad file is named by its class and place."""

import io
import struct
from collections.abc import Callable

import pytest
import zstandard

from exchange.audit.archive import (
    BLOCK_ENTRIES,
    CONTENT_BYTES_MAX,
    FRAME_BYTES_MAX,
    MAGIC,
    ArchiveReader,
    ArchiveWriter,
    Header,
)
from exchange.errors import CheckFailed
from exchange.ledger.entry import leaf_hash
from exchange.ledger.merkle import Tree
from keys import cbor

HEADER = Header("exchange.test/2026", bytes(range(32)), 1_767_225_600_000)
ENTRIES = [number.to_bytes(4, "big") * (1 + number % 50) for number in range(2_500)]


def archive(entries: list[bytes], notes: tuple[bytes, ...] = ()) -> bytes:
    file = io.BytesIO()
    writer = ArchiveWriter(file, HEADER)
    for entry in entries:
        writer.add(entry)
    writer.close(notes)
    return file.getvalue()


def read(data: bytes) -> list[bytes]:
    reader = ArchiveReader(io.BytesIO(data))
    return [entry for block in reader.blocks() for entry in block]


def refusal(data: bytes) -> tuple[str, str]:
    with pytest.raises(CheckFailed) as caught:
        read(data)
    return caught.value.failure, caught.value.text.en


@pytest.mark.parametrize("count", [0, 1, BLOCK_ENTRIES, BLOCK_ENTRIES + 1, 2_500])
def test_what_was_written_is_read_back(count: int) -> None:
    reader = ArchiveReader(io.BytesIO(archive(ENTRIES[:count], (b"note",))))
    blocks = list(reader.blocks())
    assert [entry for block in blocks for entry in block] == ENTRIES[:count]
    assert all(len(block) <= BLOCK_ENTRIES for block in blocks)
    tree = Tree()
    for entry in ENTRIES[:count]:
        tree.append(leaf_hash(entry))
    assert reader.header == HEADER
    assert reader.end is not None
    assert (reader.end.size, reader.end.root) == (count, tree.root())
    assert reader.end.checkpoints == (b"note",)


def test_a_block_of_long_entries_stays_within_its_bound() -> None:
    entries = [bytes([number]) * 65_535 for number in range(200)]
    reader = ArchiveReader(io.BytesIO(archive(entries)))
    assert all(sum(map(len, block)) <= CONTENT_BYTES_MAX for block in reader.blocks())
    assert reader.size == 200


def test_every_truncation_is_noticed_and_placed() -> None:
    data = archive(ENTRIES[:1_100])
    for end in {*range(0, len(data) - 1, 997), len(data) - 1}:
        failure, told = refusal(data[:end])
        if end < len(MAGIC):
            assert failure == "archive-magic"
        else:
            assert failure == "archive-truncated"
            assert "from entry 0 on" in told or "from entry 1024 on" in told or "1100" in told


def spoiled(data: bytes, at: int) -> str | None:
    """The failure of the archive with one bit flipped; None if only what it claims has changed."""
    changed = bytearray(data)
    changed[at] ^= 1 << (at % 8)
    try:
        reader = ArchiveReader(io.BytesIO(bytes(changed)))
        entries = [entry for block in reader.blocks() for entry in block]
    except CheckFailed as error:
        return error.failure
    assert entries == read(data)
    return None if reader.header != HEADER else "nothing"


def test_every_flipped_bit_is_noticed_and_placed() -> None:
    """In the header's claims too: those are compared with what the reader knows."""
    data = archive(ENTRIES[:1_100])
    found = {at: spoiled(data, at) for at in range(0, len(data), 211)}
    assert all(failure is None or failure.startswith("archive-") for failure in found.values())
    assert sum(failure is None for failure in found.values()) <= 1


def block(entries: list[bytes], hashes: list[bytes] | None = None) -> bytes:
    """The content of a block, with leaf hashes that may be others."""
    stated = hashes or [leaf_hash(entry)[:8] for entry in entries]
    parts = [struct.pack(">H", len(entries)), *stated]
    parts += [struct.pack(">H", len(entry)) + entry for entry in entries]
    return b"".join(parts)


def framed(content: bytes, *, sized: bool = True) -> bytes:
    compressor = zstandard.ZstdCompressor(level=1, write_content_size=sized, write_checksum=True)
    return compressor.compress(content)


def put(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def assembled(*frames: bytes, end: bytes | None = None, rest: bytes = b"") -> bytes:
    header = cbor.encode({0: 1, 1: HEADER.origin, 2: HEADER.pin, 3: HEADER.written_ms})
    tail = archive([])[len(MAGIC) + 4 + len(header) + 4 :] if end is None else put(end)
    return MAGIC + put(header) + b"".join(map(put, frames)) + bytes(4) + tail + rest


def end_of(entries: list[bytes], **changed: object) -> bytes:
    tree = Tree()
    for entry in entries:
        tree.append(leaf_hash(entry))
    stated = {0: changed.get("size", tree.size), 1: changed.get("root", tree.root()), 2: []}
    return cbor.encode(stated)


def test_a_hand_made_archive_is_one() -> None:
    assert read(assembled(framed(block([b"a", b"b"])), end=end_of([b"a", b"b"]))) == [b"a", b"b"]
    assert read(assembled()) == []


def swapped() -> bytes:
    content = block([b"a", b"c", b"b"], [leaf_hash(entry)[:8] for entry in (b"a", b"b", b"c")])
    return assembled(framed(content), end=end_of([b"a", b"b", b"c"]))


BAD: dict[str, tuple[Callable[[], bytes], str, str]] = {
    "another file": (lambda: b"PK\x03\x04" + bytes(100), "archive-magic", "begin"),
    "empty file": (lambda: b"", "archive-magic", "begin"),
    "header of another version": (
        lambda: MAGIC + put(cbor.encode({0: 2, 1: "x", 2: bytes(32), 3: 0})),
        "archive-header",
        "header",
    ),
    "header that is no CBOR": (lambda: MAGIC + put(b"\xff"), "archive-header", "header"),
    "header that never ends": (
        lambda: MAGIC + struct.pack(">I", 1 << 30),
        "archive-header",
        "too long",
    ),
    "two entries swapped": (swapped, "archive-entry", "from entry 1 on"),
    "a block that claims 5 GB": (
        lambda: assembled()[:-8] + struct.pack(">I", FRAME_BYTES_MAX + 1),
        "archive-",
        "",
    ),
    "a bomb": (lambda: assembled(framed(bytes(64 << 20))), "archive-block", "too large"),
    "a frame of unknown size": (
        lambda: assembled(framed(block([b"a"]), sized=False)),
        "archive-block",
        "from entry 0 on",
    ),
    "two frames in one block": (
        lambda: assembled(framed(block([b"a"])) + framed(block([b"b"]))),
        "archive-block",
        "from entry 0 on",
    ),
    "no zstd at all": (lambda: assembled(b"junk"), "archive-block", "damaged"),
    "an empty block": (lambda: assembled(framed(block([]))), "archive-block", "malformed"),
    "more in a block than it counts": (
        lambda: assembled(framed(block([b"a"]) + b"x")),
        "archive-block",
        "malformed",
    ),
    "fewer in a block than it counts": (
        lambda: assembled(framed(struct.pack(">H", 9) + bytes(72))),
        "archive-block",
        "malformed",
    ),
    "another root": (
        lambda: assembled(framed(block([b"a"])), end=end_of([b"a"], root=bytes(32))),
        "archive-end",
        "root",
    ),
    "another size": (
        lambda: assembled(framed(block([b"a"])), end=end_of([b"a"], size=2)),
        "archive-end",
        "size",
    ),
    "bytes after the end": (lambda: assembled(rest=b"x"), "archive-end", "goes on"),
    "an end that is none": (lambda: assembled(end=cbor.encode({0: 0})), "archive-end", "malformed"),
    "notes that are no bytes": (
        lambda: assembled(end=cbor.encode({0: 0, 1: Tree().root(), 2: ["x"]})),
        "archive-end",
        "malformed",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_archive_is_refused_by_its_class(name: str) -> None:
    make, failure, told = BAD[name]
    found, text = refusal(make())
    assert found.startswith(failure)
    assert told in text
