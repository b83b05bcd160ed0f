"""Copies of a published log: incremental, whole, and never of what does not hold."""

import pytest

from exchange.audit.mirror import mirror
from exchange.errors import CheckFailed, NoteRefused
from exchange.ledger.logfiles import MemoryLog
from exchange.ledger.tiles import CHECKPOINT
from tests.ledger.logs import PublishedLog, Served

LOG = PublishedLog(seed=2).grow(700)


async def test_a_copy_grows_with_the_log() -> None:
    copy, seen = MemoryLog(), []
    first = await mirror(Served(LOG.files(300)), LOG.keys, copy)
    assert (first.head.checkpoint, first.fetched) == (LOG.head(300), 5)
    assert copy.files.keys() == LOG.files(300).keys()
    served = Served(LOG.files())
    await mirror(served, LOG.keys, copy, tell=lambda done, of: seen.append((done, of)))
    assert copy.files.keys() == LOG.files().keys()
    assert "tile/entries/000" not in served.asked
    assert seen[-1] == (700, 700)
    again = await mirror(Served(LOG.files()), LOG.keys, copy)
    assert again.fetched == 0


@pytest.mark.parametrize(
    ("path", "failure"),
    [
        ("tile/entries/000", "mirror-bundle"),
        ("tile/entries/001", "mirror-bundle"),
        ("tile/entries/002.p/188", "mirror-root"),
        ("tile/0/001", "mirror-bundle"),
        ("tile/0/002.p/188", "mirror-bundle"),
        ("tile/1/000.p/2", "mirror-bundle"),
        (CHECKPOINT, "signature"),
    ],
)
async def test_one_flipped_bit_gets_no_checkpoint(path: str, failure: str) -> None:
    files, copy = LOG.files(), MemoryLog()
    raw = bytearray(files[path])
    raw[40] ^= 1
    with pytest.raises((CheckFailed, NoteRefused)) as refusal:
        await mirror(Served(files | {path: bytes(raw)}), LOG.keys, copy)
    assert refusal.value.failure in {failure, "checkpoint-root"}
    assert CHECKPOINT not in copy.files
    honest = LOG.files()
    assert all(honest[name] == kept for name, kept in copy.files.items())
    await mirror(Served(honest), LOG.keys, copy)
    assert copy.files == honest


async def test_a_flipped_bit_in_a_tile_that_no_path_needs_is_noticed() -> None:
    files, copy = LOG.files(200), MemoryLog()
    files["tile/0/000.p/200"] = files["tile/0/000.p/200"][:-1] + b"x"
    with pytest.raises(CheckFailed) as refusal:
        await mirror(Served(files), LOG.keys, copy)
    assert refusal.value.failure == "mirror-tile"
    assert copy.files == {}


async def test_a_copy_that_somebody_changed_is_noticed() -> None:
    copy = MemoryLog()
    await mirror(Served(LOG.files(600)), LOG.keys, copy)
    copy.files["tile/entries/000"] = LOG.files()["tile/entries/000"][:-1] + b"x"
    with pytest.raises(CheckFailed) as refusal:
        await mirror(Served(LOG.files()), LOG.keys, copy)
    assert refusal.value.failure == "mirror-root"


async def test_a_shorter_history_never_replaces_a_longer_one() -> None:
    copy = MemoryLog()
    await mirror(Served(LOG.files()), LOG.keys, copy)
    with pytest.raises(CheckFailed) as refusal:
        await mirror(Served(LOG.files(600)), LOG.keys, copy)
    assert refusal.value.failure == "mirror-older"
    forked = PublishedLog(seed=2).grow(100)
    forked.chance.random()
    with pytest.raises(CheckFailed) as refusal:
        await mirror(Served(forked.grow(601).files()), LOG.keys, copy)
    assert refusal.value.failure == "mirror-root"
    with pytest.raises(NoteRefused):
        await mirror(Served(PublishedLog(seed=3).grow(701).files()), LOG.keys, copy)
