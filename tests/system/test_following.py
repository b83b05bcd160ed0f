"""Adapters and following pulls outlive restarts of Kafka and the hub, and end when told."""

import signal
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from exchange.wiring.auditview import followed
from exchange.wiring.home import open_home
from tests.system.installation import (
    AUTHORITY,
    CONSUMER,
    PROVIDER,
    Installation,
    Running,
    until,
)
from tests.system.records import Dataset, Rows, generate, in_sqlite, publish, write_csv

_SOURCE = """\
[adapter]
kind = "source"
member = "{member}"

[source]
dataset = "{dataset}"
folder = "{folder}"
every_s = 1
"""
_SINK = """\
[adapter]
kind = "sink"
member = "{member}"

[sink]
grant = "{grant}"
out = "sqlite:{sink}"
"""


@dataclass
class Line:
    """A source adapter, a sink adapter and a following pull, with what was put in so far."""

    installation: Installation
    dataset: Dataset
    outbox: Path
    sinks: tuple[Path, Path]
    running: tuple[Running, ...]
    source: Rows

    def put(self, rows: Rows) -> None:
        """A file for the source adapter, put there at once as a whole."""
        draft = write_csv(self.outbox / "draft", rows)
        draft.rename(self.outbox / f"{next(iter(rows))}.csv")
        self.source |= rows

    def arrived(self, sink: Path) -> bool:
        """Whether the sink holds exactly what was put in; nothing may have ended."""
        assert not [one.wait() for one in self.running if one.ended()]
        return sink.exists() and in_sqlite(sink, self.dataset)[0] == self.source

    def wait(self, what: str) -> None:
        """Everything arrives in both sinks."""
        for sink in self.sinks:
            until(partial(self.arrived, sink), f"{what} in {sink.name}")


@pytest.fixture(scope="module")
def line(
    shared_installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Line]:
    installation, folder = shared_installation, tmp_path_factory.mktemp("line")
    installation.repair()
    dataset = publish(installation, folder, "notices")
    outbox = folder / "outbox"
    outbox.mkdir()
    sinks = (folder / "adapter.db", folder / "follow.db")
    source, target = folder / "source.toml", folder / "sink.toml"
    source.write_text(_SOURCE.format(member=PROVIDER, dataset=dataset.name, folder=outbox), "utf-8")
    target.write_text(_SINK.format(member=CONSUMER, grant=dataset.grant, sink=sinks[0]), "utf-8")
    out = ("--out", f"sqlite:{sinks[1]}", "--follow")
    running = (
        installation.start("adapter", "run", str(source)),
        installation.start("adapter", "run", str(target)),
        installation.start("pull", dataset.name, "--grant", dataset.grant, *out, member=CONSUMER),
    )
    yield Line(installation, dataset, outbox, sinks, running, {})
    for one in running:
        one.kill()


def test_a_single_record_arrives_while_they_run(line: Line) -> None:
    line.put(generate("single", 1))
    line.wait("the record")


@pytest.mark.parametrize("victim", ["hub", "kafka"])
def test_they_outlive_a_restart_of(line: Line, victim: str) -> None:
    line.installation.kill(victim)
    line.put(generate(f"during-{victim}", 20))
    line.installation.run("up")
    line.wait("what was put in meanwhile")
    line.put(generate(f"after-{victim}", 1))
    line.wait("the record after it")


def test_a_search_view_that_is_kept_current_is_let_go_of_by_ctrl_c(
    installation: Installation,
) -> None:
    home = open_home(installation.home)
    following = installation.start("audit", "view", "--follow")
    until(lambda: followed(home, AUTHORITY) or following.ended(), "the view to be current")
    assert followed(home, AUTHORITY) == "authority"
    assert installation.run("audit", "search", "--count").answer["count"] > 0
    following.signal(signal.SIGINT)
    done = following.wait()
    assert (done.code, done.errors) == (0, "")
    assert done.answer["size"] > 0
    assert followed(home, AUTHORITY) == ""


@pytest.mark.parametrize("place", [0, 1, 2], ids=["source", "sink", "follow"])
def test_sigterm_ends_it_cleanly(line: Line, place: int) -> None:
    line.running[place].signal(signal.SIGTERM)
    done = line.running[place].wait()
    assert (done.code, done.errors) == (0, "")
