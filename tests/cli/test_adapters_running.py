"""Long-running adapters under a home: a folder published, a grant delivered, across a restart."""

import os
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from exchange.wiring.home import open_home
from exchange.wiring.processes import Background
from exchange.wiring.upkeep import adapter_process
from tests.cli.conftest import WHOLE, Terminal

CONTRACT = """\
dataset: {dataset}
title: {{zh: 公交, en: Buses}}
fields:
  - {{name: bus, type: text, level: 1, required: true}}
  - {{name: seats, type: integer, level: 1}}
key: [bus]
cycle: daily
retention_days: 30
"""
PROVIDER, CONSUMER = "bus-company", "transport-bureau"

pytestmark = pytest.mark.kafka


def until(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait for ``condition``."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.2)


def test_adapters_publish_and_deliver_and_survive_kill(
    live_home: Path, terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXCHANGE_HOME", str(live_home))
    monkeypatch.chdir(tmp_path)
    dataset, outbox, store = f"buses-{uuid4().hex[:6]}", tmp_path / "outbox", tmp_path / "in.db"
    outbox.mkdir()
    for member, code in ((PROVIDER, "113300000DEM00002A"), (CONSUMER, "113300000DEM00004G")):
        names = ("--name-zh", "机构", "--name-en", "Office", "--credit-code", code)
        assert terminal("member", "enrol", member, *names) == 0, terminal.err
    Path("contract.yaml").write_text(CONTRACT.format(dataset=dataset), "utf-8")
    core = (
        "--classification",
        "交通",
        "--code",
        "306002/000001",
        "--abstract",
        "公交",
        "--basis",
        "条例",
    )
    words = ("--sharing", "unconditional", "--topic", f"test.data.{uuid4().hex}")
    proposal = ("catalogue", "propose", "contract.yaml", *core, *words)
    assert terminal(*proposal, "--as", PROVIDER) == 0, terminal.err
    assert terminal("catalogue", "review", dataset, "--approve") == 0, terminal.err
    assert terminal("catalogue", "publish", dataset) == 0, terminal.err
    asked = ("request", "new", dataset, *WHOLE, "--as", CONSUMER)
    grant = terminal.json(*asked)["grant"]

    home = open_home(live_home)
    source = _configure(
        live_home / "members" / PROVIDER / "adapters" / "buses.toml",
        f'[adapter]\nkind = "source"\nmember = "{PROVIDER}"\n\n[source]\n'
        f'dataset = "{dataset}"\nfolder = "{outbox}"\nevery_s = 1\n',
    )
    sink = _configure(
        live_home / "members" / CONSUMER / "adapters" / "buses.toml",
        f'[adapter]\nkind = "sink"\nmember = "{CONSUMER}"\n\n[sink]\n'
        f'grant = "{grant[:16]}"\nout = "sqlite:{store}"\n',
    )
    try:
        _offer(outbox, "first", ["b1,40", "b2,50"])
        assert terminal("up") == 0, terminal.err
        until(lambda: _rows(store, dataset) == [("b1", 40), ("b2", 50)])
        until((outbox / "done" / "first.csv").exists)  # only when what became of it is noted

        for configuration in (source, sink):
            _kill(adapter_process(home, configuration))
        _offer(outbox, "second", ["b2,55", "b3,60", ",70"])
        assert terminal("up") == 0, terminal.err
        until(lambda: _rows(store, dataset) == [("b1", 40), ("b2", 55), ("b3", 60)])
        until((outbox / "done" / "second.csv").exists)
        steps = terminal.json("status")["steps"]
        assert sum(step["step"].startswith("adapter-") for step in steps) == 2
        kept = terminal.json("adapter", "rejected", str(source))["rejected"]
        assert [one["record"]["seats"] for one in kept] == ["70"]
    finally:
        for configuration in (source, sink):
            assert adapter_process(home, configuration).stop()
            configuration.unlink()


def _kill(process: Background) -> None:
    """End it by kill -9, and return when it is over: nobody may take it for a living one then."""
    pid = process.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until(lambda: process.pid() is None)


def _configure(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def _offer(outbox: Path, name: str, rows: list[str]) -> None:
    draft = outbox / f"{name}.part"
    draft.write_text("\n".join(["bus,seats", *rows]), "utf-8")
    draft.rename(outbox / f"{name}.csv")


def _rows(store: Path, dataset: str) -> list[tuple[str, int]]:
    if not store.exists():
        return []
    with closing(sqlite3.connect(store)) as connection:
        view = dataset.replace("-", "_")
        known = connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (view,)).fetchone()
        if known is None:
            return []
        return connection.execute(f'SELECT bus, seats FROM "{view}" ORDER BY bus').fetchall()
