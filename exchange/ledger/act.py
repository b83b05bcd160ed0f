"""Acts: signed statements of members and instances; SPEC.md sections 1 and 6.

`sign_act` makes the bytes, `parse_act` takes them apart (a claim), `verify_act` alone makes an
`Act` (`claim_act` and `verified_act` are its halves, for many at a time). Who the key belongs to,
whether the act is in time and whether it was seen before is not decided here: that depends on a
position on the ledger (exchange/registry/authenticate.py).
"""

import secrets
from dataclasses import InitVar, dataclass
from typing import Any, Final, NamedTuple

from exchange.errors import ActRefused
from exchange.limits import ACT_BYTES_MAX, ACT_CBOR_ITEMS_MAX, ACT_LIFETIME_MS_MAX
from exchange.model.actcodec import Body
from exchange.model.kinds import KINDS
from keys import cbor, cose
from keys.cose import Claim, Sign1, Signer, Verified
from keys.errors import KeysError, SignatureInvalid

VERSION: Final = 1
ACT_DOMAIN: Final = "exchange/v1/act"
NONCE_BYTES: Final = 16
TIME_MS_MAX: Final = 1 << 53
"""Far beyond any date, small enough that no sum of times leaves 64 bits."""

_VERSION, _KIND, _ORIGIN, _MEMBER, _INSTANCE, _NONCE, _ISSUED, _EXPIRES, _BODY = range(9)
_OFFICERS: Final[dict[int, type]] = {
    _VERSION: int,
    _KIND: str,
    _ORIGIN: str,
    _MEMBER: str,
    _NONCE: bytes,
    _ISSUED: int,
    _EXPIRES: int,
    _BODY: dict,
}
_ADAPTERS: Final = _OFFICERS | {_INSTANCE: str}
"""The fields of an act, of an officer and of an instance; true is no integer here."""
_MADE_HERE: Final = object()


class ParsedAct(NamedTuple):
    """A well-formed act that nobody has verified yet. ``instance`` is None for an officer's."""

    kid: bytes
    kind: str
    origin: str
    member: str
    instance: str | None
    nonce: bytes
    issued_ms: int
    expires_ms: int
    body: Body
    statement: Sign1

    @property
    def id(self) -> bytes:
        """SHA-256 of what is signed, 32 bytes."""
        return cose.content_id(self.statement, ACT_DOMAIN)


@dataclass(frozen=True, slots=True)
class Act:
    """An act whose signature was checked under ``public``; only `verify_act` makes one."""

    id: bytes
    kid: bytes
    kind: str
    origin: str
    member: str
    instance: str | None
    nonce: bytes
    issued_ms: int
    expires_ms: int
    body: Body
    raw: bytes
    public: bytes
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _MADE_HERE:
            raise TypeError("only verify_act makes an Act")


def sign_act(
    body: Body,
    *,
    origin: str,
    member: str,
    instance: str | None,
    signer: Signer,
    now_ms: int,
    lifetime_ms: int,
    nonce: bytes | None = None,
) -> bytes:
    """The bytes of an act; `ActRefused` if they would break a bound of SPEC.md section 1.

    ``nonce`` is random unless a test or the simulation wants the same bytes again.
    """
    payload: dict[int, object] = {
        _VERSION: VERSION,
        _KIND: body.kind,
        _ORIGIN: origin,
        _MEMBER: member,
        _NONCE: secrets.token_bytes(NONCE_BYTES) if nonce is None else nonce,
        _ISSUED: now_ms,
        _EXPIRES: now_ms + lifetime_ms,
        _BODY: body.to_map(),
    }
    if instance is not None:
        payload[_INSTANCE] = instance
    raw = cose.sign1(cbor.encode(payload), ACT_DOMAIN, signer)
    parse_act(raw)  # what nobody would accept is not worth sending
    return raw


def parse_act(raw: bytes) -> ParsedAct:
    """Take an act apart; `ActRefused` names the failure class of SPEC.md section 1."""
    if len(raw) > ACT_BYTES_MAX:
        raise _refused(
            "too-large",
            f"has {len(raw)} bytes; the limit is {ACT_BYTES_MAX}",
            f"长度 {len(raw)} 字节，上限为 {ACT_BYTES_MAX} 字节",
        )
    try:
        statement = cose.parse1(raw, bytes_max=ACT_BYTES_MAX)
        payload = cbor.decode(
            statement.payload, bytes_max=ACT_BYTES_MAX, items_max=ACT_CBOR_ITEMS_MAX
        )
    except KeysError as error:
        en, zh = error.text
        raise _refused(error.failure, f"is malformed: {en}", f"格式错误：{zh}") from None
    return _read(statement, payload)


def verify_act(parsed: ParsedAct, public: bytes) -> Act:
    """The act, if ``public`` signed it; otherwise `ActRefused` with failure ``signature``."""
    try:
        verified = cose.verify1(parsed.statement, ACT_DOMAIN, public)
    except SignatureInvalid as error:
        raise _refused("signature", *error.text) from None
    return verified_act(parsed, verified)


def claim_act(parsed: ParsedAct, public: bytes) -> Claim | None:
    """What is to be checked so that `verified_act` can make the act; None if it cannot hold."""
    try:
        return cose.claim1(parsed.statement, ACT_DOMAIN, public)
    except SignatureInvalid:
        return None


def verified_act(parsed: ParsedAct, verified: Verified) -> Act:
    """The act whose signature was checked, here or by `keys.verifiers`; ValueError for another."""
    statement = parsed.statement
    same = verified.payload == statement.payload and verified.kid == statement.kid
    if not same or verified.domain != ACT_DOMAIN:
        raise ValueError("the checked statement is not this act")
    return Act(
        verified.id,
        verified.kid,
        parsed.kind,
        parsed.origin,
        parsed.member,
        parsed.instance,
        parsed.nonce,
        parsed.issued_ms,
        parsed.expires_ms,
        parsed.body,
        statement.raw,
        verified.public,
        _MADE_HERE,
    )


def _read(statement: Sign1, payload: object) -> ParsedAct:
    said: dict[int, Any] = payload if isinstance(payload, dict) else {}
    kinds = {key: type(value) for key, value in said.items()}
    if kinds not in (_OFFICERS, _ADAPTERS) or said[_VERSION] != VERSION:
        raise _fields_wrong()
    kind, nonce, issued_ms, expires_ms = said[_KIND], said[_NONCE], said[_ISSUED], said[_EXPIRES]
    if len(nonce) != NONCE_BYTES:
        raise _fields_wrong()
    if not 0 <= issued_ms < expires_ms <= min(issued_ms + ACT_LIFETIME_MS_MAX, TIME_MS_MAX):
        raise _refused("lifetime", "is valid for no time or too long", "有效期为空或过长")
    if kind not in KINDS:
        raise _refused("kind", f"is of an unknown kind {kind[:40]!r}", f"类型 {kind[:40]!r} 未知")
    return ParsedAct(
        statement.kid,
        kind,
        said[_ORIGIN],
        said[_MEMBER],
        said.get(_INSTANCE),
        nonce,
        issued_ms,
        expires_ms,
        KINDS[kind].from_map(said[_BODY]),
        statement,
    )


def _fields_wrong() -> ActRefused:
    return _refused("fields", "lacks a field or has a wrong one", "字段缺失或有误")


def _refused(failure: str, en: str, zh: str) -> ActRefused:
    return ActRefused(
        f"the act {en}" if not en.startswith("the ") else en,
        f"该行为{zh}" if not zh.startswith("该") else zh,
        remedy=("sign a new act", "请重新生成并签署"),
        failure=failure,
    )
