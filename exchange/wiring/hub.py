"""A hub from a home: every concrete class a hub is made of is named here.

::

    async with open_hub(home, settings, passphrase) as hub:
        ...serve exchange/hub/app.py over it...

Opening does not wait for Kafka. A task of its own begins the ledger if the topic is empty, folds
it, and follows it for ever; `OpenHub.check_open` says why the hub cannot work yet, and goes silent
once it can. What Kafka takes away comes back by itself; a broken ledger does not.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog

from exchange.bus.kafka import KafkaBus
from exchange.bus.ports import Bus
from exchange.errors import (
    DiskFull,
    ExchangeError,
    HubUnavailable,
    LedgerBroken,
)
from exchange.flow.answer import Answer, sign_answer
from exchange.flow.release import Admissions, Releases
from exchange.ledger.act import parse_act
from exchange.ledger.append import Appender
from exchange.ledger.clock import Clock, SystemClock
from exchange.ledger.cosigning import Witnesses
from exchange.ledger.follower import Follower
from exchange.ledger.logfiles import LogFiles
from exchange.ledger.mark import MarkFile
from exchange.ledger.sealer import Sealer
from exchange.ledger.sealing import Sealing
from exchange.ledger.topic import begin_ledger, ledger_topic
from exchange.ledger.verdict import Folded
from exchange.registry.fold import RegistryFold
from exchange.registry.state import Registry
from exchange.wiring.home import GENESIS_FILE, Home
from exchange.wiring.homekafka import bootstrap_of
from exchange.wiring.hubkeys import CUSTODY_FILE
from exchange.wiring.hublog import HubSigners, hub_signers, log_files
from exchange.wiring.hubmeters import count_folded, count_junk, meter_duties
from exchange.wiring.lawbook import follow_rules
from exchange.wiring.passphrase import Passphrase
from exchange.wiring.settings import Settings
from exchange.wiring.witnesspost import WitnessPost
from keys.cose import Signer
from keys.custody import Custody, FileCustody

RETRY_S: Final = 1.0
RECALL_MS: Final = 25_000
"""How long a repeated act waits for the answer of its first sending."""

_LOG = structlog.get_logger(__name__)


def _nothing() -> None: ...


@dataclass(slots=True)
class OpenHub:
    """The parts of a running hub; ``trouble`` is why it cannot follow the ledger now."""

    id: str
    home: Home
    bus: Bus
    fold: RegistryFold
    follower: Follower
    appender: Appender
    admissions: Admissions
    releases: Releases
    custody: Custody
    signer: Signer
    clock: Clock
    log: LogFiles
    sealer: Sealer
    witnesses: Witnesses | None
    post: WitnessPost
    trouble: ExchangeError | None = None
    caught_up: Callable[[], None] = _nothing
    """Called each time the ledger has been read to its end, before anybody is served."""

    @property
    def origin(self) -> str:
        """The log origin."""
        return self.home.table.log.origin

    @property
    def registry(self) -> Registry:
        """The state as far as the ledger was folded."""
        return self.fold.registry

    def check_open(self) -> None:
        """Return if this hub has read the whole ledger and follows it; otherwise raise why not."""
        if self.follower.broken is not None:
            raise self.follower.broken
        if self.trouble is not None:
            raise self.trouble

    async def recall(self, act: bytes) -> bytes | None:
        """The signed answer for an act that stands already, without keys.

        Waits for one that is under way. None for an act so old that only its id is remembered.
        """
        act_id = parse_act(act).id
        folded = self.follower.recall(act_id)
        if folded is None and act_id not in self.registry.seen:
            folded = await self.follower.wait_for(act_id, timeout_ms=RECALL_MS)
        if folded is None:
            return None
        return sign_answer(self._answer(act_id, folded), self.signer)

    def _answer(self, act_id: bytes, folded: Folded) -> Answer:
        return Answer(
            origin=self.origin,
            act=act_id,
            index=folded.index,
            entry_hash=folded.entry.leaf_hash,
            time_ms=self.clock.now_ms(),
            permit=folded.permit,
            rules=folded.rules,
            refused=dict(folded.refused_items),
        )

    async def follow(self) -> None:
        """Begin the ledger if need be, fold it, follow it until cancelled."""
        while True:
            try:
                self.log.acquire()
                await self._begin()
                await self.follower.catch_up()
                self.sealer.begin()
                self.caught_up()
                self.trouble = None
                _LOG.info("ledger followed", hub=self.id, entry=self.follower.size)
                await self._follow_and_seal()
            except LedgerBroken as error:
                self.trouble = error
                _LOG.critical("ledger broken", hub=self.id, failure=error.failure)
                return  # nothing here can mend it
            except ExchangeError as error:
                await self._wait(error)
            except OSError as error:  # the mark or the log cannot be written
                await self._wait(_no_room(self.home, error))
            finally:
                self.log.release()

    async def _follow_and_seal(self) -> None:
        """Both until one of them ends. A sealer that finds the ledger broken stops the follower."""
        sealing = asyncio.create_task(self.sealer.run())
        try:
            await self.follower.run()
        finally:
            sealing.cancel()
            await asyncio.gather(sealing, return_exceptions=True)

    async def _wait(self, trouble: ExchangeError) -> None:
        self.trouble = trouble
        _LOG.warning("waiting", hub=self.id, failure=trouble.failure)
        await asyncio.sleep(RETRY_S)

    async def _begin(self) -> None:
        spec = ledger_topic(self.home.table.log.topic, nodes=await self.bus.ready())
        genesis = self.home.path / GENESIS_FILE
        await begin_ledger(
            self.bus, spec, genesis.read_bytes(), read_before=self.follower.read_before
        )


@asynccontextmanager
async def open_hub(
    home: Home,
    settings: Settings,
    passphrase: Passphrase,
    *,
    hub_id: str = "",
    clock: Clock | None = None,
    caught_up: Callable[[], None] = _nothing,
) -> AsyncIterator[OpenHub]:
    """The hub of ``home``, or another one (``hub_id``) whose entry key the same custody holds."""
    hub_id = hub_id or home.table.hub.id
    custody = FileCustody.open(home.hub_directory / CUSTODY_FILE, passphrase.reveal())
    signers = hub_signers(home, hub_id, custody)
    async with AsyncExitStack() as stack:
        bus = KafkaBus(bootstrap_of(home, settings), client_id=f"exchange-{hub_id}")
        stack.push_async_callback(bus.close)
        hub = assemble_hub(home, hub_id, bus, custody, signers, clock or SystemClock())
        hub.caught_up = caught_up
        stack.push_async_callback(hub.follower.close)
        stack.push_async_callback(hub.appender.close)
        stack.push_async_callback(hub.post.close)
        following = asyncio.create_task(hub.follow())
        stack.push_async_callback(_ended, following)
        metering = asyncio.create_task(meter_duties(hub.fold, hub.clock.now_ms))
        stack.push_async_callback(_ended, metering)
        yield hub


def assemble_hub(
    home: Home, hub_id: str, bus: Bus, custody: Custody, signers: HubSigners, clock: Clock
) -> OpenHub:
    """The parts of a hub, put together and not yet following; `open_hub` is how to get one."""
    topic, fold, signer = home.table.log.topic, follow_rules(), signers.entry
    mark = MarkFile(home.hub_directory / f"{hub_id}.mark")
    follower = Follower(bus, topic, home.pin, fold, mark=mark, on_junk=count_junk)
    follower.listen(count_folded)
    appender = Appender(bus, topic, follower, fold, hub=hub_id, signer=signer, clock=clock)
    policy, post = home.policy(), WitnessPost()
    witnesses = Witnesses(policy, post) if policy is not None and policy.witnesses else None
    log = log_files(home, hub_id)
    sealing = Sealing(log, origin=home.table.log.origin, hub=hub_id, signers=signers.heads)
    return OpenHub(
        id=hub_id,
        home=home,
        bus=bus,
        fold=fold,
        follower=follower,
        appender=appender,
        admissions=Admissions(ledger=appender, signer=signer, clock=clock.now_ms),
        releases=Releases(
            ledger=appender,
            registry=fold.registry,
            custody=custody,
            signer=signer,
            clock=clock.now_ms,
            witnessed=witnesses,
            cosigned_levels=home.table.witness.cosigned_levels,
        ),
        custody=custody,
        signer=signer,
        clock=clock,
        log=log,
        sealer=Sealer(follower, sealing, now_ms=clock.now_ms, witnesses=witnesses),
        witnesses=witnesses,
        post=post,
        trouble=_starting(),
    )


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _no_room(home: Home, error: OSError) -> DiskFull:
    return DiskFull(
        f"{home.hub_directory} cannot be written: {error.strerror}",
        f"无法写入 {home.hub_directory}：{error.strerror}",
        remedy=("make room on its disk, and check its rights", "请清理磁盘空间并检查权限"),
        failure="disk",
    )


def _starting() -> HubUnavailable:
    return HubUnavailable(
        "the hub is reading the ledger",
        "枢纽正在读取账本",
        remedy=("wait for /health/ready, then try again", "请待 /health/ready 就绪后重试"),
        failure="starting",
    )
