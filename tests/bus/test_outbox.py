"""The spool: what it kept survives, a full disk keeps nothing, one process at a time."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from exchange.bus.outbox import Kept, Outbox
from exchange.errors import DiskFull, InputUnreadable, InUse

STREAM, OTHER = bytes(32), bytes([1]) * 32


def kept(sequence: int, stream: bytes = STREAM, size: int = 10) -> Kept:
    head = bytes([sequence]) * 32
    return Kept(stream, sequence, head, bytes(16), 5, 100 + sequence, b"x" * size)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool.db"


def test_a_kept_bundle_is_there_after_a_crash(path: Path) -> None:
    outbox = Outbox(path)
    outbox.adopt(STREAM, "villages", "33", "topic", 2)
    outbox.keep([kept(0), kept(1)])
    outbox._db.close()
    again = Outbox(path)
    line = again.line("villages", "33")
    assert line is not None
    assert (line.sequence, line.head, line.records, line.version) == (1, bytes([1]) * 32, 10, 101)
    assert [unsent.sequence for unsent in again.unsent()] == [0, 1]
    assert again.version("villages") == 101
    assert again.version("unknown") == 0


def test_a_lost_acknowledgement_costs_a_second_sending_only(path: Path) -> None:
    outbox = Outbox(path)
    outbox.adopt(STREAM, "villages", "33", "topic", 2)
    outbox.keep([kept(0)])
    outbox.settle([(STREAM, 0)])
    outbox._db.close()
    again = Outbox(path)
    assert len(again.unsent()) == 1
    again.settle([(STREAM, 0)])
    again.close()
    assert Outbox(path).unsent() == []


def test_a_backlog_is_read_page_by_page_in_order(path: Path) -> None:
    outbox = Outbox(path)
    for stream, region in ((OTHER, "34"), (STREAM, "33")):
        outbox.adopt(stream, "villages", region, "topic", 2)
        outbox.keep([kept(number, stream) for number in range(3)])
    first = outbox.unsent(most=4)
    rest = outbox.unsent((first[-1].stream, first[-1].sequence), most=4)
    assert [(one.stream, one.sequence) for one in first + rest] == [
        (stream, number) for stream in (STREAM, OTHER) for number in range(3)
    ]


def test_a_new_stream_takes_the_place_of_the_old_one(path: Path) -> None:
    outbox = Outbox(path)
    outbox.adopt(STREAM, "villages", "33", "topic", 2)
    outbox.keep([kept(0)])
    outbox.adopt(OTHER, "villages", "33", "topic", 2)
    (line,) = outbox.lines("villages")
    assert (line.stream, line.sequence, line.head) == (OTHER, -1, OTHER)
    assert len(outbox.unsent()) == 1, "what the old stream kept is still to be sent"
    outbox.retire(OTHER)
    assert outbox.lines("villages") == []


def test_progress_and_scans_only_move_on(path: Path) -> None:
    outbox = Outbox(path)
    outbox.adopt(STREAM, "villages", "33", "topic", 2)
    outbox.reported([(STREAM, 5)])
    outbox.reported([(STREAM, 3)])
    line = outbox.line("villages", "33")
    assert line is not None
    assert line.reported == 5
    assert outbox.scanned("topic", 2) == 0
    outbox.scan_to("topic", 2, 77)
    assert outbox.scanned("topic", 2) == 77


def test_a_full_disk_keeps_nothing_and_says_so(path: Path) -> None:
    outbox = Outbox(path)
    outbox.adopt(STREAM, "villages", "33", "topic", 2)
    pages = outbox._db.execute("PRAGMA page_count").fetchone()[0]
    outbox._db.execute(f"PRAGMA max_page_count={pages + 2}")
    with pytest.raises(DiskFull) as caught:
        outbox.keep([kept(0, size=1 << 20)])
    assert "nothing acknowledged was lost" in caught.value.remedy.en
    assert outbox.unsent() == []
    line = outbox.line("villages", "33")
    assert line is not None
    assert line.sequence == -1
    outbox._db.execute(f"PRAGMA max_page_count={pages + 1000}")
    outbox.keep([kept(0)])
    assert len(outbox.unsent()) == 1


def test_a_sequence_number_is_kept_once(path: Path) -> None:
    outbox = Outbox(path)
    outbox.adopt(STREAM, "villages", "33", "topic", 2)
    outbox.keep([kept(0)])
    with pytest.raises(sqlite3.IntegrityError):
        outbox.keep([kept(0)])
    assert len(outbox.unsent()) == 1


def test_a_spool_in_use_or_out_of_reach_is_said_plainly(path: Path) -> None:
    outbox = Outbox(path)
    with pytest.raises(InUse) as caught:
        Outbox(path)
    assert caught.value.exit_code == 3
    outbox.close()
    with pytest.raises(DiskFull):
        Outbox(path.parent / "missing" / "spool.db")


def test_what_is_acknowledged_is_not_pending_even_before_that_is_written(path: Path) -> None:
    outbox = Outbox(path)
    outbox.adopt(STREAM, "villages", "33", "topic", 2)
    assert not outbox.pending()
    outbox.keep([kept(0), kept(1)])
    outbox.settle([(STREAM, 0)])
    assert outbox.pending()
    outbox.settle([(STREAM, 1)])
    assert not outbox.pending()
    assert outbox._db.execute("SELECT count(*) FROM bundle").fetchone() == (2,)
    outbox.close()
    assert Outbox(path).unsent() == []


def test_a_damaged_spool_is_said_plainly_with_what_to_do(path: Path) -> None:
    path.write_bytes(b"junk" * 1_000)
    with pytest.raises(InputUnreadable) as caught:
        Outbox(path)
    assert caught.value.failure == "spool-damaged"
    assert str(path) in caught.value.text.zh
    path.unlink()
    outbox = Outbox(path)
    outbox.adopt(STREAM, "villages", "33", "topic", 2)
    outbox.keep([kept(number, size=5_000) for number in range(40)])
    outbox.close()
    whole = path.read_bytes()
    path.write_bytes(whole[:8_192] + b"\xff" * (len(whole) - 8_192))
    with pytest.raises(InputUnreadable):
        Outbox(path).unsent()


_OPEN = """
import sys
from pathlib import Path
from exchange.bus.outbox import Outbox
from exchange.errors import InUse
print("ready", flush=True)
sys.stdin.readline()
try:
    outbox = Outbox(Path(sys.argv[1]))
except InUse:
    print("in use", flush=True)
else:
    print("opened", flush=True)
    sys.stdin.readline()
"""


def test_of_two_that_open_a_spool_at_once_one_comes_first(path: Path) -> None:
    Outbox(path).close()
    pipe = subprocess.PIPE
    both = [
        subprocess.Popen([sys.executable, "-c", _OPEN, path], stdin=pipe, stdout=pipe, text=True)
        for _ in range(2)
    ]
    for one in both:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
    for one in both:
        assert one.stdin is not None
        one.stdin.write("\n")
        one.stdin.flush()
    said = sorted(one.stdout.readline() for one in both if one.stdout is not None)
    assert said == ["in use\n", "opened\n"], "whoever opened it has it until both have spoken"
    for one in both:
        one.communicate(timeout=30)
