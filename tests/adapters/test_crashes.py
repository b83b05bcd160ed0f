"""kill -9 at any moment of a commit loses nothing that was committed and doubles nothing."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from adapters.jsonl_sink import POSITIONS_FILE, JsonLinesSink
from tests.adapters.committer import RECORDS
from tests.adapters.stores import COLUMNS, DATASET, STREAM, Rows, Store, bundle, fold

KILLS = 5
ENDLESS = 1 << 40
MORE = 3
"""Bundles that the last process adds, which nobody kills."""
LIFE_SECONDS = 0.05
"""A process is killed at most so long after its first commit, which takes about a millisecond."""


def start(store: Store, bundles: int) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.adapters.committer",
            store.kind,
            store.location,
            str(bundles),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "go\n"
    return process


def expected(bundles: int) -> Rows:
    """What a reader must see when exactly ``bundles`` bundles are in."""
    if not bundles:
        return {}
    rows: Rows = {
        f"{sequence}-{row}": ("33", row) for sequence in range(bundles) for row in range(RECORDS)
    }
    return {**rows, "always": ("33", bundles - 1), f"brief-{bundles - 1}": ("33", 0)}


def committed(store: Store) -> int:
    sink = store.open()
    done = sink.positions().get(STREAM, (-1, ""))[0] + 1
    sink.close()
    return done


def test_kill_9_in_the_middle_of_committing_loses_and_doubles_nothing(store: Store) -> None:
    dice = random.Random(20)
    reached = [0]
    for _ in range(KILLS):
        process = start(store, ENDLESS)
        time.sleep(dice.random() * LIFE_SECONDS)
        process.kill()
        process.communicate()
        reached.append(committed(store))
        if store.kind != "jsonl":  # a file may be ahead of its position: it will be replaced
            assert store.rows() == expected(reached[-1])
    assert reached == sorted(set(reached)), "every process added something"
    bundles = reached[-1] + MORE
    process = start(store, bundles)
    process.communicate(timeout=120)
    assert process.returncode == 0
    assert committed(store) == bundles
    assert store.rows() == expected(bundles)
    if store.kind == "jsonl":
        journal = Path(store.location) / DATASET
        assert len(list(journal.glob("*-*.jsonl"))) == bundles
        assert not list(journal.glob("*.part"))


class Died(BaseException):
    """Stands for the end of the process."""


@pytest.mark.parametrize("moment", ["_keep", "rename", "write"])
def test_a_file_sink_that_dies_at_any_step_writes_each_record_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    def die(*_: object) -> None:
        raise Died

    sink = JsonLinesSink(tmp_path, DATASET, COLUMNS, ["id"])
    sink.commit(bundle(0, [("1", "33", 1)], versions=[1]))
    lost = bundle(1, [("2", "33", 2)], versions=[2])
    with monkeypatch.context() as patch:
        match moment:
            case "_keep":
                patch.setattr(sink, "_keep", die)
            case "rename":
                patch.setattr(Path, "replace", die)
            case _:
                patch.setattr("os.fsync", die)
        with pytest.raises(Died):
            sink.commit(lost)
    again = JsonLinesSink(tmp_path, DATASET, COLUMNS, ["id"])
    assert again.positions()[STREAM][0] == 0
    again.commit(lost)
    journal = tmp_path / DATASET
    assert sorted(path.name for path in journal.iterdir()) == [
        f"{STREAM}-000000000000.jsonl",
        f"{STREAM}-000000000001.jsonl",
        POSITIONS_FILE,
    ]
    assert fold(journal) == {"1": ("33", 1), "2": ("33", 2)}
