"""The tiled layout of the log as c2sp.org/tlog-tiles says: names and bytes; LOG-SPEC.md section 4.

Pure. A tile is 256 hashes of one level, an entry bundle the entries under one tile of level 0; the
last of each level is partial and has the width of what it holds so far.

>>> Tile(0, 1234067, 256).path, Tile(ENTRIES, 0, 5).path
('tile/0/x001/x234/067', 'tile/entries/000.p/5')
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from exchange.ledger.merkle import HASH_BYTES, node_hash
from exchange.ledger.note import malformed
from exchange.limits import LEAF_BYTES_MAX

CHECKPOINT: Final = "checkpoint"
HEIGHT: Final = 8
WIDTH: Final = 1 << HEIGHT
ENTRIES: Final = -1
"""The "level" of entry bundles."""
BUNDLE_BYTES_MAX: Final = WIDTH * (2 + LEAF_BYTES_MAX)
_LENGTH: Final = struct.Struct(">H")
_LEVEL_MAX: Final = 63


@dataclass(frozen=True, slots=True, order=True)
class Tile:
    """Tile ``index`` of ``level`` (`ENTRIES` for a bundle) holding ``width`` hashes or entries."""

    level: int
    index: int
    width: int = WIDTH

    @property
    def partial(self) -> bool:
        """Whether it has room left."""
        return self.width < WIDTH

    @property
    def full(self) -> "Tile":
        """The same when it will be full."""
        return Tile(self.level, self.index)

    @property
    def first(self) -> int:
        """The index, within its level, of the first hash it holds."""
        return self.index * WIDTH

    @property
    def path(self) -> str:
        """Below the log's prefix."""
        digits = f"{self.index:03}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        parts = [digits[at : at + 3] for at in range(0, len(digits), 3)]
        named = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
        level = "entries" if self.level == ENTRIES else self.level
        return f"tile/{level}/{named}" + (f".p/{self.width}" if self.partial else "")


def parse_path(path: str) -> Tile:
    """The tile that ``path`` names; `NoteRefused` with ``path`` unless it is that tile's path."""
    _, _, rest = path.partition("tile/")
    level, _, named = rest.partition("/")
    named, _, width = named.partition(".p/")
    digits = named.replace("/", "").replace("x", "")
    numbers = ("0" if level == "entries" else level, digits, width or str(WIDTH))
    if all(one.isascii() and one.isdigit() and len(one) <= 18 for one in numbers):
        number, index, wide = map(int, numbers)
        tile = Tile(ENTRIES if level == "entries" else number, index, wide)
        if tile.path == path and 0 < wide <= WIDTH and number <= _LEVEL_MAX:
            return tile
    raise malformed("path")


def tiles_between(old: int, new: int) -> Iterator[Tile]:
    """Every tile and bundle that a tree of ``new`` leaves has and one of ``old`` leaves has not.

    Bundles first, then levels upwards: what is hashed is written before its hash.
    """
    for level in (ENTRIES, *range(_LEVEL_MAX + 1)):
        shift = HEIGHT * max(level, 0)
        had, has = old >> shift, new >> shift
        if has == had:
            if has == 0:
                return
            continue
        for index in range(had // WIDTH, has // WIDTH):
            yield Tile(level, index)
        if has % WIDTH:
            yield Tile(level, has // WIDTH, has % WIDTH)


def partial_tiles(size: int) -> frozenset[Tile]:
    """The partial tiles and bundles of a tree of ``size`` leaves."""
    widths = {ENTRIES: size} | {level: size >> HEIGHT * level for level in range(_LEVEL_MAX + 1)}
    return frozenset(
        Tile(level, count // WIDTH, count % WIDTH)
        for level, count in widths.items()
        if count % WIDTH
    )


def tile_holding(level: int, index: int, size: int) -> tuple[Tile, int, int]:
    """Where to find the hash of complete subtree ``index`` of 2^level leaves in a tree of ``size``.

    The tile, and which of its hashes (first, end) make up the subtree.
    """
    row, inside = divmod(level, HEIGHT)
    first = index << inside
    count = size >> HEIGHT * row
    tile = Tile(row, first // WIDTH, min(WIDTH, count - first // WIDTH * WIDTH))
    start = first - tile.first
    return tile, start, start + (1 << inside)


def fold_hashes(row: bytes) -> bytes:
    """The hash over a power of two of hashes."""
    hashes = [row[at : at + HASH_BYTES] for at in range(0, len(row), HASH_BYTES)]
    while len(hashes) > 1:
        hashes = [node_hash(*hashes[at : at + 2]) for at in range(0, len(hashes), 2)]
    return hashes[0]


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries of at most 65,535 bytes, each behind its length."""
    return b"".join(_LENGTH.pack(len(entry)) + entry for entry in entries)


def decode_bundle(raw: bytes, width: int) -> list[bytes]:
    """The ``width`` entries of a bundle; `NoteRefused` with ``bundle`` for anything else."""
    entries, at = [], 0
    for _ in range(width):
        if at + _LENGTH.size > len(raw):
            raise malformed("bundle")
        (length,) = _LENGTH.unpack_from(raw, at)
        at += _LENGTH.size + length
        entries.append(raw[at - length : at])
    if at != len(raw):
        raise malformed("bundle")
    return entries


def cut(tile: Tile, raw: bytes, width: int) -> bytes:
    """The first ``width`` hashes or entries of the bytes of ``tile``, which has at least as many.

    `NoteRefused` if the bytes are not those of a tile of that width.
    """
    if tile.level == ENTRIES:
        return encode_bundle(decode_bundle(raw, tile.width)[:width])
    if len(raw) != tile.width * HASH_BYTES:
        raise malformed("tile")
    return raw[: width * HASH_BYTES]
