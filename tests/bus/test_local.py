"""The embedded node: started, found again, restarted, and clear about what is in its way."""

import fcntl
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from exchange.bus import nodeprocess
from exchange.bus.fetch import JAVA_MIN, POM, java_package, pinned_version
from exchange.bus.local import LocalKafka
from exchange.bus.nodeconfig import Ports, properties, render
from exchange.errors import BusUnavailable, DiskFull, PortBusy, ToolMissing
from exchange.shipped import deploy_file

pytestmark = pytest.mark.kafka


@pytest.fixture
def node(tmp_path: Path) -> Iterator[LocalKafka]:
    """A node of the test's own."""
    kafka = LocalKafka(tmp_path / "node with a space")
    yield kafka
    kafka.stop()


def test_a_node_starts_is_found_by_others_and_stops(node: LocalKafka, tmp_path: Path) -> None:
    assert node.running() is None
    assert not node.stop()
    running = node.start()
    assert running.version == node.version == pinned_version(deploy_file(POM))
    other = LocalKafka(tmp_path / "node with a space")
    assert other.running() == running
    assert other.start() == running
    assert other.stop()
    assert node.running() is None
    assert not node.kill()


def test_a_node_outlives_the_program_that_started_it(node: LocalKafka, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from exchange.bus.local import LocalKafka\n"
        "print(LocalKafka(Path(sys.argv[1])).start().bootstrap)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "node with a space")]
    started = subprocess.run(command, capture_output=True, text=True, check=True)
    running = node.running()
    assert running is not None
    assert running.bootstrap == started.stdout.strip()


def test_a_restarted_node_keeps_its_port_and_its_cluster(node: LocalKafka, tmp_path: Path) -> None:
    meta = tmp_path / "node with a space" / "data" / "meta.properties"
    first = node.start()
    cluster = meta.read_text("utf-8")
    node.stop()
    assert node.start().bootstrap == first.bootstrap
    assert meta.read_text("utf-8") == cluster


def test_a_node_takes_another_port_when_its_own_is_taken(node: LocalKafka) -> None:
    first = node.start()
    node.stop()
    port = int(first.bootstrap.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        second = node.start()
        assert second.bootstrap != first.bootstrap


def test_a_fixed_port_in_use_is_named_with_a_remedy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(PortBusy) as busy:
            LocalKafka(tmp_path, port=port).start()
    assert str(port) in busy.value.text.en
    assert str(port) in busy.value.text.zh
    assert "ss -ltnp" in busy.value.remedy.en
    assert busy.value.exit_code == 3


def test_a_port_taken_between_the_check_and_the_start_is_named_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exchange.bus.local.is_free", lambda _port: True)
    with socket.create_server(("127.0.0.1", 0)) as server:
        kafka = LocalKafka(tmp_path, port=server.getsockname()[1])
        with pytest.raises(PortBusy):
            kafka.start()
    assert kafka.running() is None


def test_a_node_that_may_choose_its_port_tries_another_one(
    node: LocalKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        ports = iter([taken, nodeprocess.free_port()])
        monkeypatch.setattr(
            "exchange.bus.local.free_port", lambda: next(ports, 0) or nodeprocess.free_port()
        )
        assert node.start().bootstrap != f"127.0.0.1:{taken}"


def test_the_pid_of_a_node_that_died_is_never_believed(tmp_path: Path) -> None:
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    state = f'{{"pid": {bystander.pid}, "broker": 1, "controller": 2, "version": "4"}}'
    (tmp_path / "node.json").write_text(state, "utf-8")
    (tmp_path / "node.lock").touch()
    kafka = LocalKafka(tmp_path)
    assert kafka.running() is None
    assert not kafka.stop()
    assert not kafka.kill()
    assert bystander.poll() is None
    bystander.communicate(b"\n")


def test_a_start_waits_for_a_node_that_is_ending(node: LocalKafka, tmp_path: Path) -> None:
    """A killed JVM keeps its files open, and so its lock, until its last thread is gone."""
    directory = tmp_path / "node with a space"
    directory.mkdir()
    lock = nodeprocess.take_lock(directory / "node.lock")
    assert lock is not None
    ending = threading.Timer(0.5, os.close, [lock])
    ending.start()
    assert node.start().pid
    ending.join()


def test_those_who_look_whether_a_node_runs_do_not_take_each_other_for_it(tmp_path: Path) -> None:
    path = tmp_path / "node.lock"
    assert not nodeprocess.is_locked(path)
    path.touch()
    with path.open() as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        assert not nodeprocess.is_locked(path)
        assert nodeprocess.take_lock(path) is None
    held = nodeprocess.take_lock(path)
    assert held is not None
    assert nodeprocess.is_locked(path)
    os.close(held)


def test_a_torn_state_file_is_no_node(tmp_path: Path) -> None:
    (tmp_path / "node.json").write_text('{"pid": 12', "utf-8")
    assert LocalKafka(tmp_path).running() is None


def test_a_node_that_cannot_start_says_why_and_where_to_look(
    node: LocalKafka, tmp_path: Path
) -> None:
    node.start()
    node.stop()
    (tmp_path / "node with a space" / "data" / "meta.properties").write_text("broken", "utf-8")
    with pytest.raises(BusUnavailable) as failed:
        node.start()
    assert failed.value.failure == "node-failed"
    assert str(node.log) in failed.value.remedy.en
    assert "no reason" not in failed.value.text.en
    assert node.running() is None


def test_a_directory_that_takes_no_files_is_named(tmp_path: Path) -> None:
    (tmp_path / "node").write_text("a file stands here", "utf-8")
    with pytest.raises(BusUnavailable) as failed:
        LocalKafka(tmp_path / "node").start()
    assert failed.value.failure == "directory-unwritable"
    assert str(tmp_path / "node") in failed.value.text.en


def test_a_full_disk_is_told_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_self: Path, *_: object) -> None:
        raise OSError(28, "No space left on device", "node.json")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(DiskFull) as failed:
        LocalKafka(tmp_path / "node").start()
    assert "No space left" in failed.value.text.en


def test_a_half_formatted_directory_is_formatted_again(node: LocalKafka, tmp_path: Path) -> None:
    half = tmp_path / "node with a space" / "data.partial"
    half.mkdir(parents=True)
    (half / "meta.properties").write_text("torn", "utf-8")
    assert node.start().pid


@pytest.mark.parametrize(("shown", "failure"), [("", "java-missing"), ("11.0.2", "java-old")])
def test_a_missing_or_old_java_names_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: str, failure: str
) -> None:
    if shown:
        fake = tmp_path / "java"
        fake.write_text(f"#!/bin/sh\necho 'openjdk version \"{shown}\"' >&2\n", "utf-8")
        fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolMissing) as missing:
        LocalKafka(tmp_path / "node").start()
    assert missing.value.failure == failure
    assert "apt-get install -y default-jre-headless" in missing.value.remedy.en


@pytest.mark.parametrize("offered", [(11, 17), (11, 21, 17), (8, 11), ()])
def test_the_java_that_is_named_is_one_that_the_distribution_offers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, offered: tuple[int, ...]
) -> None:
    lines = "".join(f"openjdk-{number}-jre-headless - OpenJDK\n" for number in offered)
    apt = tmp_path / "apt-cache"
    apt.write_text(f"#!/bin/sh\nprintf '{lines}'\n", "utf-8")
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    fit = [number for number in offered if number >= JAVA_MIN]
    expected = f"openjdk-{max(fit)}-jre-headless" if fit else "default-jre-headless"
    assert java_package() == expected


def test_a_node_that_hangs_is_ended_all_the_same(
    node: LocalKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = node.start()
    os.kill(running.pid, 19)
    monkeypatch.setattr("exchange.bus.local.STOP_S", 0.2)
    assert node.stop()
    assert node.running() is None


def test_something_else_on_the_port_does_not_pass_for_kafka() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert not nodeprocess.serves(server.getsockname()[1])


def test_the_configuration_makes_no_topics_and_expires_nothing_by_itself(tmp_path: Path) -> None:
    text = render(properties(Ports(1, 2), tmp_path))
    for line in (
        "auto.create.topics.enable=false",
        "log.retention.ms=-1",
        "log.message.timestamp.type=LogAppendTime",
        "listeners=PLAINTEXT://127.0.0.1:1,CONTROLLER://127.0.0.1:2",
    ):
        assert line in text.splitlines()
