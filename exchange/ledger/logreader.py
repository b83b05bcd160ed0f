"""Read a tiled log from wherever it is served, and prove with what was read; LOG-SPEC.md section 4.

The source (a hub's door, a folder, a web server) is not trusted: whoever reads checks what comes
out against a `SignedHead`. Proofs computed from tampered tiles do not lead to the signed root.

::

    reader = LogReader(source)
    head = verify_head(await reader.checkpoint(), log)
    path = await reader.inclusion(17, head.checkpoint.size)
"""

from collections import OrderedDict
from collections.abc import AsyncIterator
from typing import Final, Protocol

from exchange.errors import NotFound
from exchange.ledger.merkle import (
    EMPTY_ROOT,
    complete_subtrees,
    consistency_ranges,
    inclusion_ranges,
    range_hash,
)
from exchange.ledger.tiles import (
    CHECKPOINT,
    ENTRIES,
    WIDTH,
    Tile,
    cut,
    decode_bundle,
    fold_hashes,
    tile_holding,
)

TILES_KEPT: Final = 64
"""Tiles remembered, 8 kB each at most: the upper levels are asked for again and again."""


class LogSource(Protocol):
    """Files of a tiled log by their path below its prefix."""

    async def read(self, path: str) -> bytes:
        """The file's bytes; `NotFound`, `Unavailable`."""


class LogReader:
    """A tiled log that somebody serves."""

    def __init__(self, source: LogSource) -> None:
        self._source = source
        self._kept: OrderedDict[Tile, bytes] = OrderedDict()

    async def checkpoint(self) -> bytes:
        """The newest signed head as it is served; nothing about it is checked."""
        return await self._source.read(CHECKPOINT)

    async def root(self, size: int) -> bytes:
        """The root over the first ``size`` leaves, as the tiles have it."""
        return await self.prefix_root(size, size)

    async def prefix_root(self, count: int, size: int) -> bytes:
        """The root over the first ``count`` leaves, read from the tiles of a log of ``size``."""
        return (await self._hashes([(0, count)], size))[0] if count else EMPTY_ROOT

    async def inclusion(self, index: int, size: int) -> tuple[bytes, ...]:
        """The path from leaf ``index`` to the root of ``size``; nearest sibling first."""
        return await self._hashes(inclusion_ranges(index, size), size)

    async def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
        """The proof that ``new`` leaves extend ``old``, 0 < old ≤ new."""
        return await self._hashes(consistency_ranges(old, new), new)

    async def leaf(self, index: int, size: int) -> bytes:
        """The hash of leaf ``index``."""
        return (await self._hashes([(index, index + 1)], size))[0]

    async def entry(self, index: int, size: int) -> bytes:
        """Entry ``index`` of a log of ``size`` entries."""
        width = min(WIDTH, size - index // WIDTH * WIDTH)
        return (await self._bundle(Tile(ENTRIES, index // WIDTH, width)))[index % WIDTH]

    async def bundles(self, first: int, size: int) -> AsyncIterator[list[bytes]]:
        """The entries from ``first`` to the end of a log of ``size``, a bundle at a time."""
        for index in range(first // WIDTH, -(-size // WIDTH)):
            entries = await self._bundle(Tile(ENTRIES, index, min(WIDTH, size - index * WIDTH)))
            yield entries[max(0, first - index * WIDTH) :]

    async def tile(self, tile: Tile) -> bytes:
        """The bytes of ``tile``; a partial one that is gone is cut from the full one.

        `NotFound`, `NoteRefused` with ``tile`` or ``bundle``.
        """
        if tile in self._kept:
            self._kept.move_to_end(tile)
            return self._kept[tile]
        try:
            raw = cut(tile, await self._source.read(tile.path), tile.width)
        except NotFound:
            if not tile.partial:
                raise
            raw = cut(tile.full, await self._source.read(tile.full.path), tile.width)
        if tile.level != ENTRIES:
            self._kept[tile] = raw
            if len(self._kept) > TILES_KEPT:
                self._kept.popitem(last=False)
        return raw

    async def _bundle(self, tile: Tile) -> list[bytes]:
        return decode_bundle(await self.tile(tile), tile.width)

    async def _hashes(self, ranges: list[tuple[int, int]], size: int) -> tuple[bytes, ...]:
        subtrees = {one for start, end in ranges for one in complete_subtrees(start, end)}
        held = {one: tile_holding(*one, size) for one in subtrees}
        tiles = {tile: await self.tile(tile) for tile in {tile for tile, _, _ in held.values()}}

        def complete(level: int, index: int) -> bytes:
            tile, start, end = held[level, index]
            return fold_hashes(tiles[tile][start * 32 : end * 32])

        return tuple(range_hash(start, end, complete) for start, end in ranges)
