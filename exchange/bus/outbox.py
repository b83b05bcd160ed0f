"""The provider's spool: sealed bundles, durable before they are first sent.

One SQLite file per adapter instance. It holds, for each dataset and region, the stream in use with
its last sequence and header hash, the last version given to a record of the dataset, and every
sealed bundle that no broker has acknowledged yet. `keep` is one transaction (WAL, synchronous
FULL): when it returns, a crash at any later moment finds the same bytes here, so a retry sends
them again and never seals a second bundle for a sequence number. Acknowledgements (`settle`) are
written along with the next `keep` or by `close`; losing them only causes duplicates, which readers
count and drop. `keep` may run in a thread of its own while others use the spool: whatever touches
the file takes turns. Nothing in here is plaintext.
"""

import random
import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from exchange.errors import DiskFull, InputUnreadable, InUse

BUSY_S: Final = 1.0
"""How long to wait for another process to let go of the file."""
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS line (
    stream BLOB PRIMARY KEY, dataset TEXT NOT NULL, region TEXT NOT NULL, topic TEXT NOT NULL,
    partition INTEGER NOT NULL, sequence INTEGER NOT NULL, head BLOB NOT NULL,
    epoch BLOB NOT NULL, records INTEGER NOT NULL, version INTEGER NOT NULL,
    reported INTEGER NOT NULL, retired INTEGER NOT NULL) WITHOUT ROWID;
CREATE UNIQUE INDEX IF NOT EXISTS line_in_use ON line (dataset, region) WHERE NOT retired;
CREATE TABLE IF NOT EXISTS bundle (
    stream BLOB NOT NULL, sequence INTEGER NOT NULL, raw BLOB NOT NULL,
    PRIMARY KEY (stream, sequence)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS scanned (
    topic TEXT NOT NULL, partition INTEGER NOT NULL, next_offset INTEGER NOT NULL,
    PRIMARY KEY (topic, partition)) WITHOUT ROWID;
"""
_IN_USE: Final = (
    "SELECT stream, dataset, region, topic, partition, sequence, head, epoch, records, version,"
    " reported FROM line WHERE NOT retired"
)


@dataclass(frozen=True, slots=True)
class Line:
    """The stream in use for a dataset and region, and how far it has been sealed.

    ``sequence`` is -1 and ``head`` the stream id before the first bundle; ``records`` counts all
    records so far, ``version`` is the last one given, ``reported`` the last anchored sequence.
    """

    stream: bytes
    dataset: str
    region: str
    topic: str
    partition: int
    sequence: int
    head: bytes
    epoch: bytes
    records: int
    version: int
    reported: int


@dataclass(frozen=True, slots=True)
class Kept:
    """A sealed bundle: what will be sent, and where its stream stands after it."""

    stream: bytes
    sequence: int
    head: bytes
    epoch: bytes
    records: int
    version_last: int
    raw: bytes


@dataclass(frozen=True, slots=True)
class Unsent:
    """A bundle that no broker has acknowledged."""

    topic: str
    partition: int
    stream: bytes
    sequence: int
    raw: bytes


class Outbox:
    """See the module. The file is locked against a second process."""

    def __init__(self, path: Path) -> None:
        """Open or create the spool at ``path``. `DiskFull`, `InUse`, `InputUnreadable`."""
        self._path = path
        self._settled: list[tuple[bytes, int]] = []
        self._turn = threading.RLock()
        until = time.monotonic() + BUSY_S
        while True:
            try:
                self._open()
                break
            except InUse:
                # Two that open it at once keep one another out: both let go, one comes first.
                self._db.close()
                if time.monotonic() > until:
                    raise
                time.sleep(random.uniform(0.01, 0.1))  # noqa: S311 - no secret
        path.chmod(0o600)

    def _open(self) -> None:
        with self._room():
            self._db = sqlite3.connect(
                self._path, isolation_level=None, check_same_thread=False, timeout=0
            )
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            # Two processes on one spool would both seal the next sequence number.
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")
            self._db.executescript(_SCHEMA)
            # Locks only from the first writing on, and nothing has been written where all is there.
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("COMMIT")

    def line(self, dataset: str, region: str) -> Line | None:
        """The stream in use for ``dataset`` and ``region``."""
        rows = self._read(f"{_IN_USE} AND dataset=? AND region=?", (dataset, region))
        return Line(*rows[0]) if rows else None

    def lines(self, dataset: str) -> list[Line]:
        """Every stream in use for ``dataset``."""
        rows = self._read(f"{_IN_USE} AND dataset=? ORDER BY region", (dataset,))
        return [Line(*row) for row in rows]

    def version(self, dataset: str) -> int:
        """The last version given to a record of ``dataset``; 0 when none was."""
        rows = self._read("SELECT max(version) FROM line WHERE dataset=?", (dataset,))
        return int(rows[0][0] or 0)

    def adopt(self, stream: bytes, dataset: str, region: str, topic: str, partition: int) -> Line:
        """Put a freshly opened stream into use, in place of the one in use so far."""
        with self._transaction():
            self._db.execute(
                "UPDATE line SET retired=1 WHERE dataset=? AND region=?", (dataset, region)
            )
            self._db.execute(
                "INSERT OR REPLACE INTO line VALUES (?,?,?,?,?,-1,?,x'',0,0,-1,0)",
                (stream, dataset, region, topic, partition, stream),
            )
        return Line(stream, dataset, region, topic, partition, -1, stream, b"", 0, 0, -1)

    def retire(self, stream: bytes) -> None:
        """Take a stream out of use, for instance because a restored spool is behind its anchor."""
        with self._transaction():
            self._db.execute("UPDATE line SET retired=1 WHERE stream=?", (stream,))

    def keep(self, bundles: Sequence[Kept]) -> None:
        """Make ``bundles`` and their streams' new heads durable, all or none.

        Must return before any of them is sent. Raises DiskFull with nothing kept.
        """
        with self._transaction():
            self._write_settled()
            self._db.executemany(
                "INSERT INTO bundle VALUES (?,?,?)",
                [(kept.stream, kept.sequence, kept.raw) for kept in bundles],
            )
            self._db.executemany(
                "UPDATE line SET sequence=?, head=?, epoch=?, records=records+?, version=?"
                " WHERE stream=?",
                [
                    (b.sequence, b.head, b.epoch, b.records, b.version_last, b.stream)
                    for b in bundles
                ],
            )

    def settle(self, acknowledged: Iterable[tuple[bytes, int]]) -> None:
        """Note that a broker has acknowledged these (stream, sequence) pairs."""
        self._settled.extend(acknowledged)

    def pending(self) -> bool:
        """Whether a bundle of the spool has no acknowledgement yet. Writes nothing."""
        with self._turn:
            settled = set(self._settled)
            rows = self._db.execute("SELECT stream, sequence FROM bundle")
            return any((stream, sequence) not in settled for stream, sequence in rows)

    def unsent(self, after: tuple[bytes, int] = (b"", -1), *, most: int = 16) -> list[Unsent]:
        """The next ``most`` bundles without an acknowledgement, each stream in order.

        ``after`` is the (stream, sequence) to go on from, so that a long backlog never stands in
        memory.
        """
        self.save()
        rows = self._read(
            "SELECT topic, partition, bundle.stream, bundle.sequence, raw"
            " FROM bundle JOIN line USING (stream) WHERE (bundle.stream, bundle.sequence) > (?, ?)"
            " ORDER BY bundle.stream, bundle.sequence LIMIT ?",
            (*after, most),
        )
        return [Unsent(*row) for row in rows]

    def reported(self, anchors: Iterable[tuple[bytes, int]]) -> None:
        """Note that these (stream, sequence) pairs stand on the ledger as progress."""
        with self._transaction():
            self._db.executemany(
                "UPDATE line SET reported=max(reported, ?2) WHERE stream=?1", list(anchors)
            )

    def scanned(self, topic: str, partition: int) -> int:
        """The offset up to which the topic was known to hold no bundle that this spool lacks."""
        rows = self._read(
            "SELECT next_offset FROM scanned WHERE topic=? AND partition=?", (topic, partition)
        )
        return int(rows[0][0]) if rows else 0

    def scan_to(self, topic: str, partition: int, next_offset: int) -> None:
        """Record what `scanned` returns from now on."""
        with self._transaction():
            self._db.execute(
                "INSERT OR REPLACE INTO scanned VALUES (?,?,?)", (topic, partition, next_offset)
            )

    def save(self) -> None:
        """Write acknowledgements that are only in memory yet."""
        if self._settled:
            with self._transaction():
                self._write_settled()

    def close(self) -> None:
        """Save and close."""
        self.save()
        self._db.close()

    def _read(self, query: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        with self._turn, self._room():
            return self._db.execute(query, values).fetchall()

    def _write_settled(self) -> None:
        settled = list(self._settled)  # more may be settled while this is written
        self._db.executemany("DELETE FROM bundle WHERE stream=? AND sequence=?", settled)
        del self._settled[: len(settled)]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._turn, self._room():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    @contextmanager
    def _room(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if self._has_db() and self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise self._explained(error) from error
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
                raise  # a mistake of this program
            raise self._damaged(error) from error

    def _damaged(self, error: sqlite3.DatabaseError) -> InputUnreadable:
        return InputUnreadable(
            f"spool {self._path} is damaged: {error}",
            f"缓冲文件 {self._path} 已损坏：{error}",
            remedy=(
                "move it away and push the same input again: records are upserts by key, and a new"
                " stream is opened",
                "请将其移走后重新推送相同的输入：记录按主键更新，并会启用新的数据流",
            ),
            failure="spool-damaged",
        )

    def _has_db(self) -> bool:
        return hasattr(self, "_db")

    def _explained(self, error: sqlite3.OperationalError) -> DiskFull | InUse:
        if "locked" in str(error):
            return InUse(
                f"spool {self._path} is in use by another process",
                f"缓冲文件 {self._path} 正被另一进程使用",
                remedy=(
                    "wait until the other push has ended, or stop the adapter that has it",
                    "请等待另一次推送结束，或停止占用它的适配器",
                ),
                failure="spool-busy",
            )
        return DiskFull(
            f"cannot write spool {self._path}: {error}",
            f"无法写入缓冲文件 {self._path}：{error}",
            remedy=(
                "free some disk space and start again; nothing acknowledged was lost",
                "请清理磁盘空间后重试；已确认的数据没有丢失",
            ),
        )
