"""Kafka or the hub dies during a push or a pull: said clearly, and nothing is lost."""

from pathlib import Path

import pytest

from tests.fixtures.files import stamp_of
from tests.system.installation import CONSUMER, PROVIDER, Installation, Told, until
from tests.system.records import Dataset, Rows, generate, in_sqlite, write_csv

COUNT = 2_000


@pytest.fixture(scope="module")
def source() -> Rows:
    """What the tests of this module have pushed."""
    return {}


victims = pytest.mark.parametrize("victim", ["hub", "kafka"])


def step(victim: str) -> str:
    """What `exchange status` calls it."""
    return {"hub": "hub-process"}.get(victim, victim)


def unavailable(done: Told) -> None:
    """One sentence and its remedy, in both languages, exit 3.

    The remedy is a command, but for a second push while the first still waits: then it is patience.
    """
    assert done.code == 3
    assert done.errors == ""
    assert done.error["retriable"]
    for language in ("en", "zh"):
        assert done.error["message"][language]
        assert done.error["remedy"][language]
    waits = done.error["failure"] == "spool-busy"
    assert ("wait until" if waits else "exchange") in done.error["remedy"]["en"]


@victims
def test_a_push_during_which_it_dies_is_finished_by_the_same_command(
    installation: Installation, subsidies: Dataset, source: Rows, place: Path, victim: str
) -> None:
    rows = generate(f"push-{victim}", COUNT)
    file = str(write_csv(place / f"push-{victim}.csv", rows))
    spool = installation.home / "members" / PROVIDER / "spool"
    before = {path: stamp_of(path) for path in spool.glob("*")}

    def sealing() -> bool:
        return any(stamp_of(path) not in {None, before.get(path)} for path in spool.glob("*"))

    running = installation.start("push", subsidies.name, file, member=PROVIDER)
    until(lambda: sealing() or running.ended(), "the push to seal")
    installation.kill(victim)
    assert installation.missing() == step(victim)
    again = installation.start("push", subsidies.name, file, member=PROVIDER).wait()
    unavailable(again)
    installation.run("up")
    first = running.wait()  # it may have been done in time, or have waited for the restart
    if first.code:
        unavailable(first)
    done = installation.run("push", subsidies.name, file, member=PROVIDER)
    assert done.answer["accepted"] == COUNT
    source |= rows
    held = pulled(installation, subsidies, place / f"after-{victim}.db")
    assert {key: held.get(key) for key in source} == source


@victims
def test_a_pull_during_which_it_dies_is_finished_by_the_same_command(
    installation: Installation, subsidies: Dataset, source: Rows, place: Path, victim: str
) -> None:
    sink = place / f"pull-{victim}.db"
    words = ("pull", subsidies.name, "--grant", subsidies.grant, "--out", f"sqlite:{sink}")
    running = installation.start(*words, member=CONSUMER)
    until(lambda: sink.exists() or running.ended(), "the pull to open its sink")
    installation.kill(victim)
    first = running.wait()
    if first.code:
        unavailable(first)
    assert installation.missing() == step(victim)
    if victim == "kafka":
        unavailable(installation.start(*words, member=CONSUMER).wait())
    installation.run("up")
    held = pulled(installation, subsidies, sink)
    assert {key: held.get(key) for key in source} == source


def pulled(installation: Installation, dataset: Dataset, sink: Path) -> Rows:
    """Pull into ``sink`` and read it."""
    words = ("--grant", dataset.grant, "--out", f"sqlite:{sink}")
    assert installation.run("pull", dataset.name, *words, member=CONSUMER).answer["whole"]
    return in_sqlite(sink, dataset)[0]


def test_nothing_is_missing_and_the_ledger_is_whole_after_all_of_it(
    installation: Installation,
) -> None:
    assert installation.missing() is None
    assert installation.run("audit", "verify").answer["verified"]
