"""Signatures checked in processes of their own, so that a reader of millions uses every core.

::

    with Verifiers(1) as verifiers:
        verifiers.send(claims)  # goes on while this process does something else
        verified = verifiers.receive()  # the oldest batch sent, one answer a claim

A process knows nothing and decides nothing: it gets public keys, signatures and messages, and says
which hold. It ends when this process does, however that ends. With no processes everything is
checked here, and the answers are the same.
"""

import fcntl
import multiprocessing
import signal
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Final, Self

from keys import primitives
from keys.cose import Claim, Verified, verify_claims

_PIPE_BYTES: Final = 1 << 20
"""What may wait in a pipe, so that sending rarely waits for a process that is busy."""


class Verifiers:
    """``processes`` of them; batches go round and come back in the order they were sent."""

    def __init__(self, processes: int) -> None:
        self._batches: deque[tuple[list[Claim], _Process | None]] = deque()
        self._processes = [_Process() for _ in range(processes)]
        self._sent = 0

    def __enter__(self) -> Self:
        """Nothing happens; the processes run already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    @property
    def processes(self) -> int:
        """How many there are beside this one."""
        return len(self._processes)

    @property
    def waiting(self) -> int:
        """Batches that were sent and not received."""
        return len(self._batches)

    @property
    def room(self) -> int:
        """Batches to have under way at once so that no process waits for work."""
        return 3 * max(1, len(self._processes))

    def send(self, claims: Sequence[Claim]) -> None:
        """Have ``claims`` checked."""
        process = None
        if self._processes:
            process = self._processes[self._sent % len(self._processes)]
            process.send(claims)
            self._sent += 1
        self._batches.append((list(claims), process))

    def receive(self) -> list[Verified | None]:
        """For each claim of the oldest batch the statement if its signature holds, else None.

        Raises IndexError if nothing was sent, EOFError if a process has died.
        """
        claims, process = self._batches.popleft()
        return verify_claims(claims, process.receive if process else primitives.which_hold)

    def close(self) -> None:
        """End the processes; what was sent and not received is forgotten."""
        for process in self._processes:
            process.close()
        self._processes, self._batches = [], deque()


class _Process:
    """One process and the two pipes to it."""

    def __init__(self) -> None:
        # Started afresh: a copy of this process would hold its files, sockets and locks.
        fresh = multiprocessing.get_context("spawn")
        theirs, self._questions = fresh.Pipe(duplex=False)
        self._answers, back = fresh.Pipe(duplex=False)
        with suppress(OSError):  # the system allows less: then sending waits more often
            fcntl.fcntl(self._questions.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._process = fresh.Process(target=serve, args=(theirs, back), daemon=True)
        self._process.start()
        theirs.close()
        back.close()

    def send(self, claims: Sequence[Claim]) -> None:
        self._questions.send([(c.public, c.statement.signature, c.signed) for c in claims])

    def receive(self, _asked: list[primitives.Signature]) -> bytes:
        """What the process says of the batch that it was sent first."""
        return self._answers.recv_bytes()

    def close(self) -> None:
        self._questions.close()
        self._answers.close()
        self._process.terminate()
        self._process.join()
        self._process.close()


def serve(questions: Connection, answers: Connection) -> None:
    """Answer batch after batch until there are no more; what a process of `Verifiers` runs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started it hears Ctrl-C and ends it
    with suppress(EOFError, OSError):
        while True:
            answers.send_bytes(primitives.which_hold(questions.recv()))
