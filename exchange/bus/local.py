"""The embedded Apache Kafka: one node in a directory, started and found again by any process.

``start`` brings Kafka onto the machine if need be (`fetch`), formats the directory, starts a KRaft
node that is broker and controller at once on the loopback interface (`nodeconfig`), and returns
when it answers. The node outlives the program that started it; `LocalKafka` on the same directory
finds it again. Acknowledged messages survive kill -9 of the node; a loss of power may take the last
seconds of topics without ``flush.messages=1``.

::

    kafka = LocalKafka(Path("home/kafka"))
    bootstrap = kafka.start().bootstrap
    ...
    kafka.stop()
"""

import contextlib
import errno
import json
import os
import secrets
import shutil
import subprocess
from base64 import urlsafe_b64encode
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from exchange.bus.fetch import POM, SUMS, Distribution, Progress, fetch, java, pinned_version
from exchange.bus.nodeconfig import FAST_START, HEAP, HOST, Ports, properties, render
from exchange.bus.nodeprocess import (
    end,
    free_port,
    is_free,
    is_locked,
    kill,
    port_busy,
    reap,
    serves,
    spawn,
    take_lock,
    wait_until,
)
from exchange.errors import BusUnavailable, DiskFull, Unavailable
from exchange.shipped import deploy_file

START_S: Final = 60.0
STOP_S: Final = 20.0
FORMAT_S: Final = 60.0
TRIES: Final = 3
"""How often a start is tried: another program may take the port, another node be ending."""
_BUSY: Final = "Address already in use"


@dataclass(frozen=True, slots=True)
class Running:
    """A node that runs. ``version`` is Kafka's, ``bootstrap`` is what clients are given."""

    pid: int
    bootstrap: str
    version: str


@dataclass(frozen=True, slots=True)
class _State:
    """What a node's starter leaves for other processes, in ``node.json``."""

    pid: int
    broker: int
    controller: int
    version: str

    def running(self) -> Running:
        return Running(self.pid, f"{HOST}:{self.broker}", self.version)


def _silent(_what: str, _here: int, _needed: int) -> None:
    """A `Progress` for nobody."""


class LocalKafka:
    """The node of ``directory``.

    ``cache`` keeps fetched jars (by default one place per user). ``port`` fixes the broker's port;
    with 0 the node keeps the port it had while that is free, and takes another one otherwise.
    """

    def __init__(
        self,
        directory: Path,
        *,
        cache: Path | None = None,
        port: int = 0,
        progress: Progress = _silent,
    ) -> None:
        self._directory = directory.absolute()
        self._cache = cache or Path.home() / ".cache" / "exchange"
        self._port = port
        self._progress = progress
        self._lock = self._directory / "node.lock"
        self._state = self._directory / "node.json"

    @property
    def version(self) -> str:
        """The version of Kafka that `start` starts, ``4.x.y``."""
        return pinned_version(deploy_file(POM))

    @property
    def log(self) -> Path:
        """The node's own log."""
        return self._directory / "kafka.log"

    def running(self) -> Running | None:
        """The node if it runs (whoever started it), else None."""
        state = self._read_state()
        return state.running() if state and is_locked(self._lock) else None

    def start(self) -> Running:
        """Start the node and return when it answers; a node that runs already is left alone.

        Blocks; call it in a thread where a loop runs. Raises `ToolMissing`, `FetchFailed`,
        `PortBusy` (only when the port was fixed), `DiskFull` and `BusUnavailable` when the node
        ends or stays silent.
        """
        try:
            return self._start()
        except OSError as error:
            raise self._unwritable(error) from error

    def _start(self) -> Running:
        kafka = fetch(deploy_file(POM), deploy_file(SUMS), self._cache, self._progress)
        self._directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        for _ in range(TRIES):
            lock = take_lock(self._lock)
            if lock is None:
                if (joined := self._join()) is not None:
                    return joined
                continue  # it was on its way out: its place is free now
            try:
                state = self._launch(kafka, lock)
            finally:
                os.close(lock)
            if self._came_up(state):
                return state.running()
        raise self._failed()

    def stop(self) -> bool:
        """Stop the node cleanly, by force after 20 s. False when none ran."""
        running = self.running()
        if running is None:
            return False
        end(running.pid, self._gone, patience_s=STOP_S)
        self._keep_class_archive()
        self._state.unlink(missing_ok=True)
        return True

    def kill(self) -> bool:
        """End the node as a crash would, for tests of what survives. False when none ran."""
        running = self.running()
        if running is not None:
            kill(running.pid, self._gone)
        return running is not None

    def _gone(self) -> bool:
        return not is_locked(self._lock)

    def _join(self) -> Running | None:
        """Wait for the node that somebody else started, or is starting now.

        None when it ends instead: a killed node holds its lock until its last thread is gone.
        """

        def answers() -> bool:
            state = self._read_state()
            return self._gone() or (state is not None and serves(state.broker))

        if not wait_until(answers, START_S):
            raise self._failed()
        return self.running()

    def _launch(self, kafka: Distribution, lock: int) -> _State:
        """Everything up to the running process.

        ``node.json`` of the last node goes first and the node writes the new one, so a crash in
        here leaves at most a formatted directory.
        """
        self._state.unlink(missing_ok=True)
        program = java()
        ports = self._ports()
        settings = self._write("server.properties", render(properties(ports, self._data)))
        self._write_arguments(kafka)
        if not self._data.is_dir():
            self._format(program, ports)
        command = [program, *self._options(kafka), "kafka.Kafka", str(settings)]
        self._write("ports.json", json.dumps(asdict(ports)) + "\n")
        state = _State(0, ports.broker, ports.controller, kafka.version)
        note = json.dumps(asdict(state) | {"pid": "%d"}).replace('"%d"', "%d")
        pid = spawn(command, self._directory / "console.log", lock, (self._state, note + "\n"))
        return replace(state, pid=pid)

    def _came_up(self, state: _State) -> bool:
        """True when the node answers, False to try once more with other ports."""
        wait_until(lambda: self._gone() or serves(state.broker), START_S)
        if not self._gone() and serves(state.broker):
            return True
        if not self._gone():
            kill(state.pid, self._gone)
        reap(state.pid)
        if _BUSY not in self._last_words():
            raise self._failed()
        if self._port:
            raise port_busy(self._port)
        (self._directory / "ports.json").unlink()
        return False

    def _ports(self) -> Ports:
        if self._port and not is_free(self._port):
            raise port_busy(self._port)
        last = self._directory / "ports.json"
        if last.is_file():
            ports = Ports(**json.loads(last.read_text("utf-8")))
            if is_free(ports.broker) and is_free(ports.controller):
                return Ports(self._port or ports.broker, ports.controller)
        return Ports(self._port or free_port(), free_port())

    def _format(self, program: str, ports: Ports) -> None:
        """Make the data directory under another name first, so that half a one is never used."""
        partial = self._directory / "data.partial"
        shutil.rmtree(partial, ignore_errors=True)
        settings = self._write("format.properties", render(properties(ports, partial)))
        cluster = urlsafe_b64encode(secrets.token_bytes(16)).decode("ascii").rstrip("=")
        tool = ["kafka.tools.StorageTool", "format"]
        arguments = ["--config", str(settings), f"--cluster-id={cluster}"]
        done = subprocess.run(
            [program, f"@{self._arguments}", *tool, *arguments],
            capture_output=True,
            text=True,
            timeout=FORMAT_S,
            check=False,
        )
        if done.returncode != 0:
            raise self._failed((done.stderr or done.stdout).strip().splitlines()[-1:])
        partial.rename(self._data)

    @property
    def _data(self) -> Path:
        return self._directory / "data"

    @property
    def _arguments(self) -> Path:
        return self._directory / "java.args"

    def _write_arguments(self, kafka: Distribution) -> None:
        """Fifty jars make a command line that nobody can read: they go into a file."""
        jars = os.pathsep.join(str(jar) for jar in kafka.jars).replace("\\", "\\\\")
        options = [
            *HEAP,
            *FAST_START,
            f"-Dlog4j2.configurationFile={deploy_file('kafka/log4j2.properties')}",
            f"-Dexchange.kafka.log={self.log}",
        ]
        lines = ["-cp", f'"{jars}"', *(f'"{option}"' for option in options)]
        self._write("java.args", "\n".join(lines) + "\n")

    def _options(self, kafka: Distribution) -> list[str]:
        """The JVM's options; with an archive of loaded classes a start takes half the time."""
        archive = _class_archive(kafka.directory)
        if archive.is_file():
            return [f"-XX:SharedArchiveFile={archive}", f"@{self._arguments}"]
        return [f"-XX:ArchiveClassesAtExit={self._new_archive}", f"@{self._arguments}"]

    @property
    def _new_archive(self) -> Path:
        return self._directory / "classes.jsa"

    def _keep_class_archive(self) -> None:
        """The first node that stops cleanly leaves its archive to all later ones."""
        with contextlib.suppress(OSError):
            kafka = fetch(deploy_file(POM), deploy_file(SUMS), self._cache, self._progress)
            if self._new_archive.is_file():
                partial = kafka.directory / f".classes-{secrets.token_hex(4)}.partial"
                shutil.move(self._new_archive, partial)
                partial.rename(_class_archive(kafka.directory))

    def _write(self, name: str, text: str) -> Path:
        path = self._directory / name
        partial = path.with_name(f".{name}.partial")
        partial.write_text(text, "utf-8")
        partial.replace(path)
        return path

    def _read_state(self) -> _State | None:
        try:
            return _State(**json.loads(self._state.read_text("utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None

    def _last_words(self) -> str:
        console = self._directory / "console.log"
        logs = [path for path in (self.log, console) if path.is_file()]
        return "\n".join(path.read_text("utf-8", "replace")[-20_000:] for path in logs)

    def _failed(self, lines: list[str] | None = None) -> BusUnavailable:
        words = self._last_words().splitlines()
        told = lines or [line for line in words if "ERROR" in line or "Exception" in line][-1:]
        because = told[0].strip()[:200] if told else "it gave no reason"
        return BusUnavailable(
            f"the embedded Kafka did not start: {because}",
            f"内置 Kafka 未能启动：{because}",
            remedy=(f"read {self.log}", f"请查看日志 {self.log}"),
            failure="node-failed",
        )

    def _unwritable(self, error: OSError) -> Unavailable:
        failure = DiskFull if error.errno in (errno.ENOSPC, errno.EDQUOT) else BusUnavailable
        return failure(
            f"cannot prepare Kafka in {error.filename or self._directory}: {error.strerror}",
            f"无法在 {error.filename or self._directory} 准备 Kafka：{error.strerror}",
            remedy=(
                "free some space or correct the permissions, then start again; nothing was lost",
                "请清理空间或修正权限后重新启动；数据没有丢失",
            ),
            failure="directory-unwritable",
        )


def _class_archive(directory: Path) -> Path:
    return directory / "classes.jsa"
