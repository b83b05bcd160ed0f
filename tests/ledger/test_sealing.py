"""Sealing: one signed head a size, whatever dies when; stops loudly rather than sign two."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from exchange.errors import InUse, LedgerBroken, NoteRefused, NotFound
from exchange.ledger.cosignature import HeadSigner, verify_head
from exchange.ledger.logfiles import LogFiles, LogStorage, MemoryLog
from exchange.ledger.note import Note
from exchange.ledger.sealing import Sealing
from exchange.ledger.tiles import CHECKPOINT, parse_path, partial_tiles
from tests.ledger.logs import NOW_S, ORIGIN, PublishedLog

STORAGES = ["files", "memory"]


@pytest.fixture(params=STORAGES)
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> LogStorage:
    if request.param == "memory":
        return MemoryLog()
    return LogFiles(tmp_path / "log", tmp_path / "h.head")


def begun(storage: LogStorage, log: PublishedLog, hub: str = "hub-1") -> Sealing:
    sealing = Sealing(storage, origin=ORIGIN, hub=hub, signers=log.signers(hub))
    sealing.begin(log.tree)
    return sealing


def seal(sealing: Sealing, log: PublishedLog, *, now_s: int = NOW_S) -> None:
    draft = sealing.draft(log.tree, log.entries[sealing.next_first :])
    sealing.publish(sealing.sign(draft, now_s=now_s))
    sealing.sweep()


def broken(storage: LogStorage, log: PublishedLog) -> str:
    with pytest.raises(LedgerBroken) as error:
        begun(storage, log)
    return error.value.failure


def test_what_is_sealed_is_what_the_specification_wants(storage: LogStorage) -> None:
    log = PublishedLog()
    sealing = begun(storage, log)
    for count in (1, 5, 250, 300, 1):
        log.grow(count)
        seal(sealing, log)
        wanted = log.files()
        for path in wanted.keys() - {CHECKPOINT}:
            assert storage.read(path) == wanted[path]
        head = verify_head(storage.read(CHECKPOINT) or b"", log.keys)
        assert (head.checkpoint, head.hub, head.time_s) == (log.head(), "hub-1", NOW_S)
        assert storage.head() == storage.read(CHECKPOINT)


def test_partial_tiles_of_the_two_newest_checkpoints_stay(tmp_path: Path) -> None:
    log, storage = PublishedLog(), LogFiles(tmp_path / "log", tmp_path / "h.head")
    sealing = begun(storage, log)
    for count in (10, 10, 10, 400):
        seal(sealing, log.grow(count))
    on_disk = {
        file.relative_to(tmp_path / "log").as_posix()
        for folder in (tmp_path / "log").rglob("*.p")
        for file in folder.iterdir()
    }
    kept = {tile.path for size in (30, 430) for tile in partial_tiles(size)}
    assert on_disk == kept
    assert storage.serve("tile/entries/000.p/7") == log.files(7)["tile/entries/000.p/7"]
    assert storage.serve("tile/0/000.p/20") == log.files(20)["tile/0/000.p/20"]
    assert storage.serve(CHECKPOINT) == storage.read(CHECKPOINT)
    for path in ("tile/0/009", "tile/0/009.p/1", "tile/0/001.p/175", "tile/1/000.p/2"):
        with pytest.raises(NotFound):
            storage.serve(path)
    with pytest.raises(NoteRefused):
        storage.serve("../h.head")


def test_a_full_tile_answers_for_its_partial_ones(tmp_path: Path) -> None:
    log, storage = PublishedLog(), LogFiles(tmp_path / "log", tmp_path / "h.head")
    sealing = begun(storage, log)
    for count in (100, 200, 1, 1):
        seal(sealing, log.grow(count))
    assert not (tmp_path / "log/tile/0/000.p").exists()
    assert storage.serve("tile/0/000.p/100") == log.files(100)["tile/0/000.p/100"]


def test_killed_at_every_step_a_log_is_finished_with_one_head_a_size(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.ledger.sealing_killed", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["deaths"] == said["lives"] - 1 > 50
    assert said["sizes"] == [3, 256, 556]


class Sick(LogFiles):
    """A disk that fails at the n-th write, once."""

    fails_in = 0

    def _write_draft(self, file: Path, raw: bytes) -> None:
        self.fails_in -= 1
        if self.fails_in == 0:
            raise OSError(28, "No space left on device")
        super()._write_draft(file, raw)


def test_a_full_disk_at_any_write_is_made_good_by_doing_it_again(tmp_path: Path) -> None:
    for step in range(1, 8):
        folder = tmp_path / str(step)
        storage = Sick(folder / "log", folder / "h.head")
        log = PublishedLog(seed=step)
        sealing = begun(storage, log)
        seal(sealing, log.grow(20))
        storage.fails_in = step
        log.grow(300)
        try:
            seal(sealing, log, now_s=NOW_S + 1)
            assert step > 6
        except OSError:
            if sealing.size == 20:
                seal(sealing, log, now_s=NOW_S + 2)
            else:
                assert sealing.unpublished
                assert sealing.signed is not None
                sealing.publish(sealing.signed)
        assert storage.read(CHECKPOINT) == storage.head()
        assert not sealing.unpublished
        assert verify_head(storage.head() or b"", log.keys).checkpoint == log.head()


def test_a_restart_goes_on_where_it_was(storage: LogStorage) -> None:
    log = PublishedLog().grow(20)
    seal(begun(storage, log), log)
    head = storage.head()
    again = begun(storage, log)
    assert (again.size, storage.head(), storage.read(CHECKPOINT)) == (20, head, head)
    seal(again, log.grow(1))
    assert again.size == 21


def test_a_head_of_one_size_is_signed_once(storage: LogStorage) -> None:
    log = PublishedLog().grow(20)
    sealing = begun(storage, log)
    draft = sealing.draft(log.tree, log.entries)
    sealing.sign(draft, now_s=NOW_S)
    with pytest.raises(ValueError, match="signed already"):
        sealing.sign(draft, now_s=NOW_S)
    log.grow(1)
    older = sealing.draft(log.tree, log.entries)
    sealing.sign(older, now_s=NOW_S)
    with pytest.raises(ValueError, match="signed already"):
        sealing.sign(draft, now_s=NOW_S)


def test_an_older_head_is_not_published_over_a_newer_one(storage: LogStorage) -> None:
    log = PublishedLog().grow(20)
    sealing = begun(storage, log)
    older = sealing.sign(sealing.draft(log.tree, log.entries), now_s=NOW_S)
    seal(sealing, log.grow(1))
    newest = storage.read(CHECKPOINT)
    sealing.publish(older, log.cosigned(older.checkpoint))
    assert storage.read(CHECKPOINT) == newest


def test_lines_of_witnesses_are_published_and_never_kept_as_the_head(storage: LogStorage) -> None:
    log = PublishedLog().grow(20)
    sealing = begun(storage, log)
    head = sealing.sign(sealing.draft(log.tree, log.entries), now_s=NOW_S)
    sealing.publish(head, log.cosigned(head.checkpoint))
    assert len(verify_head(storage.read(CHECKPOINT) or b"", log.keys).note.lines) == 4
    assert storage.head() == head.raw
    begun(storage, log)
    assert len(verify_head(storage.read(CHECKPOINT) or b"", log.keys).note.lines) == 4


def test_a_topic_that_was_cut_or_rewritten_gets_no_second_head(storage: LogStorage) -> None:
    log = PublishedLog().grow(20)
    seal(begun(storage, log), log)
    assert broken(storage, PublishedLog().grow(19)) == "head-ahead"
    forked = PublishedLog().grow(10)
    forked.chance.random()
    assert broken(storage, forked.grow(20)) == "head-inconsistent"
    assert verify_head(storage.head() or b"", log.keys).checkpoint == log.head(20)


def test_a_tree_that_changes_under_a_running_hub_is_not_signed(storage: LogStorage) -> None:
    log = PublishedLog().grow(20)
    sealing = begun(storage, log)
    seal(sealing, log)
    forked = PublishedLog(seed=1).grow(21)
    with pytest.raises(LedgerBroken) as error:
        sealing.draft(forked.tree, forked.entries)
    assert error.value.failure == "head-inconsistent"


@pytest.mark.parametrize("raw", [b"", b"junk", PublishedLog().grow(3).signed(hub="hub-2").render()])
def test_a_head_file_that_is_not_this_hubs_stops_it(storage: LogStorage, raw: bytes) -> None:
    storage.keep_head(raw)
    assert broken(storage, PublishedLog().grow(20)) == "head-unreadable"


def test_a_served_checkpoint_that_is_newer_counts_as_signed(storage: LogStorage) -> None:
    log = PublishedLog().grow(20)
    seal(begun(storage, log), log)
    old = storage.head() or b""
    seal(begun(storage, log.grow(5)), log)
    newest = storage.head()
    storage.keep_head(old)  # a backup of the head, without the log
    again = begun(storage, log)
    assert (again.size, storage.head()) == (25, newest)
    storage.keep_head(old)
    assert broken(storage, PublishedLog().grow(20)) == "head-ahead"


def test_a_checkpoint_that_somebody_overwrote_is_put_right(storage: LogStorage) -> None:
    log = PublishedLog().grow(20)
    seal(begun(storage, log), log)
    for bad in (b"junk", log.signed(19).render(), PublishedLog(seed=9).grow(5).signed().render()):
        storage.write({CHECKPOINT: bad})
        begun(storage, log)
        assert storage.read(CHECKPOINT) == storage.head()


def test_another_process_with_the_same_keys_is_noticed(storage: LogStorage) -> None:
    log = PublishedLog().grow(20)
    first, second = begun(storage, log), begun(storage, log)
    seal(first, log)
    with pytest.raises(LedgerBroken) as error:
        seal(second, log.grow(1))
    assert error.value.failure == "head-changed"


def test_one_process_writes_a_log(tmp_path: Path) -> None:
    first, second = (LogFiles(tmp_path / "log", tmp_path / "h.head") for _ in range(2))
    first.acquire()
    with pytest.raises(InUse):
        second.acquire()
    second.release()
    first.release()
    second.acquire()
    second.release()


class Broken:
    """A signer of another key."""

    kid = bytes(16)

    def sign(self, message: bytes) -> bytes:
        return bytes(64)


def test_a_broken_signer_publishes_nothing(storage: LogStorage) -> None:
    log = PublishedLog().grow(20)
    signers = [HeadSigner(log.signers()[0].key, Broken())]
    sealing = Sealing(storage, origin=ORIGIN, hub="hub-1", signers=signers)
    sealing.begin(log.tree)
    with pytest.raises(NoteRefused):
        sealing.sign(sealing.draft(log.tree, log.entries), now_s=NOW_S)
    assert storage.head() is None
    assert storage.read(CHECKPOINT) is None


def test_drafts_of_dead_processes_are_swept_from_where_readers_look(tmp_path: Path) -> None:
    log, storage = PublishedLog(), LogFiles(tmp_path / "log", tmp_path / "h.head")
    seal(begun(storage, log), log.grow(20))
    left = tmp_path / "log/tile/0/000.p/21.new"
    left.write_bytes(b"torn")
    begun(LogFiles(tmp_path / "log", tmp_path / "h.head"), log)
    assert not left.exists()
    assert parse_path("tile/0/000.p/20").width == 20
    assert isinstance(log.files(), Mapping)
    assert Note(log.signed().text, ()).lines == ()
