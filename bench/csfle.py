"""Confluent's client-side field-level encryption as a peer, in an environment of its own.

Its `rules` extra needs some fifty packages that the Exchange does not, so it gets a virtual
environment in the cache and runs as a process (`csfle_worker.py`). Schema registry and DEK registry
are the in-memory ones of the library itself (``mock://``), the KMS is its local driver: no network
time is charged to it.
"""

import asyncio
import shutil
import subprocess
import sys
from asyncio.subprocess import PIPE, Process
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.villages import CACHE

PACKAGE: Final = "confluent-kafka[avro,rules]==2.16.0"
"""2.16.1 asks for a certifi of the day after its own release."""
_WORKER: Final = Path(__file__).with_name("csfle_worker.py")
_HOME: Final = CACHE / "csfle-2.16.0"


class CsfleUnavailable(Exception):
    """The peer cannot run here; the text says why, for the report."""


def prepare() -> Path:
    """The Python of the peer's environment, made when missing. Raises `CsfleUnavailable`."""
    python = _HOME / "bin" / "python"
    if (_HOME / "ready").is_file():
        return python
    uv = shutil.which("uv") or str(Path(sys.executable).with_name("uv"))
    for command in (
        [uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(_HOME)],
        [uv, "pip", "install", "--quiet", "--python", str(python), PACKAGE],
    ):
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        except OSError as error:
            raise CsfleUnavailable(f"uv did not start: {error}") from error
        if done.returncode:
            lines = done.stderr.strip().splitlines() or ["no reason given"]
            raise CsfleUnavailable(f"{PACKAGE} could not be installed: {lines[-1][:200]}")
    (_HOME / "ready").touch()
    return python


@dataclass(frozen=True, slots=True)
class Csfle:
    """A running peer."""

    process: Process

    async def publish(self) -> int:
        """One round: every record serialised, encrypted and acknowledged; how many."""
        return int(await self.ask("publish"))

    async def ask(self, what: str) -> str:
        """One line to the worker, one line back. Raises `CsfleUnavailable` when it has ended."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{what}\n".encode())
        await self.process.stdin.drain()
        answer = (await self.process.stdout.readline()).decode().strip()
        if not answer:
            assert self.process.stderr is not None
            said = (await self.process.stderr.read()).decode().strip().splitlines()
            raise CsfleUnavailable(f"the peer ended: {said[-1][:200] if said else 'no reason'}")
        return answer

    async def close(self) -> None:
        """End the process."""
        if self.process.stdin is not None:
            self.process.stdin.close()
        await self.process.wait()


async def start(bootstrap: str, topic: str, records: Path, *, fields: str) -> Csfle:
    """A peer that encrypts ``fields`` (comma-separated) of the JSON Lines file ``records``."""
    python = await asyncio.to_thread(prepare)
    process = await asyncio.create_subprocess_exec(
        python, _WORKER, bootstrap, topic, records, fields, stdin=PIPE, stdout=PIPE, stderr=PIPE
    )
    peer = Csfle(process)
    await peer.ask("ready")
    return peer
