"""The same hubs on a real Kafka: two of them, many acts at once, a restart, a deleted topic."""

import asyncio
from uuid import uuid4

import pytest

from exchange.bus.kafka import KafkaBus
from exchange.errors import ActRefused, LedgerBroken, TopicMisconfigured
from exchange.ledger.append import Appended, Appender
from exchange.ledger.clock import SystemClock
from exchange.ledger.follower import Follower
from exchange.ledger.topic import begin_ledger, ledger_topic
from exchange.model import acts
from exchange.registry.fold import RegistryFold
from exchange.registry.statehash import state_hash
from tests.fixtures.kafka import KafkaServer
from tests.ledger.drafts import engine
from tests.ledger.hubs import generous
from tests.ledger.world import World

pytestmark = pytest.mark.kafka


class KafkaHub:
    """A hub of ``world`` on the session's Kafka."""

    def __init__(self, world: World, bus: KafkaBus, topic: str, name: str) -> None:
        self.fold = RegistryFold([engine()])
        self.follower = Follower(bus, topic, world.pin, self.fold)
        self.appender = Appender(
            bus,
            topic,
            self.follower,
            self.fold,
            hub=name,
            signer=world.signer(f"hub/{name}"),
            clock=SystemClock(),
            fairness=generous(),
        )
        self._running: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self.follower.catch_up()
        self._running = asyncio.create_task(self.follower.run())

    async def stop(self) -> None:
        assert self._running is not None
        self._running.cancel()
        await asyncio.gather(self._running, return_exceptions=True)
        await self.appender.close()
        await self.follower.close()


async def test_hubs_share_a_ledger_on_kafka(kafka: KafkaServer) -> None:
    world = World(hubs=("hub-1", "hub-2"), now_ms=SystemClock().now_ms())
    topic, bus = f"ledger.{uuid4().hex}", KafkaBus(kafka.bootstrap, client_id="hub")
    await begin_ledger(bus, ledger_topic(topic, nodes=1), world.genesis)
    await begin_ledger(bus, ledger_topic(topic, nodes=1), world.genesis)
    one, two = (KafkaHub(world, bus, topic, name) for name in world.hubs)
    await one.start()
    await two.start()
    enrolled = await one.appender.append(world.sign(world.enrolment("health")))
    assert (enrolled.index, enrolled.permit) == (1, True)
    await two.follower.wait_for(enrolled.act.id)
    bodies = [acts.WithdrawRequest(request=bytes([number]) * 32) for number in range(60)]
    raws = [world.sign(body, by="health") for body in bodies]
    hubs = (one, two)
    came = await asyncio.gather(
        *(hubs[number % 2].appender.append(raw) for number, raw in enumerate(raws)),
        *(hubs[number % 2].appender.append(raw) for number, raw in enumerate(raws, start=1)),
        return_exceptions=True,
    )
    appended = [result for result in came if isinstance(result, Appended)]
    refused = [result for result in came if isinstance(result, ActRefused)]
    assert (len(appended), len(refused)) == (60, 60)
    await one.follower.catch_up()
    await two.follower.catch_up()
    assert state_hash(one.fold.registry) == state_hash(two.fold.registry)
    assert one.follower.root() == two.follower.root()
    page = await one.follower.entries(0, count_max=5, bytes_max=1 << 20)
    assert page[0] == world.genesis
    await one.stop()
    again = KafkaHub(world, bus, topic, "hub-1")
    await again.start()
    assert state_hash(again.fold.registry) == state_hash(two.fold.registry)
    await again.follower.recheck()
    await again.stop()
    await two.stop()
    await bus.close()


async def test_a_topic_that_may_forget_is_no_ledger(kafka: KafkaServer) -> None:
    topic, bus = f"ledger.{uuid4().hex}", KafkaBus(kafka.bootstrap, client_id="hub")
    spec = ledger_topic(topic, nodes=1)
    forgetful = {**spec.config, "retention.ms": "3600000"}
    await bus.ensure_topic(type(spec)(topic, 1, 1, forgetful))
    with pytest.raises(TopicMisconfigured):
        await begin_ledger(bus, spec, World().genesis)
    await bus.close()


async def test_a_ledger_that_was_never_begun_stops_a_follower(kafka: KafkaServer) -> None:
    bus = KafkaBus(kafka.bootstrap, client_id="hub")
    follower = Follower(bus, f"ledger.{uuid4().hex}", bytes(32), RegistryFold([engine()]))
    with pytest.raises(LedgerBroken) as broken:
        await follower.catch_up()
    assert broken.value.failure == "no-genesis"
    await bus.close()
