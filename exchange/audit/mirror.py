"""A copy of a published log in a folder of one's own, each file checked before it is kept.

What is there already is not fetched again, so copying a log that grew costs what it grew by. The
checkpoint is replaced last: whoever reads the copy finds whole whatever its checkpoint speaks of.
"""

from collections.abc import Callable
from dataclasses import dataclass

from exchange.errors import CheckFailed
from exchange.ledger.cosignature import LogKeys, SignedHead, verify_head
from exchange.ledger.entry import leaf_hash
from exchange.ledger.logfiles import LogStorage
from exchange.ledger.logreader import LogReader, LogSource
from exchange.ledger.merkle import HASH_BYTES, Tree, check_inclusion
from exchange.ledger.tiles import (
    CHECKPOINT,
    ENTRIES,
    HEIGHT,
    WIDTH,
    Tile,
    decode_bundle,
    fold_hashes,
    partial_tiles,
    tiles_between,
)

Tell = Callable[[int, int], None]
"""Told how many entries are copied, of how many."""


@dataclass(frozen=True, slots=True)
class Mirrored:
    """A copy under ``head``; ``fetched`` files were not there before."""

    head: SignedHead
    fetched: int


async def mirror(
    source: LogSource, log: LogKeys, copy: LogStorage, *, tell: Tell = lambda _done, _of: None
) -> Mirrored:
    """Bring ``copy`` to the checkpoint that ``source`` serves now.

    Raises `CheckFailed`, naming the place: ``mirror-bundle`` if entries are not under the signed
    head, ``mirror-tile`` if a tile is not that of the entries, ``mirror-root`` if what the copy
    held already is not, ``mirror-older`` if the copy has a longer history. `NoteRefused` for what
    is malformed or not signed. Nothing that fails is written.
    """
    raw = await source.read(CHECKPOINT)
    head = verify_head(raw, log)
    size = head.checkpoint.size
    kept = copy.read(CHECKPOINT)
    if kept is not None and verify_head(kept, log).checkpoint.size > size:
        raise _differs("mirror-older", f"the copy has more than {size} entries", f"{size}")
    reader, tree, fetched = LogReader(source), Tree(), 0
    last: dict[str, bytes] = {}
    for index in range(-(-size // WIDTH)):
        tile = Tile(ENTRIES, index, min(WIDTH, size - index * WIDTH))
        held = copy.read(tile.path)
        bundle = held if held is not None else await source.read(tile.path)
        leaves = [leaf_hash(entry) for entry in decode_bundle(bundle, tile.width)]
        if held is None and not tile.partial:
            await _check_bundle(reader, head, tile, leaves)
            copy.write({tile.path: bundle})
            fetched += 1
        elif held is None:
            last = {tile.path: bundle}
        for leaf in leaves:
            tree.append(leaf)
        tell(tree.size, size)
    if tree.root() != head.checkpoint.root:
        raise _differs("mirror-root", "the entries are not those under the signed head", f"{size}")
    files = last | await _tiles(source, copy, tree)
    copy.write(files)
    copy.write({CHECKPOINT: raw})
    copy.keep_partials(partial_tiles(size))
    return Mirrored(head, fetched + len(files))


async def _check_bundle(
    reader: LogReader, head: SignedHead, tile: Tile, leaves: list[bytes]
) -> None:
    """A full bundle is under the signed head: all of it, by the path of its first entry."""
    first, signed = tile.first, head.checkpoint
    row = b"".join(leaves)
    inside = [
        fold_hashes(row[HASH_BYTES << level : HASH_BYTES << level + 1]) for level in range(HEIGHT)
    ]
    path = await reader.inclusion(first, signed.size)
    try:
        check_inclusion(leaves[0], first, signed.size, path, signed.root)
    except CheckFailed:
        inside = []
    if list(path[:HEIGHT]) != inside:
        place = f"{first}-{first + WIDTH - 1}"
        raise _differs("mirror-bundle", f"entries {place} are not under the signed head", place)


async def _tiles(source: LogSource, copy: LogStorage, tree: Tree) -> dict[str, bytes]:
    """The tiles that the copy lacks, as they are served, if they are those of its entries."""
    files = {}
    for tile in tiles_between(0, tree.size):
        if tile.level == ENTRIES or copy.read(tile.path) is not None:
            continue
        served = await source.read(tile.path)
        if served != tree.row(HEIGHT * tile.level, tile.first, tile.first + tile.width):
            raise _differs("mirror-tile", f"{tile.path} is not of these entries", tile.path)
        files[tile.path] = served
    return files


def _differs(failure: str, en: str, where: str) -> CheckFailed:
    return CheckFailed(
        f"the served log cannot be copied: {en}",
        f"所提供的日志与其检查点或副本不符（{where}）",
        remedy=(
            "keep both, compare with another member's copy, and tell the authority",
            "请保全两者，与其他成员的副本比对并报告主管部门",
        ),
        failure=failure,
    )
