"""Make a home: the authority's keys, the hub's keys and CA, and the first entry of a new ledger.

Everything is made in a folder of another name and renamed when it is whole, so a crash half way
leaves no home that looks initialised. Nothing is sent anywhere: the hub puts the first entry on
Kafka when it starts for the first time.
"""

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from exchange.errors import NoteRefused, UsageError
from exchange.ledger.entry import leaf_hash
from exchange.ledger.genesis import make_genesis
from exchange.ledger.note import check_name
from exchange.model.acts import Genesis, HubKeys
from exchange.model.ids import slug
from exchange.model.regions import check_region
from exchange.wiring.clock import now_ms
from exchange.wiring.home import (
    CONFIGURATION,
    GENESIS_FILE,
    HomeTable,
    HubTable,
    KafkaTable,
    LogTable,
    open_home,
    own_directory,
    render,
)
from exchange.wiring.homekeys import OFFICER, create_custody
from exchange.wiring.hubkeys import (
    CA,
    CHECKPOINT,
    CHECKPOINT_MLDSA,
    CUSTODY_FILE,
    ENTRY,
    rule_set_hash,
)
from exchange.wiring.passphrase import Passphrase
from exchange.wiring.pinnedca import ca_hash

CA_DAYS: Final = 3_650
RECOVERY: Final = "recovery"


@dataclass(frozen=True, slots=True)
class Founding:
    """What a new ledger says of itself."""

    origin: str
    authority: str
    name_zh: str
    name_en: str
    credit_code: str
    region: str
    hub: str
    host: str
    port: int
    kafka: str = ""
    topic: str = "exchange.ledger"


def initialise(path: Path, said: Founding, passphrase: Passphrase) -> str:
    """Make the home at ``path`` and return the pin, hex. `UsageError` if there is one already."""
    if (path / CONFIGURATION).exists():
        raise UsageError(
            f"{path} is a home already",
            f"{path} 已经是主目录",
            remedy=("use it, or name another with --home", "请直接使用，或用 --home 另选目录"),
            failure="home-exists",
        )
    _check_origin(said.origin)
    slug("member", said.authority)
    slug("hub", said.hub)
    check_region(said.region)
    own_directory(path)
    draft = path / ".init"
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(mode=0o700)
    raw = _found(draft, said, passphrase)
    (draft / GENESIS_FILE).write_bytes(raw)
    pin = leaf_hash(raw).hex()
    table = HomeTable(
        log=LogTable(origin=said.origin, genesis=pin, authority=said.authority, topic=said.topic),
        hub=HubTable(id=said.hub, host=said.host, port=said.port),
        kafka=KafkaTable(bootstrap=said.kafka),
    )
    (draft / CONFIGURATION).write_text(render(table), "utf-8")
    for name in ("members", "hub", RECOVERY, "ca.pem", GENESIS_FILE, CONFIGURATION):
        (draft / name).rename(path / name)  # the configuration last: it makes this a home
    draft.rmdir()
    open_home(path)
    return pin


def _check_origin(origin: str) -> None:
    """The origin names the keys that sign the published log, so it must be able to."""
    try:
        check_name(origin)
    except NoteRefused:
        raise UsageError(
            f"{origin[:80]!r} cannot be the name of a ledger",
            f"{origin[:80]!r} 不能用作账本名称",
            remedy=(
                "write it like exchange.example.gov.cn/2026, with no space and no plus",
                "请写成 exchange.example.gov.cn/2026 的形式，不含空格与加号",
            ),
            failure="origin",
        ) from None


def _found(draft: Path, said: Founding, passphrase: Passphrase) -> bytes:
    """All keys, and entry 0 signed by authority and hub."""
    authority = create_custody(draft / "members" / said.authority / "custody", passphrase)
    offline = create_custody(draft / RECOVERY / "custody", passphrase)
    hub = create_custody(draft / "hub" / CUSTODY_FILE, passphrase)
    ca = hub.issue_ca(CA, f"Exchange CA {said.origin}", now_ms=now_ms(), days=CA_DAYS)
    (draft / "ca.pem").write_bytes(ca)
    body = Genesis(
        authority=said.authority,
        name_zh=said.name_zh,
        name_en=said.name_en,
        credit_code=said.credit_code,
        officer=authority.generate_signing(OFFICER).raw,
        recovery=offline.generate_signing(RECOVERY).raw,
        hubs=(
            HubKeys(
                hub=said.hub,
                entry=hub.generate_signing(ENTRY).raw,
                checkpoint=hub.generate_signing(CHECKPOINT).raw,
                checkpoint_mldsa=hub.generate_mldsa(CHECKPOINT_MLDSA).raw,
            ),
        ),
        ca=ca_hash(ca.decode("ascii")),
        rules=rule_set_hash(),
        region=said.region,
    )
    return make_genesis(
        body,
        origin=said.origin,
        officer=authority.signer(OFFICER),
        hub=said.hub,
        entry_signer=hub.signer(ENTRY),
        now_ms=now_ms(),
        nonce=secrets.token_bytes(16),
    )
