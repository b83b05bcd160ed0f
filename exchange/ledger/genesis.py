"""Entry 0 and the pin; SPEC.md section 4.

`make_genesis` makes the bytes once, `check_genesis` is how everybody else begins: whoever knows the
pin (64 hex digits in a configuration, `parse_pin`) knows the whole root of trust.
"""

import re
from dataclasses import InitVar, dataclass
from typing import Final

from exchange.errors import ActRefused, ConfigurationInvalid, EntryRefused, LedgerBroken
from exchange.ledger.act import Act, parse_act, sign_act, verify_act
from exchange.ledger.entry import (
    Entry,
    ParsedEntry,
    Statement,
    leaf_hash,
    parse_entry,
    sign_entry,
    verify_entry,
)
from exchange.limits import ACT_LIFETIME_MS
from exchange.model.acts import Genesis, HubKeys
from keys.cose import Signer
from keys.errors import KeyRejected
from keys.identity import check_signing_key

_PIN: Final = re.compile(r"[0-9a-f]{64}")
_MADE_HERE: Final = object()


@dataclass(frozen=True, slots=True)
class Root:
    """The root of trust, checked against the pin; only `check_genesis` makes one."""

    origin: str
    body: Genesis
    act: Act
    entry: Entry
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _MADE_HERE:
            raise TypeError("only check_genesis makes a Root")

    @property
    def authority(self) -> str:
        """The member id of the authority."""
        return self.body.authority

    @property
    def hubs(self) -> tuple[HubKeys, ...]:
        """The hubs that may sign entries from the start, with their checkpoint keys."""
        return self.body.hubs

    @property
    def ca(self) -> bytes:
        """SHA-256 of the DER certificate of the hubs' CA."""
        return self.body.ca

    @property
    def rules(self) -> bytes:
        """Hash of the rule set in force from entry 1 on."""
        return self.body.rules

    @property
    def pin(self) -> bytes:
        """The leaf hash of entry 0, 32 bytes; configurations write it in hex."""
        return self.entry.leaf_hash


def make_genesis(
    body: Genesis,
    *,
    origin: str,
    officer: Signer,
    hub: str,
    entry_signer: Signer,
    now_ms: int,
    nonce: bytes | None = None,
) -> bytes:
    """The bytes of entry 0. Its pin is ``leaf_hash(raw)``; `check_genesis` has passed it."""
    act = sign_act(
        body,
        origin=origin,
        member=body.authority,
        instance=None,
        signer=officer,
        now_ms=now_ms,
        lifetime_ms=ACT_LIFETIME_MS,
        nonce=nonce,
    )
    raw = sign_entry(Statement(origin, hub, now_ms, act, permit=True, rules=()), entry_signer)
    check_genesis(raw, leaf_hash(raw))
    return raw


def parse_pin(pin: str) -> bytes:
    """The leaf hash that ``pin`` writes in hex, or `ConfigurationInvalid`."""
    if _PIN.fullmatch(pin):
        return bytes.fromhex(pin)
    raise ConfigurationInvalid(
        "the pinned genesis is not 64 hex digits",
        "所固定的创世哈希不是 64 位十六进制",
        remedy=("copy the pin that the authority published", "请使用主管部门公布的创世哈希"),
        failure="pin",
    )


def check_genesis(raw: bytes, pin: bytes) -> Root:
    """The root of trust in ``raw``, if its leaf hash is ``pin`` and it is whole.

    Raises `LedgerBroken` with failure ``wrong-genesis``; the message says which step failed.
    """
    if leaf_hash(raw) != pin:  # 1. these are the pinned bytes
        raise _wrong("other bytes than the pinned ones", "与固定的字节不符")
    return read_genesis(raw)


def read_genesis(raw: bytes) -> Root:
    """The root of trust that ``raw`` claims to be. Trust it only if its pin is the one you know."""
    try:
        parsed = parse_entry(raw)  # 2. well formed
        claimed = parse_act(parsed.statement.act)
        if not isinstance(claimed.body, Genesis):
            raise _wrong("no genesis act", "其中不是创世行为")
        body = claimed.body
        act = verify_act(claimed, body.officer)  # 3. the authority signed
        _check_parts(parsed, act, body)  # 4. the parts agree
        _check_keys(body)  # 5. keys may be enrolled and differ
        entry = verify_entry(parsed, _entry_key(parsed, body))  # 6. a hub it names signed
    except (ActRefused, EntryRefused) as error:
        raise _wrong(error.text.en, error.text.zh) from None
    return Root(act.origin, body, act, entry, _MADE_HERE)


def _check_parts(parsed: ParsedEntry, act: Act, body: Genesis) -> None:
    said = parsed.statement
    agree = (
        act.member == body.authority
        and act.instance is None
        and act.origin == said.origin != ""
        and act.issued_ms <= said.time_ms < act.expires_ms
        and said.permit
        and not (said.rules or said.refused_items or said.footprint)
        and said.valid_until_ms is None
    )
    if not agree:
        raise _wrong("its parts contradict each other", "其各部分互相矛盾")


def _check_keys(body: Genesis) -> None:
    of_hubs = [key for hub in body.hubs for key in (hub.entry, hub.checkpoint)]
    publics = [body.officer, body.recovery, *of_hubs]
    names = [hub.hub for hub in body.hubs]
    if len(set(publics)) != len(publics) or len(set(names)) != len(names) or not names:
        raise _wrong("it names a key or a hub twice, or no hub", "密钥或枢纽重复，或未列枢纽")
    second = [hub.checkpoint_mldsa for hub in body.hubs if hub.checkpoint_mldsa is not None]
    if len(set(second)) != len(second):
        raise _wrong("it names a key twice", "密钥重复")
    try:
        for public in publics:
            check_signing_key(public)
    except KeyRejected as error:
        raise _wrong(*error.text) from None


def _entry_key(parsed: ParsedEntry, body: Genesis) -> bytes:
    for hub in body.hubs:
        if hub.hub == parsed.statement.hub:
            return hub.entry
    raise _wrong("the hub that signed it is not named in it", "签署的枢纽未列于其中")


def _wrong(en: str, zh: str) -> LedgerBroken:
    return LedgerBroken(
        f"this is not the pinned genesis: {en}",
        f"并非所固定的创世条目：{zh}",
        remedy=(
            "check the pin and the address of Kafka; do not go on with this ledger",
            "请核对创世哈希与 Kafka 地址；请勿继续使用该账本",
        ),
        failure="wrong-genesis",
    )
