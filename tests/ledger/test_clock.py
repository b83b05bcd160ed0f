"""A hub whose clock is wrong appends nothing (attack 15)."""

import asyncio

import pytest

from exchange.errors import (
    ActRefused,
    ClockOff,
)
from exchange.ledger.clock import SystemClock
from exchange.limits import HUB_CLOCK_SKEW_MS_MAX
from tests.ledger.hubs import TOPIC
from tests.ledger.scene import Scene


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


async def test_two_acts_that_find_no_fresh_time_ask_the_broker_once(scene: Scene) -> None:
    hub = await scene.hub()
    plain = hub.bus.broker_time_ms
    asked: list[int] = []

    async def slow() -> int:
        await asyncio.sleep(0)
        asked.append(await plain())
        return asked[-1]

    hub.bus.broker_time_ms = slow  # type: ignore[method-assign]
    await asyncio.gather(hub.appender.check_clock(), hub.appender.check_clock())
    assert len(asked) == 1


def test_the_system_clock_tells_wall_time_and_never_runs_back() -> None:
    clock = SystemClock()
    assert clock.now_ms() > 1_700_000_000_000
    assert clock.monotonic_ms() <= clock.monotonic_ms()
