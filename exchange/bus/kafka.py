"""Apache Kafka through aiokafka; the only file that imports it.

Holds every client option and the knowledge of what aiokafka 0.14 really does; queues and outcomes
live in `lanes`, reading in `reader`, sentences in `failures`. Read before changing an option:

- ``acks=all`` and idempotence: a retry inside the library never doubles a message. It also never
  ends, so `LaneProducer` bounds it and discards the library's producer.
- Data arrives compressed and encrypted: Kafka's compression would only burn CPU.
- ``read_uncommitted``: with ``read_committed`` anybody's open transaction would hold up readers,
  and which messages exist would depend on when one looks.
- The library's metadata requests allow auto-creation, so no topic is named to it before the list
  of all topics has shown that it exists.
- At DEBUG the library prints values, so its logger is held at INFO or above.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    BrokerResponseError,
    KafkaError,
    OffsetOutOfRangeError,
    TopicAlreadyExistsError,
    for_code,
)
from aiokafka.structs import ConsumerRecord, TopicPartition

from exchange import metrics
from exchange.bus.clock import BrokerClock
from exchange.bus.countedbatch import CountedBatch
from exchange.bus.failures import bus_unavailable, offset_gone, partition_missing, topic_refused
from exchange.bus.lanes import Batch, LaneProducer, WireFailed
from exchange.bus.ports import (
    BATCH_BYTES,
    MESSAGE_BYTES_MAX,
    TOPIC_BYTES_MAX,
    Consumer,
    Message,
    Place,
    Producer,
    TopicSpec,
)
from exchange.bus.reader import DrainingConsumer
from exchange.bus.topics import FoundTopic, check_topic, found_topic
from exchange.errors import BusUnavailable, ExchangeError

RETRY_BACKOFF_MS: Final = 100
METADATA_AGE_MS: Final = 60_000
IDLE_MS: Final = 9 * 60_000
"""Below the broker's own ten minutes, so that the client closes first."""
LIVE_WAIT_MS: Final = 20
"""One fetch is in flight per broker: a new partition waits for the running one at most so long."""
BULK_WAIT_MS: Final = 100
LIVE_FETCH_BYTES: Final = 8 << 20
BULK_FETCH_BYTES: Final = 32 << 20
PARTITION_FETCH_BYTES: Final = 2 * TOPIC_BYTES_MAX
ATTEMPTS: Final = 2
DISCARD_S: Final = 1.0

T = TypeVar("T")


class _Wire:
    """One `AIOKafkaProducer`, until the first batch it fails to confirm."""

    def __init__(self, producer: AIOKafkaProducer, bus: "KafkaBus") -> None:
        self._producer = producer
        self._bus = bus

    def batch(self) -> CountedBatch:
        return CountedBatch(self._producer.create_batch())

    async def send(self, batch: Batch, topic: str, partition: int) -> "asyncio.Future[None]":
        try:
            if not await self._bus.has(topic, partition):
                raise WireFailed(f"there is no partition {partition} of {topic}", refused=True)
            sent = await self._producer.send_batch(batch, topic, partition=partition)
        except KafkaError as error:
            raise WireFailed(type(error).__name__, refused=False) from error
        except BusUnavailable as error:
            raise WireFailed(error.category, refused=False) from error
        return asyncio.ensure_future(_confirmed(sent))

    async def discard(self) -> None:
        """`AIOKafkaProducer.stop` would flush first, which with idempotence may never end."""
        sending = self._producer._sender.sender_task
        while not sending.done():  # the first cancellation waits for requests under way
            sending.cancel()
            await asyncio.wait({sending}, timeout=DISCARD_S)
        self._producer._closed = True
        await self._producer.client.close()


async def _confirmed(sent: "asyncio.Future[object]") -> None:
    try:
        await sent
    except BrokerResponseError as error:
        raise WireFailed(type(error).__name__, refused=True) from error
    except KafkaError as error:
        raise WireFailed(type(error).__name__, refused=False) from error


class _Fetching:
    """One `AIOKafkaConsumer`, assigned and placed."""

    def __init__(
        self, consumer: AIOKafkaConsumer, places: Iterable[Place], bus: "KafkaBus"
    ) -> None:
        self._consumer = consumer
        self._partitions = {place: TopicPartition(*place) for place in places}
        self._bus = bus

    async def take(self, wait_s: float) -> list[Message]:
        try:
            fetched = await self._consumer.getmany(timeout_ms=int(wait_s * 1000))
        except OffsetOutOfRangeError as error:
            raise await self._gone() from error
        except KafkaError as error:
            raise self._bus.unavailable(error) from error
        return [_message(record) for records in fetched.values() for record in records]

    async def reached(self) -> dict[Place, int]:
        return {
            place: await self._consumer.position(partition)
            for place, partition in self._partitions.items()
        }

    async def stop(self) -> None:
        await _stop(self._consumer)

    async def _gone(self) -> ExchangeError:
        """The broker says "out of range" for both ends and the library does not say where."""
        for (topic, partition), position in (await self.reached()).items():
            first, following = await self._bus.bounds(topic, partition)
            if not first <= position <= following:
                return offset_gone(topic, partition, position, first, following)
        return self._bus.unavailable(OffsetOutOfRangeError())


async def _stop(consumer: AIOKafkaConsumer) -> None:
    """Stop a consumer of the library, which lets cancellations of its own tasks out.

    It cancels them and awaits them: a task that has not run yet, and a fetch that pauses after a
    failure, would end whoever stops the consumer.
    """
    await asyncio.sleep(0)  # so that every task has had its first turn
    stopping = asyncio.ensure_future(consumer.stop())
    await asyncio.wait({stopping})
    if stopping.cancelled():
        fetches = consumer._fetcher._pending_tasks
        for fetch in fetches:
            fetch.cancel()
        await asyncio.gather(*fetches, return_exceptions=True)
        await consumer._client.close()
    else:
        stopping.result()


def _message(record: ConsumerRecord) -> Message:
    return Message(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        value=record.value,
        headers=tuple(record.headers),
        timestamp_ms=record.timestamp,
    )


class KafkaBus:
    """`exchange.bus.ports.Bus` over Apache Kafka at ``bootstrap`` (``host:port,host:port``).

    ``delivery_ms`` bounds a produce; a question to the brokers takes twice ``request_ms`` at most.
    """

    def __init__(
        self,
        bootstrap: str,
        *,
        client_id: str,
        delivery_ms: int = 30_000,
        request_ms: int = 5_000,
    ) -> None:
        self._bootstrap = bootstrap
        self._delivery_ms = delivery_ms
        self._request_s = request_ms / 1000
        self._connection: dict[str, Any] = {
            "bootstrap_servers": bootstrap,
            "client_id": client_id,
            "request_timeout_ms": request_ms,
            "retry_backoff_ms": RETRY_BACKOFF_MS,
            "metadata_max_age_ms": METADATA_AGE_MS,
            "connections_max_idle_ms": IDLE_MS,
            "security_protocol": "PLAINTEXT",
        }
        self._open: set[LaneProducer | DrainingConsumer] = set()
        self._asking = asyncio.Lock()
        self._admin: AIOKafkaAdminClient | None = None
        self._asker: AIOKafkaConsumer | None = None
        self._clock = BrokerClock(self)
        self._known: dict[str, int] = {}
        _quieten()

    def unavailable(self, error: BaseException) -> BusUnavailable:
        """The sentence for a broker that does not answer."""
        return bus_unavailable(self._bootstrap, type(error).__name__)

    async def ready(self) -> int:
        """See `exchange.bus.ports.Bus.ready`."""
        return len((await self._ask(lambda admin: admin.describe_cluster()))["brokers"])

    async def producer(self) -> Producer:
        """See `exchange.bus.ports.Bus.producer`."""
        producer = LaneProducer(
            self._open_wire, delivery_ms=self._delivery_ms, on_close=self._open.discard
        )
        await producer.open()
        self._open.add(producer)
        return producer

    async def _open_wire(self) -> _Wire:
        producer = AIOKafkaProducer(
            **self._connection,
            acks="all",
            enable_idempotence=True,
            transactional_id=None,
            compression_type=None,
            max_batch_size=BATCH_BYTES,
            max_request_size=MESSAGE_BYTES_MAX,
            linger_ms=0,
        )
        await self._start(producer)
        return _Wire(producer, self)

    async def consumer(self, start: Mapping[Place, int], *, live: bool) -> Consumer:
        """See `exchange.bus.ports.Bus.consumer`."""
        for (topic, partition), (first, following) in (await self._bounds(start)).items():
            wanted = start[topic, partition]
            if not first <= wanted <= following:
                raise offset_gone(topic, partition, wanted, first, following)
        consumer = await self._started_consumer(live=live)
        consumer.assign([TopicPartition(*place) for place in start])
        for place, offset in start.items():
            consumer.seek(TopicPartition(*place), offset)
        opened = DrainingConsumer(
            _Fetching(consumer, start, self), start, ready=self.ready, on_close=self._open.discard
        )
        self._open.add(opened)
        return opened

    async def _started_consumer(self, *, live: bool) -> AIOKafkaConsumer:
        consumer = AIOKafkaConsumer(
            **self._connection,
            group_id=None,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_uncommitted",
            check_crcs=True,
            fetch_min_bytes=1,
            fetch_max_wait_ms=LIVE_WAIT_MS if live else BULK_WAIT_MS,
            fetch_max_bytes=LIVE_FETCH_BYTES if live else BULK_FETCH_BYTES,
            max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
        )
        await self._start(consumer)
        return consumer

    async def _start(self, client: "AIOKafkaProducer | AIOKafkaConsumer") -> None:
        try:
            async with asyncio.timeout(self._request_s):
                await client.start()
        except (KafkaError, OSError, TimeoutError) as error:
            await client.stop()
            raise self.unavailable(error) from error

    async def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """See `exchange.bus.ports.Bus.bounds`."""
        return (await self._bounds([(topic, partition)]))[topic, partition]

    async def _bounds(self, places: Iterable[Place]) -> dict[Place, tuple[int, int]]:
        wanted = [TopicPartition(*place) for place in places]
        for topic, partition in wanted:
            if not await self.has(topic, partition):
                raise partition_missing(topic, partition)

        async def ask(_: AIOKafkaAdminClient) -> dict[Place, tuple[int, int]]:
            if self._asker is None:
                self._asker = await self._started_consumer(live=False)
            firsts = await self._asker.beginning_offsets(wanted)
            followings = await self._asker.end_offsets(wanted)
            return {tuple(place): (firsts[place], followings[place]) for place in wanted}

        return await self._ask(ask)

    async def has(self, topic: str, partition: int) -> bool:
        """Whether the partition exists. Asks for all topics, since naming one may create it."""
        if partition >= self._known.get(topic, 0):
            described = await self._ask(lambda admin: admin.describe_topics())
            self._known = {found["topic"]: len(found["partitions"]) for found in described}
        return partition < self._known.get(topic, 0)

    async def ensure_topic(self, spec: TopicSpec) -> None:
        """See `exchange.bus.ports.Bus.ensure_topic`."""
        self._known.pop(spec.name, None)
        if not await self.has(spec.name, 0):
            await self._ask(lambda admin: _create(admin, spec))
        check_topic(spec, await self._ask(lambda admin: _describe(admin, spec)))

    async def broker_time_ms(self) -> int:
        """See `exchange.bus.ports.Bus.broker_time_ms`."""
        now_ms = await self._clock.now_ms(replicas=min(3, await self.ready()))
        if now_ms is None:
            raise self.unavailable(TimeoutError())
        return now_ms

    async def close(self) -> None:
        """See `exchange.bus.ports.Bus.close`."""
        for opened in list(self._open):
            await opened.close()
        await self._hang_up()

    async def _ask(self, question: Callable[[AIOKafkaAdminClient], Awaitable[T]]) -> T:
        """Put a question to the brokers; once more on a fresh connection when it fails."""
        failure: BaseException = TimeoutError()
        try:
            async with asyncio.timeout(ATTEMPTS * self._request_s), self._asking:
                for _ in range(ATTEMPTS):
                    try:
                        answer = await question(await self._connected())
                        metrics.BUS_UP.set(1)
                        return answer
                    except (KafkaError, OSError) as error:
                        failure = error
                        await self._hang_up()
        except TimeoutError as error:
            failure = error
            await self._hang_up()
        metrics.BUS_UP.set(0)
        raise self.unavailable(failure) from failure

    async def _connected(self) -> AIOKafkaAdminClient:
        if self._admin is None:
            admin = AIOKafkaAdminClient(**self._connection)
            try:
                await admin.start()
            except KafkaError:
                await admin.close()
                raise
            self._admin = admin
        return self._admin

    async def _hang_up(self) -> None:
        admin, self._admin = self._admin, None
        asker, self._asker = self._asker, None
        if admin is not None:
            await admin.close()
        if asker is not None:
            await _stop(asker)


async def _create(admin: AIOKafkaAdminClient, spec: TopicSpec) -> None:
    topic = NewTopic(
        name=spec.name,
        num_partitions=spec.partitions,
        replication_factor=spec.replicas,
        topic_configs=dict(spec.config),
    )
    answer = await admin.create_topics([topic])
    for _, code, *_ in answer.topic_errors:
        error = for_code(code)
        if code and error is not TopicAlreadyExistsError:
            raise topic_refused(spec.name, error.__name__)


async def _describe(admin: AIOKafkaAdminClient, spec: TopicSpec) -> FoundTopic:
    """What the brokers say of the topic, once all its partitions have leaders."""
    while True:
        described = await admin.describe_topics()
        found = [topic for topic in described if topic["topic"] == spec.name]
        partitions = found[0]["partitions"] if found else []
        if partitions and all(partition["leader"] >= 0 for partition in partitions):
            break
        await asyncio.sleep(RETRY_BACKOFF_MS / 1000)
    resource = ConfigResource(ConfigResourceType.TOPIC, spec.name, dict.fromkeys(spec.config))
    answers = await admin.describe_configs([resource])
    return found_topic(partitions, [e[:2] for a in answers for e in a.resources[0][4]])


def _quieten() -> None:
    log = logging.getLogger("aiokafka")
    log.setLevel(max(log.level, logging.INFO))
    if not log.handlers:
        log.addHandler(logging.NullHandler())  # else bare lines on stderr without logging set up
