"""Background processes of a home: start one, know whether it lives, stop it.

A pid file holds the process id and the moment the kernel started it, so a number that was given to
another process since is never mistaken for ours and never signalled. Processes are leaders of
their own session: Ctrl-C on the terminal that started them does not reach them.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Sequence
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
        if not number.isdigit() or _started(int(number)) != started:
            return None
        return int(number)

    def start(self, command: Sequence[str], *, stdin: bytes = b"") -> int:
        """Start it and return its process id; ``stdin`` is all it reads."""
        for file in (self.pid_file, self.console):
            file.parent.mkdir(parents=True, exist_ok=True)
        with self.console.open("wb") as log:
            process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=child_environment(),
            )
        if process.stdin is not None:
            with contextlib.suppress(BrokenPipeError), process.stdin as pipe:
                pipe.write(stdin)
        self.pid_file.write_text(f"{process.pid} {_started(process.pid)}", "ascii")
        return process.pid

    def stop(self) -> bool:
        """Ask it to end, insist after `STOP_WAIT_S`; whether there was one."""
        pid = self.pid()
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            if not self._ended(STOP_WAIT_S) and (again := self.pid()) is not None:
                os.kill(again, signal.SIGKILL)
                self._ended(STOP_WAIT_S)
        self.pid_file.unlink(missing_ok=True)
        return pid is not None

    def _ended(self, wait_s: float) -> bool:
        until = time.monotonic() + wait_s
        while self.pid() is not None:
            if time.monotonic() > until:
                return False
            _reap()
            time.sleep(_POLL_S)
        return True

    def last_words(self) -> str:
        """The last line it said outside its log, for instance why it did not start."""
        try:
            lines = self.console.read_text("utf-8", "replace").splitlines()
        except FileNotFoundError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def _started(pid: int) -> str:
    """When the kernel started ``pid``, in ticks since boot; "" if there is no such process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    # A zombie has ended; only its parent has not looked yet.
    return "" if fields[0] == "Z" else fields[19]


def _reap() -> None:
    """Let go of children of ours that ended."""
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return
