"""How far this machine has read, kept across restarts; exchange/ledger/SPEC.md section 12.

State is always folded from the topic; the mark only lets a process notice after a restart that the
topic is not the one it had read.
"""

import os
import threading
from dataclasses import dataclass
from pathlib import Path

import orjson

from exchange.errors import InputUnreadable
from exchange.ledger.merkle import HASH_BYTES


@dataclass(frozen=True, slots=True)
class Mark:
    """``size`` leaves with this root had been read; the last stood at ``offset``."""

    size: int
    root: bytes
    offset: int


class MarkFile:
    """A mark in a small JSON file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._saving = threading.Lock()

    def load(self) -> Mark | None:
        """The mark, None if there is none yet; `InputUnreadable` for a file that is no mark."""
        try:
            data = orjson.loads(self._path.read_bytes())
            mark = Mark(int(data["size"]), bytes.fromhex(data["root"]), int(data["offset"]))
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            raise _unreadable(self._path) from None
        if mark.size < 1 or len(mark.root) != HASH_BYTES or mark.offset < 0:
            raise _unreadable(self._path)
        return mark

    def save(self, mark: Mark) -> None:
        """Replace the mark; when this returns it is on disk. Raises OSError.

        Safe from several threads: a save goes on in its thread when whoever asked is cancelled.
        """
        with self._saving:
            try:
                self._replace(mark)
            except OSError as error:
                error.filename = error.filename or str(self._path)  # a full disk names no file
                raise

    def _replace(self, mark: Mark) -> None:
        data = {"size": mark.size, "root": mark.root.hex(), "offset": mark.offset}
        fresh = self._path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(orjson.dumps(data))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)
        directory = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def _unreadable(path: Path) -> InputUnreadable:
    return InputUnreadable(
        f"{path.name} is no mark of a ledger",
        f"{path.name} 不是账本标记文件",
        remedy=(
            "find out who changed it; without it, truncation while this was off goes unnoticed",
            "请查明更改原因；若删除该文件，停机期间的截断将无法察觉",
        ),
        failure="mark",
    )
