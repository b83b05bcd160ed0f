"""The hash tiles of a served log against the tree of its entries: every one, not a sample.

Whoever replays the entries of a log has their tree; a proof that others make is made of the tiles.
"""

from collections.abc import Callable
from typing import Final

from exchange.errors import CheckFailed
from exchange.ledger.logreader import LogReader
from exchange.ledger.merkle import HASH_BYTES, Tree
from exchange.ledger.tiles import ENTRIES, HEIGHT, Tile, tiles_between

_KEEP: Final = (
    "do not make proofs from this copy; keep it, compare it with another and tell whoever serves"
    " it",
    "请勿用该副本生成证明；请保全副本，与其他副本比对，并告知提供方",
)


async def check_tiles(
    reader: LogReader, tree: Tree, *, tell: Callable[[int], None] = lambda _: None
) -> int:
    """How many tiles ``reader`` serves for a log of the size of ``tree``; all are of its entries.

    Raises `CheckFailed` with ``log-tile``, naming the tile and the first entry it has wrong;
    `NotFound` for a tile that is not served, `NoteRefused` for one of another length.
    """
    count = 0
    for tile in tiles_between(0, tree.size):
        if tile.level == ENTRIES:
            continue
        honest = tree.row(HEIGHT * tile.level, tile.first, tile.first + tile.width)
        served = await reader.tile(tile)
        if served != honest:
            raise _wrong(tile, _first_entry(tile, served, honest))
        count += 1
        tell(1)
    return count


def _first_entry(tile: Tile, served: bytes, honest: bytes) -> int:
    """The first entry below the first hash that differs."""
    at = next(at for at in range(len(honest)) if served[at] != honest[at])
    return (tile.first + at // HASH_BYTES) << HEIGHT * tile.level


def _wrong(tile: Tile, index: int) -> CheckFailed:
    return CheckFailed(
        f"{tile.path} is not what the entries give: it differs from entry {index} on",
        f"{tile.path} 与条目不符：自第 {index} 条起不同",
        remedy=_KEEP,
        failure="log-tile",
    )
