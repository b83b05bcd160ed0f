"""JSON Lines files as a sink: a journal in a directory, one file a bundle, each exactly once.

A bundle becomes ``<dataset>/<stream>-<sequence>.jsonl``; a line is a record with its ``_version``,
and ``"_operation": "delete"`` where it says that a key is gone. ``disputed.json`` names the
versions that somebody disputes now; whoever uses a record looks there first. This is a journal, not
a table: whoever reads several streams keeps, for each key, the highest version.

Order of a commit, and what a crash leaves behind each step:

1. write ``*.part`` files and flush them to the disk: stray parts, removed when the sink opens;
2. rename them: files that ``positions.json`` does not know yet. The same bundles come again, get
   the same names and replace them with the same content;
3. replace ``positions.json``: done.

A lock on the directory during a commit, and positions read anew under it, refuse a second writer.
"""

import errno
import fcntl
import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import orjson

from adapters.errors import (
    AdapterError,
    DiskFull,
    SinkMismatch,
    SinkUnavailable,
    position_conflict,
)
from adapters.ports import OPERATION, Delivery, Mark
from adapters.sqltable import VERSION, Table

POSITIONS_FILE: Final = "positions.json"
DISPUTED_FILE: Final = "disputed.json"
_FORMAT: Final = 1
_HEX: Final = frozenset("0123456789abcdef")


class JsonLinesSink:
    """The journal of one dataset under ``directory``, created if missing."""

    def __init__(
        self, directory: Path, dataset: str, columns: Sequence[tuple[str, str]], key: Sequence[str]
    ) -> None:
        self._table = Table.of(dataset, columns, key)
        self._folder = directory / dataset
        with self._failures():
            self._folder.mkdir(parents=True, exist_ok=True)
            with self._locked():
                for part in self._folder.glob("*.part"):
                    part.unlink()

    def positions(self) -> dict[str, tuple[int, str]]:
        """Stream (hex) → (last sequence committed, its header hash in hex)."""
        with self._failures():
            try:
                stored = json.loads((self._folder / POSITIONS_FILE).read_bytes())
            except FileNotFoundError:
                return {}
            except ValueError:
                raise self._damaged() from None
        match stored:
            case {"format": 1, "streams": dict(streams)}:
                return {stream: (place[0], place[1]) for stream, place in streams.items()}
        raise self._damaged()

    def commit(self, delivery: Delivery) -> None:
        """Commit one bundle."""
        self.commit_many([delivery])

    def commit_many(self, deliveries: Sequence[Delivery]) -> None:
        """Commit several bundles: their files, then their positions."""
        with self._failures(), self._locked():
            positions = self.positions()
            for delivery in deliveries:
                if positions.get(delivery.stream, (-1, ""))[0] != delivery.previous:
                    raise position_conflict(delivery.stream, delivery.sequence, delivery.previous)
                positions[delivery.stream] = (delivery.sequence, delivery.header_hash)
            finals = [self._path(delivery) for delivery in deliveries]
            for final, delivery in zip(finals, deliveries, strict=True):
                _write_through(_part(final), self._lines(delivery))
            for final in finals:
                _part(final).replace(final)
            _sync_folder(self._folder)
            self._keep(positions)

    def mark(self, marks: Sequence[Mark]) -> None:
        """Replace ``disputed.json``: the versions in this journal that somebody disputes."""
        records = [
            {"version": version, "objection": objection, "since_ms": since_ms}
            for version, objection, since_ms in marks
        ]
        with self._failures(), self._locked():
            self._replace(DISPUTED_FILE, {"format": _FORMAT, "records": records})

    def close(self) -> None:
        """Nothing is held between commits."""

    def _path(self, delivery: Delivery) -> Path:
        if not _HEX.issuperset(delivery.stream):
            raise SinkMismatch(
                "a stream id is not hex",
                "流标识不是十六进制",
                remedy=("report a fault of the caller", "请报告调用方的缺陷"),
                failure="stream",
            )
        return self._folder / f"{delivery.stream}-{delivery.sequence:012d}.jsonl"

    def _lines(self, delivery: Delivery) -> bytes:
        if delivery.columns.keys() != set(self._table.names):
            raise SinkMismatch(
                f"a bundle of {self._table.dataset} has other columns than this sink",
                f"数据集 {self._table.dataset} 的数据包与目标的列不一致",
                remedy=("open the sink anew for the present grant", "请按现行授权重新打开目标"),
                failure="columns",
            )
        names = self._table.names
        columns = [delivery.columns[name] for name in names]
        operations = delivery.operations or [0] * len(delivery.versions)
        lines = []
        for row, (version, operation) in enumerate(zip(delivery.versions, operations, strict=True)):
            record: dict[str, object] = {
                name: column[row]
                for name, column in zip(names, columns, strict=True)
                if operation == 0 or name in self._table.key
            }
            record[VERSION] = version
            if operation == 1:
                record[OPERATION] = "delete"
            lines.append(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))
        return b"".join(lines)

    def _keep(self, positions: dict[str, tuple[int, str]]) -> None:
        self._replace(POSITIONS_FILE, {"format": _FORMAT, "streams": positions})

    def _replace(self, name: str, content: object) -> None:
        path = self._folder / name
        _write_through(_part(path), orjson.dumps(content))
        _part(path).replace(path)
        _sync_folder(self._folder)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise _translated(error, self._folder) from None

    def _damaged(self) -> SinkMismatch:
        return SinkMismatch(
            f"{self._folder / POSITIONS_FILE} is damaged or of a newer format",
            f"{self._folder / POSITIONS_FILE} 已损坏或格式较新",
            remedy=(
                "move the folder away and pull again from the start",
                "请移走该目录，再从头接收",
            ),
            failure="positions",
        )


def _part(path: Path) -> Path:
    return path.with_name(path.name + ".part")


def _write_through(path: Path, content: bytes) -> None:
    """Write and flush to the disk; nothing half-written stays when the disk is full."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        # Opened records: at most the group reads them, whatever the umask allows.
        with os.fdopen(os.open(path, flags, 0o640), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _sync_folder(folder: Path) -> None:
    """Make renames durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _translated(error: OSError, folder: Path) -> AdapterError:
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return DiskFull(
            f"no room left for {folder}",
            f"{folder} 所在磁盘已满",
            remedy=("free some space; delivery goes on by itself", "请清理磁盘，之后自动继续"),
        )
    return SinkUnavailable(
        f"{folder} cannot be written ({error.strerror})",
        f"{folder} 无法写入（{error.strerror}）",
        remedy=("check the path and its permissions", "请检查路径和权限"),
    )
