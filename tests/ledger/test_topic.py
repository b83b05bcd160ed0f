"""The ledger's topic: how it is begun, and how it must be."""

import pytest

from exchange.bus.memory import Faults, MemoryCluster, MemoryConsumer
from exchange.bus.ports import Message
from exchange.errors import (
    BusUnavailable,
    LedgerBroken,
    TopicMisconfigured,
)
from exchange.ledger.topic import begin_ledger, ledger_topic
from tests.ledger.hubs import TOPIC, junk
from tests.ledger.world import World


async def test_a_ledger_is_begun_once_and_only_on_an_empty_topic() -> None:
    world, other = World(seed=1), World(seed=2)
    cluster = MemoryCluster(faults=Faults(lost_acks=1.0))
    bus, spec = cluster.bus("founder"), ledger_topic(TOPIC, nodes=1)
    await begin_ledger(bus, spec, world.genesis)
    await begin_ledger(bus, spec, world.genesis)
    assert len(cluster.messages(TOPIC, 0)) == 1
    with pytest.raises(LedgerBroken) as broken:
        await begin_ledger(bus, spec, other.genesis)
    assert broken.value.failure == "not-empty"
    with pytest.raises(TopicMisconfigured):
        await bus.ensure_topic(ledger_topic(TOPIC, nodes=3))
    empty = MemoryCluster(faults=Faults(refused=1.0))
    with pytest.raises(BusUnavailable):
        await begin_ledger(empty.bus("founder"), spec, world.genesis)
    taken = MemoryCluster()
    await taken.bus("founder").ensure_topic(spec)
    await junk(taken, None)
    with pytest.raises(LedgerBroken):
        await begin_ledger(taken.bus("founder"), spec, world.genesis)


async def test_a_ledger_that_was_read_before_is_never_begun_anew() -> None:
    world, cluster = World(), MemoryCluster()
    bus, spec = cluster.bus("hub"), ledger_topic(TOPIC, nodes=1)
    with pytest.raises(LedgerBroken) as lost:
        await begin_ledger(bus, spec, world.genesis, read_before=54)
    assert (lost.value.failure, cluster.messages(TOPIC, 0)) == ("truncated", ())
    await begin_ledger(bus, spec, world.genesis)
    await begin_ledger(bus, spec, world.genesis, read_before=1)
    cluster.expire(TOPIC, 0, 1)
    with pytest.raises(LedgerBroken) as beheaded:
        await begin_ledger(bus, spec, world.genesis)
    assert (beheaded.value.failure, cluster.messages(TOPIC, 0)) == ("head-gone", ())


def test_three_nodes_replicate_and_one_flushes() -> None:
    one, three = ledger_topic(TOPIC, nodes=1), ledger_topic(TOPIC, nodes=3)
    assert (one.partitions, one.replicas, one.config["flush.messages"]) == (1, 1, "1")
    assert (three.replicas, three.config["min.insync.replicas"]) == (3, "2")
    for spec in (one, three):
        assert spec.config["retention.ms"] == spec.config["retention.bytes"] == "-1"
        assert spec.config["cleanup.policy"] == "delete"


async def test_a_first_message_that_cannot_be_read_is_not_written_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def nothing(*_: object, **__: object) -> list[Message]:
        return []

    world, cluster = World(), MemoryCluster()
    bus, spec = cluster.bus("founder"), ledger_topic(TOPIC, nodes=1)
    monkeypatch.setattr(MemoryConsumer, "fetch", nothing)
    with pytest.raises(BusUnavailable):
        await begin_ledger(bus, spec, world.genesis)
    assert len(cluster.messages(TOPIC, 0)) == 1
