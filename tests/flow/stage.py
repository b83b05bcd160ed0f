"""A whole exchange in one process: memory bus, a hub, and members that follow the ledger.

Everything but the bus and the transport is what ships. `Stage.hub` answers like `RemoteHub` does,
through signed answers that are verified; sinks are `ListSink`, which keeps a transaction's promise.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from exchange.bus.memory import Faults, MemoryBus, MemoryCluster
from exchange.bus.outbox import Outbox
from exchange.bus.ports import TopicSpec
from exchange.errors import ActRefused
from exchange.flow.answer import VerifiedAnswer, verify_answer
from exchange.flow.deliver import Subscriber
from exchange.flow.epochs import Epochs
from exchange.flow.forks import Forks
from exchange.flow.keyring import Keyring
from exchange.flow.lines import Lines
from exchange.flow.ports import Admitted, Delivery, KeysAnswered
from exchange.flow.ports import Hub as FlowHub
from exchange.flow.publish import Publisher
from exchange.flow.receipts import Receipts
from exchange.flow.release import Admissions, Releases
from exchange.flow.report import Report
from exchange.flow.resume import Resumes
from exchange.flow.send import Sender
from exchange.flow.sign import Signs
from exchange.flow.subscription import subscription
from exchange.ledger.act import parse_act
from exchange.ledger.append import Appender
from exchange.ledger.fairness import Fairness, Shares
from exchange.ledger.follower import Follower
from exchange.ledger.topic import begin_ledger, ledger_topic
from exchange.model.actcodec import Body
from exchange.model.contract import Contract
from exchange.registry.state import Registry
from exchange.wiring.lawbook import follow_rules
from tests.ledger.drafts import ORIGIN, contract
from tests.ledger.world import World, exchange_world, stated_by

LEDGER = "ledger"
HANGZHOU = "3301"


class View:
    """A member's own ledger view: folds what it reads, as FollowedLedger does."""

    def __init__(self, bus: MemoryBus, pin: bytes) -> None:
        self.fold = follow_rules()
        self.follower = Follower(bus, LEDGER, pin, self.fold)

    @property
    def registry(self) -> Registry:
        """The state reached."""
        return self.fold.registry

    async def catch_up(self) -> None:
        """See LedgerView."""
        await self.follower.catch_up()

    async def wait_for(self, act: bytes) -> None:
        """See LedgerView."""
        await self.follower.wait_for(act)


class ListSink:
    """Rows by key with versions and tombstones; `fail` makes the next commit fail as a whole."""

    def __init__(self, key: str = "code") -> None:
        self.key = key
        self.rows: dict[str, tuple[int, dict[str, Any] | None]] = {}
        self.at: dict[str, tuple[int, str]] = {}
        self.commits = 0
        self._changed = threading.Condition()
        self.fail: Callable[[], None] = lambda: None

    def positions(self) -> dict[str, tuple[int, str]]:
        """See Sink."""
        return dict(self.at)

    def mark(self, marks: Sequence[tuple[int, str, int]]) -> None:
        """Keep the marks."""
        self.marks = list(marks)

    def commit_many(self, deliveries: Sequence[Delivery]) -> None:
        """See Sink."""
        self.fail()
        self.commits += 1
        for one in deliveries:
            assert self.at.get(one.stream, (-1, ""))[0] == one.previous, "positions run together"
            self._apply(one)
            self.at[one.stream] = (one.sequence, one.header_hash)
        with self._changed:
            self._changed.notify_all()

    def wait_for(self, records: int) -> None:
        """Return when at least so many records stand here; fails after half a minute."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.records) >= records, timeout=30)

    def _apply(self, one: Delivery) -> None:
        for row, version in enumerate(one.versions):
            record = {name: column[row] for name, column in one.columns.items()}
            known = self.rows.get(record[self.key], (-1, None))
            if version > known[0]:
                deleted = one.operations is not None and one.operations[row] == 1
                self.rows[record[self.key]] = (version, None if deleted else record)

    def close(self) -> None:
        """See Sink."""

    @property
    def records(self) -> dict[str, dict[str, Any]]:
        """What stands in the sink now, by key."""
        return {key: record for key, (_, record) in self.rows.items() if record is not None}


class Hub:
    """One hub, and flow.ports.Hub in front of it; `lose` makes it die before it hands over."""

    def __init__(self, stage: "Stage", name: str) -> None:
        bus = stage.cluster.bus(name)
        world = stage.world
        self.stage = stage
        self.fold = follow_rules()
        self.follower = Follower(bus, LEDGER, world.pin, self.fold)
        signer = world.signer(f"hub/{name}")
        self.ledger = Appender(
            bus,
            LEDGER,
            self.follower,
            self.fold,
            hub=name,
            signer=signer,
            clock=stage,
            fairness=Fairness(acts=Shares(per_s=1e6, burst=10**6)),
            unknown_ms=50,
        )
        self.admissions = Admissions(ledger=self.ledger, signer=signer, clock=stage.now_ms)
        self.releases = Releases(
            ledger=self.ledger,
            registry=self.fold.registry,
            custody=world.custody,
            signer=signer,
            clock=stage.now_ms,
        )

    async def submit(self, act: bytes) -> Admitted:
        """See flow.ports.Hub."""
        return self._verified(act, await self.admissions.answer(act)).admitted

    async def ask(self, act: bytes, headers: Sequence[bytes]) -> KeysAnswered:
        """See flow.ports.Hub."""
        return self._verified(act, await self.releases.answer(act, headers)).keys

    def _verified(self, act: bytes, raw: bytes) -> VerifiedAnswer:
        keys = [self.stage.world.public(f"hub/{hub}") for hub in self.stage.world.hubs]
        return verify_answer(raw, origin=ORIGIN, act=parse_act(act).id, entry_keys=keys)


class Stage:
    """Civil affairs provides villages split by city; human resources and health may ask."""

    def __init__(self, folder: Path, *, seed: int = 0, hubs: tuple[str, ...] = ("hub-1",)) -> None:
        self.folder = folder
        self.world: World = exchange_world(seed=seed, hubs=hubs)
        self.cluster = MemoryCluster(seed=seed, now_ms=self.world.now_ms)
        self.hubs: list[Hub] = []

    async def start(self) -> "Stage":
        """Put the world's entries on the bus and open its hubs."""
        bus = self.cluster.bus("setup")
        await begin_ledger(bus, ledger_topic(LEDGER, nodes=1), self.world.genesis)
        producer = await bus.producer()
        for entry in self.world.entries[1:]:
            await producer.produce(LEDGER, 0, entry.raw)
        await bus.ensure_topic(TopicSpec("data.villages", 4, 1, {}))
        self.hubs = [Hub(self, name) for name in self.world.hubs]
        for hub in self.hubs:
            await hub.follower.catch_up()
        return self

    @property
    def hub(self) -> Hub:
        """The first hub."""
        return self.hubs[0]

    def now_ms(self) -> int:
        """Everybody's clock."""
        return self.world.now_ms

    def monotonic_ms(self) -> int:
        """The same, which nobody sets here."""
        return self.world.now_ms

    def advance(self, by_ms: int) -> None:
        """Let time pass for everybody."""
        self.world.advance(by_ms)
        self.cluster.advance(by_ms)

    def faults(self, **chances: float) -> None:
        """What goes wrong from here on."""
        self.cluster.faults = Faults(**chances)

    def view(self, name: str) -> View:
        """A fresh view of the ledger."""
        return View(self.cluster.bus(name), self.world.pin)

    def signs(self, member: str, instance: str | None = "main") -> Signs:
        """The voice of a member's adapter, or of its officer."""
        label = f"adapter/{member}/{instance}" if instance else f"office/{member}"
        return Signs(
            origin=ORIGIN,
            member=member,
            instance=instance,
            signer=self.world.signer(label),
            clock=self.now_ms,
        )

    async def say(self, member: str, body: Body) -> Admitted:
        """An officer's act, admitted."""
        return await self.hub.submit(self.signs(member, None).sign(stated_by(member, body)))

    async def grant(self, consumer: str = "human-resources", **changed: Any) -> bytes:
        """An unconditional grant on Hangzhou's villages, two of three sections."""
        admitted = await self.say(consumer, self.world.application(**changed))
        assert admitted.permit, admitted.rules
        return admitted.act

    def outbox(self, name: str = "spool") -> Outbox:
        """A spool in the stage's folder."""
        return Outbox(self.folder / f"{name}.db")

    async def publisher(
        self,
        outbox: Outbox,
        *,
        held: Contract | None = None,
        hub: Hub | None = None,
        bundle_records_max: int = 100,
        deadline_ms: int = 0,
    ) -> Publisher:
        """A started publisher of civil affairs' adapter."""
        view, bus, signs = self.view("civil"), self.cluster.bus("civil"), self.signs("civil")
        held = held or contract()
        publisher = Publisher(
            contract=held,
            lines=Lines(
                contract=held,
                view=view,
                hub=hub or self.hub,
                bus=bus,
                outbox=outbox,
                signs=signs,
            ),
            epochs=Epochs(view=view, provider="civil/main", clock=self.now_ms),
            outbox=outbox,
            sender=Sender(bus, outbox, clock=self.now_ms, deadline_ms=deadline_ms),
            hub=hub or self.hub,
            signs=signs,
            clock=self.now_ms,
            bundle_records_max=bundle_records_max,
        )
        await publisher.start()
        return publisher

    async def push(self, columns: Mapping[str, Sequence[Any]], **options: Any) -> None:
        """Publish, anchor and close, as one run of `exchange push` does."""
        outbox = self.outbox()
        try:
            publisher = await self.publisher(outbox, **options)
            assert (await publisher.push(columns)).rejected == ()
            await publisher.flush()
            await publisher.report()
            await publisher.close()
        finally:
            outbox.close()

    async def subscriber(
        self,
        grant: bytes,
        sink: ListSink,
        *,
        member: str = "human-resources",
        hub: FlowHub | None = None,
        resume: Resumes | None = None,
        filed: Callable[[bytes], int] = lambda _: 1 << 62,
    ) -> Subscriber:
        """A subscriber of a member's adapter; ``filed`` is what it knows of earlier receipts."""
        view, signs = self.view(member), self.signs(member)
        await view.catch_up()
        entitled = subscription(view.registry, grant, member)
        instance = view.registry.instances[member, "main"]
        bus = self.cluster.bus(member)
        return Subscriber(
            subscription=entitled,
            view=view,
            bus=bus,
            keyring=Keyring(
                hub=hub or self.hub,
                signs=signs,
                kid=instance.kem_kid,
                unwrap=self.world.custody.unwrap,
                subscription=entitled,
            ),
            sink=sink,
            receipts=Receipts(
                hub=hub or self.hub,
                signs=signs,
                subscription=entitled,
                sink="list",
                clock=self.now_ms,
                filed=filed,
            ),
            forks=Forks(bus=bus, view=view, hub=hub or self.hub, signs=signs),
            clock=self.now_ms,
            resume=resume,
        )

    async def pull(self, grant: bytes, sink: ListSink, **options: Any) -> Report:
        """Deliver until the end, as one run of `exchange pull` does."""
        return await (await self.subscriber(grant, sink, **options)).run(follow=False)


def villages(count: int, city: str = HANGZHOU, *, first: int = 0) -> dict[str, list[Any]]:
    """``count`` villages of one city with seeded-looking but plain values."""
    town = {"3301": "330102001", "3302": "330203001"}[city]
    codes = [f"{town}{number:03d}" for number in range(first, first + count)]
    return {
        "code": codes,
        "name": [f"村{number}" for number in range(first, first + count)],
        "head": [f"head-{number}" for number in range(first, first + count)],
        "phone": [f"phone-{number}" for number in range(first, first + count)],
    }


def joined(*parts: Mapping[str, list[Any]]) -> dict[str, list[Any]]:
    """The records of several columns together."""
    return {name: [value for part in parts for value in part[name]] for name in parts[0]}


async def refused(stage: Stage, act: bytes, headers: Sequence[bytes]) -> str:
    """The failure class under which a key request never reaches the ledger; "" if it does."""
    with suppress(ActRefused):
        await stage.hub.ask(act, headers)
        return ""
    return "act-refused"
