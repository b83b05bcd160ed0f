"""What a witness keeps of each log, on disk: the head it cosigned last, nothing else.

One small file a log, named by the SHA-256 of its origin. A change is made under a lock that
processes share, on the newest version, and is on disk before anybody hears of it; so no crash, race
or second process makes a witness sign two histories.
"""

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from exchange.errors import InputUnreadable, NoteRefused
from exchange.ledger.checkpoint import parse_checkpoint
from exchange.ledger.note import parse_note
from exchange.ledger.witnessing import Cosigned

_LOCK: Final = ".lock"


class WitnessMemory:
    """Files in ``folder``, which is made if need be."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder

    @contextlib.contextmanager
    def locked(self, origin: str) -> Iterator[None]:
        """Nobody else changes what is kept of ``origin`` while the block runs. Blocks."""
        lock = os.open(self._file(origin).with_suffix(_LOCK), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)

    def last(self, origin: str) -> Cosigned | None:
        """The head cosigned last; None if there is none. `InputUnreadable` for a torn file."""
        raw = self.checkpoint(named(origin))
        if raw is None:
            return None
        try:
            head = parse_checkpoint(parse_note(raw).text)
        except NoteRefused:
            head = None
        if head is None or head.origin != origin:
            raise InputUnreadable(
                f"what this witness kept of {origin} cannot be read",
                f"见证人保存的 {origin} 记录无法读取",
                remedy=(
                    "restore the file; without it, it would sign a second history",
                    "请恢复该文件；缺少它将可能签署另一历史",
                ),
                failure="witness-memory",
            )
        return Cosigned(head.size, head.root)

    def keep(self, origin: str, checkpoint: bytes) -> None:
        """Replace the head of ``origin``; durable on return. Raises OSError."""
        file = self._file(origin)
        draft = file.with_suffix(".new")
        with draft.open("wb") as opened:
            opened.write(checkpoint)
            opened.flush()
            os.fsync(opened.fileno())
        draft.replace(file)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def checkpoint(self, name: str) -> bytes | None:
        """The checkpoint of the log of that name (`named`), with this witness's lines on it."""
        try:
            return (self._folder / f"{name}.checkpoint").read_bytes()
        except FileNotFoundError:
            return None

    def _file(self, origin: str) -> Path:
        return self._folder / f"{named(origin)}.checkpoint"


def named(origin: str) -> str:
    """SHA-256 of an origin, hex: how tlog-witness names a log in a path."""
    return hashlib.sha256(origin.encode()).hexdigest()
