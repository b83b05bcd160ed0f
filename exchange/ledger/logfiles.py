"""The files of a published log, and the last signed head; LOG-SPEC.md sections 4 and 5.

`LogStorage` is the seam of sealing: its words on durability are what sealing relies on. `LogFiles`
keeps a log as plain files that a web server or rsync can serve; whoever serves them through a hub
reads them here too, cut to the size that was asked for.
"""

import fcntl
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Final, Protocol

from exchange.errors import InUse, NotFound
from exchange.ledger.tiles import CHECKPOINT, WIDTH, Tile, cut, parse_path

_PARTIAL: Final = ".p/"
DRAFT: Final = ".new"
"""Suffix of a file that is being written; no path of the log ends so."""


class LogStorage(Protocol):
    """Where one hub keeps its log. When a call returns, what it did survives a power cut.

    A call that raises OSError, or a kill at any moment, leaves each file as it was or as it was to
    become, never in between.
    """

    def write(self, files: Mapping[str, bytes]) -> None:
        """Put files by their paths below the prefix."""

    def read(self, path: str) -> bytes | None:
        """The file at ``path``; None if there is none."""

    def head(self) -> bytes | None:
        """The last signed head as it was kept; None if none ever was."""

    def keep_head(self, raw: bytes) -> None:
        """Replace the last signed head."""

    def keep_partials(self, keep: Collection[Tile]) -> None:
        """Remove every partial tile that is not in ``keep``."""


class LogFiles:
    """A log in ``folder`` and its head in the file ``head``, for one process at a time."""

    def __init__(self, folder: Path, head: Path) -> None:
        self._folder = folder
        self._head = head
        self._lock: int | None = None
        self._partials: set[str] | None = None
        """Paths of partial tiles on disk; None until they were looked for."""

    def acquire(self) -> None:
        """Take the log for this process until `release` or its end; `InUse` if another has it."""
        if self._lock is not None:
            return
        self._head.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._head.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise InUse(
                f"another process writes the log in {self._folder}",
                f"另一进程正在写入日志目录 {self._folder}",
                remedy=("stop the other hub of this home first", "请先停止本主目录的另一枢纽"),
                failure="log-in-use",
            ) from None
        self._lock = lock
        self._partials = None  # another process may have been here

    def release(self) -> None:
        """Let go of it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def write(self, files: Mapping[str, bytes]) -> None:
        """See `LogStorage`."""
        made = [self._put(self._folder / path, raw) for path, raw in files.items()]
        if self._partials is not None:
            self._partials.update(path for path in files if _PARTIAL in path)
        for folder in dict.fromkeys(folder for chain in made for folder in chain):
            self._sync_folder(folder)

    def read(self, path: str) -> bytes | None:
        """See `LogStorage`."""
        return _read(self._folder / path)

    def head(self) -> bytes | None:
        """See `LogStorage`."""
        return _read(self._head)

    def keep_head(self, raw: bytes) -> None:
        """See `LogStorage`."""
        for folder in self._put(self._head, raw):
            self._sync_folder(folder)

    def keep_partials(self, keep: Collection[Tile]) -> None:
        """See `LogStorage`. Durability is not needed: whatever comes back is removed again."""
        if self._partials is None:
            self._partials = self._found_partials()
        for path in sorted(self._partials - {tile.path for tile in keep}):
            file = self._folder / path
            self._unlink(file)
            self._partials.discard(path)
            if not any(file.parent.iterdir()):
                file.parent.rmdir()

    def serve(self, path: str) -> bytes:
        """What the door answers for ``path``; `NotFound`, `NoteRefused` (no path of a log).

        A partial tile that was superseded is cut from the one that begins with its bytes.
        """
        if path == CHECKPOINT:
            return self._found(path, _read(self._folder / path))
        tile = parse_path(path)
        raw = _read(self._folder / path)
        if raw is None and tile.partial:
            larger = self._larger(tile)
            raw = None if larger is None else cut(*larger, tile.width)
        return self._found(path, raw)

    def _larger(self, tile: Tile) -> tuple[Tile, bytes] | None:
        """The narrowest tile at the same place that has at least its width."""
        folder = (self._folder / tile.path).parent
        widths = sorted(int(file.name) for file in folder.glob("[0-9]*") if file.name.isdigit())
        for width in [width for width in widths if width > tile.width] + [WIDTH]:
            larger = Tile(tile.level, tile.index, width)
            raw = _read(self._folder / larger.path)
            if raw is not None:
                return larger, raw
        return None

    def _found(self, path: str, raw: bytes | None) -> bytes:
        if raw is None:
            raise NotFound(
                f"the log has no {path}",
                f"日志中没有 {path}",
                remedy=("fetch the checkpoint: it says what there is", "请先获取检查点"),
                failure="no-log-file",
            )
        return raw

    def _found_partials(self) -> set[str]:
        """Every partial tile on disk; drafts of them too."""
        folders = self._folder.glob(f"tile/**/*{_PARTIAL[:-1]}")
        files = (file for folder in folders for file in folder.iterdir())
        return {file.relative_to(self._folder).as_posix() for file in files}

    def _put(self, file: Path, raw: bytes) -> list[Path]:
        """Write ``file`` whole; the folders, innermost first, whose entries have changed."""
        changed = [file.parent]
        while not changed[-1].exists():
            changed.append(changed[-1].parent)
        file.parent.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(file.name + DRAFT)
        self._write_draft(draft, raw)
        self._rename(draft, file)
        return changed

    def _write_draft(self, file: Path, raw: bytes) -> None:
        with file.open("wb") as opened:
            opened.write(raw)
            opened.flush()
            os.fsync(opened.fileno())

    def _rename(self, draft: Path, file: Path) -> None:
        draft.replace(file)

    def _sync_folder(self, folder: Path) -> None:
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)

    def _unlink(self, file: Path) -> None:
        file.unlink(missing_ok=True)


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


class MemoryLog:
    """A log in memory, for tests and the simulation; keeps what `LogStorage` promises."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.kept_head: bytes | None = None

    def write(self, files: Mapping[str, bytes]) -> None:
        """See `LogStorage`."""
        self.files.update(files)

    def read(self, path: str) -> bytes | None:
        """See `LogStorage`."""
        return self.files.get(path)

    def head(self) -> bytes | None:
        """See `LogStorage`."""
        return self.kept_head

    def keep_head(self, raw: bytes) -> None:
        """See `LogStorage`."""
        self.kept_head = raw

    def keep_partials(self, keep: Collection[Tile]) -> None:
        """See `LogStorage`."""
        kept = {tile.path for tile in keep}
        for path in [path for path in self.files if ".p/" in path and path not in kept]:
            del self.files[path]
