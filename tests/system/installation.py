"""One installation of the Exchange as its users have it: a home, processes, and the command line.

Every command is a process of its own, ``python -m exchange.cli --json``, in an environment that
says nothing but the language. `Installation.processes` finds whatever still runs on its behalf, so
that a test can say that nothing was left behind.
"""

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.fixtures.ports import free_port

WAIT_S = 120.0
"""Bounds every wait. Not a promise about speed: other work may share the machine."""
POLL_S = 0.01
_THREADS = 17
"""Where ``num_threads`` stands behind the name, proc_pid_stat(5)."""
AUTHORITY = "data-bureau"
PROVIDER = "civil-affairs"
CONSUMER = "human-resources"
CREDIT_CODES = {PROVIDER: "11330000002482034Y", CONSUMER: "113300000024820264"}


@dataclass(frozen=True, slots=True)
class Told:
    """What a command left: its exit code, its one JSON object, and everything it wrote."""

    code: int
    answer: dict[str, Any]
    errors: str

    @property
    def error(self) -> dict[str, Any]:
        """The error object of a command that failed."""
        error: dict[str, Any] = self.answer["error"]
        return error


def told(code: int, out: bytes, err: bytes) -> Told:
    """Read what a process wrote; a command with ``--json`` writes one object and no remark."""
    errors = err.decode()
    assert "Traceback" not in errors, errors
    lines = out.decode().splitlines()
    assert len(lines) <= 1, lines
    return Told(code, json.loads(lines[0]) if lines else {}, errors)


@dataclass(frozen=True, slots=True)
class Running:
    """A command under way."""

    process: "subprocess.Popen[bytes]"

    def ended(self) -> bool:
        """Whether it is over."""
        return self.process.poll() is not None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        self.process.send_signal(number)

    def kill(self) -> Told | None:
        """End it by kill -9; None if that ended it, what it told if it was done before."""
        self.process.kill()
        out, err = self.process.communicate(timeout=WAIT_S)
        code = self.process.returncode
        return None if code == -signal.SIGKILL else told(code, out, err)

    def wait(self) -> Told:
        """Wait for its end."""
        out, err = self.process.communicate(timeout=WAIT_S)
        return told(self.process.returncode, out, err)


def launch(module: str, *words: str, file_bytes_max: int = 0) -> Running:
    """Run ``module`` as a program, with nothing on its standard input."""
    limited = ["prlimit", f"--fsize={file_bytes_max}", "--"] if file_bytes_max else []
    changes = {"PYTHONDONTWRITEBYTECODE": "1"} if limited else {}  # it would keep half a module
    return Running(
        subprocess.Popen(
            [*limited, sys.executable, "-m", module, *words],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment() | changes,
        )
    )


@dataclass(frozen=True, slots=True)
class Installation:
    """A home and the commands on it."""

    home: Path
    port: int

    def start(self, *words: str, member: str = "", file_bytes_max: int = 0) -> Running:
        """Start a command and do not wait for it; 0 lets it write files of any size."""
        acting = ("--as", member) if member else ()
        line = ("exchange.cli", "--json", "--home", str(self.home), *acting, *words)
        return launch(*line, file_bytes_max=file_bytes_max)

    def run(self, *words: str, member: str = "", code: int = 0) -> Told:
        """Run a command to its end; it must end with ``code``."""
        done = self.start(*words, member=member).wait()
        assert done.code == code, (words, done)
        return done

    def status(self) -> Told:
        """``exchange status``."""
        return self.start("status").wait()

    def missing(self) -> str | None:
        """The step that ``exchange status`` names; exit 3 goes with a name, and only then."""
        done = self.status()
        missing: str | None = done.answer["missing"]
        assert done.code == (0 if missing is None else 3)
        return missing

    def pid(self, process: str) -> int:
        """The process id of ``hub``, ``kafka`` or an adapter."""
        if process == "kafka":
            state = json.loads((self.home / "kafka" / "node.json").read_text())
            return int(state["pid"])
        return int((self.home / "run" / f"{process}.pid").read_text().split()[0])

    def repair(self) -> None:
        """``exchange up``, unless Kafka and the hub run."""
        if not all(alive(self.pid(process)) for process in ("kafka", "hub")):
            self.run("up")

    def kill(self, process: str) -> None:
        """End ``process`` by kill -9 and return when the kernel has let go of it."""
        pid = self.pid(process)
        os.kill(pid, signal.SIGKILL)
        until(lambda: not alive(pid), f"{process} to die")

    def processes(self) -> dict[int, str]:
        """Process id → command line of everything that mentions this home."""
        return {pid: line for pid, line in command_lines() if str(self.home) in line and alive(pid)}


def environment() -> dict[str, str]:
    """The environment of a command: ours without what would change the product.

    What Python compiles is kept: some two seconds for each of a hundred commands otherwise.
    """
    ours = {name for name in os.environ if name.startswith("EXCHANGE_")}
    kept = os.environ.keys() - ours - {"PYTHONDONTWRITEBYTECODE"}
    said = {"EXCHANGE_LANG": "en", "PYTHONPYCACHEPREFIX": _compiled()}
    return {name: os.environ[name] for name in kept} | said


@cache
def _compiled() -> str:
    """A folder for compiled modules, for as long as the tests run."""
    folder = tempfile.mkdtemp(prefix="exchange-tests-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def until(condition: Callable[[], object], what: str, *, wait_s: float = WAIT_S) -> None:
    """Return when ``condition`` holds; fail, naming ``what``, if it does not in time."""
    end = time.monotonic() + wait_s
    while not condition():
        assert time.monotonic() < end, f"waited {wait_s} s in vain for {what}"
        time.sleep(POLL_S)


def alive(pid: int) -> bool:
    """Whether the process runs; one that nobody has buried yet does not.

    As long as one of its threads is there it has its files and ports, whatever became of the first.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return False
    fields = stat.rpartition(")")[2].split()
    return fields[0] != "Z" or int(fields[_THREADS]) > 1


def command_lines() -> Iterator[tuple[int, str]]:
    """Every process of this machine with its command line."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                line = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            yield int(folder.name), line.replace(b"\0", b" ").decode("utf-8", "replace")


@contextmanager
def listening(port: int) -> Iterator[None]:
    """Another program that has ``port``."""
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("127.0.0.1", port))
        other.listen()
        yield


@contextmanager
def installed(home: Path) -> Iterator[Installation]:
    """A new home; whatever runs for it at the end is stopped, and nothing of it may stay."""
    installation = Installation(home, free_port())
    installation.run("init", "--port", str(installation.port))
    try:
        yield installation
    finally:
        installation.run("down")
        left = installation.processes()
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert not left, f"left behind: {left}"


def enrol(installation: Installation, members: Sequence[str] = (PROVIDER, CONSUMER)) -> None:
    """Enrol departments."""
    for member in members:
        names = ("--name-zh", member, "--name-en", member)
        installation.run("member", "enrol", member, *names, "--credit-code", CREDIT_CODES[member])
