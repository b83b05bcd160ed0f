"""No room left for a member: said with a remedy, and nothing is lost once there is room again.

Kafka's disk is another one. Where a file system cannot be mounted, the size of the command's files
is limited instead, which the operating system reports in much the same way.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.system.installation import CONSUMER, PROVIDER, Installation, Told
from tests.system.records import Dataset, Rows, generate, in_sqlite, write_csv

ROOM_BYTES = 8 << 20
COUNT = 3_000


def mount(folder: Path) -> bool:
    """Put a small empty file system onto ``folder``; False where that is not allowed."""
    line = ["mount", "-t", "tmpfs", "-o", f"size={ROOM_BYTES},mode=0700", "none", str(folder)]
    done = subprocess.run(line, check=False, capture_output=True) if os.geteuid() == 0 else None
    return done is not None and done.returncode == 0


@contextmanager
def little_room(folder: Path, left_bytes: int) -> Iterator[int]:
    """Leave only ``left_bytes`` for what is written below ``folder``.

    Gives the limit that the command itself needs for that: 0 when the disk is full indeed.
    """
    aside = folder.with_name(folder.name + ".aside")
    shutil.copytree(folder, aside)
    if not mount(folder):
        shutil.rmtree(aside)
        yield left_bytes
        return
    try:
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        filler, room = folder / "filler", os.statvfs(folder)
        filler.write_bytes(bytes(room.f_bavail * room.f_frsize - left_bytes))
        yield 0
        filler.unlink()
        shutil.rmtree(aside)
        shutil.copytree(folder, aside)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        shutil.rmtree(aside)


def no_room(failed: Told, limit: int) -> None:
    """One sentence, and to make room as its remedy; SQLite does not tell why a limit stopped it."""
    assert (failed.code, failed.errors) == (3, "")
    assert failed.error["retriable"]
    if failed.error["category"] != "sink-unavailable" or not limit:
        assert failed.error["category"] == "disk-full"
        assert "free" in failed.error["remedy"]["en"]


@pytest.fixture(scope="module")
def pushed() -> Rows:
    """What the pushes of this module published in the end."""
    return {}


@pytest.mark.parametrize("left_bytes", [40 << 10, 200 << 10], ids=["hardly any", "a little"])
def test_a_push_without_room_says_so_and_the_next_one_loses_nothing(
    installation: Installation, subsidies: Dataset, place: Path, pushed: Rows, left_bytes: int
) -> None:
    rows = generate(f"full-{left_bytes}", COUNT)
    words = ("push", subsidies.name, str(write_csv(place / f"full-{left_bytes}.csv", rows)))
    with little_room(installation.home / "members" / PROVIDER, left_bytes) as limit:
        no_room(installation.start(*words, member=PROVIDER, file_bytes_max=limit).wait(), limit)
    assert installation.run(*words, member=PROVIDER).answer["accepted"] == COUNT
    pushed |= rows


def test_a_pull_without_room_says_so_and_the_next_one_loses_nothing(
    installation: Installation, subsidies: Dataset, pushed: Rows, tmp_path: Path
) -> None:
    folder = tmp_path / "disk"
    folder.mkdir()
    sink = folder / "sink.db"
    words = ("pull", subsidies.name, "--grant", subsidies.grant, "--out", f"sqlite:{sink}")
    with little_room(folder, 100 << 10) as limit:
        no_room(installation.start(*words, member=CONSUMER, file_bytes_max=limit).wait(), limit)
    assert installation.run(*words, member=CONSUMER).answer["whole"]
    held, _ = in_sqlite(sink, subsidies)
    assert pushed
    assert {key: held.get(key) for key in pushed} == pushed
