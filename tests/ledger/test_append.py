"""Appending: nothing counts before it is read back, and nothing counts twice."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from exchange.bus.memory import Faults, MemoryCluster, MemoryProducer
from exchange.bus.ports import Outcome, Produced
from exchange.errors import (
    ActRefused,
    BusUnavailable,
    ClockOff,
    EntryRefused,
    HubUnavailable,
    LedgerBroken,
    RateLimited,
    RuleRefused,
    TopicMisconfigured,
)
from exchange.ledger.append import Appended
from exchange.ledger.fairness import Denials, Fairness, Shares
from exchange.ledger.topic import begin_ledger, ledger_topic
from exchange.limits import HUB_CLOCK_SKEW_MS_MAX
from exchange.model import acts
from exchange.registry.busrules import HEADER
from tests.ledger.hubs import TOPIC, Hub, begin, junk
from tests.ledger.world import World, exchange_world

NOTHING = acts.WithdrawRequest(request=bytes(32))


class Scene:
    """A world with a grant and a stream, its ledger on a cluster, and hubs that follow it."""

    def __init__(self) -> None:
        self.world = exchange_world(hubs=("hub-1", "hub-2"))
        self.grant = self.world.granted("health")
        self.stream = self.world.stream("civil")
        self.cluster = MemoryCluster(now_ms=self.world.now_ms)

    async def hub(self, name: str = "hub-1", **options: Any) -> Hub:
        hub = Hub(self.world, self.cluster, name, **options)
        await hub.follower.catch_up()
        return hub

    def ask(self, *items: acts.AskItem) -> bytes:
        body = self.world.ask(self.grant, *(items or (self.world.item(self.stream),)))
        return self.world.sign(body, by="health/main")


@pytest.fixture
async def scene() -> Scene:
    made = Scene()
    await begin(made.world, made.cluster)
    return made


async def test_what_append_returns_was_read_back(scene: Scene) -> None:
    hub = await scene.hub()
    size = hub.follower.size
    appended = await hub.append(scene.ask())
    assert (appended.permit, appended.rules, appended.index) == (True, ("GRANT-01",), size)
    assert hub.follower.leaves.tree.leaf(appended.index) == appended.entry_hash
    assert appended.act.member == "health"
    assert appended.time_ms == hub.registry.time_ms
    assert appended.in_force() is appended
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
    with pytest.raises(RuleRefused) as refused:
        denied.in_force()
    assert refused.value.rules == ("STATE-01",)


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


async def test_a_hub_with_a_wrong_clock_appends_nothing(scene: Scene) -> None:
    """Attack 15."""
    hub = await scene.hub()
    year_ms = 365 * 86_400_000
    end = len(scene.cluster.messages(TOPIC, 0))
    for off_ms, failures in (
        (year_ms, {"expired"}),
        (-3_600_000, {"behind-ledger", "broker"}),
        (HUB_CLOCK_SKEW_MS_MAX + 1, {"broker"}),
    ):
        hub.clock.off_ms = off_ms
        with pytest.raises((ClockOff, ActRefused)) as off:
            await hub.append(scene.ask())
        assert off.value.failure in failures
        with pytest.raises(ClockOff):
            await hub.appender.check_clock()
    assert len(scene.cluster.messages(TOPIC, 0)) == end
    hub.clock.off_ms = -HUB_CLOCK_SKEW_MS_MAX
    assert (await hub.append(scene.ask())).time_ms >= hub.registry.time_ms


async def test_a_clock_that_jumps_between_two_probes_is_noticed(scene: Scene) -> None:
    hub = await scene.hub()
    await hub.append(scene.ask())
    hub.clock.off_ms = 10_000
    with pytest.raises(ClockOff) as off:
        await hub.append(scene.ask())
    assert off.value.failure == "broker"


async def test_the_broker_is_asked_for_the_time_once_a_minute(scene: Scene) -> None:
    hub = await scene.hub()
    asked = 0
    plain = hub.bus.broker_time_ms

    async def counted() -> int:
        nonlocal asked
        asked += 1
        return await plain()

    hub.bus.broker_time_ms = counted  # type: ignore[method-assign]
    await asyncio.gather(hub.append(scene.ask()), hub.append(scene.ask()))
    await hub.append(scene.ask())
    assert asked == 1
    scene.cluster.advance(60_001)
    scene.world.advance(60_001)
    await hub.append(scene.ask())
    assert asked == 2


async def test_a_clock_behind_the_ledger_appends_nothing(scene: Scene) -> None:
    one, two = await scene.hub("hub-1"), await scene.hub("hub-2")
    one.clock.off_ms = HUB_CLOCK_SKEW_MS_MAX
    two.clock.off_ms = -HUB_CLOCK_SKEW_MS_MAX
    await one.append(scene.ask())
    raw = scene.ask()
    await two.follower.catch_up()
    with pytest.raises(ClockOff) as off:
        await two.append(raw)
    assert off.value.failure == "behind-ledger"


async def test_an_act_that_expires_on_its_way_is_void(scene: Scene) -> None:
    one, two = await scene.hub("hub-1"), await scene.hub("hub-2")
    body = scene.world.ask(scene.grant, scene.world.item(scene.stream))
    raw = scene.world.sign(body, by="health/main", lifetime_ms=3_000)
    one.clock.off_ms = HUB_CLOCK_SKEW_MS_MAX
    await one.append(scene.ask())
    with pytest.raises(ActRefused) as refused:
        await two.append(raw)
    assert refused.value.failure == "expired"


async def test_a_denial_is_not_appended_again_while_nothing_has_changed(scene: Scene) -> None:
    """Attack 14: denials cannot flood the ledger."""
    hub = await scene.hub()
    denied = await hub.append(scene.world.sign(NOTHING, by="health"))
    size = hub.follower.size
    for _ in range(5):
        with pytest.raises(RuleRefused) as refused:
            await hub.append(scene.world.sign(NOTHING, by="health"))
        assert refused.value.rules == denied.rules
        assert str(denied.index) in refused.value.text.en
    await hub.follower.catch_up()
    assert hub.follower.size == size
    assert not (await hub.append(scene.world.sign(NOTHING, by="civil"))).permit
    scene.cluster.advance(60_001)
    scene.world.advance(60_001)
    assert not (await hub.append(scene.world.sign(NOTHING, by="health"))).permit


async def test_a_denial_is_decided_again_once_its_ground_has_moved(scene: Scene) -> None:
    hub = await scene.hub()
    proposal = scene.world.sign(scene.world.proposal("schools"), by="civil")
    body = acts.PublishDataset(dataset="schools", proposal=hub.appender.authenticate(proposal).id)
    assert not (await hub.append(scene.world.sign(body))).permit
    assert (await hub.append(proposal)).permit
    assert (await hub.append(scene.world.sign(body))).permit


async def test_one_member_in_a_loop_spends_its_own_share_only(scene: Scene) -> None:
    """Attack 14."""
    fairness = Fairness(acts=Shares(per_s=10.0, burst=20))
    hub = await scene.hub(fairness=fairness)
    came = await asyncio.gather(
        *(hub.append(scene.ask()) for _ in range(40)), return_exceptions=True
    )
    assert sum(isinstance(one, Appended) for one in came) == 20
    assert sum(isinstance(one, RateLimited) for one in came) == 20
    progress = acts.ReportProgress(anchors=(scene.world.anchor(scene.stream, 1),))
    assert (await hub.append(scene.world.sign(progress, by="civil/main"))).permit
    scene.cluster.advance(1_000)
    scene.world.advance(1_000)
    assert (await hub.append(scene.ask())).permit


async def test_denials_have_a_smaller_share(scene: Scene) -> None:
    hub = await scene.hub(fairness=Fairness(denials=Shares(per_s=1.0, burst=3)))
    for number in range(3):
        body = acts.WithdrawRequest(request=bytes([number]) * 32)
        assert not (await hub.append(scene.world.sign(body, by="health"))).permit
    body = acts.WithdrawRequest(request=bytes([9]) * 32)
    with pytest.raises(RateLimited):
        await hub.append(scene.world.sign(body, by="health"))
    assert (await hub.append(scene.ask())).permit


def test_only_so_many_denials_are_remembered() -> None:
    world, before = exchange_world(), Denials(kept_max=2)
    bodies = (acts.WithdrawRequest(request=bytes([number]) * 32) for number in range(3))
    first, second, third = (world.act(body, by="health") for body in bodies)
    for act in (first, second, third):
        before.note(act, 7, ("STATE-01",), (), 0)
    before.check(first, (), 0)
    for act in (second, third):
        with pytest.raises(RuleRefused):
            before.check(act, (), 0)


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


async def test_a_closed_appender_lets_go_of_its_producer(scene: Scene) -> None:
    hub = await scene.hub()
    await hub.appender.close()
    await hub.append(scene.ask())
    await hub.appender.close()


def test_shares_fill_up_again_and_never_beyond_the_burst() -> None:
    shares = Shares(per_s=2.0, burst=2)
    for now_ms in (0, 0, 500, 100_000, 100_000):
        shares.take("health", now_ms)
    with pytest.raises(RateLimited) as limited:
        shares.take("health", 100_000)
    assert limited.value.retriable
    shares.take("civil", 100_000)


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


def test_three_nodes_replicate_and_one_flushes() -> None:
    one, three = ledger_topic(TOPIC, nodes=1), ledger_topic(TOPIC, nodes=3)
    assert (one.partitions, one.replicas, one.config["flush.messages"]) == (1, 1, "1")
    assert (three.replicas, three.config["min.insync.replicas"]) == (3, "2")
    for spec in (one, three):
        assert spec.config["retention.ms"] == spec.config["retention.bytes"] == "-1"
        assert spec.config["cleanup.policy"] == "delete"
