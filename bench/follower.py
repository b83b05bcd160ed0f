"""The near side of a following process, `bench.following`: starts it, hears it, ends it."""

import asyncio
import contextlib
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.breakdown import seconds_of
from bench.installation import CONSUMER, Installation, Shared
from bench.memory import Peak, watched


@dataclass(slots=True)
class Follower:
    """A running follower, and what it has told so far."""

    process: Process
    records: int = 0
    last_ns: int = 0
    peak: Peak = field(default_factory=Peak)
    committed_ns: dict[int, int] = field(default_factory=dict)
    """Sequence of a bundle → when it was committed; for datasets of one stream."""
    commit_ms: dict[int, float] = field(default_factory=dict)
    """Sequence of a bundle → how long its commit took."""
    processor_s: float = 0.0
    """What the process has used in all, known when it was told to end."""

    async def delivered(self, records: int, timeout_s: float = 300.0) -> None:
        """Return when so many records are committed."""
        async with asyncio.timeout(timeout_s):
            while self.records < records:
                await self._line()

    async def _line(self) -> bool:
        assert self.process.stdout is not None
        line = await self.process.stdout.readline()
        if not line:
            return False
        if line.strip() != b"ready":
            told = json.loads(line)
            self.records += told["records"]
            self.last_ns = told["at_ns"]
            for sequence in told["sequences"]:
                self.committed_ns[sequence] = self.last_ns
                self.commit_ms[sequence] = told["commit_ms"]
        return True

    async def end(self) -> None:
        """Stop it and read what it says last. Raises `RuntimeError` when it did not end well."""
        if self.process.returncode is None:
            self.processor_s = seconds_of(self.process.pid)
            self.process.send_signal(signal.SIGTERM)
        while await self._line():
            pass
        if await self.process.wait():
            raise RuntimeError("the following process failed; its words are above")


@contextlib.asynccontextmanager
async def follower(site: Installation, shared: Shared, conninfo: str) -> AsyncIterator[Follower]:
    """A follower of ``shared`` into the database, ready to read."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.following", str(site.home.path), CONSUMER),
        *(shared.subscription.grant.id.hex(), conninfo),
        stdout=PIPE,
        cwd=Path(__file__).parents[1],
    )
    with watched(process.pid) as peak:
        running = Follower(process, peak=peak)
        await running._line()
        try:
            yield running
        finally:
            await running.end()
