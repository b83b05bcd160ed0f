"""The plain peers: one JSON message a record through aiokafka and through confluent-kafka.

Settings are the best found for each on this load, with the same promise as a sealed bundle has:
``acks=all`` and an idempotent producer, so that nothing is lost or doubled on the way. Records are
given as dictionaries, since that is what these clients' users have; orjson, the fastest encoder and
decoder there is, makes and reads the JSON.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from confluent_kafka import Consumer as ConfluentConsumer
from confluent_kafka import Producer as ConfluentProducer
from confluent_kafka import TopicPartition as ConfluentPartition

from bench.rounds import Run

PARTITIONS: Final = 4
BATCH_BYTES: Final = 1 << 20
LINGER_MS: Final = 20
FETCH_BYTES: Final = 32 << 20
_QUEUED_MAX: Final = 1_000_000

Record = dict[str, str]


async def aiokafka_producer(bootstrap: str, compression: str | None = None) -> AIOKafkaProducer:
    """A started producer."""
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        acks="all",
        enable_idempotence=True,
        linger_ms=LINGER_MS,
        max_batch_size=BATCH_BYTES,
        compression_type=compression,
    )
    await producer.start()
    return producer


def aiokafka_publish(producer: AIOKafkaProducer, topic: str, rows: list[Record]) -> Run:
    """Send every record; done when all are acknowledged."""

    async def run() -> int:
        partitions = await producer.partitions_for(topic)
        pending = [
            await producer.send(topic, orjson.dumps(row), partition=number % len(partitions))
            for number, row in enumerate(rows)
        ]
        await producer.flush()
        await asyncio.gather(*pending)
        return len(rows)

    return run


def confluent_producer(bootstrap: str, compression: str = "none") -> ConfluentProducer:
    """A producer."""
    return ConfluentProducer(
        {
            "bootstrap.servers": bootstrap,
            "acks": "all",
            "enable.idempotence": True,
            "linger.ms": LINGER_MS,
            "batch.size": BATCH_BYTES,
            "batch.num.messages": 100_000,
            "queue.buffering.max.messages": _QUEUED_MAX,
            "queue.buffering.max.kbytes": 1 << 20,
            "compression.type": compression,
        }
    )


def confluent_publish(
    producer: ConfluentProducer,
    topic: str,
    rows: list[Record],
    encode: Callable[[Record], bytes] = orjson.dumps,
) -> Run:
    """Send every record; done when all are acknowledged."""

    async def run() -> int:
        send_all(producer, topic, map(encode, rows))
        return len(rows)

    return run


def send_all(producer: ConfluentProducer, topic: str, values: Iterable[bytes]) -> None:
    """Produce ``values`` round robin and wait for every acknowledgement."""
    for number, value in enumerate(values):
        producer.produce(topic, value, partition=number % PARTITIONS)
        if number % 4_096 == 0:
            producer.poll(0)
    left = producer.flush(120)
    if left:
        raise RuntimeError(f"{left} messages were not acknowledged")


def aiokafka_read(bootstrap: str, topic: str, count: int) -> Run:
    """Consume ``count`` records from the start and decode each."""

    async def run() -> int:
        consumer = AIOKafkaConsumer(
            bootstrap_servers=bootstrap,
            group_id=None,
            enable_auto_commit=False,
            fetch_max_bytes=FETCH_BYTES,
            max_partition_fetch_bytes=FETCH_BYTES // PARTITIONS,
        )
        await consumer.start()
        try:
            places = [TopicPartition(topic, number) for number in range(PARTITIONS)]
            consumer.assign(places)
            await consumer.seek_to_beginning(*places)
            seen = 0
            while seen < count:
                for messages in (await consumer.getmany(timeout_ms=1_000)).values():
                    seen += len([orjson.loads(message.value) for message in messages])
            return seen
        finally:
            await consumer.stop()

    return run


def confluent_read(bootstrap: str, topic: str, count: int) -> Run:
    """The same through confluent-kafka, in batches."""

    async def run() -> int:
        consumer = ConfluentConsumer(
            {
                "bootstrap.servers": bootstrap,
                "group.id": "bench",
                "enable.auto.commit": False,
                "fetch.max.bytes": FETCH_BYTES,
                "max.partition.fetch.bytes": FETCH_BYTES // PARTITIONS,
                "queued.max.messages.kbytes": 1 << 17,
            }
        )
        try:
            consumer.assign([ConfluentPartition(topic, number, 0) for number in range(PARTITIONS)])
            seen = 0
            while seen < count:
                messages = consumer.consume(10_000, 1.0)
                seen += len([orjson.loads(message.value() or b"") for message in messages])
            return seen
        finally:
            consumer.close()

    return run
