"""Hubs on a memory bus: each with a follower, an appender and a clock of its own."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from exchange.bus.memory import MemoryBus, MemoryCluster
from exchange.errors import LedgerBroken
from exchange.ledger.append import Appended, Appender
from exchange.ledger.fairness import Denials, Fairness, Shares
from exchange.ledger.follower import Follower
from exchange.ledger.leaves import Junk
from exchange.ledger.mark import MarkFile
from exchange.ledger.topic import begin_ledger, ledger_topic
from exchange.registry.state import Registry
from exchange.registry.statehash import state_hash
from exchange.wiring.lawbook import follow_rules
from tests.ledger.world import World

TOPIC: Final = "exchange.ledger"
UNKNOWN_MS: Final = 40
DEADLINE_MS: Final = 3_000


class ClusterClock:
    """A hub's clock: the cluster's, and so far off it."""

    def __init__(self, cluster: MemoryCluster) -> None:
        self.cluster = cluster
        self.off_ms = 0

    def now_ms(self) -> int:
        return self.cluster.now_ms + self.off_ms

    def monotonic_ms(self) -> int:
        return self.cluster.now_ms


def generous() -> Fairness:
    """Shares that no test uses up by chance."""
    return Fairness(
        acts=Shares(per_s=1e6, burst=1_000_000),
        denials=Shares(per_s=1e6, burst=1_000_000),
        before=Denials(),
    )


class Hub:
    """One hub process: everything it knows comes from the topic."""

    def __init__(
        self,
        world: World,
        cluster: MemoryCluster,
        name: str,
        *,
        mark: Path | None = None,
        fairness: Fairness | None = None,
        deadline_ms: int = DEADLINE_MS,
    ) -> None:
        self.name = name
        self.bus: MemoryBus = cluster.bus(name)
        self.fold = follow_rules()
        self.junk: list[Junk] = []
        self.follower = Follower(
            self.bus,
            TOPIC,
            world.pin,
            self.fold,
            mark=MarkFile(mark) if mark is not None else None,
            on_junk=self.junk.append,
        )
        self.clock = ClusterClock(cluster)
        self.appender = Appender(
            self.bus,
            TOPIC,
            self.follower,
            self.fold,
            hub=name,
            signer=world.signer(f"hub/{name}"),
            clock=self.clock,
            fairness=fairness or generous(),
            unknown_ms=UNKNOWN_MS,
            deadline_ms=deadline_ms,
        )
        self._running: asyncio.Task[None] | None = None

    @property
    def registry(self) -> Registry:
        return self.fold.registry

    async def append(
        self, raw: bytes, refused: Mapping[int, tuple[str, ...]] | None = None
    ) -> Appended:
        return await self.appender.append(raw, refused=refused)

    def run(self) -> None:
        """Follow in the background, as a hub does."""
        self._running = asyncio.create_task(self.follower.run())

    async def stop(self) -> None:
        """A clean stop."""
        await self.kill()
        await self.appender.close()
        with suppress(LedgerBroken):
            await self.follower.close()

    async def kill(self) -> None:
        """As kill -9: nothing is flushed."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError, LedgerBroken):
                await self._running
            self._running = None

    def fingerprint(self) -> tuple[bytes, int, bytes]:
        """State hash, leaves, root: what all hubs must agree on."""
        return state_hash(self.registry), self.follower.size, self.follower.root()


async def until(true: Callable[[], bool]) -> None:
    """Wait until something is so; half a minute at most."""
    for _ in range(3_000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def begin(world: World, cluster: MemoryCluster, *, upto: int | None = None) -> None:
    """Put what the world has entered so far onto the cluster's ledger topic."""
    bus = cluster.bus("founder")
    await begin_ledger(bus, ledger_topic(TOPIC, nodes=1), world.genesis)
    producer = await bus.producer()
    for entry in world.entries[1:upto]:
        await producer.produce(TOPIC, 0, entry.raw)


async def junk(cluster: MemoryCluster, *values: bytes | None) -> None:
    """Bytes that anybody who may write put on the topic."""
    producer = await cluster.bus("stranger").producer()
    for value in values:
        await producer.produce(TOPIC, 0, value)
