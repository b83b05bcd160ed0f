"""A subscriber in a process of its own, as a department runs one: ``python -m bench.follower``.

Follows a grant into a database. On standard output a line ``ready``, then one JSON line a commit:
when it returned (the machine's monotonic clock, ns), records, and the last sequence of each stream.
Ends with SIGTERM.
"""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.installation import CONSUMER, Installation, Shared
from bench.memory import Peak, watched
from exchange.flow.ports import Delivery, Sink
from exchange.wiring.adapters import open_sink, target_of
from exchange.wiring.home import open_home
from exchange.wiring.homekeys import find_passphrase
from exchange.wiring.office import open_office
from exchange.wiring.settings import environment
from exchange.wiring.transfer import find_subscription, subscriber_into


class _Telling:
    """A sink that says when each commit returned."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.close = sink.close

    def positions(self) -> dict[str, tuple[int, str]]:
        found = self._sink.positions()
        _tell("ready")  # the next thing the subscriber does is read
        return found

    def mark(self, marks: Sequence[tuple[int, str, int]]) -> None:
        """Keep the marks."""
        self.marks = list(marks)

    def commit_many(self, deliveries: Sequence[Delivery]) -> None:
        self._sink.commit_many(deliveries)
        _tell(
            {
                "at_ns": time.monotonic_ns(),
                "records": sum(len(one.versions) for one in deliveries),
                "sequences": [one.sequence for one in deliveries],
            }
        )


def _tell(what: object) -> None:
    print(what if isinstance(what, str) else json.dumps(what), flush=True)


async def _follow(home: Path, grant: bytes, conninfo: str) -> None:
    settings = environment()
    passphrase = find_passphrase(home, settings, None)
    async with open_office(open_home(home), settings, CONSUMER, passphrase) as office:
        entitled = await find_subscription(office, grant)
        target = target_of(conninfo, home)
        sink = open_sink(target, entitled)
        subscriber = await subscriber_into(office, entitled, _Telling(sink), sink_name=target.sink)
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, subscriber.stop)
        await subscriber.run(follow=True)
        sink.close()


@dataclass(slots=True)
class Follower:
    """A running follower, and what it has told so far."""

    process: Process
    records: int = 0
    last_ns: int = 0
    peak: Peak = field(default_factory=Peak)
    committed_ns: dict[int, int] = field(default_factory=dict)
    """Sequence of a bundle → when it was committed; for datasets of one stream."""

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
        return True

    async def end(self) -> None:
        """Stop it and read what it says last. Raises `RuntimeError` when it did not end well."""
        if self.process.returncode is None:
            self.process.send_signal(signal.SIGTERM)
        while await self._line():
            pass
        if await self.process.wait():
            raise RuntimeError("the following process failed; its words are above")


@contextlib.asynccontextmanager
async def follower(site: Installation, shared: Shared, conninfo: str) -> AsyncIterator[Follower]:
    """A follower of ``shared`` into the database, ready to read."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.follower", str(site.home.path)),
        *(shared.subscription.grant.id.hex(), conninfo),
        stdout=PIPE,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "ARROW_DEFAULT_MEMORY_POOL": "system"},  # as the command line has it
    )
    with watched(process.pid) as peak:
        running = Follower(process, peak=peak)
        await running._line()
        try:
            yield running
        finally:
            await running.end()


if __name__ == "__main__":
    asyncio.run(_follow(Path(sys.argv[1]), bytes.fromhex(sys.argv[2]), sys.argv[3]))
