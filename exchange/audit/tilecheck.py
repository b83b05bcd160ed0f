"""The hash tiles of a served log against the tree of its entries: every one, not a sample.

Whoever replays the entries of a log has their tree; a proof that others make is made of the tiles.
"""

from collections.abc import Callable, Sequence
from typing import Final

from exchange.errors import CheckFailed
from exchange.ledger.entry import leaf_hash
from exchange.ledger.logreader import LogReader
from exchange.ledger.merkle import HASH_BYTES, Tree
from exchange.ledger.tiles import ENTRIES, HEIGHT, Tile, tiles_between

_KEEP: Final = (
    "do not make proofs from this copy; keep it, compare it with another and tell whoever serves"
    " it",
    "请勿用该副本生成证明；请保全副本，与其他副本比对，并告知提供方",
)


async def check_tiles(
    reader: LogReader,
    tree: Tree,
    size: int | None = None,
    *,
    tell: Callable[[int], None] = lambda _: None,
) -> int:
    """How many tiles ``reader`` serves for the first ``size`` leaves of ``tree``, or for all.

    All are of its entries.

    Raises `CheckFailed` with ``log-tile``, naming the tile and the first entry it has wrong;
    `NotFound` for a tile that is not served, `NoteRefused` for one of another length.
    """
    count = 0
    for tile in tiles_between(0, tree.size if size is None else size):
        if tile.level == ENTRIES:
            continue
        honest = tree.row(HEIGHT * tile.level, tile.first, tile.first + tile.width)
        served = await reader.tile(tile)
        if served != honest:
            raise _wrong(tile, _first_entry(tile, served, honest))
        count += 1
        tell(1)
    return count


async def check_entries(reader: LogReader, tree: Tree, size: int) -> None:
    """The first ``size`` entries that ``reader`` serves are the leaves of ``tree``.

    Raises `CheckFailed` with ``log-entry``, naming the first that is not; `NotFound`,
    `NoteRefused`.
    """
    at = 0
    async for entries in reader.bundles(0, size):
        check_leaves(entries, tree, at)
        at += len(entries)


def check_leaves(entries: Sequence[bytes], tree: Tree, first: int) -> None:
    """The same of entries that are at hand, from index ``first`` on; not beyond ``tree``."""
    for index, entry in enumerate(entries[: max(0, tree.size - first)], first):
        if leaf_hash(entry) != tree.leaf(index):
            raise CheckFailed(
                f"entry {index} of this copy is not entry {index} of the ledger read here",
                f"该副本的第 {index} 条与此处读到的账本第 {index} 条不同",
                remedy=_KEEP,
                failure="log-entry",
            )


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
