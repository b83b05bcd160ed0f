"""The two buses behind one face, so that each conformance test runs on both."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Protocol

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.records_to_delete import RecordsToDelete
from aiokafka.structs import TopicPartition

from exchange.bus.kafka import KafkaBus
from exchange.bus.memory import MemoryBus, MemoryCluster
from exchange.bus.ports import Bus
from tests.fixtures.kafka import KafkaServer, unique_topic

WAITS, WAIT_S = 500, 0.01


class World(Protocol):
    """A bus, and what happens to its topics behind its back."""

    bus: Bus

    def client(self) -> Bus:
        """Another client of the same brokers."""
        ...

    async def expire(self, topic: str, first: int) -> None:
        """Retention removes everything before ``first`` from partition 0."""
        ...

    async def recreate(self, topic: str) -> None:
        """The topic is deleted and made again, empty."""
        ...

    async def leave_marker(self, topic: str) -> None:
        """Write one message in a transaction: its marker takes an offset of partition 0."""
        ...


class MemoryWorld:
    """The twin."""

    def __init__(self) -> None:
        self.cluster = MemoryCluster()
        self.bus: Bus = self.cluster.bus("test")

    def client(self) -> MemoryBus:
        return self.cluster.bus("other")

    async def expire(self, topic: str, first: int) -> None:
        self.cluster.expire(topic, 0, first)

    async def recreate(self, topic: str) -> None:
        self.cluster.truncate(topic, 0, 0)

    async def leave_marker(self, topic: str) -> None:
        await (await self.bus.producer()).produce(topic, 0, b"transactional")
        self.cluster.skip(topic, 0)


class KafkaWorld:
    """Apache Kafka."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap = bootstrap
        self.clients: list[KafkaBus] = []
        self.bus: Bus = self.client()

    def client(self) -> KafkaBus:
        self.clients.append(KafkaBus(self.bootstrap, client_id=f"test-{len(self.clients)}"))
        return self.clients[-1]

    async def expire(self, topic: str, first: int) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        await admin.delete_records({TopicPartition(topic, 0): RecordsToDelete(first)})
        await admin.close()

    async def recreate(self, topic: str) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
        await admin.start()
        await admin.delete_topics([topic])
        for _ in range(WAITS):
            if topic not in await admin.list_topics():
                break
            await asyncio.sleep(WAIT_S)
        await admin.close()
        await self.client().ensure_topic(replace(unique_topic(), name=topic))

    async def leave_marker(self, topic: str) -> None:
        _, following = await self.bus.bounds(topic, 0)
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, transactional_id=topic)
        await producer.start()
        async with producer.transaction():
            await producer.send_and_wait(topic, b"transactional", partition=0)
        await producer.stop()
        for _ in range(WAITS):  # the coordinator writes the marker after it has answered
            if (await self.bus.bounds(topic, 0))[1] >= following + 2:
                break
            await asyncio.sleep(WAIT_S)


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.kafka)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    """Memory first, then the session's Kafka."""
    if request.param == "memory":
        yield MemoryWorld()
        return
    server: KafkaServer = request.getfixturevalue("kafka")
    real = KafkaWorld(server.bootstrap)
    yield real
    for client in real.clients:
        await client.close()
