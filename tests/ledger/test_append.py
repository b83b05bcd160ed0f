"""Appending: nothing counts before it is read back, and nothing counts twice."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from exchange.bus.memory import Faults, MemoryBus, MemoryProducer
from exchange.bus.ports import Outcome, Produced
from exchange.errors import (
    ActRefused,
    BusUnavailable,
    EntryRefused,
    HubUnavailable,
    LedgerBroken,
)
from exchange.ledger.append import Appended
from exchange.model import acts
from exchange.registry.busrules import HEADER
from tests.ledger.hubs import TOPIC, Hub
from tests.ledger.scene import Scene

NOTHING = acts.WithdrawRequest(request=bytes(32))
"""An application that nobody filed."""


async def test_what_append_returns_was_read_back(scene: Scene) -> None:
    hub = await scene.hub()
    size = hub.follower.size
    appended = await hub.append(scene.ask())
    assert (appended.permit, appended.rules, appended.index) == (True, ("GRANT-01",), size)
    assert hub.follower.leaves.tree.leaf(appended.index) == appended.entry_hash
    assert appended.act.member == "health"
    assert appended.time_ms == hub.registry.time_ms
    assert not appended.refused


async def test_only_append_makes_an_appended(scene: Scene) -> None:
    hub = await scene.hub()
    good = await hub.append(scene.ask())
    with pytest.raises(TypeError):
        Appended(0, bytes(32), good.act, good.verdict, 0, object())


async def test_a_denial_is_an_entry_too(scene: Scene) -> None:
    hub = await scene.hub()
    denied = await hub.append(scene.world.sign(NOTHING, by="health"))
    assert not denied.permit
    assert denied.rules == ("STATE-01",)


async def test_items_refused_on_evidence_stay_refused(scene: Scene) -> None:
    hub = await scene.hub()
    item = scene.world.item(scene.stream)
    appended = await hub.append(scene.ask(item, item), {1: (HEADER,)})
    assert appended.refused == {1: (HEADER,)}


async def test_the_same_act_yields_nothing_twice(scene: Scene) -> None:
    """Attack 12, on one hub: after, during, and through another hub."""
    one, two = await scene.hub("hub-1"), await scene.hub("hub-2")
    raw = scene.ask()
    first, second = await asyncio.gather(one.append(raw), one.append(raw), return_exceptions=True)
    assert isinstance(first, Appended)
    assert isinstance(second, ActRefused)
    await two.follower.catch_up()
    for hub in (one, two):
        with pytest.raises(ActRefused) as refused:
            await hub.append(raw)
        assert refused.value.failure == "seen-before"


async def test_an_act_through_two_hubs_at_once_is_released_by_one(scene: Scene) -> None:
    one, two = await scene.hub("hub-1"), await scene.hub("hub-2")
    size = one.follower.size
    raw = scene.ask()
    came = await asyncio.gather(one.append(raw), two.append(raw), return_exceptions=True)
    assert sorted(type(result).__name__ for result in came) == ["ActRefused", "Appended"]
    await one.follower.catch_up()
    assert one.follower.size == size + 2


async def test_an_outcome_that_was_lost_is_read_back(scene: Scene) -> None:
    hub = await scene.hub()
    scene.cluster.faults = Faults(lost_acks=1.0)
    size = hub.follower.size
    assert (await hub.append(scene.ask())).permit
    assert hub.follower.size == size + 1


async def test_a_send_that_was_lost_is_sent_again_byte_for_byte(scene: Scene) -> None:
    hub = await scene.hub()
    scene.cluster.faults = Faults(lost_sends=1.0)
    pending = asyncio.create_task(hub.append(scene.ask()))
    await asyncio.sleep(0.1)
    scene.cluster.calm()
    assert (await pending).permit


async def test_a_late_copy_has_no_effect(scene: Scene) -> None:
    hub = await scene.hub()
    scene.cluster.faults = Faults(late_appends=1.0)
    pending = asyncio.create_task(hub.append(scene.ask()))
    await asyncio.sleep(0.06)
    scene.cluster.calm()
    appended = await pending
    scene.cluster.settle()
    await hub.follower.catch_up()
    raws = [message.value for message in scene.cluster.messages(TOPIC, 0)]
    copies = raws.count(raws[appended.index])
    assert hub.follower.size == appended.index + copies


async def test_a_refused_send_is_repeated_and_then_reported(scene: Scene) -> None:
    hub = await scene.hub(deadline_ms=120)
    scene.cluster.faults = Faults(refused=1.0)
    with pytest.raises(BusUnavailable) as unavailable:
        await hub.append(scene.ask())
    assert unavailable.value.failure == "not-written"
    scene.cluster.calm()
    assert (await hub.append(scene.ask())).permit


async def test_an_entry_that_never_shows_is_reported_as_unknown(scene: Scene) -> None:
    hub = await scene.hub(deadline_ms=120)
    scene.cluster.faults = Faults(lost_sends=1.0)
    raw = scene.ask()
    with pytest.raises(BusUnavailable) as unavailable:
        await hub.append(raw)
    assert unavailable.value.failure == "outcome-unknown"
    assert unavailable.value.retriable
    scene.cluster.calm()
    assert (await hub.append(raw)).permit


async def test_an_entry_read_back_while_it_is_sent_again_counts(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = await scene.hub()
    hub.run()
    sent = MemoryProducer.produce

    async def slow(self: MemoryProducer, *args: Any, **named: Any) -> Produced:
        await sent(self, *args, **named)
        await hub.follower.catch_up()
        return Produced(Outcome.UNKNOWN, "lost")

    monkeypatch.setattr(MemoryProducer, "produce", slow)
    assert (await hub.append(scene.ask())).permit
    await hub.stop()


async def test_many_appends_run_at_once_and_keep_their_order(scene: Scene) -> None:
    hub = await scene.hub()
    hub.run()
    came = await asyncio.gather(*(hub.append(scene.ask()) for _ in range(100)))
    assert all(appended.permit for appended in came)
    assert all(one.index < two.index for one, two in pairwise(came))
    await hub.stop()


async def test_a_revocation_through_another_hub_decides_by_position(scene: Scene) -> None:
    """Attack 13: this hub has not read the revocation yet; the ledger has it first."""
    slow, other = await scene.hub("hub-1"), await scene.hub("hub-2")
    revoked = await other.append(
        scene.world.sign(acts.RevokeGrant(grant=scene.grant, reason=""), by="civil")
    )
    asked = await slow.append(scene.ask())
    assert revoked.index < asked.index
    assert (asked.permit, asked.rules) == (False, ("REV-01",))


async def test_an_act_too_large_for_a_leaf_is_told_so(scene: Scene) -> None:
    hub = await scene.hub()
    items = tuple(scene.world.item(bytes([n]) * 32, levels=(1, 2, 3, 4)) for n in range(256))
    assert not (await hub.append(scene.ask(*items[1:]))).permit
    many = {index: tuple(f"{HEADER}" for _ in range(9)) for index in range(256)}
    with pytest.raises(EntryRefused) as refused:
        await hub.append(scene.ask(*items), many)
    assert refused.value.failure == "too-large"


async def test_a_broken_ledger_takes_no_more_appends(scene: Scene) -> None:
    """Attack 17: truncated after an acknowledged entry."""
    hub = await scene.hub()
    appended = await hub.append(scene.ask())
    scene.cluster.truncate(TOPIC, 0, appended.index)
    with pytest.raises(LedgerBroken):
        await hub.follower.catch_up()
    with pytest.raises(LedgerBroken):
        await hub.append(scene.ask())


async def test_whoever_waits_when_the_ledger_breaks_is_told(scene: Scene) -> None:
    hub = await scene.hub()
    scene.cluster.faults = Faults(lost_sends=1.0)
    pending = asyncio.create_task(hub.append(scene.ask()))
    await asyncio.sleep(0)
    scene.cluster.truncate(TOPIC, 0, 5)
    with pytest.raises(LedgerBroken):
        await pending


async def test_a_hub_that_has_read_nothing_is_not_ready(scene: Scene) -> None:
    hub = Hub(scene.world, scene.cluster, "hub-1")
    with pytest.raises(HubUnavailable) as unavailable:
        await hub.append(scene.ask())
    assert unavailable.value.failure == "catching-up"


async def test_hubs_whose_key_genesis_does_not_name_append_nothing(scene: Scene) -> None:
    hub = await scene.hub()
    hub.appender._hub = "hub-3"
    with pytest.raises(EntryRefused) as refused:
        await hub.append(scene.ask())
    assert refused.value.failure == "signature"


def noting_producers(bus: MemoryBus) -> list[MemoryProducer]:
    """Every producer that ``bus`` makes from now on, each made after others had a turn."""
    made: list[MemoryProducer] = []
    plain = bus.producer

    async def slow() -> MemoryProducer:
        await asyncio.sleep(0)
        made.append(await plain())
        return made[-1]

    bus.producer = slow  # type: ignore[method-assign]
    return made


async def test_a_closed_appender_lets_go_of_its_producer(scene: Scene) -> None:
    hub = await scene.hub()
    made = noting_producers(hub.bus)
    await hub.append(scene.ask())
    await hub.appender.close()
    late = await made[0].produce(TOPIC, 0, b"late")
    assert (late.outcome, late.reason) == (Outcome.NOT_WRITTEN, "the producer is closed")
    await hub.append(scene.ask())
    assert len(made) == 2


async def test_two_first_appends_share_one_producer(scene: Scene) -> None:
    hub = await scene.hub()
    made = noting_producers(hub.bus)
    await asyncio.gather(hub.append(scene.ask()), hub.append(scene.ask()))
    assert len(made) == 1
