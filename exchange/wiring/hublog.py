"""The published log of a hub: its keys, its folder, and who may sign heads of a ledger.

``HOME/hub/log/`` holds the log as plain files (exchange/ledger/LOG-SPEC.md section 4), so that a
web server or rsync can serve it as well; ``HOME/hub/<hub>.head`` is the last signed head. Another
hub of the same home has a folder ``log-<hub>``.
"""

from dataclasses import dataclass

from exchange.errors import ConfigurationInvalid, NoteRefused
from exchange.ledger.cosignature import HeadSigner, LogKeys, log_keys
from exchange.ledger.genesis import Root
from exchange.ledger.logfiles import LogFiles
from exchange.ledger.note import SignatureType
from exchange.wiring.home import Home
from exchange.wiring.hubkeys import CHECKPOINT, CHECKPOINT_MLDSA, ENTRY
from keys.cose import Signer
from keys.custody import Custody


@dataclass(frozen=True, slots=True)
class HubSigners:
    """What a hub signs with: entries and answers, and tree heads."""

    entry: Signer
    heads: tuple[HeadSigner, ...]


def log_files(home: Home, hub_id: str) -> LogFiles:
    """Where the log of a hub of this home lies."""
    name = "log" if hub_id == home.table.hub.id else f"log-{hub_id}"
    return LogFiles(home.hub_directory / name, home.hub_directory / f"{hub_id}.head")


def keys_of_log(root: Root) -> LogKeys:
    """Who may sign heads of the pinned ledger; `ConfigurationInvalid` if it cannot be a log."""
    try:
        return log_keys(
            root.origin, [(hub.hub, hub.checkpoint, hub.checkpoint_mldsa) for hub in root.hubs]
        )
    except NoteRefused:
        raise ConfigurationInvalid(
            f"a ledger of origin {root.origin!r} cannot be published as a log",
            f"来源为 {root.origin!r} 的账本无法作为日志公开",
            remedy=(
                "found one whose origin has no space and no plus: exchange init --origin",
                "请用 exchange init --origin 新建来源不含空格与加号的账本",
            ),
            failure="origin",
        ) from None


def hub_signers(home: Home, hub_id: str, custody: Custody) -> HubSigners:
    """The keys of a hub of this home, from custody, if the pinned ledger names them.

    `ConfigurationInvalid` otherwise: nobody would believe what it signs. Keys of the home's own
    hub have plain labels, those of another one its id behind a slash.
    """
    suffix = "" if hub_id == home.table.hub.id else f"/{hub_id}"
    entry = custody.signer(ENTRY + suffix)
    root = home.root()
    body = next((hub for hub in root.hubs if hub.hub == hub_id), None)
    if body is None or custody.public(ENTRY + suffix).raw != body.entry:
        raise _unnamed(hub_id, "entry", "条目")
    own = next(hub for hub in keys_of_log(root).hubs if hub.hub == hub_id)
    heads = []
    for key in own.keys:
        second = key.type is SignatureType.MLDSA
        label = (CHECKPOINT_MLDSA if second else CHECKPOINT) + suffix
        if custody.public(label).raw != key.public:
            raise _unnamed(hub_id, "checkpoint", "检查点")
        signer = custody.mldsa_signer(label) if second else custody.signer(label)
        heads.append(HeadSigner(key, signer))
    return HubSigners(entry, tuple(heads))


def _unnamed(hub_id: str, en: str, zh: str) -> ConfigurationInvalid:
    return ConfigurationInvalid(
        f"the pinned ledger does not name hub {hub_id} with this {en} key",
        f"所固定的账本未以此{zh}密钥登记枢纽 {hub_id}",
        remedy=("check [hub] id and the hub's key file", "请核对 [hub] id 与枢纽密钥库"),
        failure="hub-unnamed",
    )
