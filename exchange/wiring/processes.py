"""Background processes of a home: start one, know whether it lives, stop it.

A pid file holds the process id and the moment the kernel started it, so a number that was given to
another process since is never mistaken for ours and never signalled. Processes are leaders of
their own session: Ctrl-C on the terminal that started them does not reach them.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from exchange.wiring.settings import child_environment

STOP_WAIT_S: Final = 20.0
_POLL_S: Final = 0.05


@dataclass(frozen=True, slots=True)
class Background:
    """A process by the files it leaves: its pid file, and what it said outside its own log."""

    name: str
    pid_file: Path
    console: Path

    def pid(self) -> int | None:
        """Its process id while it lives, None otherwise."""
        try:
            number, _, started = self.pid_file.read_text("ascii").strip().partition(" ")
        except FileNotFoundError:
            return None
        if not number.isdigit() or not started or _started(int(number)) != started:
            return None
        return int(number)

    def start(self, command: Sequence[str], *, stdin: bytes = b"") -> int:
        """Start it and return its process id; ``stdin`` (a few bytes) is all it reads."""
        for file in (self.pid_file, self.console):
            file.parent.mkdir(parents=True, exist_ok=True)
        reading, writing = os.pipe()
        try:
            os.write(writing, stdin)  # fits the pipe: nobody needs to read yet
            with _uninterrupted():
                pid = _spawn(command, self.console, reading)
                self.pid_file.write_text(f"{pid} {_started(pid)}", "ascii")
        finally:
            os.close(reading)
            os.close(writing)
        return pid

    def stop(self) -> bool:
        """Ask it to end, insist after `STOP_WAIT_S`; whether there was one."""
        pid = self.pid()
        if pid is not None:
            _signal(pid, signal.SIGTERM)
            if not self._ended(pid, STOP_WAIT_S):
                _signal(pid, signal.SIGKILL)
                self._ended(pid, STOP_WAIT_S)
        self.pid_file.unlink(missing_ok=True)
        return pid is not None

    def last_words(self) -> str:
        """The last three lines it said outside its log, for instance why it did not start."""
        try:
            lines = self.console.read_text("utf-8", "replace").splitlines()
        except FileNotFoundError:
            return ""
        return " ".join([line.strip() for line in lines if line.strip()][-3:])

    def _ended(self, pid: int, wait_s: float) -> bool:
        until = time.monotonic() + wait_s
        while self.pid() is not None:
            if time.monotonic() > until:
                return False
            time.sleep(_POLL_S)
        # Take the exit status if it was our own child, so that no zombie stays.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        return True


def _spawn(command: Sequence[str], console: Path, stdin: int) -> int:
    fresh = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    return os.posix_spawn(
        command[0],
        list(command),
        child_environment(),
        setsid=True,
        file_actions=[
            (os.POSIX_SPAWN_DUP2, stdin, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(console), fresh, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
    )


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Hold Ctrl-C back for a moment: between a process's start and the note that it exists."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python interrupts the main thread only
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        signal.raise_signal(signal.SIGINT)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def _started(pid: int) -> str:
    """When the kernel started ``pid``, in ticks since boot; "" if there is no such process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    # A zombie has ended; only its parent has not looked yet.
    return "" if fields[0] == "Z" else fields[19]
