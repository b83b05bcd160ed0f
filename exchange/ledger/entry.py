"""Entries: acts as a hub admitted them; SPEC.md sections 2 and 3.

::

    parsed = parse_entry(raw)  # a claim
    entry = verify_entry(parsed, public)  # the hub's word
"""

import hashlib
from dataclasses import InitVar, dataclass
from itertools import pairwise
from typing import Any, Final, NamedTuple

from exchange.errors import EntryRefused
from exchange.ledger.act import TIME_MS_MAX
from exchange.limits import LEAF_BYTES_MAX
from keys import cbor, cose
from keys.cose import Claim, Sign1, Signer, Verified
from keys.errors import KeysError, SignatureInvalid

VERSION: Final = 1
ENTRY_DOMAIN: Final = "exchange/v1/entry"

(
    _VERSION, _ORIGIN, _HUB, _TIME, _ACT, _PERMIT, _RULES, _REFUSED, _FOOTPRINT, _VALID_UNTIL
) = range(10)  # fmt: skip
_REQUIRED: Final[dict[int, type]] = {
    _VERSION: int,
    _ORIGIN: str,
    _HUB: str,
    _TIME: int,
    _ACT: bytes,
    _PERMIT: bool,
    _RULES: list,
    _FOOTPRINT: list,
}
_FIELDS: Final = _REQUIRED | {_VALID_UNTIL: int}
"""The fields of an entry, but its refused items; true is no integer here."""
_MADE_HERE: Final = object()


class Statement(NamedTuple):
    """What a hub states in an entry. ``act`` is the act's bytes as they arrived."""

    origin: str
    hub: str
    time_ms: int
    act: bytes
    permit: bool
    rules: tuple[str, ...]
    refused_items: tuple[tuple[int, tuple[str, ...]], ...] = ()
    footprint: tuple[tuple[str, int], ...] = ()
    valid_until_ms: int | None = None


class ParsedEntry(NamedTuple):
    """A well-formed entry that nobody has verified yet."""

    kid: bytes
    statement: Statement
    sign1: Sign1


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry whose signature was checked; only `verify_entry` makes one."""

    kid: bytes
    statement: Statement
    leaf_hash: bytes
    raw: bytes
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _MADE_HERE:
            raise TypeError("only verify_entry makes an Entry")


def leaf_hash(raw: bytes) -> bytes:
    """RFC 6962 section 2.1: the hash of a leaf, 32 bytes."""
    return hashlib.sha256(b"\x00" + raw).digest()


def sign_entry(statement: Statement, signer: Signer) -> bytes:
    """The bytes of an entry; `EntryRefused` with failure ``too-large`` beyond 65,535 bytes."""
    payload: dict[int, object] = {
        _VERSION: VERSION,
        _ORIGIN: statement.origin,
        _HUB: statement.hub,
        _TIME: statement.time_ms,
        _ACT: statement.act,
        _PERMIT: statement.permit,
        _RULES: statement.rules,
        _FOOTPRINT: statement.footprint,
    }
    if statement.refused_items:
        payload[_REFUSED] = statement.refused_items
    if statement.valid_until_ms is not None:
        payload[_VALID_UNTIL] = statement.valid_until_ms
    raw = cose.sign1(cbor.encode(payload), ENTRY_DOMAIN, signer)
    if len(raw) > LEAF_BYTES_MAX:
        raise _too_large(len(raw))
    return raw


def parse_entry(raw: bytes) -> ParsedEntry:
    """Take an entry apart; `EntryRefused` names what is wrong with it."""
    if len(raw) > LEAF_BYTES_MAX:
        raise _too_large(len(raw))
    try:
        sign1 = cose.parse1(raw, bytes_max=LEAF_BYTES_MAX)
        payload = cbor.decode(sign1.payload, bytes_max=LEAF_BYTES_MAX)
    except KeysError as error:
        raise _refused(error.failure) from None
    return ParsedEntry(sign1.kid, _read(payload), sign1)


def verify_entry(parsed: ParsedEntry, public: bytes) -> Entry:
    """The entry, if ``public`` signed it; otherwise `EntryRefused` with failure ``signature``."""
    try:
        verified = cose.verify1(parsed.sign1, ENTRY_DOMAIN, public)
    except SignatureInvalid:
        raise _refused("signature") from None
    return verified_entry(parsed, verified)


def claim_entry(parsed: ParsedEntry, public: bytes) -> Claim | None:
    """What is to be checked so that `verified_entry` can make the entry; None if it cannot hold."""
    try:
        return cose.claim1(parsed.sign1, ENTRY_DOMAIN, public)
    except SignatureInvalid:
        return None


def verified_entry(parsed: ParsedEntry, verified: Verified) -> Entry:
    """The entry whose signature was checked, here or by `keys.verifiers`; else ValueError."""
    sign1 = parsed.sign1
    same = verified.payload == sign1.payload and verified.kid == sign1.kid
    if not same or verified.domain != ENTRY_DOMAIN:
        raise ValueError("the checked statement is not this entry")
    return Entry(parsed.kid, parsed.statement, leaf_hash(sign1.raw), sign1.raw, _MADE_HERE)


def _read(payload: object) -> Statement:
    said: dict[int, Any] = payload if isinstance(payload, dict) else {}
    kinds = {key: type(value) for key, value in said.items() if key != _REFUSED}
    if not _REQUIRED.items() <= kinds.items() <= _FIELDS.items() or said[_VERSION] != VERSION:
        raise _refused("fields")
    if not 0 <= said[_TIME] <= TIME_MS_MAX:
        raise _refused("fields")
    until_ms = said.get(_VALID_UNTIL)
    if until_ms is not None and not 0 <= until_ms <= TIME_MS_MAX:
        raise _refused("fields")
    return Statement(
        said[_ORIGIN],
        said[_HUB],
        said[_TIME],
        said[_ACT],
        said[_PERMIT],
        _texts(said[_RULES]),
        _refused_items(said),
        _footprint(said[_FOOTPRINT]),
        until_ms,
    )


def _texts(rules: object) -> tuple[str, ...]:
    if not isinstance(rules, list) or not all(type(rule) is str for rule in rules):
        raise _refused("rules")
    return tuple(rules)


def _refused_items(said: dict[int, Any]) -> tuple[tuple[int, tuple[str, ...]], ...]:
    if _REFUSED not in said:
        return ()
    pairs = said[_REFUSED]
    if not isinstance(pairs, list):
        raise _refused("refused-items")
    items: list[tuple[int, tuple[str, ...]]] = []
    for pair in pairs:
        match pair:
            case [index, [_, *_] as rules] if type(index) is int and index >= 0:
                items.append((index, _texts(rules)))
            case _:
                raise _refused("refused-items")
    if not items or any(one[0] >= two[0] for one, two in pairwise(items)):
        raise _refused("refused-items")
    return tuple(items)


def _footprint(pairs: list[object]) -> tuple[tuple[str, int], ...]:
    read: list[tuple[str, int]] = []
    for pair in pairs:
        if type(pair) is not list or len(pair) != 2:
            raise _refused("footprint")
        key, version = pair
        if type(key) is not str or type(version) is not int or version < 0:
            raise _refused("footprint")
        read.append((key, version))
    if any(one >= two for one, two in pairwise(read)):
        raise _refused("footprint")
    return tuple(read)


def _too_large(size: int) -> EntryRefused:
    return EntryRefused(
        f"an entry of {size} bytes is larger than a leaf may be ({LEAF_BYTES_MAX})",
        f"条目长 {size} 字节，超过叶子上限 {LEAF_BYTES_MAX} 字节",
        remedy=("ask for fewer items in one act", "请减少一次行为中的项数"),
        failure="too-large",
    )


def _refused(failure: str) -> EntryRefused:
    return EntryRefused(
        f"bytes on the ledger topic are no entry ({failure})",
        f"账本主题上的数据不是有效条目（{failure}）",
        remedy=(
            "find out who else may write to the ledger topic",
            "请核查还有谁能写入账本主题",
        ),
        failure=failure,
    )
