"""No room left for a member: said with a remedy, and nothing is lost once there is room again."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.system.installation import CONSUMER, PROVIDER, Installation
from tests.system.records import Dataset, generate, in_sqlite, write_csv

ROOM_BYTES = 8 << 20
COUNT = 3_000


@contextmanager
def small_disk(folder: Path) -> Iterator[None]:
    """``folder`` on a file system of its own, with what was in it; on the old one again after."""
    aside = folder.with_name(folder.name + ".aside")
    shutil.copytree(folder, aside)
    options = f"size={ROOM_BYTES},mode=0700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(folder)], check=True)
    try:
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        yield
        shutil.rmtree(aside)
        shutil.copytree(folder, aside)
    finally:
        subprocess.run(["umount", str(folder)], check=True)
        shutil.copytree(aside, folder, dirs_exist_ok=True)
        shutil.rmtree(aside)


def fill(folder: Path, left_bytes: int) -> Path:
    """Take all room of the disk but ``left_bytes``."""
    filler = folder / "filler"
    room = os.statvfs(folder)
    filler.write_bytes(bytes(room.f_bavail * room.f_frsize - left_bytes))
    return filler


@pytest.mark.parametrize("left_bytes", [0, 200 << 10], ids=["none", "a little"])
def test_a_push_without_room_says_so_and_the_next_one_loses_nothing(
    installation: Installation, subsidies: Dataset, place: Path, left_bytes: int
) -> None:
    rows = generate(f"full-{left_bytes}", COUNT)
    file = str(write_csv(place / f"full-{left_bytes}.csv", rows))
    folder = installation.home / "members" / PROVIDER
    with small_disk(folder):
        filler = fill(folder, left_bytes)
        failed = installation.start("push", subsidies.name, file, member=PROVIDER).wait()
        assert (failed.code, failed.errors) == (3, "")
        assert failed.error["category"] == "disk-full"
        assert "free" in failed.error["remedy"]["en"]
        filler.unlink()
        done = installation.run("push", subsidies.name, file, member=PROVIDER)
        assert done.answer["accepted"] == COUNT
    sink = place / "full.db"
    words = ("--grant", subsidies.grant, "--out", f"sqlite:{sink}")
    installation.run("pull", subsidies.name, *words, member=CONSUMER)
    held, _ = in_sqlite(sink, subsidies)
    assert {key: held.get(key) for key in rows} == rows


def test_a_pull_without_room_says_so_and_the_next_one_loses_nothing(
    installation: Installation, subsidies: Dataset, place: Path, tmp_path: Path
) -> None:
    rows = generate("full-sink", COUNT)
    file = str(write_csv(place / "full-sink.csv", rows))
    installation.run("push", subsidies.name, file, member=PROVIDER)
    folder = tmp_path / "disk"
    folder.mkdir()
    sink = folder / "sink.db"
    words = ("pull", subsidies.name, "--grant", subsidies.grant, "--out", f"sqlite:{sink}")
    with small_disk(folder):
        filler = fill(folder, 100 << 10)
        failed = installation.start(*words, member=CONSUMER).wait()
        assert (failed.code, failed.errors) == (3, "")
        assert failed.error["category"] == "disk-full"
        assert "free" in failed.error["remedy"]["en"]
        filler.unlink()
        assert installation.run(*words, member=CONSUMER).answer["whole"]
        held, _ = in_sqlite(sink, subsidies)
        assert {key: held.get(key) for key in rows} == rows
