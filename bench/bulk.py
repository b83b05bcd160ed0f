"""Bulk loads through a real Kafka: sealed and opened, beside what plain and protected JSON costs.

Publish: from columns in memory to the last acknowledgement. Open: from making a consumer to the
last decoded record, keys asked of the hub on the way; the sink counts records and keeps none, as
the peers' readers do. Wire: bytes that one load adds to the broker's log.
"""

import contextlib
import secrets
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from bench import csfle, jose, plain
from bench.breakdown import profiled
from bench.installation import Installation, Shared
from bench.rounds import Measured, Run, interleaved
from bench.villages import Columns, Villages
from exchange.bus.ports import TOPIC_BYTES_MAX, TopicSpec
from exchange.daemon.pushing import PORTION_RECORDS
from exchange.flow.ports import Delivery
from exchange.flow.publish import Publisher
from exchange.wiring.transfer import subscriber_into

PER_RECORD: Final = 5_000
"""Records a round for the peers that work for a second on so many."""


class CountingSink:
    """Takes everything, keeps the number of records and how far each stream has come."""

    def __init__(self) -> None:
        self.records = 0
        self._positions: dict[str, tuple[int, str]] = {}

    def positions(self) -> dict[str, tuple[int, str]]:
        """Of this sink's own life: a new one starts at the beginning."""
        return dict(self._positions)

    def mark(self, marks: Sequence[tuple[int, str, int]]) -> None:
        """Keep the marks."""
        self.marks = list(marks)

    def commit_many(self, deliveries: Sequence[Delivery]) -> None:
        """Count."""
        for delivery in deliveries:
            self.records += len(delivery.versions)
            self._positions[delivery.stream] = (delivery.sequence, delivery.header_hash)

    def close(self) -> None:
        """Nothing to let go of."""


@dataclass(frozen=True, slots=True)
class Bench:
    """What the bulk benchmarks share."""

    site: Installation
    villages: Villages
    rounds: int
    notes: list[str]

    async def topic(self, name: str) -> str:
        """A fresh topic for a peer, with as many partitions as a dataset has."""
        spec = TopicSpec(
            f"bench.{name}.{secrets.token_hex(4)}",
            plain.PARTITIONS,
            1,
            {"max.message.bytes": str(TOPIC_BYTES_MAX)},
        )
        await self.site.provider.bus.ensure_topic(spec)
        return spec.name


def portions(columns: Columns) -> list[Columns]:
    """What a source yields: columns of at most `PORTION_RECORDS` records."""
    count = len(next(iter(columns.values())))
    return [
        {name: values[start : start + PORTION_RECORDS] for name, values in columns.items()}
        for start in range(0, count, PORTION_RECORDS)
    ]


def sealed_publish(publisher: Publisher, villages: Villages) -> Run:
    """Push all records; done when all are acknowledged."""
    parts = portions(villages.columns)

    async def run() -> int:
        accepted = 0
        for part in parts:
            accepted += (await publisher.push(part)).accepted
        await publisher.flush()
        assert accepted == villages.count
        return accepted

    return run


async def publish(bench: Bench) -> tuple[dict[str, Measured], dict[str, float]]:
    """Records a second from memory to the last acknowledgement, for every contender.

    And milliseconds by part of the product in a profiled round.
    """
    site, rows = bench.site, bench.villages.rows
    few = bench.villages.sample(PER_RECORD).rows
    confluent = plain.confluent_producer(site.bootstrap)
    aiokafka = await plain.aiokafka_producer(site.bootstrap)
    shared = await site.dataset("bulk-publish")
    seal = jose.sealing()
    try:
        async with site.publisher(shared) as publisher, _csfle(bench, few) as protected:
            runs = {
                "sealed": sealed_publish(publisher, bench.villages),
                "aiokafka": plain.aiokafka_publish(aiokafka, await bench.topic("aio"), rows),
                "confluent": plain.confluent_publish(confluent, await bench.topic("conf"), rows),
                "jose": plain.confluent_publish(confluent, await bench.topic("jose"), few, seal),
                **protected,
            }
            measured = await interleaved(runs, bench.rounds)
            return measured, await profiled(runs["sealed"])
    finally:
        await aiokafka.stop()


@contextlib.asynccontextmanager
async def _csfle(bench: Bench, rows: list[dict[str, str]]) -> AsyncIterator[dict[str, Run]]:
    """Field-level encryption of all fields, and of one field only, the kindest case."""
    async with contextlib.AsyncExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="exchange-bench-"))
        records = Path(folder) / "rows.jsonl"
        records.write_bytes(b"\n".join(map(orjson.dumps, rows)))
        runs: dict[str, Run] = {}
        try:
            for name, fields in (("csfle", ",".join(rows[0])), ("csfle-one-field", "name")):
                topic = await bench.topic(name)
                peer = await csfle.start(bench.site.bootstrap, topic, records, fields=fields)
                stack.push_async_callback(peer.close)
                runs[name] = peer.publish
        except csfle.CsfleUnavailable as why:
            bench.notes.append(f"field-level encryption was not measured: {why}")
        yield runs


async def opened(bench: Bench) -> tuple[dict[str, Measured], dict[str, float]]:
    """Records a second from the start of a reader to the last decoded record.

    And milliseconds by part of the product in a profiled round.
    """
    site, count = bench.site, bench.villages.count
    shared = await site.dataset("bulk-open")
    topic = await bench.topic("open")
    async with site.publisher(shared) as publisher:
        await sealed_publish(publisher, bench.villages)()
        await publisher.report()
    producer = plain.confluent_producer(site.bootstrap)
    await plain.confluent_publish(producer, topic, bench.villages.rows)()
    runs = {
        "sealed": _open(site, shared, count),
        "aiokafka": plain.aiokafka_read(site.bootstrap, topic, count),
        "confluent": plain.confluent_read(site.bootstrap, topic, count),
    }
    measured = await interleaved(runs, bench.rounds)
    return measured, await profiled(runs["sealed"])


def _open(site: Installation, shared: Shared, count: int) -> Run:
    """Read the whole dataset with a new subscriber, whose keys are asked for anew."""

    async def run() -> int:
        sink = CountingSink()
        subscriber = await subscriber_into(
            site.consumer, shared.subscription, sink, sink_name="counting"
        )
        report = await subscriber.run(follow=False)
        assert report.whole, report
        assert sink.records == count
        return count

    return run


async def wire(bench: Bench) -> dict[str, float]:
    """Bytes a record in the broker's log after one load: sealed, plain, and compressed plain."""
    site, rows = bench.site, bench.villages.rows
    shared = await site.dataset("bulk-wire")
    async with site.publisher(shared) as publisher:
        await sealed_publish(publisher, bench.villages)()
    found = {"sealed": shared.topic}
    for compression in ("none", "zstd"):
        topic = await bench.topic(f"wire-{compression}")
        producer = plain.confluent_producer(site.bootstrap, compression)
        await plain.confluent_publish(producer, topic, rows)()
        found[f"json-{compression}"] = topic
    return {name: _log_bytes(site, topic) / len(rows) for name, topic in found.items()}


def _log_bytes(site: Installation, topic: str) -> int:
    """Size of the topic's log segments, as the embedded node keeps them."""
    data = site.home.kafka_directory / "data"
    return sum(segment.stat().st_size for segment in data.glob(f"{topic}-[0-9]*/*.log"))
