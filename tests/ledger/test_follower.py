"""Following the topic: what is a leaf, what is junk, and when to stop for good."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from exchange.bus.failures import offset_gone
from exchange.bus.memory import Faults, MemoryBus, MemoryCluster, MemoryConsumer
from exchange.errors import BusUnavailable, LedgerBroken
from exchange.ledger import follower as following
from exchange.ledger import waits as waiting
from exchange.ledger.entry import Statement, leaf_hash, sign_entry
from exchange.ledger.follower import Follower
from exchange.ledger.leaves import Leaves, truncated
from exchange.ledger.merkle import Tree
from exchange.ledger.topic import ledger_topic
from exchange.ledger.verdict import Folded
from exchange.ledger.waits import Waits
from exchange.model import acts
from exchange.registry.fold import RegistryFold
from exchange.registry.statehash import state_hash
from tests.ledger.drafts import ORIGIN, engine
from tests.ledger.hubs import TOPIC, Hub, begin, junk, until
from tests.ledger.world import World, exchange_world


@pytest.fixture
def world() -> World:
    return exchange_world()


@pytest.fixture
def cluster(world: World) -> MemoryCluster:
    return MemoryCluster(now_ms=world.now_ms)


async def test_a_follower_reads_all_there_is(world: World, cluster: MemoryCluster) -> None:
    await begin(world, cluster)
    hub = Hub(world, cluster, "hub-1")
    await hub.follower.catch_up()
    assert hub.follower.size == len(world.entries)
    assert state_hash(hub.registry) == state_hash(world.registry)
    tree = Tree()
    for entry in world.entries:
        tree.append(leaf_hash(entry.raw))
    assert hub.follower.root() == tree.root()


async def test_junk_is_skipped_counted_and_alarmed_and_moves_no_index(
    world: World, cluster: MemoryCluster
) -> None:
    """Attack 16."""
    await begin(world, cluster)
    said = Statement(ORIGIN, "hub-1", world.now_ms, b"act", permit=True, rules=())
    stranger = world.signer("office/health")
    await junk(cluster, None, bytes(70_000), b"garbage", b"")
    await junk(
        cluster,
        sign_entry(said, stranger),
        sign_entry(Statement("elsewhere", "hub-1", 0, b"", permit=True, rules=()), stranger),
        world.entries[3].raw + b"\x00",
        world.entries[3].statement.act,
    )
    spoilt = bytearray(sign_entry(said, world.signer("hub/hub-1")))
    spoilt[-1] ^= 1
    await junk(cluster, bytes(spoilt))
    cluster.skip(TOPIC, 0, 3)
    hub = Hub(world, cluster, "hub-1")
    await hub.follower.catch_up()
    assert hub.follower.size == len(world.entries)
    assert hub.follower.leaves.position == len(world.entries) + 9 + 3
    assert len(hub.junk) == 9
    failures = hub.follower.leaves.junk
    for failure in ("null", "too-large", "unknown-hub", "origin", "trailing-bytes", "signature"):
        assert failures[failure] == 1
    assert [one.offset for one in hub.junk] == list(
        range(len(world.entries), len(world.entries) + 9)
    )
    assert state_hash(hub.registry) == state_hash(world.registry)
    assert hub.follower.leaves.index_at(len(world.entries)) is None


async def test_what_stands_before_genesis_is_junk(world: World, cluster: MemoryCluster) -> None:
    await cluster.bus("a").ensure_topic(ledger_topic(TOPIC, nodes=1))
    await junk(cluster, None, b"garbage", world.entries[1].raw, world.genesis)
    hub = Hub(world, cluster, "hub-1")
    await hub.follower.catch_up()
    assert hub.follower.size == 1
    assert hub.follower.leaves.junk == {"null": 1, "before-genesis": 2}
    assert hub.follower.leaves.offset_of(0) == 3


async def test_another_ledger_on_the_topic_stops_it(cluster: MemoryCluster) -> None:
    other = World(seed=7)
    await begin(other, cluster)
    hub = Hub(World(seed=8), cluster, "hub-1")
    with pytest.raises(LedgerBroken) as broken:
        await hub.follower.catch_up()
    assert broken.value.failure == "wrong-genesis"
    assert hub.follower.broken is broken.value
    with pytest.raises(LedgerBroken):
        await hub.follower.wait_for(bytes(32))


async def test_a_topic_without_genesis_stops_it(world: World, cluster: MemoryCluster) -> None:
    with pytest.raises(LedgerBroken) as broken:
        await Hub(world, cluster, "hub-1").follower.catch_up()
    assert broken.value.failure == "no-genesis"
    await cluster.bus("a").ensure_topic(ledger_topic(TOPIC, nodes=1))
    with pytest.raises(LedgerBroken) as broken:
        await Hub(world, cluster, "hub-1").follower.catch_up()
    assert broken.value.failure == "no-genesis"


async def test_a_topic_that_lost_its_head_stops_it(world: World, cluster: MemoryCluster) -> None:
    await begin(world, cluster)
    cluster.expire(TOPIC, 0, 2)
    with pytest.raises(LedgerBroken) as broken:
        await Hub(world, cluster, "hub-1").follower.catch_up()
    assert broken.value.failure == "head-gone"


async def test_a_truncated_topic_stops_a_running_follower(
    world: World, cluster: MemoryCluster
) -> None:
    """Attack 17: the end of the topic lies before what was read."""
    await begin(world, cluster)
    hub = Hub(world, cluster, "hub-1")
    await hub.follower.catch_up()
    cluster.truncate(TOPIC, 0, 5)
    for again in (hub.follower.catch_up, hub.follower.recheck):
        with pytest.raises(LedgerBroken) as broken:
            await again()
        assert broken.value.failure == "truncated"


async def test_a_consumer_thrown_off_the_topic_says_why(
    world: World, cluster: MemoryCluster
) -> None:
    await begin(world, cluster)
    hub = Hub(world, cluster, "hub-1")
    await hub.follower.catch_up()
    waiting = asyncio.create_task(hub.follower.wait_for(bytes(32)))
    await asyncio.sleep(0)
    cluster.truncate(TOPIC, 0, 5)
    with pytest.raises(LedgerBroken) as broken:
        await waiting
    assert broken.value.failure == "truncated"


async def test_a_rewritten_leaf_is_noticed_when_it_is_read_again(
    world: World, cluster: MemoryCluster
) -> None:
    await begin(world, cluster)
    hub = Hub(world, cluster, "hub-1")
    await hub.follower.catch_up()
    await hub.follower.recheck()
    cluster.rewrite(TOPIC, 0, len(world.entries) - 1, b"other")
    with pytest.raises(LedgerBroken) as broken:
        await hub.follower.recheck()
    assert broken.value.failure == "rewritten"


async def test_redelivered_messages_count_once(world: World, cluster: MemoryCluster) -> None:
    await begin(world, cluster)
    await junk(cluster, b"garbage")
    cluster.faults = Faults(redeliveries=0.5, reordering=0.5)
    hub = Hub(world, cluster, "hub-1")
    await hub.follower.catch_up()
    await hub.follower.catch_up()
    assert hub.follower.size == len(world.entries)
    assert len(hub.junk) == 1


async def test_a_redelivery_with_other_bytes_is_a_rewritten_history(
    world: World, cluster: MemoryCluster
) -> None:
    await begin(world, cluster)
    leaves = Leaves(world.pin, Hub(world, cluster, "hub-1").fold)
    messages = cluster.messages(TOPIC, 0)
    for message in messages:
        assert isinstance(leaves.take(message), Folded)
    assert leaves.take(messages[4]) is None
    cluster.rewrite(TOPIC, 0, 4, None)
    with pytest.raises(LedgerBroken) as broken:
        leaves.take(cluster.messages(TOPIC, 0)[4])
    assert broken.value.failure == "rewritten"


async def test_a_mark_notices_what_changed_while_the_process_was_off(
    world: World, cluster: MemoryCluster, tmp_path: Path
) -> None:
    """Attack 17: restored from a backup, or rewritten, between two starts."""
    await begin(world, cluster)
    mark = tmp_path / "mark"
    first = Hub(world, cluster, "hub-1", mark=mark)
    await first.follower.catch_up()
    await first.stop()
    again = Hub(world, cluster, "hub-1", mark=mark)
    await again.follower.catch_up()
    await again.stop()
    cut = MemoryCluster(now_ms=world.now_ms)
    await begin(world, cut, upto=-1)
    with pytest.raises(LedgerBroken) as broken:
        await Hub(world, cut, "hub-1", mark=mark).follower.catch_up()
    assert broken.value.failure == "truncated"
    other = MemoryCluster(now_ms=world.now_ms)
    world.entries[2:4] = reversed(world.entries[2:4])
    await begin(world, other)
    with pytest.raises(LedgerBroken) as broken:
        await Hub(world, other, "hub-1", mark=mark).follower.catch_up()
    assert broken.value.failure == "rewritten"


async def test_a_running_follower_saves_its_mark_and_rechecks(
    world: World, cluster: MemoryCluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "MARK_S", 0.0)
    monkeypatch.setattr(following, "RECHECK_S", 0.0)
    monkeypatch.setattr(following, "FETCH_MS", 1)
    await begin(world, cluster)
    hub = Hub(world, cluster, "hub-1", mark=tmp_path / "mark")
    hub.run()
    await hub.follower.catch_up()
    await until((tmp_path / "mark").exists)
    cluster.rewrite(TOPIC, 0, len(world.entries) - 1, b"other")
    await until(lambda: hub.follower.broken is not None)
    assert hub.follower.broken is not None
    assert hub.follower.broken.failure == "rewritten"
    await hub.kill()


async def test_a_running_follower_outlives_an_outage(
    world: World, cluster: MemoryCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "RETRY_S", 0.01)
    await begin(world, cluster)
    hub = Hub(world, cluster, "hub-1")
    hub.run()
    await hub.follower.catch_up()
    cluster.down = True
    await asyncio.sleep(0.4)
    with pytest.raises(BusUnavailable):
        await hub.follower.catch_up()
    cluster.down = False
    await junk(cluster, world.entries[-1].raw)
    await hub.follower.catch_up()
    assert hub.follower.size == len(world.entries) + 1
    await hub.stop()


async def test_waiting_for_an_act_ends_when_it_is_folded_or_in_time(
    world: World, cluster: MemoryCluster
) -> None:
    await begin(world, cluster)
    hub = Hub(world, cluster, "hub-1")
    last = world.folded[-1]
    assert last.act_id is not None
    assert hub.follower.recall(last.act_id) is None
    one, two = await asyncio.gather(
        hub.follower.wait_for(last.act_id), hub.follower.wait_for(last.act_id)
    )
    assert one is two
    assert one.index == last.index
    assert await hub.follower.wait_for(last.act_id) is one
    assert hub.follower.recall(last.act_id) is one
    with pytest.raises(BusUnavailable):
        await hub.follower.wait_for(bytes(32), timeout_ms=20)


async def test_a_cancelled_wait_loses_no_message(world: World, cluster: MemoryCluster) -> None:
    await begin(world, cluster)
    hub = Hub(world, cluster, "hub-1")
    for _ in range(200):
        task = asyncio.create_task(hub.follower.catch_up())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await hub.follower.catch_up()
    assert state_hash(hub.registry) == state_hash(world.registry)


async def test_listeners_hear_every_leaf_in_order(world: World, cluster: MemoryCluster) -> None:
    await begin(world, cluster)
    hub = Hub(world, cluster, "hub-1")
    heard: list[int] = []
    hub.follower.listen(lambda folded: heard.append(folded.index))
    await hub.follower.catch_up()
    assert heard == list(range(len(world.entries)))


async def test_entries_are_read_again_in_pages(world: World, cluster: MemoryCluster) -> None:
    await begin(world, cluster)
    await junk(cluster, b"garbage")
    raw = world.sign(acts.WithdrawRequest(request=bytes(32)), by="health")
    world.take(world.entry(raw))
    await junk(cluster, world.entries[-1].raw)
    hub = Hub(world, cluster, "hub-1")
    await hub.follower.catch_up()
    raws = [entry.raw for entry in world.entries]
    read = hub.follower.entries
    assert await read(0, count_max=1_000, bytes_max=1 << 20) == raws
    assert await read(3, count_max=2, bytes_max=1 << 20) == raws[3:5]
    assert await read(3, count_max=9, bytes_max=len(raws[3]) + len(raws[4])) == raws[3:5]
    assert await read(3, count_max=9, bytes_max=0) == raws[3:4]
    assert await read(len(raws), count_max=9, bytes_max=1 << 20) == []
    assert await read(-1, count_max=9, bytes_max=1 << 20) == []
    cluster.skip(TOPIC, 0)
    del cluster._partition((TOPIC, 0)).messages[len(raws)]
    with pytest.raises(LedgerBroken):
        await read(0, count_max=1_000, bytes_max=1 << 20)


async def test_a_follower_needs_nobody_to_alarm_and_nothing_to_close(
    world: World, cluster: MemoryCluster
) -> None:
    await begin(world, cluster)
    await junk(cluster, b"garbage")
    follower = Follower(cluster.bus("quiet"), TOPIC, world.pin, RegistryFold([engine()]))
    await follower.recheck()
    await follower.close()
    await follower.catch_up()
    assert follower.leaves.junk.total() == 1
    await follower.close()


class Elusive(MemoryBus):
    """A bus whose offsets are gone although the bounds look whole."""

    async def consumer(self, start: Mapping[tuple[str, int], int], *, live: bool) -> MemoryConsumer:
        raise offset_gone(TOPIC, 0, 0, 0, 0)


async def test_offsets_that_are_gone_break_the_ledger_whatever_the_bounds_say(
    world: World, cluster: MemoryCluster
) -> None:
    await begin(world, cluster)
    follower = Follower(Elusive(cluster), TOPIC, world.pin, RegistryFold([engine()]))
    with pytest.raises(LedgerBroken) as broken:
        await follower.catch_up()
    assert broken.value.failure == "truncated"


async def test_pages_of_a_cut_topic_are_not_served(world: World, cluster: MemoryCluster) -> None:
    await begin(world, cluster)
    hub = Hub(world, cluster, "hub-1")
    await hub.follower.catch_up()
    cluster.truncate(TOPIC, 0, 3)
    with pytest.raises(LedgerBroken) as broken:
        await hub.follower.entries(7, count_max=1, bytes_max=0)
    assert broken.value.failure == "truncated"


async def test_waiters_come_and_go(world: World) -> None:
    waits, folded = Waits(), world.folded[3]
    name = folded.entry.leaf_hash
    first, second, left = waits.wait(name), waits.wait(name), waits.wait(name)
    waits.drop(name, left)
    waits.drop(bytes(32), left)
    second.cancel()
    waits.resolve(folded)
    assert await first is folded
    assert not left.done()
    gone, told = waits.wait(name), waits.wait(name)
    gone.cancel()
    waits.fail(truncated(2, 1, "leaves"))
    with pytest.raises(LedgerBroken):
        await told


async def test_only_the_newest_outcomes_are_remembered(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "RECENT", 2)
    waits = Waits()
    for folded in world.folded:
        waits.resolve(folded)
    known = [waits.recall(folded.act_id or b"") for folded in world.folded]
    assert known == [*([None] * (len(world.folded) - 2)), *world.folded[-2:]]
