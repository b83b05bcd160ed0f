"""What `exchange status` finds on the machine itself."""

import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from exchange.model.text import Text
from exchange.wiring.home import HomeTable, HubTable, KafkaTable, LogTable, open_home, render
from exchange.wiring.localsteps import FREE_BYTES_MIN, hub_steps, no_room
from exchange.wiring.processes import Background
from exchange.wiring.step import Step
from tests.fixtures.ports import free_port

TITLE = Text("hub", "枢纽")
READY = Step("hub", TITLE, good=True, found=Text("ready", "就绪"))
SILENT = Step("hub", TITLE, good=False, found=Text("no answer", "无响应"), remedy=TITLE)


class Usage(NamedTuple):
    total: int
    used: int
    free: int


def looked(
    tmp_path: Path, ready: Step, *, port: int, pid: str = "", answers: bool = False
) -> list[Step]:
    """The steps of a home whose hub has this port and this pid file."""
    log = LogTable(origin="exchange.test/1", genesis="ab" * 32, authority="data-bureau")
    table = HomeTable(log=log, hub=HubTable(port=port), kafka=KafkaTable())
    (tmp_path / "exchange.toml").write_text(render(table), "utf-8")
    file = tmp_path / "hub.pid"
    file.write_text(pid, "ascii")
    hub = Background("hub", file, tmp_path / "console")
    return hub_steps(open_home(tmp_path), hub, ready, answers or ready.good)


@contextmanager
def listening(port: int) -> Iterator[None]:
    with socket.create_server(("127.0.0.1", port)):
        yield


def test_a_full_disk_is_a_missing_step(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    left = FREE_BYTES_MIN
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(1 << 40, 1 << 40, left))
    assert no_room(tmp_path) == []
    left = FREE_BYTES_MIN - 1
    (step,) = no_room(tmp_path)
    assert (step.name, step.good) == ("disk", False)
    assert str(tmp_path) in step.found.en
    assert "free space" in step.remedy.en


def test_a_hub_that_is_not_running_is_started_by_up_and_status_does_not_name_itself(
    tmp_path: Path,
) -> None:
    process, hub = looked(tmp_path, SILENT, port=free_port())
    assert (process.good, hub.good) == (False, False)
    assert "exchange up" in process.remedy.en
    assert hub.remedy == process.remedy


def test_another_program_on_the_port_of_the_hub_is_named(tmp_path: Path) -> None:
    port = free_port()
    with listening(port):
        process, hub = looked(tmp_path, SILENT, port=port)
    assert f"another program has its port {port}" in process.found.en
    assert f"sport = :{port}" in process.remedy.en
    assert hub.remedy == process.remedy


def test_a_hub_that_a_supervisor_started_is_not_missing(tmp_path: Path) -> None:
    port = free_port()
    with listening(port):
        steps = looked(tmp_path, READY, port=port)
    assert [step.good for step in steps] == [True, True]
    assert not steps[0].remedy.en


def test_a_hub_of_a_supervisor_that_is_not_ready_is_no_other_program(tmp_path: Path) -> None:
    port = free_port()
    with listening(port):
        process, hub = looked(tmp_path, SILENT, port=port, answers=True)
    assert process.good
    assert hub == SILENT


def test_a_living_process_that_does_not_answer_keeps_the_reason_it_gives(tmp_path: Path) -> None:
    started = Path("/proc/self/stat").read_text("ascii").rpartition(")")[2].split()[19]
    process, hub = looked(tmp_path, SILENT, port=free_port(), pid=f"{os.getpid()} {started}")
    assert process.good
    assert hub == SILENT
