"""The twin's faults are the ones Kafka has, and a seed repeats them."""

import asyncio
import time
from itertools import pairwise

import pytest

from exchange.bus.memory import START_MS, Faults, MemoryCluster
from exchange.bus.ports import Outcome, TopicSpec
from exchange.errors import BusUnavailable, OffsetGone
from tests.bus.reading import outcomes, produce_all, read, read_all

TOPIC = TopicSpec("t", 3, 1, {})


async def cluster_with(seed: int = 1, **chances: float) -> MemoryCluster:
    cluster = MemoryCluster(seed=seed, faults=Faults(**chances))
    await cluster.bus("test").ensure_topic(TOPIC)
    return cluster


def values(cluster: MemoryCluster, partition: int = 0) -> list[bytes | None]:
    return [message.value for message in cluster.messages("t", partition)]


async def test_a_refused_message_is_not_written() -> None:
    cluster = await cluster_with(refused=1.0)
    producer = await cluster.bus("test").producer()
    assert (await producer.produce("t", 0, b"x")).outcome is Outcome.NOT_WRITTEN
    assert values(cluster) == []


async def test_a_lost_acknowledgement_leaves_the_message_written() -> None:
    cluster = await cluster_with(lost_acks=1.0)
    producer = await cluster.bus("test").producer()
    assert (await producer.produce("t", 0, b"x")).outcome is Outcome.UNKNOWN
    assert values(cluster) == [b"x"]


async def test_a_lost_request_leaves_nothing() -> None:
    cluster = await cluster_with(lost_sends=1.0)
    producer = await cluster.bus("test").producer()
    assert (await producer.produce("t", 0, b"x")).outcome is Outcome.UNKNOWN
    cluster.settle()
    assert values(cluster) == []


async def test_a_late_append_lands_behind_messages_that_came_after_it() -> None:
    cluster = await cluster_with(late_appends=1.0)
    producer = await cluster.bus("test").producer()
    assert (await producer.produce("t", 0, b"late")).outcome is Outcome.UNKNOWN
    assert values(cluster) == []
    cluster.calm()
    await producer.produce("t", 0, b"on time")
    cluster.settle()
    assert values(cluster) == [b"on time", b"late"]


async def test_a_late_append_lands_by_itself_within_some_calls() -> None:
    cluster = await cluster_with(late_appends=1.0)
    await (await cluster.bus("test").producer()).produce("t", 0, b"late")
    cluster.calm()
    for _ in range(30):
        await cluster.bus("test").ready()
    assert values(cluster) == [b"late"]


async def test_redelivery_repeats_but_never_skips() -> None:
    cluster = await cluster_with(redeliveries=0.5)
    producer = await cluster.bus("test").producer()
    await produce_all(producer, "t", [b"%d" % n for n in range(50)])
    consumer = await cluster.bus("test").consumer({("t", 0): 0}, live=False)
    offsets: list[int] = []
    while not offsets or offsets[-1] != 49:
        offsets += [m.offset for m in await consumer.fetch(messages_max=4, wait_ms=0)]
    assert len(offsets) > 50
    assert sorted(set(offsets)) == list(range(50))
    assert all(after <= before + 1 for before, after in pairwise(offsets))


async def test_redelivery_never_goes_behind_the_start() -> None:
    cluster = await cluster_with(redeliveries=1.0)
    await produce_all(await cluster.bus("test").producer(), "t", [b"x"] * 10)
    consumer = await cluster.bus("test").consumer({("t", 0): 7}, live=False)
    for _ in range(20):
        assert all(m.offset >= 7 for m in await consumer.fetch(messages_max=9, wait_ms=0))


async def test_reordering_keeps_each_partitions_own_order() -> None:
    cluster = await cluster_with(reordering=1.0)
    producer = await cluster.bus("test").producer()
    for partition in range(3):
        await produce_all(producer, "t", [b"x"] * 40, partition)
    consumer = await cluster.bus("test").consumer({("t", p): 0 for p in range(3)}, live=False)
    found = await read(consumer, 120, wait_ms=0)
    for partition in range(3):
        assert [m.offset for m in found if m.partition == partition] == list(range(40))
    assert [m.partition for m in found] != sorted(m.partition for m in found)


async def run(seed: int) -> tuple[list[object], ...]:
    chances = {"refused": 0.1, "lost_acks": 0.1, "late_appends": 0.2, "lost_sends": 0.1}
    cluster = await cluster_with(seed, redeliveries=0.2, reordering=0.5, **chances)
    producer = await cluster.bus("a").producer()
    consumer = await cluster.bus("b").consumer({("t", p): 0 for p in range(3)}, live=True)
    told: list[object] = []
    seen: list[object] = []
    for number in range(200):
        told.append(await producer.produce("t", number % 3, b"%d" % number))
        found = await consumer.fetch(messages_max=5, wait_ms=0)
        seen += [(message.partition, message.offset, message.value) for message in found]
    return told, seen


async def test_a_seed_repeats_a_run_and_another_one_differs() -> None:
    assert await run(7) == await run(7)
    assert await run(7) != await run(8)


async def test_outcomes_never_lie() -> None:
    cluster = await cluster_with(
        3, refused=0.2, lost_acks=0.2, late_appends=0.2, lost_sends=0.2, redeliveries=0.2
    )
    producer = await cluster.bus("test").producer()
    told = {b"%d" % n: (await producer.produce("t", 0, b"%d" % n)).outcome for n in range(500)}
    cluster.settle()
    written = values(cluster)
    assert len(written) == len(set(written))
    for value, outcome in told.items():
        if outcome is not Outcome.UNKNOWN:
            assert (value in written) == (outcome is Outcome.WRITTEN)
    assert set(told.values()) == set(Outcome)


async def test_a_cluster_that_is_down_answers_nobody_and_keeps_everything() -> None:
    cluster = await cluster_with()
    bus = cluster.bus("test")
    producer = await bus.producer()
    consumer = await bus.consumer({("t", 0): 0}, live=True)
    await producer.produce("t", 0, b"kept")
    cluster.down = True
    assert (await producer.produce("t", 0, b"x")).outcome is Outcome.NOT_WRITTEN
    for call in (bus.ready(), bus.bounds("t", 0), bus.broker_time_ms(), bus.producer()):
        with pytest.raises(BusUnavailable) as unavailable:
            await call
        assert unavailable.value.exit_code == 3
        assert "exchange up" in unavailable.value.remedy.en
    with pytest.raises(BusUnavailable):
        await consumer.fetch(messages_max=1, wait_ms=0)
    cluster.down = False
    (message,) = await consumer.fetch(messages_max=1, wait_ms=0)
    assert message.value == b"kept"


async def test_the_clock_moves_only_when_told() -> None:
    cluster = await cluster_with()
    bus = cluster.bus("test")
    assert await bus.broker_time_ms() == START_MS
    cluster.advance(1_500)
    await (await bus.producer()).produce("t", 0, b"x")
    cluster.advance(-3_600_000)
    assert cluster.messages("t", 0)[0].timestamp_ms == START_MS + 1_500
    assert await bus.broker_time_ms() == START_MS + 1_500 - 3_600_000


async def test_truncation_and_rewriting_change_what_the_next_reader_sees() -> None:
    cluster = await cluster_with()
    bus = cluster.bus("test")
    await produce_all(await bus.producer(), "t", [b"0", b"1", b"2", b"3"])
    reader = await bus.consumer({("t", 0): 4}, live=True)
    cluster.truncate("t", 0, 3)
    cluster.rewrite("t", 0, 1, b"forged")
    assert [m.value for m in await read_all(bus, "t")] == [b"0", b"forged", b"2"]
    with pytest.raises(OffsetGone):
        await reader.fetch(messages_max=1, wait_ms=0)


async def test_a_message_over_the_topics_own_limit_is_refused() -> None:
    cluster = MemoryCluster()
    bus = cluster.bus("test")
    await bus.ensure_topic(TopicSpec("small", 1, 1, {"max.message.bytes": "1000"}))
    produced = await (await bus.producer()).produce("small", 0, bytes(1_000))
    assert produced.outcome is Outcome.NOT_WRITTEN
    assert "1000" in produced.reason


async def test_a_waiting_reader_is_woken_by_another_clients_message() -> None:
    cluster = await cluster_with()
    consumer = await cluster.bus("a").consumer({("t", 0): 0}, live=True)
    waiting = asyncio.create_task(consumer.fetch(messages_max=1, wait_ms=5_000))
    await asyncio.sleep(0)
    produced = await produce_all(await cluster.bus("b").producer(), "t", [b"x"])
    assert outcomes(produced) == {Outcome.WRITTEN}
    started = time.monotonic()
    assert len(await waiting) == 1
    assert time.monotonic() - started < 1
