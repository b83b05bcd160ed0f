"""A whole Exchange on this machine for the benchmarks: Kafka, a hub process, three members.

Everything is made by exchange/wiring as a person would by the command line, in a directory of its
own that goes away afterwards. `Installation.dataset` adds a dataset under a name of its own, with a
grant for the consumer, so that no benchmark reads another's records.
"""

import asyncio
import contextlib
import secrets
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from bench.villages import contract
from exchange.flow.publish import Publisher
from exchange.flow.subscription import Subscription
from exchange.model.contract import Contract
from exchange.wiring import upkeep
from exchange.wiring.applications import Matter, Wanted, apply, grant_of
from exchange.wiring.enrol import enrol_member
from exchange.wiring.home import Home, open_home
from exchange.wiring.homeinit import Founding, initialise
from exchange.wiring.homekafka import bootstrap_of, embedded, is_embedded
from exchange.wiring.homekeys import make_passphrase
from exchange.wiring.newcomer import Newcomer
from exchange.wiring.office import Office, open_office
from exchange.wiring.passphrase import Passphrase
from exchange.wiring.publication import Described, propose, publish, review
from exchange.wiring.publishers import open_publisher
from exchange.wiring.settings import Settings, environment
from exchange.wiring.transfer import find_subscription

AUTHORITY: Final = "data-bureau"
PROVIDER: Final = "civil-affairs"
CONSUMER: Final = "human-resources"
PURPOSE: Final = "verification"
_DAY_MS: Final = 86_400_000
_DESCRIBED: Final = Described(
    sharing="unconditional",
    secrecy="none",
    basis="",
    classification="基础信息资源",
    code="307001/000001",
    abstract="全国村（居）委会名录",
    openness="开放",
)


@dataclass(frozen=True, slots=True)
class Shared:
    """A published dataset and the consumer's subscription to it."""

    contract: Contract
    subscription: Subscription

    @property
    def topic(self) -> str:
        """Where its bundles travel."""
        return f"exchange.data.{self.contract.dataset}"


@dataclass(frozen=True, slots=True)
class Installation:
    """A running Exchange; `installation` starts one."""

    home: Home
    settings: Settings
    passphrase: Passphrase
    authority: Office
    provider: Office
    consumer: Office

    @property
    def bootstrap(self) -> str:
        """``host:port`` of its Kafka, which the peers use as well."""
        return bootstrap_of(self.home, self.settings)

    @property
    def hub_pid(self) -> int:
        """Process id of the hub."""
        pid = upkeep.hub_process(self.home).pid()
        if pid is None:
            raise RuntimeError("the hub of the benchmarks is not running")
        return pid

    async def dataset(self, name: str, *, whole: bool = False) -> Shared:
        """Publish the villages as dataset ``name``; the consumer has all of it."""
        made = contract(name, whole=whole)
        code = f"307001/{int.from_bytes(made.hash[:4], 'big')}"
        await propose(self.provider, made, replace(_DESCRIBED, code=code))
        await review(self.authority, name, ())
        await publish(self.authority, name)
        return Shared(made, await self.subscribe(self.consumer, made))

    async def subscribe(self, office: Office, made: Contract) -> Subscription:
        """Have ``office``'s member granted all of the dataset of ``made``."""
        now_ms = time.time_ns() // 1_000_000
        wanted = Wanted(made.names, ("",), now_ms - _DAY_MS, now_ms + _DAY_MS, now_ms + _DAY_MS)
        dataset = made.dataset
        matter = Matter(PURPOSE, "XZ-330000-0001", "住房保障资格审核", "table")
        admitted = await apply(office, dataset, wanted, matter)
        grant = grant_of(office.view.registry, admitted.act)
        if grant is None:
            raise RuntimeError(f"no grant of {dataset}: {', '.join(admitted.rules)}")
        return await find_subscription(office, grant)

    @contextlib.asynccontextmanager
    async def more_consumers(self, count: int) -> AsyncIterator[list[Office]]:
        """``count`` further departments, enrolled, each with an office of its own."""
        async with contextlib.AsyncExitStack() as stack:
            offices = []
            for number in range(count):
                member = f"consumer-{number}"
                newcomer = Newcomer(
                    member, "department", "用数单位", "A consumer", credit_code(number), "33"
                )
                await enrol_member(self.authority, newcomer, self.passphrase, self.settings)
                opening = open_office(self.home, self.settings, member, self.passphrase)
                offices.append(await stack.enter_async_context(opening))
            yield offices

    @contextlib.asynccontextmanager
    async def publisher(self, shared: Shared) -> AsyncIterator[Publisher]:
        """A started publisher of the provider."""
        async with open_publisher(self.provider, shared.contract) as publisher:
            yield publisher


@contextlib.asynccontextmanager
async def installation(directory: Path) -> AsyncIterator[Installation]:
    """Start everything under ``directory``; stop it at the end."""
    settings = environment()
    directory.mkdir(parents=True, exist_ok=True)
    passphrase = make_passphrase(directory)  # the processes started later find it there
    said = Founding(
        origin=f"bench.exchange.example/{secrets.token_hex(4)}",
        authority=AUTHORITY,
        name_zh="数据局",
        name_en="Data Bureau",
        credit_code="11330000MB12345679",
        region="33",
        hub="hub-1",
        host="127.0.0.1",
        port=free_port(),
    )
    initialise(directory, said, passphrase)
    home = open_home(directory)
    await asyncio.to_thread(_start, home, settings, passphrase)
    try:
        async with contextlib.AsyncExitStack() as stack:
            authority = await stack.enter_async_context(
                open_office(home, settings, AUTHORITY, passphrase)
            )
            for number, (member, zh, en) in enumerate(
                [(PROVIDER, "民政厅", "Civil Affairs"), (CONSUMER, "人社厅", "Human Resources")]
            ):
                code = ("113300000024820075", "113300000024820150")[number]
                newcomer = Newcomer(member, "department", zh, en, code, "33")
                await enrol_member(authority, newcomer, passphrase, settings)
            provider, consumer = [
                await stack.enter_async_context(open_office(home, settings, member, passphrase))
                for member in (PROVIDER, CONSUMER)
            ]
            yield Installation(home, settings, passphrase, authority, provider, consumer)
    finally:
        await asyncio.to_thread(upkeep.stop, home, tell=lambda _: None)
        if is_embedded(home, settings):
            embedded(home).stop()


def _start(home: Home, settings: Settings, passphrase: Passphrase) -> None:
    upkeep.start(home, settings, passphrase, tell=lambda _: None, fetching=lambda *_: None)


def credit_code(number: int) -> str:
    """A unified social credit code (GB 32100) that no member of the installation has yet."""
    known = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    code = f"11330000{900_000_000 + number}"
    total = sum(known.index(one) * pow(3, place, 31) for place, one in enumerate(code))
    return code + known[-total % 31]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        port: int = bound.getsockname()[1]
        return port
