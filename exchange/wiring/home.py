"""A home: everything one installation of the Exchange keeps on this machine.

::

    HOME/
      exchange.toml            what it is part of: log origin, genesis pin, hub, Kafka (public)
      ca.pem                   the hubs' CA, whose hash genesis pins
      genesis.entry            the ledger's first entry; a hub puts it on an empty topic
      passphrase               0600, only where `exchange init` made one for a local home

      members/<id>/custody     one encrypted key file a member
      members/<id>/claim.toml  where `exchange init --join` made the home: its keys' public halves
      members/<id>/spool/      sealed bundles on their way out, a folder an instance
      members/<id>/rejected/   records a contract refused, encrypted
      members/<id>/adapters/   configurations of long-running adapters
      members/<id>/audit-view.db  the search view, unless EXCHANGE_DATABASE_URL names another place
      members/<id>/queries/    what this member asked the ledger, with the salts; mode 0600
      hub/                     custody, certificate and encrypted key of the hub's TLS
      hub/log/  hub/<id>.head  the published log as plain files; the last head this hub signed
      witness/                 custody, settings and memory of a witness, where there is one
      kafka/                   data of the embedded Kafka
      run/  log/               process ids and logs

Nothing here is trusted about the ledger except the pin: state is always folded from the log.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

from pydantic import AfterValidator, Field, Strict, StringConstraints

from exchange.errors import ConfigurationInvalid, NotFound, UsageError
from exchange.ledger.genesis import Root, check_genesis
from exchange.ledger.policy import Policy, parse_policy
from exchange.model.acttypes import Level
from exchange.model.faultwords import HASH_FORM, unfit
from exchange.model.ids import slug
from exchange.model.text import Text
from exchange.wiring.settings import no_address
from exchange.wiring.tomlfile import Table, parse, quoted, read_toml

CONFIGURATION: Final = "exchange.toml"
GENESIS_FILE: Final = "genesis.entry"
"""The bytes of entry 0. Believed only because their hash is the pin."""
CLAIM_FILE: Final = "claim.toml"
"""Public keys and names of a member that joined from a machine of its own."""
DEFAULT_INSTANCE: Final = "main"
"""The adapter instance every member of a home gets at enrolment."""
PORT_DEFAULT: Final = 8443

Port = Annotated[int, Field(ge=1, le=65_535)]
HexHash = Annotated[str, StringConstraints(pattern=HASH_FORM)]


class LogTable(Table):
    """``[log]``: which ledger this is, and the root of trust."""

    origin: Annotated[str, StringConstraints(min_length=1, max_length=200)]
    genesis: HexHash
    """Leaf hash of entry 0."""
    authority: str
    ca: str = "ca.pem"
    topic: str = "exchange.ledger"


class HubTable(Table):
    """``[hub]``: the hub that this home talks to, and runs when it is a local one."""

    id: str = "hub-1"
    host: str = "127.0.0.1"
    port: Port = PORT_DEFAULT
    local: bool = True


def _addresses(value: str) -> str:
    if value and no_address(value) is not None:
        raise unfit(Text("host:port[,host:port…] is expected", "须为 主机:端口[,主机:端口…]"))
    return value


class KafkaTable(Table):
    """``[kafka]``: empty ``bootstrap`` is the embedded one; EXCHANGE_KAFKA overrides both."""

    bootstrap: Annotated[str, AfterValidator(_addresses)] = ""


class WitnessTable(Table):
    """``[witness]``: whose cosignatures a checkpoint needs (exchange/ledger/LOG-SPEC.md section 6).

    ``policy`` is a tlog-policy file, under the home unless its path is absolute; "" is none. The
    hub of the home hands out keys of ``cosigned_levels`` only when their entry stands under a head
    that the policy's quorum has cosigned.
    """

    policy: str = ""
    cosigned_levels: Annotated[tuple[Level, ...], Strict(strict=False)] = ()


class HomeTable(Table):
    """The whole of exchange.toml."""

    log: LogTable
    hub: HubTable = HubTable()
    kafka: KafkaTable = KafkaTable()
    witness: WitnessTable = WitnessTable()


@dataclass(frozen=True, slots=True)
class Home:
    """An initialised home; `open_home` reads one."""

    path: Path
    table: HomeTable

    @property
    def pin(self) -> bytes:
        """Leaf hash of genesis, 32 bytes."""
        return bytes.fromhex(self.table.log.genesis)

    @property
    def ca_file(self) -> Path:
        """The hubs' CA certificate (PEM)."""
        return self.path / self.table.log.ca

    def root(self) -> Root:
        """The root of trust: the first entry, checked against the pin; `LedgerBroken`."""
        file = self.path / GENESIS_FILE
        try:
            raw = file.read_bytes()
        except FileNotFoundError:
            raise NotFound(
                f"{file} is missing",
                f"缺少 {file}",
                remedy=("get it from the authority", "请向主管部门索取"),
                failure="no-genesis-file",
            ) from None
        return check_genesis(raw, self.pin)

    def policy(self) -> Policy | None:
        """The witness policy that exchange.toml names; None if it names none."""
        named = self.table.witness.policy
        if not named:
            return None
        file = self.path / named
        try:
            return parse_policy(file.read_bytes(), str(file))
        except OSError as error:
            raise ConfigurationInvalid(
                f"{file}: the witness policy cannot be read: {error.strerror}",
                f"{file}：无法读取见证人策略：{error.strerror}",
                remedy=("correct [witness] policy in exchange.toml", "请修改 [witness] policy"),
                failure="policy",
            ) from None

    @property
    def hub_address(self) -> str:
        """Base URL of the hub."""
        return f"https://{self.table.hub.host}:{self.table.hub.port}"

    @property
    def hub_directory(self) -> Path:
        """Custody and TLS files of the hub of this home."""
        return self.path / "hub"

    @property
    def kafka_directory(self) -> Path:
        """Data of the embedded Kafka."""
        return self.path / "kafka"

    def member_directory(self, member: str) -> Path:
        """What this home keeps of ``member``."""
        return self.path / "members" / slug("member", member)

    def custody_file(self, member: str) -> Path:
        """The encrypted key file of ``member``."""
        return self.member_directory(member) / "custody"

    def claim_file(self, member: str) -> Path:
        """What ``member`` hands to the authority when its keys were made for another's ledger."""
        return self.member_directory(member) / CLAIM_FILE

    @property
    def joined(self) -> str | None:
        """The member whose machine this is, if this home joined a ledger instead of founding it."""
        claimed = sorted(file.parent.name for file in self.path.glob(f"members/*/{CLAIM_FILE}"))
        return claimed[0] if claimed and not self.table.hub.local else None

    def members(self) -> tuple[str, ...]:
        """The members whose keys this home holds."""
        return tuple(sorted(file.parent.name for file in self.path.glob("members/*/custody")))

    def pid_file(self, process: str) -> Path:
        """Process id of a background process of this home."""
        return self.path / "run" / f"{process}.pid"

    def log_file(self, process: str) -> Path:
        """Log of a background process of this home."""
        return self.path / "log" / f"{process}.log"

    def console_file(self, process: str) -> Path:
        """What a background process said outside its log since it was started last."""
        return self.path / "log" / f"{process}.console"


def open_home(path: Path) -> Home:
    """The home at ``path``; `NotFound` if it was never initialised."""
    file = path / CONFIGURATION
    if not file.is_file():
        raise NotFound(
            f"{path} is no home of the Exchange",
            f"{path} 不是数据交换总线的主目录",
            remedy=(
                "run 'exchange init' first, or name the home with --home or EXCHANGE_HOME",
                "请先运行 exchange init，或用 --home、EXCHANGE_HOME 指定主目录",
            ),
            failure="no-home",
        )
    return Home(path, parse(read_toml(file), HomeTable))


def own_directory(path: Path) -> None:
    """Make ``path`` with its parents, for this user alone, or see that it is; else `UsageError`.

    Somebody who may write there could put other files in the place of these.
    """
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    status = path.stat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise UsageError(
            f"{path} belongs to another user, or others may write there",
            f"{path} 属于其他用户，或允许他人写入",
            remedy=(
                f"name another folder with --home, or: chmod 700 {path}",
                f"请用 --home 另选目录，或执行：chmod 700 {path}",
            ),
            failure="home-shared",
        )


def render(table: HomeTable) -> str:
    """exchange.toml of a new home."""
    log, hub, kafka = table.log, table.hub, table.kafka
    return f"""\
# Written by 'exchange init'. Nothing in this file is secret.

[log]
origin = {quoted(log.origin)}
# Leaf hash of the ledger's first entry. Everything this home believes starts from it.
genesis = {quoted(log.genesis)}
authority = {quoted(log.authority)}
ca = {quoted(log.ca)}
topic = {quoted(log.topic)}

[hub]
id = {quoted(hub.id)}
host = {quoted(hub.host)}
port = {hub.port}
local = {"true" if hub.local else "false"}

[kafka]
# Empty: the embedded Kafka under this home. EXCHANGE_KAFKA=host:port overrides it.
bootstrap = {quoted(kafka.bootstrap)}

[witness]
# A tlog-policy file: witnesses and quorum. Empty: checkpoints need nobody's cosignature.
policy = {quoted(table.witness.policy)}
# Keys of these levels are handed out only under a cosigned checkpoint, for instance [3, 4].
cosigned_levels = [{", ".join(map(str, table.witness.cosigned_levels))}]
"""
