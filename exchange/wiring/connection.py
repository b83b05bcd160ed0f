"""The connection file: where a ledger is and how to know it; SPEC.md "Connection file"."""

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from exchange.errors import ConfigurationInvalid, LedgerBroken
from exchange.ledger.genesis import check_genesis
from exchange.wiring.claim import Base64
from exchange.wiring.home import GENESIS_FILE, HexHash, Home, HomeTable, HubTable, LogTable, Port
from exchange.wiring.home import KafkaTable as HomeKafka
from exchange.wiring.pinnedca import ca_hash
from exchange.wiring.settings import check_bootstrap
from exchange.wiring.tomlfile import Table, parse, quoted, read_toml

CONNECTION_FILE: Final = "exchange-ledger.toml"
_CA_MAX: Final = 16_384


class _Log(Table):
    origin: str
    genesis: HexHash
    entry: Base64
    authority: str
    topic: str


class _Hub(Table):
    id: str
    host: str
    port: Port
    ca: Annotated[str, Field(max_length=_CA_MAX)]


class _Kafka(Table):
    bootstrap: str


class ConnectionTable(Table):
    """The file, before anything in it is believed."""

    format: Literal[1]
    log: _Log
    hub: _Hub
    kafka: _Kafka


@dataclass(frozen=True, slots=True)
class Connection:
    """What a joined home is made of: its configuration, entry 0 and the CA, checked to agree."""

    table: HomeTable
    entry: bytes
    ca: str


def render_connection(home: Home, kafka: str) -> str:
    """The text of the file for ``home``'s ledger, whose Kafka others reach at ``kafka``."""
    home.root()
    log, hub = home.table.log, home.table.hub
    entry = base64.b64encode((home.path / GENESIS_FILE).read_bytes()).decode("ascii")
    ca = home.ca_file.read_text("ascii").strip()
    return f"""\
# How to join this ledger: exchange init --join FILE. Nothing in this file is secret.
# Compare the pin (genesis) with the one that the authority publishes.
format = 1

[log]
origin = {quoted(log.origin)}
genesis = {quoted(log.genesis)}
authority = {quoted(log.authority)}
topic = {quoted(log.topic)}
entry = {quoted(entry)}

[hub]
id = {quoted(hub.id)}
host = {quoted(hub.host)}
port = {hub.port}
ca = \"\"\"
{ca}
\"\"\"

[kafka]
bootstrap = {quoted(kafka)}
"""


def read_connection(file: Path, kafka: str = "") -> Connection:
    """The connection in ``file``; entry 0 and the CA lead from its pin.

    ``kafka`` is where Kafka is reached from here, if that is another address.

    `ConfigurationInvalid` for a file that is none (``ca-pin``: another CA than genesis names),
    `LedgerBroken` when the first entry is not the pinned one.
    """
    said = parse(read_toml(file), ConnectionTable)
    try:
        entry = base64.b64decode(said.log.entry, validate=True)
        found = ca_hash(said.hub.ca)
    except (binascii.Error, ValueError):
        raise _unfit(file, "ca-file") from None
    root = check_genesis(entry, bytes.fromhex(said.log.genesis))
    if (root.origin, root.authority) != (said.log.origin, said.log.authority):
        raise LedgerBroken(
            f"{file} names another origin or authority than its first entry",
            f"{file} 中的账本名称或主管部门与其首条记录不符",
            remedy=_AGAIN,
            failure="wrong-genesis",
        )
    if found != root.ca:
        raise _unfit(file, "ca-pin")
    bootstrap = kafka or said.kafka.bootstrap
    check_bootstrap(bootstrap, "--kafka" if kafka else f"{file}: kafka.bootstrap")
    table = HomeTable(
        log=LogTable(
            origin=said.log.origin,
            genesis=said.log.genesis,
            authority=said.log.authority,
            topic=said.log.topic,
        ),
        hub=HubTable(id=said.hub.id, host=said.hub.host, port=said.hub.port, local=False),
        kafka=HomeKafka(bootstrap=bootstrap),
    )
    return Connection(table, entry, said.hub.ca.strip() + "\n")


_AGAIN: Final = (
    "get the connection file from the authority again (exchange member invite)",
    "请向主管部门重新索取接入文件（exchange member invite）",
)


def _unfit(file: Path, failure: str) -> ConfigurationInvalid:
    return ConfigurationInvalid(
        f"{file}: its CA is not the certificate that the pinned ledger names",
        f"{file}：其中的 CA 不是所固定账本指明的证书",
        remedy=_AGAIN,
        failure=failure,
    )
