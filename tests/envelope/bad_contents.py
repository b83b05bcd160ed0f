"""Bundles that verify and are refused when opened: what a faulty provider could seal."""

import struct
from collections.abc import Iterator
from typing import Any

import orjson
import zstandard

from exchange.envelope.frame import LEVEL
from exchange.envelope.open import Expected
from tests.envelope import forging
from tests.envelope.bad_cases import HONEST, KEYS, LIVE, Bad
from tests.envelope.forging import (
    EXAMS,
    MIXED,
    ORIGIN,
    PROVIDER,
    VERSION,
    bundle,
    epoch,
    fields,
    frame,
    keys_of,
    parts,
    resealed,
    sealed,
)

PLAIN = orjson.dumps([None, None, ["330102001051", "330102001052"], ["清波门社区", "劳动路社区"]])
_COMPRESSOR = zstandard.ZstdCompressor(level=LEVEL)
PACKED = _COMPRESSOR.compress(PLAIN)
CODES, NAMES = ["1", "2"], ["a", "b"]


def sealed_frame(content: bytes, plain_bytes: int = len(PLAIN)) -> bytes:
    """The honest bundle with another frame."""
    return resealed(HONEST, LIVE, {1: (content, plain_bytes)})


def sealed_plain(plain: bytes, **changes: Any) -> bytes:
    """The honest bundle with another plaintext, compressed and padded as it must be."""
    return resealed(HONEST, LIVE, {1: (frame(_COMPRESSOR.compress(plain)), len(plain))}, **changes)


def sealed_json(*value: Any, **changes: Any) -> bytes:
    """The honest bundle with another section value."""
    return sealed_plain(orjson.dumps(value), **changes)


def wrong_keys() -> Iterator[Bad]:
    """Steps 12 to 15, and the hub's check of what it unwrapped."""
    raw = HONEST.raw
    yield Bad("revised-contract", "contract", raw, contract=MIXED)
    header, (ciphertext,) = fields(HONEST.header), parts(raw)[1]
    [[_, *section]] = header[16]
    yield Bad("level-moved", "levels", bundle(header | {16: [[2, *section]]}, [ciphertext]))
    yield Bad("no-key", "keys", raw, keys={})
    yield Bad("key-of-a-level-it-lacks", "keys", raw, keys={**KEYS, 2: bytes(32)})
    yield Bad("another-key", "commitment", raw, keys={1: bytes(32)})
    yield Bad("wrapped-junk", "commitment", raw, epoch_secret=bytes(32))
    other = keys_of(epoch(forging.VILLAGES, name="two"), forging.VILLAGES)
    yield Bad("key-of-another-epoch", "commitment", raw, keys=other)
    yield Bad("other-salt", "commitment", bundle(header | {15: bytes(32)}, [ciphertext]))
    content = frame(PACKED)
    elsewhere = resealed(HONEST, LIVE, {1: (content, len(PLAIN))}, sequence=1)
    yield Bad("sealed-for-another-sequence", "aead", elsewhere)


def wrong_frames() -> Iterator[Bad]:
    """Steps 16 and 17."""
    yield Bad("length-past-the-end", "frame-length", sealed_frame(frame(PACKED, claim=5000)))
    yield Bad("length-4-gibibytes", "frame-length", sealed_frame(frame(PACKED, claim=0xFFFFFFFF)))
    larger = frame(PACKED) + bytes(256)
    yield Bad("padded-more-than-needed", "frame-length", sealed_frame(larger))
    yield Bad("padding-not-zeros", "frame-padding", sealed_frame(frame(PACKED, fill=b"\x20")))
    spoiled = frame(PACKED)[:-1] + b"\x01"
    yield Bad("last-padding-byte", "frame-padding", sealed_frame(spoiled))


def declaring(size: int) -> bytes:
    """A tiny zstd frame (RFC 8878) that declares ``size`` bytes and holds one run-length block."""
    block = (1 << 0 | 1 << 1 | (min(size, 1 << 17) << 3)).to_bytes(3, "little") + b"x"
    return b"\x28\xb5\x2f\xfd\xe0" + struct.pack("<Q", size) + block


def wrong_compression() -> Iterator[Bad]:
    """Steps 18 and 19."""
    streaming = zstandard.ZstdCompressor(level=LEVEL, write_content_size=False).compress(PLAIN)
    yield Bad("size-unknown", "zstd-unknown", sealed_frame(frame(streaming)))
    yield Bad("declares-a-gigabyte", "plain-size", sealed_frame(frame(declaring(1 << 30))))
    yield Bad("declares-one-byte-more", "plain-size", sealed_frame(frame(PACKED), len(PLAIN) + 1))
    yield Bad("declares-16-mebibytes", "zstd", sealed_frame(frame(declaring(16 << 20)), 16 << 20))
    yield Bad("second-frame", "zstd", sealed_frame(frame(PACKED + PACKED)))
    skippable = b"\x50\x2a\x4d\x18" + struct.pack("<I", 8) + b"whatever"
    yield Bad("skippable-frame-first", "plain-size", sealed_frame(frame(skippable + PACKED)))
    yield Bad("bytes-after-the-frame", "zstd", sealed_frame(frame(PACKED + b"\x00")))
    yield Bad("frame-cut", "zstd", sealed_frame(frame(PACKED[:-1])))
    yield Bad("not-compressed", "zstd", sealed_frame(frame(PLAIN)))
    yield Bad("nothing", "zstd", sealed_frame(frame(b"")))


def wrong_structure() -> Iterator[Bad]:
    """Steps 20 to 23."""
    yield Bad("shorter-column", "structure", sealed_json(None, None, CODES, ["a"]))
    yield Bad("unequal-columns", "columns", sealed_json(None, None, ["1"], ["a", "b", "c"]))
    yield Bad("column-missing", "structure", sealed_json(None, None, CODES))
    yield Bad("column-too-many", "structure", sealed_json(None, None, CODES, NAMES, NAMES, NAMES))
    yield Bad("column-for-operations", "columns", sealed_json(None, CODES, NAMES, None))
    yield Bad("more-records", "structure", sealed_json(None, None, [*CODES, "3"], [*NAMES, "c"]))
    yield Bad("object", "structure", sealed_json(None, None, CODES, {"a": "b", "c": "d"}))
    yield Bad("object-as-value", "structure", sealed_json(None, None, CODES, ["a", {}]))
    yield Bad("list-as-value", "structure", sealed_json(None, None, CODES, ["a", []]))
    yield Bad("columns-merged", "columns", sealed_plain(b'[null,["1","2"],["a","b","c"]]'))
    yield Bad("nested-deep", "structure", sealed_plain(b"[" * 100_000))
    yield Bad("million-of-values", "structure", sealed_plain(b"[" + b"1," * 1_000_000 + b"1]"))
    yield Bad("not-json", "json", sealed_plain(b'[null,null,["1","2"],["a","b"}'))
    yield Bad("two-values", "json", sealed_plain(PLAIN + b"1"))
    yield Bad("not-utf8", "json", sealed_plain(b'[null,null,["1","2"],["a","\xff"]]'))
    yield Bad("quote-outside", "json", sealed_plain(b'[null,null,["1","2"],["a",\\"b"]]'))
    yield Bad("fraction", "values", sealed_json(None, None, CODES, ["a", 1.5]))
    huge = b'[null,null,["1","2"],["a",18446744073709551616]]'
    yield Bad("integer-of-65-bits", "values", sealed_plain(huge))


def wrong_stamps() -> Iterator[Bad]:
    """Steps 24 and 25."""
    two, gap = [VERSION, VERSION + 1], [VERSION, VERSION + 9]
    for name, versions, declared in (
        ("versions-listed-needlessly", two, two),
        ("versions-not-listed", None, gap),
        ("versions-descend", [VERSION + 9, VERSION], gap),
        ("versions-stand-still", [VERSION, VERSION], gap),
        ("versions-start-elsewhere", [VERSION + 1, VERSION + 9], gap),
        ("versions-are-text", ["1", "2"], gap),
        ("versions-are-a-number", 7, gap),
    ):
        raw = sealed_json(versions, None, CODES, NAMES, versions=declared)
        yield Bad(name, "versions", raw)
    for name, operations in (
        ("operations-listed-needlessly", [0, 0]),
        ("operation-unknown", [0, 2]),
        ("operation-is-true", [0, True]),
        ("operations-are-a-number", 1),
    ):
        yield Bad(name, "operations", sealed_json(None, operations, CODES, NAMES))
    yield from _disagreeing()


def _disagreeing() -> Iterator[Bad]:
    live = epoch(EXAMS)
    honest = sealed(EXAMS, forging.THREE_RESULTS, live)
    plain = orjson.dumps([None, [0, 0, 1], [512, 498, None]])
    content = frame(_COMPRESSOR.compress(plain))
    yield Bad(
        "sections-disagree",
        "sections-disagree",
        resealed(honest, live, {2: (content, len(plain))}),
        contract=EXAMS,
        keys=keys_of(live, EXAMS),
        expected=Expected(ORIGIN, "exams", PROVIDER, live.context.stream, ""),
    )
