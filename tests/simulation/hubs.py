"""Several hubs, one ledger, everything that can go wrong; invariants after every event.

`Simulation.play` draws events from a seed: members ask, apply, revoke, anchor, resend; hubs lag,
die and come back, their clocks drift; the bus loses answers, delays and repeats; strangers write
junk. After each event a reference reader, which sees only the topic, is compared with every hub.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from exchange.bus.memory import Faults, MemoryCluster
from exchange.errors import (
    ActRefused,
    BusUnavailable,
    ClockOff,
    ExchangeError,
    HubUnavailable,
    RuleRefused,
)
from exchange.ledger.append import Appended
from exchange.ledger.verdict import Folded
from exchange.model import acts
from exchange.model.actcodec import Body
from exchange.registry.statehash import state_hash
from tests.ledger.drafts import DAY_MS, HOUR_MS
from tests.ledger.hubs import TOPIC, Hub, begin, junk
from tests.ledger.world import World, exchange_world
from tests.simulation.heads import Heads

NAMES = ("hub-1", "hub-2", "hub-3")
EXPECTED = (ActRefused, RuleRefused, BusUnavailable, ClockOff, HubUnavailable)
STORM = Faults(
    refused=0.05,
    lost_acks=0.1,
    late_appends=0.1,
    lost_sends=0.1,
    redeliveries=0.1,
    reordering=0.1,
)


@dataclass(slots=True)
class Reference:
    """What a reader of the topic alone finds, leaf by leaf."""

    hub: Hub
    folded: list[Folded] = field(default_factory=list)
    prints: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)

    def take(self, folded: Folded) -> None:
        self.folded.append(folded)
        follower = self.hub.follower
        self.prints[folded.index + 1] = (state_hash(self.hub.registry), follower.root())


class Simulation:
    """One run. ``chance`` decides everything."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.world: World = exchange_world(seed=seed, hubs=NAMES)
        self.streams = [self.world.stream("civil", region=region) for region in ("3301", "3302")]
        for member in ("health", "human-resources"):
            self.world.granted(member, regions=("33",))
        self.cluster = MemoryCluster(seed=seed, now_ms=self.world.now_ms)
        self.hubs: dict[str, Hub] = {}
        self.released: list[Appended] = []
        self.sent: list[bytes] = []
        self.sequence = 0
        self.heads = Heads(self.world)
        self.reference = self._reference()

    def _reference(self) -> Reference:
        reference = Reference(Hub(self.world, self.cluster, NAMES[0]))
        reference.hub.follower.listen(reference.take)
        return reference

    async def play(self, events: int) -> None:
        """Begin, let ``events`` happen, let the storm pass, compare everything."""
        await begin(self.world, self.cluster)
        for name in NAMES:
            self._start(name)
            await self.hubs[name].follower.catch_up()
        await self.check()
        happenings: tuple[tuple[int, Callable[[], Awaitable[None]]], ...] = (
            (12, self.one_act),
            (6, self.several_acts_at_once),
            (4, self.an_act_again),
            (3, self.a_hub_reads),
            (2, self.strangers_write),
            (2, self.a_hub_dies),
            (3, self.a_hub_seals),
            (2, self.time_passes),
            (1, self.a_clock_drifts),
            (2, self.weather),
        )
        weights = [weight for weight, _ in happenings]
        for _ in range(events):
            ((_, happen),) = self.chance.choices(happenings, weights)
            await happen()
            await self.check()
        await self.afterwards()

    def _start(self, name: str) -> None:
        self.hubs[name] = Hub(self.world, self.cluster, name)

    # What happens.

    async def one_act(self) -> None:
        await self._submit(self._some_act(), self._some_hub())

    async def several_acts_at_once(self) -> None:
        """Through different hubs, the same act among them now and then."""
        raws = [self._some_act() for _ in range(self.chance.randint(2, 5))]
        if self.chance.random() < 0.5:
            raws.append(raws[0])
        await asyncio.gather(*(self._submit(raw, self._some_hub()) for raw in raws))

    async def an_act_again(self) -> None:
        if self.sent:
            await self._submit(self.chance.choice(self.sent), self._some_hub())

    async def a_hub_reads(self) -> None:
        await self._some_hub().follower.catch_up()

    async def strangers_write(self) -> None:
        replayed = self.chance.choice(self.cluster.messages(TOPIC, 0)).value
        values = [None, bytes(70_000), self.chance.randbytes(200), replayed]
        await junk(self.cluster, self.chance.choice(values))

    async def a_hub_dies(self) -> None:
        name = self.chance.choice(NAMES)
        await self.hubs[name].kill()
        self._start(name)
        if self.chance.random() < 0.8:
            await self.hubs[name].follower.catch_up()

    async def a_hub_seals(self) -> None:
        """After it has read on, as a hub does; it may die at any step of it."""
        hub = self._some_hub()
        await hub.follower.catch_up()
        await self.heads.seal(hub, self.chance)

    async def time_passes(self) -> None:
        by_ms = self.chance.choice((1_000, 1_000, 30_000, 120_000, HOUR_MS))
        self.cluster.advance(by_ms)
        self.world.advance(by_ms)

    async def a_clock_drifts(self) -> None:
        off_ms = self.chance.choice((0, 0, 0, 2_000, -2_000, 4_000, -HOUR_MS, 365 * DAY_MS))
        self._some_hub().clock.off_ms = off_ms

    async def weather(self) -> None:
        self.cluster.faults = self.chance.choice((Faults(), STORM))

    def _some_hub(self) -> Hub:
        return self.hubs[self.chance.choice(NAMES)]

    def _some_act(self) -> bytes:
        body, by = self._some_body()
        raw = self.world.sign(body, by=by)
        self.sent.append(raw)
        return raw

    def _some_body(self) -> tuple[Body, str]:
        registry = self.reference.hub.registry
        consumer = self.chance.choice(("health", "human-resources"))
        own = registry.grants_by_consumer[consumer]
        grants = own[-3:] if self.chance.random() < 0.8 else list(registry.grants)
        self.sequence += 1
        match self.chance.randrange(12):
            case 0:
                return acts.RevokeGrant(grant=self.chance.choice(grants), reason=""), "civil"
            case 1 | 2:
                expires_ms = self.world.now_ms + self.chance.choice((60_000, DAY_MS))
                wanted = self.world.application(regions=("33",), expires_ms=expires_ms)
                return wanted, consumer
            case 3 | 4:
                anchors = tuple(self.world.anchor(one, self.sequence) for one in self.streams)
                return acts.ReportProgress(anchors=anchors), "civil/main"
            case 5:
                return acts.WithdrawRequest(request=self.chance.randbytes(32)), consumer
            case 6 if self.chance.random() < 0.1:
                return acts.SuspendMember(member=consumer, reason=""), "authority"
            case 7 if self.chance.random() < 0.1:
                return acts.RetireInstance(member="civil", instance="main"), "civil"
            case _:
                items = [self.world.item(one) for one in self.streams]
                items.append(self.world.item(self.streams[0], levels=(1, 3)))
                ask = self.world.ask(self.chance.choice(grants), *items)
                return ask, f"{consumer}/main"

    async def _submit(self, raw: bytes, hub: Hub) -> None:
        try:
            appended = await hub.append(raw)
        except EXPECTED:
            return
        if appended.permit and isinstance(appended.act.body, acts.AskKeys):
            self.released.append(appended)

    # What must hold.

    async def check(self) -> None:
        """The invariants of attacks.md, as far as the ledger is concerned."""
        faults, self.cluster.faults = self.cluster.faults, Faults()
        await self.reference.hub.follower.catch_up()
        self.cluster.faults = faults
        self._agreement()
        self._act_once()
        self._release()
        self._heads()

    def _heads(self) -> None:
        """Every signed head is one of this ledger; that each hub has one a size, `Heads` sees."""
        for size, root in self.heads.roots.items():
            assert self.reference.prints[size][1] == root, size

    def _agreement(self) -> None:
        """State hash, count and root are one for all hubs at equal sizes, whatever their past."""
        for hub in self.hubs.values():
            if hub.follower.size:
                state, size, root = hub.fingerprint()
                assert self.reference.prints[size] == (state, root), hub.name

    def _act_once(self) -> None:
        effective = [folded.act_id for folded in self.reference.folded if folded.fresh]
        assert len(effective) == len(set(effective))

    def _release(self) -> None:
        """Each key handed over stands on one leaf in force, before any end of its grant."""
        registry = self.reference.hub.registry
        assert len({appended.act.id for appended in self.released}) == len(self.released)
        for appended in self.released:
            leaf = self.reference.folded[appended.index]
            assert leaf.entry.leaf_hash == appended.entry_hash
            assert (leaf.act_id, leaf.fresh, leaf.permit) == (appended.act.id, True, True)
            assert leaf.verdict == appended.verdict
            body = appended.act.body
            assert isinstance(body, acts.AskKeys)
            grant = registry.grants[body.grant]
            assert grant.revoked is None or appended.index < grant.revoked
            assert leaf.time_ms < grant.expires_ms
            stopped = registry.members[grant.consumer].stopped
            assert stopped is None or appended.index <= stopped

    async def afterwards(self) -> None:
        """When the faults stop, everybody agrees, a newcomer too, and work goes on."""
        self.cluster.calm()
        self.cluster.settle()
        for hub in self.hubs.values():
            hub.clock.off_ms = 0
            await hub.follower.catch_up()
        await self.check()
        newcomer = Hub(self.world, self.cluster, "hub-2")
        await newcomer.follower.catch_up()
        prints = {hub.fingerprint() for hub in (*self.hubs.values(), newcomer)}
        assert prints == {self.reference.hub.fingerprint()}
        raw = self.world.sign(self.world.application(regions=("33",)), by="audit-office")
        try:
            denied = await newcomer.append(raw)
        except ExchangeError as error:
            raise AssertionError(error.text.en) from error
        assert not denied.permit
