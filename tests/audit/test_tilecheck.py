"""Tiles of a served log: every one is what its entries give, or is named with the entry."""

import pytest

from exchange.audit.tilecheck import check_entries, check_tiles
from exchange.errors import CheckFailed, NoteRefused, NotFound
from exchange.ledger.logreader import LogReader
from exchange.ledger.tiles import ENTRIES, parse_path
from tests.ledger.logs import PublishedLog, Served

LOG = PublishedLog(seed=4).grow(700)


def tiles() -> list[str]:
    paths = [path for path in LOG.files() if path.startswith("tile/")]
    return [path for path in paths if parse_path(path).level != ENTRIES]


async def test_all_tiles_are_read() -> None:
    served = Served(LOG.files())
    told: list[int] = []
    assert await check_tiles(LogReader(served), LOG.tree, tell=told.append) == len(tiles()) == 4
    assert sorted(served.asked) == sorted(tiles())
    assert sum(told) == 4


@pytest.mark.parametrize(
    ("path", "at", "index"),
    [
        ("tile/0/000", 0, 0),
        ("tile/0/000", 32 * 255 + 31, 255),
        ("tile/0/001", 32, 257),
        ("tile/0/002.p/188", 32 * 187, 699),
        ("tile/1/000.p/2", 0, 0),
        ("tile/1/000.p/2", 63, 256),
    ],
)
async def test_one_flipped_bit_in_any_tile_names_tile_and_entry(
    path: str, at: int, index: int
) -> None:
    files = LOG.files()
    changed = bytearray(files[path])
    changed[at] ^= 1
    with pytest.raises(CheckFailed) as caught:
        await check_tiles(LogReader(Served(files | {path: bytes(changed)})), LOG.tree)
    assert caught.value.failure == "log-tile"
    assert f"{path} is not what the entries give: it differs from entry {index} on" in (
        caught.value.text.en
    )


async def test_a_tile_that_is_gone_or_cut_is_no_pass() -> None:
    files = LOG.files()
    del files["tile/1/000.p/2"]
    with pytest.raises(NotFound):
        await check_tiles(LogReader(Served(files)), LOG.tree)
    with pytest.raises(NoteRefused):
        cut = LOG.files()["tile/0/001"][:-1]
        await check_tiles(LogReader(Served(LOG.files() | {"tile/0/001": cut})), LOG.tree)
    longer = PublishedLog(seed=4).grow(768).files()
    superseded = LOG.files() | {"tile/0/002": longer["tile/0/002"]}
    del superseded["tile/0/002.p/188"]
    assert await check_tiles(LogReader(Served(superseded)), LOG.tree) == 4


@pytest.mark.parametrize("at", [0, 255, 256, 599])
async def test_entries_under_an_honest_head_and_honest_tiles_are_compared_too(at: int) -> None:
    """Whoever serves a copy may change the entries alone: neither head nor tile shows it."""
    forked = PublishedLog(seed=4).grow(600)
    forked.entries[at] += b"x"
    bundles = {path: raw for path, raw in forked.files(600).items() if "entries" in path}
    files = LOG.files(600) | bundles
    reader = LogReader(Served(files))
    assert await check_tiles(reader, LOG.tree, 600) == 4
    with pytest.raises(CheckFailed) as caught:
        await check_entries(reader, LOG.tree, 600)
    assert caught.value.failure == "log-entry"
    assert f"entry {at} of this copy" in caught.value.text.en
    await check_entries(LogReader(Served(LOG.files(600))), LOG.tree, 600)
