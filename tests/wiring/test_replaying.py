"""Sources of a ledger for whoever replays it: the topic to its end, or for as long as one likes."""

import gc
from pathlib import Path

import pytest

from exchange.bus.memory import MemoryCluster
from exchange.errors import LedgerBroken
from exchange.ledger.mark import Mark, MarkFile
from exchange.wiring import replaying
from exchange.wiring.replaying import check_mark, topic_bounds, topic_messages
from tests.audit.test_replay import replayed
from tests.ledger.hubs import TOPIC, begin
from tests.ledger.world import World, exchange_world


@pytest.fixture(scope="module")
def world() -> World:
    return exchange_world()


async def test_a_topic_is_read_to_its_end(world: World) -> None:
    cluster = MemoryCluster(now_ms=world.now_ms)
    await begin(world, cluster)
    told: list[int] = []
    read = [m async for some in topic_messages(cluster.bus("a"), TOPIC, told.append) for m in some]
    assert [message.value for message in read] == [entry.raw for entry in world.entries]
    assert sum(told) == len(read)


async def test_a_topic_is_followed_until_nobody_asks_any_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replaying, "FETCH_MS", 10)
    cluster = MemoryCluster(now_ms=world.now_ms)
    await begin(world, cluster, upto=5)
    following = topic_messages(cluster.bus("a"), TOPIC, follow=True)
    read = 0
    while read < 5:
        read += len(await anext(following))
    assert await anext(following) == []
    producer = await cluster.bus("hub").producer()
    await producer.produce(TOPIC, 0, world.entries[5].raw)
    later: list[bytes | None] = []
    while not later:
        later += [message.value for message in await anext(following)]
    assert later == [world.entries[5].raw]
    await following.aclose()  # type: ignore[attr-defined]


async def test_a_place_without_a_ledger_is_said_to_be_one() -> None:
    with pytest.raises(LedgerBroken) as caught:
        await topic_bounds(MemoryCluster().bus("a"), TOPIC)
    assert caught.value.failure == "no-genesis"


def test_what_was_read_before_must_still_be_there(world: World, tmp_path: Path) -> None:
    file = MarkFile(tmp_path / "mark")
    replay = replayed(world)
    check_mark(file, replay, of_topic=False)
    assert file.load() is None
    check_mark(file, replay)
    size, root = len(world.entries), replay.leaves.tree.root()
    assert file.load() == Mark(size, root, size - 1)
    check_mark(file, replay)
    file.save(Mark(size + 1, root, size))
    with pytest.raises(LedgerBroken) as cut:
        check_mark(file, replay)
    assert cut.value.failure == "truncated"
    file.save(Mark(size - 1, root, size))
    with pytest.raises(LedgerBroken) as changed:
        check_mark(file, replay)
    assert changed.value.failure == "rewritten"


def test_few_entries_start_no_process_and_the_collector_is_left_as_it_was() -> None:
    usual = gc.get_threshold()
    with replaying.verifiers(None, 10) as checked:
        assert checked.processes == 0
        assert gc.get_threshold() != usual
    assert gc.get_threshold() == usual
    with replaying.verifiers(1, 10) as checked:
        assert checked.processes == 1
