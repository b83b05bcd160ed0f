"""The hub: acts a second, keys a second, how long an answer takes, and how fast a replay goes.

Everything goes through the hub's doors over TLS 1.3, and every answer is given only after its entry
was read back from the ledger's topic, which the broker flushes to disk at every message
(``flush.messages=1``). A key is one epoch of one stream, with all its sections; each item has a
secret of its own, so nothing is unwrapped once for many. Keys are asked for by several members, as
a hub has them: each has a share of its own (exchange/ledger/SPEC.md section 10), which no benchmark
changes.
"""

import asyncio
import contextlib
import os
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from bench.installation import Installation, Shared
from bench.rounds import quantile
from bench.villages import Villages
from exchange.envelope.open import VerifiedHeader, parse_bundle, verify_header
from exchange.envelope.seal import Epoch, seal
from exchange.flow.keyring import Keyring
from exchange.flow.sign import Signs
from exchange.flow.subscription import Subscription
from exchange.hub.garbage import spared
from exchange.model.acts import Anchor, ReportProgress
from exchange.model.batch import Batch
from exchange.registry.rows import Instance
from exchange.registry.tracks import AnchorRow
from exchange.wiring.clock import now_ms
from exchange.wiring.ledgerview import FollowedLedger
from exchange.wiring.office import Office
from exchange.wiring.publishers import open_publisher

EPOCH_MS: Final = 60_000
AT_ONCE: Final = 16
"""Requests under way at a time. An act waits for the broker's disk and for being read back, so a
few keep nobody busy; the hub has them all on one core."""
ONE: Final = 1
"""What a subscriber that follows asks for: the next epoch of a stream."""
USUAL_ITEMS: Final = 16
"""What one that catches up with some streams asks for."""
BULK_ITEMS: Final = 256
"""The most that one act may ask for."""
CONSUMERS: Final = 8
"""Members that ask in turn: together their shares are more than one hub can do."""


@dataclass(frozen=True, slots=True)
class Consumer:
    """One member that asks: its office, its voice and instance, and what it subscribes to."""

    office: Office
    signs: Signs
    row: Instance
    subscription: Subscription

    async def ask(self, headers: Sequence[VerifiedHeader]) -> None:
        """One act; raises when a key is denied. Opens what is handed over."""
        keyring = Keyring(
            hub=self.office.hub,
            signs=self.signs,
            kid=self.row.kem_kid,
            unwrap=self.office.custody.unwrap,
            subscription=self.subscription,
        )
        await keyring.ensure(headers)
        for header in headers:
            assert isinstance(keyring.find(header), dict), "a key was denied"


@dataclass(frozen=True, slots=True)
class Asking:
    """Consumers, and signed headers to ask about."""

    site: Installation
    consumers: Sequence[Consumer]
    headers: Sequence[VerifiedHeader]

    def jobs(self, items: int, count: int) -> Iterator["Job"]:
        """``count`` acts of ``items``, headers one after the other, by the consumers in turn."""
        total = len(self.headers)
        for number in range(count):
            start = number * items % total
            asker = self.consumers[number % len(self.consumers)]
            yield partial(asker.ask, self.headers[start : start + items])


@contextlib.asynccontextmanager
async def asking(site: Installation, villages: Villages, *, epochs: int) -> AsyncIterator[Asking]:
    """Open a stream, sign ``epochs`` headers on it, and have `CONSUMERS` members granted."""
    shared = await site.dataset("release", whole=True)
    headers = await _headers(site, shared, villages, epochs)
    async with site.more_consumers(CONSUMERS) as offices:
        consumers = []
        for office in offices:
            subscription = await site.subscribe(office, shared.contract)
            signs, row = await office.instance()
            consumers.append(Consumer(office, signs, row, subscription))
        yield Asking(site, consumers, headers)


async def _headers(
    site: Installation, shared: Shared, villages: Villages, epochs: int
) -> Sequence[VerifiedHeader]:
    signs, provider = await site.provider.instance()
    first = {name: values[:1] for name, values in villages.columns.items()}
    async with open_publisher(site.provider, shared.contract) as publisher:
        await publisher.push(first)
        await publisher.flush()
        await publisher.report()
    view = site.provider.view
    await view.catch_up()
    (stream,) = view.registry.streams_of(shared.contract.dataset)
    key = view.registry.dataset_key_at(shared.contract.dataset, now_ms())
    assert key is not None
    batch = Batch({name: list(values) for name, values in first.items()}, None, [1])
    headers = []
    for number in range(epochs):
        begins = now_ms()
        epoch = Epoch.start(
            origin=site.provider.origin,
            dataset=shared.contract.dataset,
            contract_hash=shared.contract.hash,
            provider=provider.id,
            stream=stream.id,
            region="",
            kid=key.kid,
            public=key.public,
            from_ms=begins,
            to_ms=begins + EPOCH_MS,
        )
        sealed = seal(
            batch,
            shared.contract,
            epoch,
            sequence=number + 1,
            previous=bytes(32),
            signer=signs.signer,
        )
        statement = parse_bundle(sealed.raw).statement
        headers.append(verify_header(statement.raw, provider.signing))
    return headers


async def release(given: Asking, *, items: int, count: int) -> dict[str, float]:
    """Keys and acts a second in acts of ``items``, and the share of a core the hub took."""
    at_once = max(4, min(AT_ONCE, AT_ONCE * USUAL_ITEMS // items))
    jobs = given.jobs(items, count)  # one iterator for all lanes: each takes the next
    took, cores = await _loaded(given.site, [jobs] * at_once)
    keys = items * count
    return {
        "items": items,
        "keys_per_s": round(keys / took, 1),
        "acts_per_s": round(count / took, 1),
        "hub_cores": round(cores, 2),
        "keys_per_s_core": round(keys / took / cores, 1),
    }


async def response(
    given: Asking, *, items: int, keys_per_s: float, seconds: float
) -> dict[str, float]:
    """Milliseconds an act takes when they arrive at random, ``keys_per_s`` on average."""
    chance = random.Random(2)
    took: list[float] = []

    async def one(job: Job) -> None:
        began = time.perf_counter()
        await job()
        took.append((time.perf_counter() - began) * 1000)

    # Here eight members share one process: a full collection would stop them all.
    async with spared() as spare, asyncio.TaskGroup() as tasks:
        spare()
        for job in given.jobs(items, max(8, int(keys_per_s * seconds / items))):
            tasks.create_task(one(job))
            await asyncio.sleep(chance.expovariate(keys_per_s / items))
    return {
        "items": items,
        "acts": len(took),
        "keys_per_s": round(keys_per_s, 1),
        "p50_ms": round(quantile(took, 0.50), 2),
        "p99_ms": round(quantile(took, 0.99), 2),
    }


async def acts(site: Installation, villages: Villages, *, count: int) -> dict[str, float]:
    """Small acts (one anchor each) through the hub: acts a second.

    As many streams as there are lanes, each anchored by its own lane in order: an anchor that
    overtook a later one of its stream would be a denial.
    """
    shared = await site.dataset("acts")
    signs, _ = await site.provider.instance()
    async with site.publisher(shared) as publisher:
        await publisher.push(villages.columns)
        await publisher.flush()
        await publisher.report()
    await site.provider.view.catch_up()
    registry = site.provider.view.registry
    streams = registry.streams_of(shared.contract.dataset)[:AT_ONCE]
    each = count // len(streams)

    async def one(stream: bytes, last: AnchorRow, number: int) -> None:
        anchor = Anchor(
            stream=stream,
            epoch=last.epoch,
            sequence=last.sequence + number,
            head=bytes(32),
            records=last.records + number,
            version=last.version + number,
        )
        await site.provider.hub.submit(signs.sign(ReportProgress(anchors=(anchor,))))

    def lane(stream: bytes) -> Iterator[Job]:
        last = registry.newest_anchor(stream)
        assert last is not None
        return (
            partial(one, stream, last, number) for number in range(1, count // len(streams) + 1)
        )

    took, cores = await _loaded(site, [lane(stream.id) for stream in streams])
    return {"acts_per_s": round(each * len(streams) / took, 1), "hub_cores": round(cores, 2)}


async def replay(site: Installation) -> dict[str, float]:
    """Entries a second of a fresh follower: read, verified, decided anew where needed, folded."""
    table = site.home.table.log
    view = FollowedLedger(site.provider.bus, topic=table.topic, pin=table.genesis)
    began, worked = time.perf_counter(), time.process_time()
    try:
        await view.catch_up()
        took, cpu = time.perf_counter() - began, time.process_time() - worked
        size = view.follower.size
    finally:
        await view.close()
    return {
        "entries": size,
        "entries_per_s": round(size / took, 1),
        "entries_per_s_core": round(size / cpu, 1),
    }


Job = Callable[[], Awaitable[None]]


async def _loaded(site: Installation, lanes: Sequence[Iterator[Job]]) -> tuple[float, float]:
    """Run ``lanes`` side by side, the jobs of each in order: seconds, and the hub's cores."""

    async def run(jobs: Iterator[Job]) -> None:
        for job in jobs:
            await job()

    cpu, began = _cpu_seconds(site.hub_pid), time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for jobs in lanes:
            tasks.create_task(run(jobs))
    took = time.perf_counter() - began
    return took, (_cpu_seconds(site.hub_pid) - cpu) / took


def _cpu_seconds(pid: int) -> float:
    """Processor time that a process has used, all threads."""
    after_name = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(") ")[2]
    user, system = islice(after_name.split(), 11, 13)
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
