"""What a real broker does when it dies, hangs, refuses or comes back."""

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from exchange.bus.kafka import KafkaBus
from exchange.bus.local import LocalKafka
from exchange.bus.ports import CLOCK_TOPIC, Outcome
from exchange.errors import BusUnavailable, TopicMisconfigured
from tests.bus.reading import outcomes, produce_all, read, read_all
from tests.fixtures.kafka import KafkaServer, unique_topic

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def shared_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """A node of this module's own, which its tests may kill."""
    node = LocalKafka(tmp_path_factory.mktemp("killed"))
    yield node
    node.stop()


@pytest.fixture
def node(shared_node: LocalKafka) -> LocalKafka:
    """The same, running."""
    shared_node.start()
    return shared_node


@pytest.fixture
async def patient(node: LocalKafka) -> AsyncIterator[KafkaBus]:
    """A client of `node` that waits as long as the product does: a busy machine is no fault."""
    client = KafkaBus(node.start().bootstrap, client_id="t")
    yield client
    await client.close()


@pytest.fixture
async def bus(node: LocalKafka) -> AsyncIterator[KafkaBus]:
    """An impatient client of `node`."""
    client = KafkaBus(node.start().bootstrap, client_id="t", delivery_ms=1_500, request_ms=1_000)
    yield client
    await client.close()


def stop_answering(node: LocalKafka) -> int:
    """Freeze the broker: connections stay open, nothing answers."""
    running = node.running()
    assert running is not None
    os.kill(running.pid, signal.SIGSTOP)
    threads = list(Path(f"/proc/{running.pid}/task").iterdir())
    while not all(_is_stopped(thread) for thread in threads):
        time.sleep(0.01)  # on a busy machine some run on for a moment
    return running.pid


def _is_stopped(thread: Path) -> bool:
    return (thread / "stat").read_text("utf-8").rpartition(")")[2].split()[0] == "T"


async def test_acknowledged_messages_survive_kill_9(node: LocalKafka, patient: KafkaBus) -> None:
    topic = unique_topic(partitions=2)
    await patient.ensure_topic(topic)
    values = [b"%d" % number for number in range(2_000)]
    assert outcomes(await produce_all(await patient.producer(), topic.name, values)) == {
        Outcome.WRITTEN
    }
    assert node.kill()
    assert node.running() is None
    node.start()
    assert [message.value for message in await read_all(patient, topic.name)] == values


async def test_a_byte_changed_on_the_disk_is_called_damage_and_not_silence(
    node: LocalKafka, bus: KafkaBus
) -> None:
    topic = unique_topic()
    await bus.ensure_topic(topic)
    await produce_all(await bus.producer(), topic.name, [b"a value that stands on a disk"])
    node.stop()
    (segment,) = node._directory.glob(f"data/{topic.name}-0/*.log")
    stored = segment.read_bytes()
    segment.write_bytes(stored.replace(b"a value", b"b value"))
    node.start()
    with pytest.raises(BusUnavailable, match="is damaged") as damaged:
        await read_all(bus, topic.name)
    segment.write_bytes(stored)
    assert damaged.value.failure == "topic-damaged"


async def test_a_producer_carries_on_over_a_restart_without_loss_double_or_disorder(
    node: LocalKafka,
) -> None:
    bus = KafkaBus(node.start().bootstrap, client_id="t")
    topic = unique_topic()
    await bus.ensure_topic(topic)
    producer = await bus.producer()
    reader = await bus.consumer({(topic.name, 0): 0}, live=True)
    values = [b"%d" % number for number in range(300)]

    async def produce() -> list[Outcome]:
        calls = []
        for value in values:
            calls.append(asyncio.create_task(producer.produce(topic.name, 0, value)))
            await asyncio.sleep(0.01)
        return [(await call).outcome for call in calls]

    producing = asyncio.create_task(produce())
    await asyncio.sleep(0.5)
    await asyncio.to_thread(node.kill)
    await asyncio.to_thread(node.start)
    assert set(await producing) == {Outcome.WRITTEN}
    assert [message.value for message in await read(reader, 300)] == values
    assert await bus.bounds(topic.name, 0) == (0, 300)
    await bus.close()


async def test_a_broker_that_is_down_is_reported_in_time_with_a_remedy(
    node: LocalKafka, bus: KafkaBus
) -> None:
    topic = unique_topic()
    await bus.ensure_topic(topic)
    producer = await bus.producer()
    reader = await bus.consumer({(topic.name, 0): 0}, live=True)
    await asyncio.to_thread(node.stop)
    for call in (
        bus.ready(),
        bus.producer(),
        bus.bounds(topic.name, 0),
        bus.broker_time_ms(),
        bus.consumer({(topic.name, 0): 0}, live=False),
        reader.fetch(messages_max=1, wait_ms=60_000),
    ):
        started = time.monotonic()
        with pytest.raises(BusUnavailable) as unavailable:
            await call
        assert time.monotonic() - started < 8
        assert unavailable.value.exit_code == 3
        assert unavailable.value.retriable
        assert "exchange up" in unavailable.value.remedy.en
    started = time.monotonic()
    produced = await producer.produce(topic.name, 0, b"x")
    assert produced.outcome is not Outcome.WRITTEN
    assert time.monotonic() - started < 3
    await asyncio.to_thread(node.start)
    assert (await producer.produce(topic.name, 0, b"after")).outcome is Outcome.WRITTEN
    assert (await read(reader, 9, wait_ms=500))[-1].value == b"after"


async def test_readers_close_in_peace_at_any_moment_after_the_broker_died(
    node: LocalKafka, bus: KafkaBus
) -> None:
    topic = unique_topic()
    await bus.ensure_topic(topic)
    readers = [await bus.consumer({(topic.name, 0): 0}, live=True) for _ in range(12)]
    node.kill()
    for reader in readers:  # some of them pause between two attempts just then
        with contextlib.suppress(BusUnavailable):
            await reader.fetch(messages_max=1, wait_ms=35)
        await reader.close()


async def test_a_broker_that_hangs_leaves_the_outcome_unknown_and_the_message_may_land(
    node: LocalKafka, bus: KafkaBus
) -> None:
    topic = unique_topic()
    await bus.ensure_topic(topic)
    producer = await bus.producer()
    await producer.produce(topic.name, 0, b"before")
    pid = stop_answering(node)
    try:
        started = time.monotonic()
        produced = await producer.produce(topic.name, 0, b"perhaps")
        assert produced.outcome is Outcome.UNKNOWN
        assert time.monotonic() - started < 3
        with pytest.raises(BusUnavailable):
            await bus.ready()
    finally:
        os.kill(pid, signal.SIGCONT)
    await bus.ready()
    assert (await producer.produce(topic.name, 0, b"after")).outcome is Outcome.WRITTEN
    values = [message.value for message in await read_all(bus, topic.name)]
    assert [value for value in values if value != b"perhaps"] == [b"before", b"after"]
    assert values.count(b"perhaps") <= 1


async def test_a_message_the_broker_refuses_is_not_written_and_the_next_one_is(
    kafka: KafkaServer,
) -> None:
    bus = KafkaBus(kafka.bootstrap, client_id="t")
    small, large = unique_topic(max_message_bytes="50000"), unique_topic()
    await bus.ensure_topic(small)
    await bus.ensure_topic(large)
    producer = await bus.producer()
    refused, fine = await asyncio.gather(
        producer.produce(small.name, 0, bytes(60_000)),
        producer.produce(large.name, 0, bytes(60_000)),
    )
    assert refused.outcome is Outcome.NOT_WRITTEN
    assert refused.reason == "MessageSizeTooLargeError"
    assert fine.outcome is Outcome.WRITTEN
    assert (await producer.produce(small.name, 0, b"short")).outcome is Outcome.WRITTEN
    assert [message.value for message in await read_all(bus, small.name)] == [b"short"]
    await bus.close()


async def test_a_topic_the_brokers_refuse_to_make_is_reported(kafka: KafkaServer) -> None:
    bus = KafkaBus(kafka.bootstrap, client_id="t")
    with pytest.raises(TopicMisconfigured) as refused:
        await bus.ensure_topic(unique_topic(cleanup_policy="nonsense"))
    assert refused.value.failure == "topic-refused"
    assert "InvalidConfiguration" in refused.value.text.en
    await bus.close()


async def test_a_successful_batch_is_sent_once(kafka: KafkaServer) -> None:
    """Outcomes rest on counting a private call of the library: it must still be one a request."""
    bus = KafkaBus(kafka.bootstrap, client_id="t")
    topic = unique_topic()
    await bus.ensure_topic(topic)
    wire = await bus._open_wire()
    batch = wire.batch()
    assert batch.append(b"x", ())
    await (await wire.send(batch, topic.name, 0))
    assert batch.attempts == 1
    await wire.discard()
    await bus.close()


async def test_a_deleted_clock_topic_comes_back_by_itself(node: LocalKafka, bus: KafkaBus) -> None:
    assert await bus.broker_time_ms()
    admin = AIOKafkaAdminClient(bootstrap_servers=node.start().bootstrap)
    await admin.start()
    await admin.delete_topics([CLOCK_TOPIC])
    await admin.close()
    with pytest.raises(BusUnavailable):
        await bus.broker_time_ms()
    before_ms = time.time() * 1_000
    assert before_ms - 1_000 < await bus.broker_time_ms() < before_ms + 10_000


async def test_no_value_reaches_a_log_even_when_debugging(
    kafka: KafkaServer, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("aiokafka").setLevel(logging.DEBUG)
    with caplog.at_level(logging.DEBUG):
        bus = KafkaBus(kafka.bootstrap, client_id="t")
        topic = unique_topic()
        await bus.ensure_topic(topic)
        await (await bus.producer()).produce(topic.name, 0, b"secret-value")
        await read_all(bus, topic.name)
        await bus.close()
    assert "secret-value" not in caplog.text


async def test_nothing_listening_at_all_is_reported_at_once() -> None:
    bus = KafkaBus("127.0.0.1:1", client_id="t")
    started = time.monotonic()
    with pytest.raises(BusUnavailable) as unavailable:
        await bus.ready()
    assert "127.0.0.1:1" in unavailable.value.text.en
    assert time.monotonic() - started < 2
    await bus.close()
