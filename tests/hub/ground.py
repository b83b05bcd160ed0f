"""A hub on a real Kafka: a ledger with a grant and a stream, the same in every process.

Everything is made from a seed and a moment, so a process of its own makes the same keys and the
same entries and needs nothing secret handed over.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from exchange.bus.kafka import KafkaBus
from exchange.envelope.seal import Epoch, seal
from exchange.hub.app import hub_app
from exchange.hub.run import parts_of
from exchange.hub.serve import listen, serve
from exchange.ledger.clock import Clock, SystemClock
from exchange.ledger.cosignature import HeadSigner
from exchange.ledger.topic import begin_ledger, ledger_topic
from exchange.model.acts import AskItem, AskKeys
from exchange.model.batch import Batch
from exchange.wiring.home import GENESIS_FILE, Home, HomeTable, HubTable, LogTable
from exchange.wiring.hub import OpenHub, assemble_hub
from exchange.wiring.hubkeys import CA, CUSTODY_FILE
from exchange.wiring.hublog import HubSigners, keys_of_log
from exchange.wiring.hubtls import renew_identity
from exchange.wiring.pinnedca import ca_hash, pinned_context
from exchange.wiring.remote import Reader, RemoteHub
from keys.cbor import decode
from tests.ledger.drafts import DAY_MS, ORIGIN, START_MS, contract
from tests.ledger.world import World

HOST = "127.0.0.1"
CONSUMER = "human-resources"


def wall_ms() -> int:
    """Now."""
    return time.time_ns() // 1_000_000


@dataclass
class Ground:
    """A world, the grant and the stream on its ledger, and the home of its hub."""

    world: World
    home: Home
    grant: bytes
    stream: bytes

    async def lay(self, bootstrap: str) -> None:
        """Put the ledger so far on Kafka."""
        bus = KafkaBus(bootstrap, client_id="test-setup")
        spec = ledger_topic(self.home.table.log.topic, nodes=1)
        await begin_ledger(bus, spec, self.world.genesis)
        producer = await bus.producer()
        for entry in self.world.entries[1:]:
            await producer.produce(spec.name, 0, entry.raw)
        await bus.close()

    def request(self) -> tuple[bytes, bytes]:
        """A fresh key request of the consumer's adapter, and the header it is about."""
        held, now_ms = contract(), wall_ms()
        key = self.world.registry.dataset_keys("villages")[0]
        epoch = Epoch.start(
            origin=ORIGIN,
            dataset="villages",
            contract_hash=held.hash,
            provider="civil/main",
            stream=self.stream,
            region="3301",
            kid=key.kid,
            public=key.public,
            from_ms=now_ms - 1_000,
            to_ms=now_ms + 60_000,
        )
        columns = {"code": ["330102001001"], "name": ["a"], "head": ["b"], "phone": ["c"]}
        sealed = seal(
            Batch(columns, None, [1]),
            held,
            epoch,
            sequence=0,
            previous=self.stream,
            signer=self.world.signer("adapter/civil/main"),
        )
        item = AskItem(
            stream=self.stream,
            epoch=epoch.id,
            header=sealed.header_hash,
            contract=held.hash,
            from_ms=epoch.from_ms,
            to_ms=epoch.to_ms,
            levels=(1, 2),
            sequence=0,
        )
        body = AskKeys(grant=self.grant, purpose="collaboration", items=(item,))
        act = self.world.sign(body, by=f"{CONSUMER}/main", now_ms=now_ms)
        match decode(sealed.raw, bytes_max=1 << 20):
            case [bytes(header), _]:
                return act, header
        raise AssertionError("a bundle is [header, sections]")


def ground(
    directory: Path, topic: str, now_ms: int, *, hubs: tuple[str, ...] = ("hub-1",)
) -> Ground:
    """The same for the same arguments."""
    world = World(seed=7, hubs=hubs)
    world.advance(now_ms - START_MS)
    world.join("civil")
    world.join(CONSUMER)
    world.join("audit-office", "auditor")
    world.publish("civil")
    until_ms = now_ms + DAY_MS
    grant = world.granted(CONSUMER, from_ms=now_ms - DAY_MS, to_ms=until_ms, expires_ms=until_ms)
    stream = world.stream("civil")
    (directory / "hub").mkdir(exist_ok=True)
    (directory / "hub" / CUSTODY_FILE).touch()  # the keys are in memory; readiness looks for it
    (directory / GENESIS_FILE).write_bytes(world.genesis)
    log = LogTable(origin=ORIGIN, genesis=world.pin.hex(), authority="authority", topic=topic)
    home = Home(directory, HomeTable(log=log, hub=HubTable(id="hub-1", host=HOST)))
    return Ground(world, home, grant, stream)


@contextlib.asynccontextmanager
async def remote_hub(
    laid: Ground, port: int, *, member: str = "audit-office"
) -> AsyncIterator[RemoteHub]:
    """The hub on ``port`` as ``member`` sees it."""
    ca = laid.home.ca_file.read_text()
    hub = RemoteHub(
        f"https://{HOST}:{port}",
        tls=pinned_context(laid.home.ca_file, ca_hash(ca)),
        origin=ORIGIN,
        entry_keys=lambda: [laid.world.public(f"hub/{name}") for name in laid.world.hubs],
        clock=wall_ms,
        reader=Reader(member, "", laid.world.signer(f"office/{member}")),
    )
    try:
        yield hub
    finally:
        await hub.close()


def put_together(
    laid: Ground, bootstrap: str, clock: Clock | None = None, *, name: str = "hub-1"
) -> OpenHub:
    """A hub of ``laid``, not yet following."""
    custody = laid.world.custody
    bus = KafkaBus(bootstrap, client_id=f"test-{name}")
    signers = signers_of(laid.world, name)
    return assemble_hub(laid.home, name, bus, custody, signers, clock or SystemClock())


def signers_of(world: World, name: str) -> HubSigners:
    """The keys of a hub of the world, which have labels of their own there."""
    own = next(hub for hub in keys_of_log(world.root).hubs if hub.hub == name)
    ed25519, mldsa = own.keys
    return HubSigners(
        world.signer(f"hub/{name}"),
        (
            HeadSigner(ed25519, world.signer(f"checkpoint/{name}")),
            HeadSigner(mldsa, world.custody.mldsa_signer(f"checkpoint-mldsa/{name}")),
        ),
    )


@contextlib.asynccontextmanager
async def serving(laid: Ground, hub: OpenHub) -> AsyncIterator[int]:
    """``hub`` follows and serves until the block ends; gives its port."""
    if CA not in laid.world.custody._entries:
        laid.home.ca_file.write_bytes(
            laid.world.custody.issue_ca(CA, "Test CA", now_ms=wall_ms(), days=2)
        )
    identity = renew_identity(hub.custody, laid.home.hub_directory, hub.id, HOST, now_ms=wall_ms())
    bound = listen(HOST, 0)
    stop, started = asyncio.Event(), asyncio.Event()
    following = asyncio.create_task(hub.follow())
    doors = asyncio.create_task(
        serve(hub_app(parts_of(hub)), bound, identity, stop=stop, started=started.set)
    )
    await started.wait()
    try:
        yield bound.getsockname()[1]
    finally:
        stop.set()
        await doors
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        for part in (hub.appender, hub.follower, hub.bus):
            await part.close()


async def until_ready(remote: RemoteHub, *, missing: str = "", seconds: float = 60.0) -> None:
    """Wait until the hub is ready, or until ``missing`` is what it names."""
    said = ""
    async with asyncio.timeout(seconds):
        while True:
            problem = await remote.ready()
            said = problem.failure if problem is not None else ""
            if said == missing:
                return
            await asyncio.sleep(0.2)
