"""kill -9 of a push or a pull at any moment loses no acknowledged record and doubles none."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from tests.fixtures.files import stamp_of
from tests.system.installation import CONSUMER, PROVIDER, Installation, Running, until
from tests.system.records import (
    Dataset,
    Journal,
    Positions,
    Rows,
    generate,
    in_postgres,
    in_sqlite,
    publish,
    write_csv,
)

PUSHES = 12
PULLS = 4
OWN, SHARED = 300, 200
SEED = 20


@dataclass
class History:
    """What became of the pushes, and the department's table after them."""

    acknowledged: list[Rows] = field(default_factory=list)
    killed: list[Rows] = field(default_factory=list)
    source: Rows = field(default_factory=dict)
    before: Journal = field(default_factory=lambda: Journal({}))
    journal: Journal = field(default_factory=lambda: Journal({}))
    pull_s: float = 0.0

    def is_mixed(self) -> bool:
        """Whether enough pushes were killed, and some besides the first two were not."""
        return len(self.killed) > PUSHES // 4 and len(self.acknowledged) > 2


def kill_after(running: Running, touched: Callable[[], bool], wait_s: float) -> bool:
    """End it by kill -9 ``wait_s`` after it begins to write; False if it was done before that."""
    until(lambda: touched() or running.ended(), "the command to write something")
    time.sleep(wait_s)
    done = running.kill()
    assert done is None or done.code == 0, done
    return done is None


def changed(file: Path) -> Callable[[], bool]:
    """Tells whether a SQLite file, or its log, is another than now."""

    def look() -> list[tuple[int, int] | None]:
        return [stamp_of(at) for at in (file, file.with_name(file.name + "-wal"))]

    before = look()
    return lambda: look() != before


def span(running: Running, touched: Callable[[], bool]) -> float:
    """Seconds from its first write to its end, undisturbed."""
    until(touched, "the command to write something")
    began_s = time.monotonic()
    assert running.wait().code == 0
    return time.monotonic() - began_s


def pull(installation: Installation, dataset: Dataset, out: str) -> Running:
    words = ("pull", dataset.name, "--grant", dataset.grant, "--out", out)
    return installation.start(*words, member=CONSUMER)


@pytest.fixture(scope="module")
def allowances(shared_installation: Installation, place: Path) -> Dataset:
    shared_installation.repair()
    return publish(shared_installation, place, "allowances")


@pytest.fixture(scope="module")
def history(shared_installation: Installation, allowances: Dataset, place: Path) -> History:
    """A dozen pushes that are killed at random moments, then one of the whole table."""
    installation, dice, history = shared_installation, random.Random(SEED), History()
    spool = installation.home / "members" / PROVIDER / "spool" / "main.db"

    def push(label: str, rows: Rows) -> tuple[Running, Callable[[], bool]]:
        file = write_csv(place / f"{label}.csv", rows)
        touched = changed(spool)
        return installation.start("push", allowances.name, str(file), member=PROVIDER), touched

    rows = generate("first", OWN, shared=SHARED)
    span(*push("opening", rows))  # opens the streams, which no later push does
    history.acknowledged.append(rows)
    push_s = span(*push("again", generate("again", OWN, shared=SHARED)))
    history.acknowledged.append(generate("again", OWN, shared=SHARED))
    for number in range(3 * PUSHES):
        if number >= PUSHES and history.is_mixed():
            break
        # Other work on the machine makes pushes longer or shorter than the one that was timed.
        share = 1.2 if number < PUSHES else 0.4 if len(history.acknowledged) > 2 else 3.0
        rows = generate(f"round-{number}", OWN, shared=SHARED)
        killed = kill_after(*push(f"round-{number}", rows), dice.random() * share * push_s)
        (history.killed if killed else history.acknowledged).append(rows)
        history.source |= rows
    journal = str(place / "journal")
    assert pull(installation, allowances, journal).wait().code == 0
    history.before = Journal.read(place / "journal", allowances)
    history.source = {**history.acknowledged[0], **history.acknowledged[1], **history.source}
    assert push("whole", history.source)[0].wait().code == 0
    began_s = time.monotonic()
    assert pull(installation, allowances, journal).wait().code == 0
    history.pull_s = time.monotonic() - began_s
    history.journal = Journal.read(place / "journal", allowances)
    return history


def test_some_pushes_were_killed_and_some_were_not(history: History) -> None:
    assert history.is_mixed()


def test_every_acknowledged_push_arrived_exactly_once(history: History) -> None:
    arrived = Counter(
        (record["id"], record["note"])
        for bundle in history.before.bundles.values()
        for record in bundle
    )
    for rows in history.acknowledged:
        assert {arrived[row[0], row[3]] for row in rows.values()} == {1}
    for rows in history.killed:
        assert {arrived[row[0], row[3]] for row in rows.values()} <= {0, 1}


def test_no_record_has_the_version_of_another(history: History) -> None:
    versions = history.journal.versions()
    assert len(set(versions)) == len(versions)


@dataclass(frozen=True, slots=True)
class Store:
    """A sink: how it is named on the line, what it holds, and when a pull begins to use it."""

    out: str
    held: Callable[[], tuple[Rows, Positions]]
    in_use: Callable[[], bool]


def sqlite_store(file: Path, dataset: Dataset) -> Store:
    return Store(f"sqlite:{file}", lambda: in_sqlite(file, dataset), changed(file))


def postgres_store(conninfo: str, dataset: Dataset) -> Store:
    def in_use() -> bool:
        query = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'"
        with psycopg.connect(conninfo) as store:
            found = store.execute(query).fetchone()
        return found is not None and found[0] > 1

    return Store(conninfo, lambda: in_postgres(conninfo, dataset), in_use)


def killed_pulls(
    installation: Installation, dataset: Dataset, store: Store, history: History
) -> Positions:
    """Kill pulls until there is nothing left to pull; the sink is looked at after each."""
    dice = random.Random(SEED)
    reached: Positions = {}
    for _ in range(PULLS):
        kill_after(
            pull(installation, dataset, store.out), store.in_use, dice.random() * history.pull_s / 2
        )
        rows, positions = store.held()
        assert rows == history.journal.rows(positions)
        assert all(positions[stream] >= at for stream, at in reached.items())
        reached = positions
    return reached


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_killed_pulls_leave_whole_bundles_and_the_next_one_goes_on_and_receipts_all(
    installation: Installation,
    allowances: Dataset,
    history: History,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    kind: str,
) -> None:
    if kind == "sqlite":
        store = sqlite_store(tmp_path / "sink.db", allowances)
    else:
        store = postgres_store(request.getfixturevalue("postgres"), allowances)
    before = receipted(installation, allowances)
    killed_pulls(installation, allowances, store, history)
    done = pull(installation, allowances, store.out).wait()
    assert (done.code, done.answer["whole"]) == (0, True)
    rows, positions = store.held()
    assert positions == history.journal.ends()
    assert rows == history.source
    assert receipted(installation, allowances) - before == len(history.journal.versions())


def receipted(installation: Installation, dataset: Dataset) -> int:
    """Records that the consumer has signed for, whatever the sink."""
    reads = installation.run("audit", "search", "--reads").answer["reads"]
    (records,) = [one["records_received"] for one in reads if one["grant"] == dataset.grant]
    return int(records)
