"""What every bus promises, on the memory twin and on a real Apache Kafka."""

import asyncio
import time

import pytest

from exchange.bus.failures import BEYOND_END, EXPIRED
from exchange.bus.ports import MESSAGE_BYTES_MAX, Outcome, Produced
from exchange.errors import NotFound, OffsetGone, TopicMisconfigured
from tests.bus.conftest import World
from tests.bus.reading import outcomes, produce_all, read, read_all
from tests.fixtures.kafka import unique_topic


async def test_brokers_that_answer_are_ready(world: World) -> None:
    assert await world.bus.ready() >= 1


async def test_a_message_comes_back_as_it_went(world: World) -> None:
    topic = unique_topic()
    await world.bus.ensure_topic(topic)
    producer = await world.bus.producer()
    headers = (("ce_id", b"1"), ("ce_id", b"\xff"), ("ce_type", b""))
    assert await producer.produce(topic.name, 0, b"bundle", headers) == Produced(
        Outcome.WRITTEN, ""
    )
    (message,) = await read_all(world.bus, topic.name)
    assert (message.topic, message.partition, message.offset) == (topic.name, 0, 0)
    assert (message.value, message.headers) == (b"bundle", headers)


async def test_null_empty_long_and_garbage_values_are_delivered_as_they_are(world: World) -> None:
    topic = unique_topic()
    await world.bus.ensure_topic(topic)
    producer = await world.bus.producer()
    values = [None, b"", bytes(70_000), b"\x00\xff\xfegarbage", b"x" * (MESSAGE_BYTES_MAX - 1_000)]
    produced = [await producer.produce(topic.name, 0, value) for value in values]
    assert outcomes(produced) == {Outcome.WRITTEN}
    assert [message.value for message in await read_all(world.bus, topic.name)] == values


async def test_a_thousand_concurrent_produces_keep_their_order(world: World) -> None:
    topic = unique_topic(partitions=2)
    await world.bus.ensure_topic(topic)
    producer = await world.bus.producer()
    values = [b"%d" % number for number in range(1_000)]
    both = await asyncio.gather(
        produce_all(producer, topic.name, values, 0), produce_all(producer, topic.name, values, 1)
    )
    assert outcomes(both[0] + both[1]) == {Outcome.WRITTEN}
    for partition in (0, 1):
        read_back = await read_all(world.bus, topic.name, partition)
        assert [message.value for message in read_back] == values


async def test_messages_of_very_different_sizes_keep_their_order(world: World) -> None:
    topic = unique_topic()
    await world.bus.ensure_topic(topic)
    producer = await world.bus.producer()
    values = [b"%d" % n + bytes((n * 7919 % 11) * 150_000) for n in range(60)]
    assert outcomes(await produce_all(producer, topic.name, values)) == {Outcome.WRITTEN}
    assert [message.value for message in await read_all(world.bus, topic.name)] == values


async def test_a_message_over_the_limit_is_not_written_and_the_limit_is_named(world: World) -> None:
    topic = unique_topic()
    await world.bus.ensure_topic(topic)
    producer = await world.bus.producer()
    produced = await producer.produce(topic.name, 0, bytes(MESSAGE_BYTES_MAX + 1))
    assert produced.outcome is Outcome.NOT_WRITTEN
    assert str(MESSAGE_BYTES_MAX) in produced.reason
    assert await world.bus.bounds(topic.name, 0) == (0, 0)


async def test_a_topic_that_does_not_exist_is_not_made_by_using_it(world: World) -> None:
    missing = unique_topic().name
    producer = await world.bus.producer()
    produced = await producer.produce(missing, 0, b"lost?")
    assert produced.outcome is Outcome.NOT_WRITTEN
    with pytest.raises(NotFound) as bounds:
        await world.bus.bounds(missing, 0)
    assert bounds.value.failure == "topic-missing"
    with pytest.raises(NotFound):
        await world.bus.consumer({(missing, 0): 0}, live=False)
    with pytest.raises(NotFound):
        await world.client().bounds(missing, 0)


async def test_a_partition_that_does_not_exist_is_refused(world: World) -> None:
    topic = unique_topic(partitions=2)
    await world.bus.ensure_topic(topic)
    producer = await world.bus.producer()
    assert (await producer.produce(topic.name, 2, b"lost?")).outcome is Outcome.NOT_WRITTEN
    with pytest.raises(NotFound):
        await world.bus.bounds(topic.name, 2)


async def test_a_closed_producer_writes_nothing(world: World) -> None:
    topic = unique_topic()
    await world.bus.ensure_topic(topic)
    producer = await world.bus.producer()
    await producer.close()
    assert (await producer.produce(topic.name, 0, b"late")).outcome is Outcome.NOT_WRITTEN


async def test_a_cancelled_call_is_sent_all_the_same_and_keeps_its_place(world: World) -> None:
    topic = unique_topic()
    await world.bus.ensure_topic(topic)
    producer = await world.bus.producer()
    caller = asyncio.create_task(producer.produce(topic.name, 0, b"first"))
    await asyncio.sleep(0)
    caller.cancel()
    await producer.produce(topic.name, 0, b"second")
    values = [message.value for message in await read_all(world.bus, topic.name)]
    assert values == [b"first", b"second"]


async def test_an_empty_partition_gives_an_empty_list_in_time(world: World) -> None:
    topic = unique_topic()
    await world.bus.ensure_topic(topic)
    consumer = await world.bus.consumer({(topic.name, 0): 0}, live=True)
    started = time.monotonic()
    assert await consumer.fetch(messages_max=10, wait_ms=150) == []
    assert 0.1 < time.monotonic() - started < 2
    await consumer.close()


async def test_a_live_reader_waits_for_a_message_and_gets_it_at_once(world: World) -> None:
    topic = unique_topic()
    await world.bus.ensure_topic(topic)
    producer = await world.client().producer()
    consumer = await world.bus.consumer({(topic.name, 0): 0}, live=True)
    waiting = asyncio.create_task(consumer.fetch(messages_max=10, wait_ms=10_000))
    await asyncio.sleep(0.05)
    await producer.produce(topic.name, 0, b"now")
    started = time.monotonic()
    (message,) = await waiting
    assert message.value == b"now"
    assert time.monotonic() - started < 1
    await consumer.close()


async def test_portions_are_as_small_as_asked_and_positions_follow_them(world: World) -> None:
    topic = unique_topic(partitions=3)
    await world.bus.ensure_topic(topic)
    producer = await world.bus.producer()
    for partition in range(3):
        await produce_all(producer, topic.name, [b"%d" % n for n in range(20)], partition)
    start = {(topic.name, 0): 0, (topic.name, 1): 5, (topic.name, 2): 20}
    consumer = await world.bus.consumer(start, live=False)
    expected = dict(start)
    for _ in range(5):
        for message in await consumer.fetch(messages_max=7, wait_ms=5_000):
            assert message.offset == expected[topic.name, message.partition]
            expected[topic.name, message.partition] += 1
        assert consumer.positions() == expected
    assert set(expected.values()) == {20}
    await consumer.close()


async def test_a_reader_may_start_anywhere_up_to_the_end_and_nowhere_else(world: World) -> None:
    topic = unique_topic()
    await world.bus.ensure_topic(topic)
    await produce_all(await world.bus.producer(), topic.name, [b"%d" % n for n in range(10)])
    await world.expire(topic.name, 4)
    assert await world.bus.bounds(topic.name, 0) == (4, 10)
    for start, failure in ((3, EXPIRED), (11, BEYOND_END)):
        with pytest.raises(OffsetGone) as gone:
            await world.bus.consumer({(topic.name, 0): start}, live=False)
        assert gone.value.failure == failure
        assert str(start) in gone.value.text.en
    for start in (4, 10):
        consumer = await world.bus.consumer({(topic.name, 0): start}, live=False)
        found = await consumer.fetch(messages_max=100, wait_ms=300)
        assert [message.offset for message in found] == list(range(start, 10))
        await consumer.close()


async def test_a_topic_truncated_under_its_reader_is_reported_not_skipped(world: World) -> None:
    topic = unique_topic()
    await world.bus.ensure_topic(topic)
    await produce_all(await world.bus.producer(), topic.name, [b"%d" % n for n in range(10)])
    consumer = await world.bus.consumer({(topic.name, 0): 0}, live=True)
    assert len(await read(consumer, 10)) == 10
    await world.recreate(topic.name)
    with pytest.raises(OffsetGone) as gone:
        await read(consumer, 1)
    assert gone.value.failure == BEYOND_END
    with pytest.raises(OffsetGone):
        await read(consumer, 1)
    await consumer.close()


async def test_the_marker_of_a_transaction_is_a_gap_and_no_error(world: World) -> None:
    topic = unique_topic()
    await world.bus.ensure_topic(topic)
    producer = await world.bus.producer()
    await producer.produce(topic.name, 0, b"before")
    await world.leave_marker(topic.name)
    await producer.produce(topic.name, 0, b"after")
    await world.leave_marker(topic.name)
    found = await read_all(world.bus, topic.name)
    assert [(message.offset, message.value) for message in found] == [
        (0, b"before"),
        (1, b"transactional"),
        (3, b"after"),
        (4, b"transactional"),
    ]


async def test_a_topic_is_made_once_and_then_only_checked(world: World) -> None:
    topic = unique_topic(partitions=2, retention_ms="-1")
    await world.bus.ensure_topic(topic)
    await (await world.bus.producer()).produce(topic.name, 1, b"kept")
    await world.client().ensure_topic(topic)
    assert await world.bus.bounds(topic.name, 1) == (0, 1)


async def test_a_topic_that_differs_is_refused_by_key_wanted_and_found(world: World) -> None:
    topic = unique_topic(partitions=2, retention_ms="-1", cleanup_policy="delete")
    await world.bus.ensure_topic(topic)
    wanted = dict(topic.config) | {"cleanup.policy": "compact"}
    for spec, words in (
        (type(topic)(topic.name, 1, 1, topic.config), ("partitions=2", "1 is needed")),
        (type(topic)(topic.name, 2, 3, topic.config), ("replication.factor=1", "3 is needed")),
        (type(topic)(topic.name, 2, 1, wanted), ("cleanup.policy=delete", "compact is needed")),
    ):
        with pytest.raises(TopicMisconfigured) as refused:
            await world.bus.ensure_topic(spec)
        assert all(word in refused.value.text.en for word in words)
        assert not refused.value.retriable


async def test_the_brokers_clock_can_be_read_and_stamps_messages(world: World) -> None:
    topic = unique_topic(message_timestamp_type="LogAppendTime")
    await world.bus.ensure_topic(topic)
    before_ms = await world.bus.broker_time_ms()
    await (await world.bus.producer()).produce(topic.name, 0, b"stamped")
    after_ms = await world.client().broker_time_ms()
    (message,) = await read_all(world.bus, topic.name)
    assert before_ms <= message.timestamp_ms <= after_ms


async def test_one_reader_of_many_partitions_gets_everything(world: World) -> None:
    topic = unique_topic(partitions=8)
    await world.bus.ensure_topic(topic)
    producer = await world.bus.producer()
    values = [b"%d" % number + bytes(20_000) for number in range(50)]
    await asyncio.gather(*(produce_all(producer, topic.name, values, p) for p in range(8)))
    consumer = await world.bus.consumer({(topic.name, p): 0 for p in range(8)}, live=False)
    found = await read(consumer, 400)
    for partition in range(8):
        assert [m.value for m in found if m.partition == partition] == values
    await consumer.close()


async def test_a_message_never_shows_its_value_when_printed(world: World) -> None:
    topic = unique_topic()
    await world.bus.ensure_topic(topic)
    await (await world.bus.producer()).produce(topic.name, 0, b"sealed", (("k", b"sealed"),))
    (message,) = await read_all(world.bus, topic.name)
    assert "sealed" not in repr(message)
