"""Starting and stopping a home: twice at once, interrupted, on a busy port, after a crash."""

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.installation import (
    CONSUMER,
    PROVIDER,
    WAIT_S,
    Installation,
    Running,
    alive,
    installed,
    listening,
    until,
)
from tests.system.records import Dataset, generate, in_sqlite, write_csv

INTERRUPTED = 130
SEED = 7


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A home that nobody else uses."""
    with installed(tmp_path_factory.mktemp("fresh") / "home") as installation:
        yield installation


def interrupt(running: Running) -> None:
    """Ctrl-C: it ends at once without a traceback, and blames nobody."""
    running.signal(signal.SIGINT)
    out, err = running.process.communicate(timeout=WAIT_S)
    assert "Traceback" not in err.decode()
    assert running.process.returncode in {0, INTERRUPTED}, (out, err)
    answer = json.loads(out) if out else {}
    assert not answer.get("withheld")


def roles(installation: Installation) -> list[str]:
    """What runs for this home, by kind."""
    lines = installation.processes().values()
    return sorted("kafka" if "kafka.Kafka" in line else "hub" for line in lines)


def test_two_starts_at_once_start_one_of_each(fresh: Installation) -> None:
    first, second = fresh.start("up"), fresh.start("up")
    assert (first.wait().code, second.wait().code) == (0, 0)
    assert roles(fresh) == ["hub", "kafka"]
    assert fresh.missing() is None
    assert sorted(fresh.run("down").answer["stopped"]) == ["hub", "kafka"]
    assert roles(fresh) == []


def test_a_start_interrupted_at_any_moment_leaves_nothing_that_down_does_not_stop(
    fresh: Installation,
) -> None:
    dice = random.Random(SEED)
    node = fresh.home / "kafka" / "node.json"
    for _ in range(2):
        running = fresh.start("up")
        until(node.exists, "Kafka to be started")
        time.sleep(dice.random() * 1.5)
        interrupt(running)
        fresh.run("down")
        assert roles(fresh) == []


def test_a_port_in_use_is_named_with_a_remedy_and_nothing_is_left_half_started(
    fresh: Installation,
) -> None:
    with listening(fresh.port):
        failed = fresh.start("up").wait()
        assert failed.code == 3
        told = failed.error["message"]["en"] + failed.error["remedy"]["en"]
        assert str(fresh.port) in told
        assert roles(fresh) == [], "it was told before anything was started"
        assert fresh.missing() == "kafka"
    fresh.run("up")
    assert fresh.missing() is None


def test_a_stale_process_id_is_neither_believed_nor_signalled(fresh: Installation) -> None:
    fresh.run("up")
    fresh.kill("hub")
    file = fresh.home / "run" / "hub.pid"
    innocent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        started = file.read_text().split()[1]
        file.write_text(f"{innocent.pid} {started}")  # the number was given to somebody else
        assert fresh.missing() == "hub-process"
        fresh.run("up")
        assert fresh.pid("hub") != innocent.pid
        assert roles(fresh) == ["hub", "kafka"]
        assert alive(innocent.pid)
    finally:
        innocent.communicate()
    assert innocent.returncode == 1, "it ended by itself, not by a signal"


@pytest.mark.parametrize("command", ["push", "pull"])
def test_an_interrupted_command_is_finished_by_repeating_it(
    installation: Installation, subsidies: Dataset, place: Path, command: str
) -> None:
    rows = generate(f"interrupted-{command}", 2_000)
    file = str(write_csv(place / f"interrupted-{command}.csv", rows))
    sink = place / f"interrupted-{command}.db"
    push = ("push", subsidies.name, file)
    pull = ("pull", subsidies.name, "--grant", subsidies.grant, "--out", f"sqlite:{sink}")
    spool = installation.home / "members" / PROVIDER / "spool" / "main.db-wal"
    if command == "push":
        running = installation.start(*push, member=PROVIDER)
        until(lambda: spool.exists() or running.ended(), "the push to seal")
    else:
        installation.run(*push, member=PROVIDER)
        running = installation.start(*pull, member=CONSUMER)
        until(lambda: sink.exists() or running.ended(), "the pull to open its sink")
    before = roles(installation)
    interrupt(running)
    assert "hub" in before
    assert roles(installation) == ["hub", "kafka"]
    if command == "push":
        installation.run(*push, member=PROVIDER)
    installation.run(*pull, member=CONSUMER)
    held, _ = in_sqlite(sink, subsidies)
    assert {key: held.get(key) for key in rows} == rows
