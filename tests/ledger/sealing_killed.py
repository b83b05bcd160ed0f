"""Seal a log in processes that are killed before each step in turn; one line of JSON at the end.

A program of its own, because it forks: ``python -m tests.ledger.sealing_killed FOLDER``. For every
n a child goes on with the log that the children before it left, and kills itself with SIGKILL
before its n-th step on the disk (or half way through writing a file). Whatever head stands on disk
after a death, in the file of the last head or as the checkpoint, is written down: of one size there
may be one.
"""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Final

from exchange.ledger.cosignature import verify_head
from exchange.ledger.logfiles import LogFiles
from exchange.ledger.sealing import Sealing
from tests.ledger.logs import NOW_S, ORIGIN, PublishedLog

BATCHES: Final = (3, 253, 300)
"""Entries of each sealing: a partial tile, one that is just full, two tiles at once."""


class Mortal(LogFiles):
    """Files of a process that has so many steps to live.

    It does without fsync: what a killed process has written is in the page cache.
    """

    steps_left: int = 1 << 30
    steps = 0

    def _step(self) -> None:
        self.steps += 1
        self.steps_left -= 1
        if self.steps_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def _write_draft(self, file: Path, raw: bytes) -> None:
        self._step()
        file.write_bytes(raw[: len(raw) // 2])  # a torn file, as far as the next one reads it
        self._step()
        file.write_bytes(raw)

    def _rename(self, draft: Path, file: Path) -> None:
        self._step()
        super()._rename(draft, file)

    def _sync_folder(self, folder: Path) -> None:
        self._step()

    def _unlink(self, file: Path) -> None:
        self._step()
        super()._unlink(file)


def seal_on(folder: Path, log: PublishedLog, steps: int, now_s: int) -> int:
    """Begin as any process does, then seal batch after batch; how many steps it took."""
    files = Mortal(folder / "log", folder / "hub-1.head")
    files.steps_left = steps
    files.acquire()
    sealing = Sealing(files, origin=ORIGIN, hub="hub-1", signers=log.signers())
    sealing.begin(log.tree)
    end = 0
    for count in BATCHES:
        end += count
        if end > sealing.size:
            draft = sealing.draft(log.tree, log.entries[sealing.next_first : end])
            sealing.publish(sealing.sign(draft, now_s=now_s))
            sealing.sweep()
    return files.steps


def heads_on_disk(folder: Path, log: PublishedLog) -> list[tuple[int, str]]:
    """Size and bytes of every whole head that a reader could see."""
    found = []
    for file in (folder / "hub-1.head", folder / "log" / "checkpoint"):
        if file.exists():
            head = verify_head(file.read_bytes(), log.keys)
            found.append((head.checkpoint.size, head.raw.hex()))
    return found


def run(folder: Path) -> dict[str, object]:
    """Kill at every step of a whole life; each life starts where the last one was cut off."""
    log = PublishedLog(seed=3).grow(sum(BATCHES))
    deaths = 0
    sizes: set[int] = set()
    for steps in range(1, 1 << 20):
        life = folder / f"life-{steps}"
        life.mkdir()
        seen: dict[int, str] = {}
        killed = lived(life, log, steps, NOW_S + 2 * steps)
        note_heads(life, log, seen)
        if killed:
            deaths += 1
            lived(life, log, 1 << 30, NOW_S + 2 * steps + 1)
            note_heads(life, log, seen)
        check_whole(life, log, seen)
        sizes |= seen.keys()
        if not killed:
            return {"deaths": deaths, "lives": steps, "sizes": sorted(sizes)}
    raise AssertionError("some life is the last")


def lived(life: Path, log: PublishedLog, steps: int, now_s: int) -> bool:
    """A child that seals until its steps are used up; whether it was killed."""
    child = os.fork()
    if child == 0:
        seal_on(life, log, steps, now_s)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL:
        return True
    if status:
        raise SystemExit(f"{life.name} ended with {status}")
    return False


def note_heads(life: Path, log: PublishedLog, seen: dict[int, str]) -> None:
    """Add what a reader could see now; there is one head a size."""
    for size, raw in heads_on_disk(life, log):
        if seen.setdefault(size, raw) != raw:
            raise SystemExit(f"{life.name}: two signed heads of size {size}")


def check_whole(life: Path, log: PublishedLog, seen: dict[int, str]) -> None:
    """A log that was finished is byte for byte the one that nobody ever killed."""
    there = {
        file.relative_to(life / "log").as_posix(): file.read_bytes()
        for file in (life / "log").rglob("*")
        if file.is_file() and file.suffix != ".new"
    }
    checkpoint = there.pop("checkpoint")
    wanted = log.files()
    del wanted["checkpoint"]
    missing = [path for path, raw in wanted.items() if there.get(path) != raw]
    if missing or max(seen) != len(log.entries) or checkpoint.hex() != seen[max(seen)]:
        raise SystemExit(f"not whole: {missing} {sorted(seen)}")


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(Path(sys.argv[1]))))
