"""A member at work: its keys open, the ledger followed by itself, a hub and Kafka at hand.

::

    async with open_office(home, settings, "civil-affairs", passphrase) as office:
        registry = await office.registry()
        admitted = await office.submit(body, Text("propose a dataset", "申报数据集"))

What a hub says is believed only where its signature on an answer verifies under a key that the
pinned genesis names; everything else about the ledger comes from the office's own follower.
"""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from exchange.bus.kafka import KafkaBus
from exchange.errors import ActRefused, NotAuthenticated, NotFound
from exchange.flow.ports import Admitted
from exchange.flow.quarantine import Quarantine
from exchange.flow.receipted import Receipted
from exchange.flow.sign import Signs
from exchange.ledger.cosignature import LogKeys
from exchange.ledger.logreader import LogReader
from exchange.model.actcodec import Body
from exchange.model.text import Text
from exchange.registry.rows import Instance, Member
from exchange.registry.state import Registry
from exchange.wiring.clock import now_ms
from exchange.wiring.home import DEFAULT_INSTANCE, Home
from exchange.wiring.homekafka import bootstrap_of
from exchange.wiring.homekeys import OFFICER, key_of, open_custody
from exchange.wiring.hublog import keys_of_log
from exchange.wiring.ledgerview import FollowedLedger
from exchange.wiring.librarypages import give_back_library_pages
from exchange.wiring.logsource import HubLog
from exchange.wiring.passphrase import Passphrase
from exchange.wiring.pinnedca import pinned_context
from exchange.wiring.registration import prepared, registration
from exchange.wiring.remote import Reader, RemoteHub
from exchange.wiring.settings import Settings
from keys.custody import Custody, FileCustody


class Office:
    """What one member needs to act, publish and read. Made by `open_office`."""

    def __init__(
        self,
        home: Home,
        member: str,
        *,
        custody: FileCustody,
        bus: KafkaBus,
        view: FollowedLedger,
        receipted: Receipted,
        hub: RemoteHub,
    ) -> None:
        self.home = home
        self.member = member
        self.custody: Custody = custody
        self.bus = bus
        self.view = view
        self.receipted = receipted
        self.hub = hub
        self.log = LogReader(HubLog(hub))
        """The hub's published log; nothing that comes out of it is checked."""

    @property
    def origin(self) -> str:
        """The log origin."""
        return self.home.table.log.origin

    @property
    def log_keys(self) -> LogKeys:
        """Who may sign heads of the ledger, by the pinned genesis."""
        return keys_of_log(self.home.root())

    @property
    def officer(self) -> Signs:
        """The voice of the member's officers."""
        return self._voice(None, OFFICER)

    async def registry(self) -> Registry:
        """The state after everything that stands on the ledger now."""
        await self.view.catch_up()
        return self.view.registry

    async def row(self) -> Member:
        """The member's own row; `NotFound` with failure ``not-enrolled`` until there is one."""
        row = (await self.registry()).members.get(self.member)
        if row is None:
            raise not_enrolled(self.home, self.member)
        return row

    async def instance(self, name: str = DEFAULT_INSTANCE) -> tuple[Signs, Instance]:
        """The voice of an adapter instance and its row; `NotFound` unless active and held here.

        An instance whose first keys wait in custody and that the ledger never saw is registered.
        """
        await self.row()
        registry = self.view.registry
        if (self.member, name) not in registry.instances and prepared(self.custody, name):
            body = registration(self.custody, origin=self.origin, member=self.member, name=name)
            await self.submit(body, Text("register an instance", "登记实例"))
            registry = self.view.registry
        row = registry.instances.get((self.member, name))
        if row is None or not registry.active(self.member, name):
            raise NotFound(
                f"{self.member} has no active instance {name!r} on the ledger",
                f"账本上没有 {self.member} 的有效实例 {name!r}",
                remedy=(
                    f"register it: exchange keys rotate --instance {name} --as {self.member}",
                    f"请登记：exchange keys rotate --instance {name} --as {self.member}",
                ),
                failure="no-instance",
            )
        return self._voice(name, key_of(self.custody, row.signing_kid).label), row

    async def submit(self, body: Body, what: Text) -> Admitted:
        """Sign as the officer, have the act admitted, wait until this office's view holds it.

        ``what`` completes "may not …". Raises `RuleRefused` when the verdict is a denial.
        """
        return await self.submit_as(self.officer, body, what)

    async def submit_as(self, signs: Signs, body: Body, what: Text) -> Admitted:
        """The same with another voice."""
        try:
            answer = await self.hub.submit(signs.sign(body))
        except (ActRefused, NotAuthenticated):
            await self.row()  # an unknown key has a plainer reason while nobody is enrolled
            raise
        admitted = signs.permitted(answer, *what)
        await self.view.wait_for(admitted.act)
        return admitted

    def quarantine(self) -> Quarantine:
        """Where this member keeps the records that a contract refused."""
        return Quarantine(self.home.member_directory(self.member) / "rejected", self.custody)

    def spool(self, instance: str = DEFAULT_INSTANCE) -> Path:
        """The spool file of an instance."""
        return self.home.member_directory(self.member) / "spool" / f"{instance}.db"

    def resume(self, instance: str, grant: bytes) -> Path:
        """Where a reader under ``grant`` keeps its hint of how far it has read."""
        folder = self.home.member_directory(self.member) / "resume"
        return folder / f"{instance}-{grant.hex()[:16]}.json"

    def _voice(self, instance: str | None, label: str) -> Signs:
        return Signs(
            origin=self.origin,
            member=self.member,
            instance=instance,
            signer=self.custody.signer(label),
            clock=now_ms,
        )


def not_enrolled(home: Home, member: str) -> NotFound:
    """What a member hears before the authority has enrolled it."""
    claim = home.claim_file(member)
    return NotFound(
        f"{member} is not enrolled on this ledger yet",
        f"{member} 尚未加入本账本",
        remedy=(
            f"hand {claim} to the authority, which runs: exchange member enrol --claim FILE",
            f"请将 {claim} 交给主管部门，由其执行：exchange member enrol --claim 文件",
        )
        if claim.is_file()
        else (
            "the authority runs: exchange member enrol; see: exchange member list",
            "由主管部门执行 exchange member enrol；请查看：exchange member list",
        ),
        failure="not-enrolled",
    )


@asynccontextmanager
async def open_office(
    home: Home, settings: Settings, member: str, passphrase: Passphrase
) -> AsyncIterator[Office]:
    """An office for as long as the block lasts. Kafka and the hub are reached when needed."""
    give_back_library_pages()  # opening custody takes 64 MiB for a moment (Argon2id)
    custody = open_custody(home, member, passphrase)
    bus = KafkaBus(bootstrap_of(home, settings), client_id=f"exchange-{member}")
    try:
        async with furnish_office(home, settings, member, custody, bus) as office:
            yield office
    finally:
        await bus.close()


@asynccontextmanager
async def furnish_office(
    home: Home, settings: Settings, member: str, custody: FileCustody, bus: KafkaBus
) -> AsyncIterator[Office]:
    """An office of an opened custody on a bus that somebody else closes."""
    async with AsyncExitStack() as stack:
        view = FollowedLedger(
            bus,
            topic=home.table.log.topic,
            pin=home.table.log.genesis,
            mark=home.member_directory(member) / "ledger.mark",
        )
        stack.push_async_callback(view.close)
        receipted = Receipted(member)
        view.listen(receipted.take)
        hub = _open_hub(home, settings, member, custody, view)
        stack.push_async_callback(hub.close)
        yield Office(
            home, member, custody=custody, bus=bus, view=view, receipted=receipted, hub=hub
        )


def _open_hub(
    home: Home, settings: Settings, member: str, custody: FileCustody, view: FollowedLedger
) -> RemoteHub:
    root = home.root()
    named_by_genesis = tuple(hub.entry for hub in root.hubs)
    return RemoteHub(
        settings.hub or home.hub_address,
        tls=pinned_context(home.ca_file, root.ca),
        origin=root.origin,
        # Genesis names the hubs until the follower has read what was added later.
        entry_keys=lambda: view.registry.entry_keys() or named_by_genesis,
        clock=now_ms,
        reader=Reader(member, "", custody.signer(OFFICER)),
    )
