"""Names of tiles, which tiles a growth needs, bundles, and reading a log from its files."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.errors import CheckFailed, NoteRefused, NotFound
from exchange.ledger.checkpoint import parse_checkpoint
from exchange.ledger.cosignature import verify_head
from exchange.ledger.entry import leaf_hash
from exchange.ledger.logreader import TILES_KEPT, LogReader
from exchange.ledger.merkle import EMPTY_ROOT, check_consistency, check_inclusion
from exchange.ledger.note import NOTE_BYTES_MAX, parse_note
from exchange.ledger.proof import PROOF_BYTES_MAX, parse_proof
from exchange.ledger.tiles import (
    ENTRIES,
    Tile,
    cut,
    decode_bundle,
    encode_bundle,
    parse_path,
    partial_tiles,
    tiles_between,
)
from tests.ledger.logs import PublishedLog, Served

BIG = PublishedLog(seed=9).grow(66_000, bytes_max=4)
"""More than 256 × 256 entries: three levels of tiles."""


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(0, 273, 112), "tile/0/273.p/112"),
        (Tile(2, 0, 1), "tile/2/000.p/1"),
        (Tile(1, 1_234_067), "tile/1/x001/x234/067"),
        (Tile(ENTRIES, 1000, 255), "tile/entries/x001/000.p/255"),
        (Tile(63, 0, 1), "tile/63/000.p/1"),
    ],
)
def test_a_tile_has_one_path(tile: Tile, path: str) -> None:
    assert tile.path == path
    assert parse_path(path) == tile


@pytest.mark.parametrize(
    "path",
    [
        "",
        "checkpoint",
        "tile/00/000",
        "tile/64/000",
        "tile/-1/000",
        "tile/0/00",
        "tile/0/0000",
        "tile/0/x000/000",
        "tile/0/001/000",
        "tile/0/x001/x000",
        "tile/0/000.p/0",
        "tile/0/000.p/256",
        "tile/0/000.p/01",
        "tile/0/000.p/",
        "tile/0/../../custody",
        "tile/entries/000/",
        "/tile/0/000",
        "tile/0/٠٠٠",
        "tile/0/" + "x999/" * 9 + "999",
    ],
)
def test_what_is_no_path_of_a_tile_is_refused(path: str) -> None:
    with pytest.raises(NoteRefused) as refusal:
        parse_path(path)
    assert refusal.value.failure == "path"


def test_a_tree_of_seventy_thousand_has_the_tiles_that_the_specification_counts() -> None:
    tiles = [tile for tile in tiles_between(0, 70_000) if tile.level != ENTRIES]
    full = [sum(not tile.partial for tile in tiles if tile.level == level) for level in range(3)]
    assert full == [273, 1, 0]
    assert [tile for tile in tiles if tile.partial] == [
        Tile(0, 273, 112),
        Tile(1, 1, 17),
        Tile(2, 0, 1),
    ]
    assert partial_tiles(256) == {Tile(1, 0, 1)}


@given(st.lists(st.integers(0, 70_000), min_size=1, max_size=5).map(sorted))
@settings(max_examples=30, deadline=None)
def test_growing_in_steps_writes_all_that_one_step_writes(sizes: list[int]) -> None:
    steps = [0, *sizes]
    written = {tile for old, new in pairwise(steps) for tile in tiles_between(old, new)}
    assert set(tiles_between(0, sizes[-1])) <= written
    partial = {tile for size in sizes for tile in partial_tiles(size)}
    assert {tile for tile in written if tile.partial} == partial


def test_a_bundle_gives_back_its_entries() -> None:
    entries = [b"", b"a", bytes(65_535)]
    raw = encode_bundle(entries)
    assert decode_bundle(raw, 3) == entries
    assert cut(Tile(ENTRIES, 0, 3), raw, 2) == encode_bundle(entries[:2])
    for bad, width in ((raw[:-1], 3), (raw + b"\x00", 3), (raw, 2), (raw, 4), (b"\x00", 1)):
        with pytest.raises(NoteRefused) as refusal:
            decode_bundle(bad, width)
        assert refusal.value.failure == "bundle"


async def test_proofs_from_tiles_lead_to_the_signed_root() -> None:
    for size in (1, 255, 256, 257, 65_536, 65_793, 66_000):
        served = Served(BIG.files(size))
        reader = LogReader(served)
        head = verify_head(await reader.checkpoint(), BIG.keys).checkpoint
        assert await reader.root(size) == head.root
        for index in {0, size // 3, size - 1}:
            leaf = await reader.leaf(index, size)
            assert leaf == leaf_hash(await reader.entry(index, size))
            path = await reader.inclusion(index, size)
            check_inclusion(leaf, index, size, path, head.root)
        for old in {1, size // 2 or 1, size}:
            proof = await reader.consistency(old, size)
            check_consistency(old, BIG.tree.root(old), size, head.root, proof)
        assert set(served.asked) <= set(served.files)


async def test_all_entries_come_in_order_from_any_index_on() -> None:
    log = PublishedLog(seed=1).grow(600)
    reader = LogReader(Served(log.files()))
    for first in (0, 100, 256, 599, 600):
        read = [entry async for some in reader.bundles(first, 600) for entry in some]
        assert read == log.entries[first:]


async def test_a_superseded_partial_tile_is_cut_from_the_full_one() -> None:
    log = PublishedLog(seed=1).grow(600)
    files = {path: raw for path, raw in log.files().items() if ".p/" not in path}
    reader = LogReader(Served(files))
    assert await reader.entry(210, 220) == log.entries[210]
    assert await reader.inclusion(210, 220) == log.tree.inclusion(210, 220)
    with pytest.raises(NotFound):
        await reader.entry(590, 600)
    with pytest.raises(NotFound):
        await reader.entry(900, 1024)


async def test_a_flipped_bit_in_a_tile_leads_to_another_root() -> None:
    log = PublishedLog(seed=1).grow(600)
    files = log.files()
    files["tile/0/001"] = bytes([files["tile/0/001"][0] ^ 1]) + files["tile/0/001"][1:]
    reader = LogReader(Served(files))
    assert await reader.root(600) == log.tree.root()  # from the level above
    path = await reader.inclusion(300, 600)
    with pytest.raises(CheckFailed):
        check_inclusion(leaf_hash(log.entries[300]), 300, 600, path, log.tree.root())
    files["tile/0/002.p/88"] = files["tile/0/002.p/88"][:-1]
    with pytest.raises(NoteRefused) as refusal:
        await LogReader(Served(files)).leaf(599, 600)
    assert refusal.value.failure == "tile"


async def test_no_more_tiles_are_remembered_than_stated() -> None:
    reader = LogReader(Served(BIG.files()))
    for index in range(0, 66_000 - 256, 256):
        await reader.leaf(index, 66_000)
    assert len(reader._kept) == TILES_KEPT


async def test_an_empty_log_has_the_root_of_no_leaves() -> None:
    log = PublishedLog()
    reader = LogReader(Served(log.files()))
    assert await reader.root(0) == EMPTY_ROOT
    assert parse_checkpoint(log.signed().text).size == 0
    assert [some async for some in reader.bundles(0, 0)] == []


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(NoteRefused) as refusal:
        parse_note(b"a\xff\n\n\xe2\x80\x94 a AAAA\n")
    assert refusal.value.failure == "note-text"


def test_texts_over_their_limits_are_not_looked_at() -> None:
    for parse, limit, failure in (
        (parse_note, NOTE_BYTES_MAX, "note-too-large"),
        (parse_proof, PROOF_BYTES_MAX, "proof-too-large"),
    ):
        with pytest.raises(NoteRefused) as refusal:
            parse(b"a" * (limit + 1))
        assert refusal.value.failure == failure
