"""Bundles are durable before they are sent, whatever is sealed meanwhile; a full disk ends it."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from exchange.bus.outbox import Kept, Line, Outbox
from exchange.errors import DiskFull
from exchange.flow import keeping
from exchange.flow.keeping import Keeping
from tests.flow.stage import ListSink, Stage, joined, villages

STREAM = b"s" * 32
LINE = Line(STREAM, "villages", "33", "topic", 0, -1, STREAM, b"", 0, 0, -1)


class SlowSpool(Outbox):
    """Says what was kept together; waits for ``go`` before each transaction."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.adopt(STREAM, "villages", "33", "topic", 0)
        self.groups: list[list[int]] = []
        self.go = threading.Semaphore(0)

    def keep(self, bundles: Sequence[Kept]) -> None:
        assert self.go.acquire(timeout=10)
        super().keep(bundles)
        self.groups.append([kept.sequence for kept in bundles])


class NotingSender:
    """Notes what the spool held durably at the moment a bundle was to be sent."""

    def __init__(self, outbox: Outbox) -> None:
        self.sent: list[tuple[int, bool]] = []
        self._outbox = outbox

    async def send(self, line: Line, kept: Kept) -> None:
        durable = {one.sequence for one in self._outbox.unsent(most=100)}
        self.sent.append((kept.sequence, kept.sequence in durable))


def kept(sequence: int) -> tuple[Line, Kept]:
    return LINE, Kept(STREAM, sequence, bytes(32), b"e", 1, sequence, b"x" * 100)


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[SlowSpool]:
    outbox = SlowSpool(tmp_path / "spool.db")
    yield outbox
    outbox.close()


async def test_what_is_sealed_during_one_write_shares_the_next(spool: SlowSpool) -> None:
    sender = NotingSender(spool)
    keep = Keeping(spool, sender)  # type: ignore[arg-type]
    for sequence in range(4):
        await keep.add([kept(sequence)])
    assert sender.sent == []
    spool.go.release(4)
    await keep.done()
    assert spool.groups == [[0], [1, 2, 3]]
    assert sender.sent == [(0, True), (1, True), (2, True), (3, True)]


async def test_no_more_waits_than_the_bound(
    spool: SlowSpool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "KEEP_BYTES", 250)
    keep = Keeping(spool, NotingSender(spool))  # type: ignore[arg-type]
    threading.Timer(0.1, spool.go.release, [8]).start()
    for sequence in range(8):
        await keep.add([kept(sequence)])
        assert keep._bytes <= 250
    await keep.done()
    assert max(map(len, spool.groups)) <= 4


async def test_a_full_disk_ends_the_publisher_and_the_next_one_loses_nothing(
    tmp_path: Path,
) -> None:
    stage = await Stage(tmp_path).start()
    grant, sink = await stage.grant(), ListSink()
    outbox = stage.outbox()
    publisher = await stage.publisher(outbox, bundle_records_max=50)
    await publisher.push(villages(50))
    await publisher.flush()
    pages = outbox._db.execute("PRAGMA page_count").fetchone()[0]
    outbox._db.execute(f"PRAGMA max_page_count={pages + 2}")
    with pytest.raises(DiskFull):
        await publisher.push(villages(200, first=50))
        await publisher.flush()
    outbox._db.execute("PRAGMA max_page_count=100000")
    for call in (publisher.push(villages(50, first=250)), publisher.flush()):
        with pytest.raises(DiskFull):  # else a later flush would speak for records that are gone
            await call
    await publisher.close()
    again = await stage.publisher(outbox, bundle_records_max=50)
    await again.push(joined(villages(200, first=50), villages(50, first=250)))
    await again.flush()
    await again.report()
    await again.close()
    outbox.close()
    report = await stage.pull(grant, sink)
    assert report.whole
    assert len(sink.records) == 300
