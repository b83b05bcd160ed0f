"""The operating-system side of the embedded node: start it detached, see it, end it.

Whether a node runs is a lock, not a pid: the node inherits a locked file and holds it until it
dies, however it dies. A pid is only believed while that lock is held, so a stale pid that meanwhile
belongs to somebody else is never signalled.
"""

import contextlib
import fcntl
import os
import signal
import socket
import struct
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from exchange.bus.nodeconfig import HOST
from exchange.errors import PortBusy

POLL_S: Final = 0.02
PROBE_S: Final = 1.0
_API_VERSIONS: Final = 18
_CORRELATION: Final = 7
_SHELL: Final = "/bin/sh"
_NOTE_AND_BECOME: Final = 'printf "$1" $$ > "$0" && shift && exec "$@"'


def take_lock(path: Path) -> int | None:
    """A file descriptor that holds the lock on ``path``; None while a node holds it."""
    held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        return None
    return held


def is_locked(path: Path) -> bool:
    """Whether a node (or one that is just starting it) holds the lock on ``path``."""
    try:
        probe = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(probe, fcntl.LOCK_SH | fcntl.LOCK_NB)  # two who look do not see each other
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(probe)


def spawn(command: Sequence[str], console: Path, lock: int, note: tuple[Path, str]) -> int:
    """Start ``command`` in a session of its own, so that it outlives us; give its pid.

    It inherits ``lock`` and an environment with nothing in it but a locale. It writes ``note``
    itself, with its pid for the ``%d`` in it, before it becomes ``command``: were it for us to
    write, an end of ours in between would leave a node that nobody can find or stop.
    """
    os.set_inheritable(lock, True)
    appending = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    file, text = note
    return os.posix_spawn(
        _SHELL,
        [_SHELL, "-c", _NOTE_AND_BECOME, str(file), text, *command],
        {"LC_ALL": "C.UTF-8"},
        setsid=True,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(console), appending, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
    )


def end(pid: int, gone: Callable[[], bool], *, patience_s: float) -> None:
    """Ask the process to stop; after ``patience_s`` make it. Returns when it is gone."""
    _signal(pid, signal.SIGTERM)
    if not wait_until(gone, patience_s):
        kill(pid, gone)
    reap(pid)


def kill(pid: int, gone: Callable[[], bool]) -> None:
    """End the process at once, as a crash would. Returns when it is gone."""
    _signal(pid, signal.SIGKILL)
    wait_until(gone, PROBE_S * 10)
    reap(pid)


def reap(pid: int) -> None:
    """Take the exit status of a node that we started ourselves, so that no zombie stays."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def wait_until(condition: Callable[[], bool], patience_s: float) -> bool:
    """Whether ``condition`` came true within ``patience_s``."""
    until_s = time.monotonic() + patience_s
    while not condition():
        if time.monotonic() >= until_s:
            return False
        time.sleep(POLL_S)
    return True


def free_port() -> int:
    """A loopback port that is free now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether a server could listen on ``port`` of the loopback interface now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError:
            return False
        return True


def port_busy(port: int) -> PortBusy:
    """The sentence for a port that another program has."""
    return PortBusy(
        f"port {port} is in use by another program, so Kafka cannot listen on it",
        f"端口 {port} 已被其他程序占用，Kafka 无法监听",
        remedy=(
            f"choose another port, or end that program (`ss -ltnp 'sport = :{port}'` names it)",
            f"请改用其他端口，或结束占用程序（可用 `ss -ltnp 'sport = :{port}'` 查看）",
        ),
    )


def serves(port: int) -> bool:
    """Whether a Kafka broker answers on ``port``: it understands an ApiVersions request."""
    request = struct.pack(">hhih", _API_VERSIONS, 0, _CORRELATION, -1)
    try:
        with socket.create_connection((HOST, port), timeout=PROBE_S) as connection:
            connection.settimeout(PROBE_S)
            connection.sendall(struct.pack(">i", len(request)) + request)
            answer = connection.recv(10, socket.MSG_WAITALL)
    except OSError:
        return False
    return len(answer) == 10 and struct.unpack(">iih", answer)[1:] == (_CORRELATION, 0)
