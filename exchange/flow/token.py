"""Request tokens: how a member signs one request to a hub (exchange/hub/SPEC.md "Request token").

A token binds log, method, path, body and moment, so it is worth nothing for another request. The
member calls `sign_token`; the hub calls `parse_token` for whom the request claims to be from, looks
the key up among active members, and calls `verify_token`. That a nonce is new is the hub's memory,
not this module's.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import InitVar, dataclass
from typing import Final

from exchange.errors import NotAuthenticated
from exchange.limits import TOKEN_AGE_MS_MAX, TOKEN_BYTES_MAX
from keys.cbor import decode, encode
from keys.cose import Sign1, Signer, parse1, sign1, verify1
from keys.errors import KeysError

SCHEME: Final = "Exchange"
READ_DOMAIN: Final = "exchange/v1/read"
_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]+")
_MADE_HERE: Final = object()


@dataclass(frozen=True, slots=True)
class Asked:
    """The request a token is for: ``target`` is path with query as sent, ``body`` all its bytes."""

    method: str
    target: str
    body: bytes = b""

    @property
    def body_hash(self) -> bytes:
        """SHA-256, 32 bytes."""
        return hashlib.sha256(self.body).digest()


@dataclass(frozen=True, slots=True)
class ClaimedToken:
    """What a token says, before any signature was checked; ``instance`` "" is the officer."""

    origin: str
    method: str
    target: str
    time_ms: int
    nonce: bytes
    member: str
    instance: str
    body_hash: bytes
    statement: Sign1


@dataclass(frozen=True, slots=True)
class VerifiedToken:
    """Who sent this request; only `verify_token` makes one."""

    member: str
    instance: str
    nonce: bytes
    time_ms: int
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _MADE_HERE:
            raise TypeError("only verify_token makes a VerifiedToken")


def sign_token(
    asked: Asked,
    *,
    origin: str,
    member: str,
    instance: str,
    signer: Signer,
    now_ms: int,
    nonce: bytes,
) -> str:
    """The value of the Authorization header; ``nonce`` is 16 fresh random bytes."""
    payload = encode(
        [origin, asked.method, asked.target, now_ms, nonce, member, instance, asked.body_hash]
    )
    raw = sign1(payload, READ_DOMAIN, signer)
    return f"{SCHEME} {base64.urlsafe_b64encode(raw).rstrip(b'=').decode('ascii')}"


def parse_token(header: str | None) -> ClaimedToken:
    """SPEC step 1: the claims of an Authorization header, not yet believed."""
    if not header:
        raise _refused("token-missing", "carries no token", "未携带令牌")
    scheme, _, encoded = header.partition(" ")
    too_long = len(encoded) > TOKEN_BYTES_MAX * 4 // 3 + 4
    if scheme != SCHEME or too_long or not _BASE64URL.fullmatch(encoded):
        raise _malformed()
    try:
        raw = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        statement = parse1(raw, bytes_max=TOKEN_BYTES_MAX)
        claims = decode(statement.payload, bytes_max=TOKEN_BYTES_MAX)
    except (binascii.Error, KeysError):
        raise _malformed() from None
    match claims:
        case [
            str(origin), str(method), str(target), int(time_ms),
            bytes(nonce), str(member), str(instance), bytes(body_hash),
        ] if (len(nonce), len(body_hash), type(time_ms)) == (16, 32, int):  # fmt: skip
            return ClaimedToken(
                origin, method, target, time_ms, nonce, member, instance, body_hash, statement
            )
    raise _malformed()


def verify_token(
    claimed: ClaimedToken, asked: Asked, *, origin: str, public: bytes | None, now_ms: int
) -> VerifiedToken:
    """SPEC steps 2 to 5. ``public`` is the active key of the claimed member, None when it has none.

    `NotAuthenticated` names the step.
    """
    if claimed.origin != origin:
        raise _refused("token-origin", "is meant for another log", "针对的是另一日志")
    if public is None:
        raise _refused(
            "token-unknown",
            "names no active member or instance",
            "所署成员或实例不存在或已停用",
            remedy=(
                "check --as, and that the member is enrolled and active",
                "请核对 --as，并确认该成员已入网且有效",
            ),
        )
    try:
        verify1(claimed.statement, READ_DOMAIN, public)
    except KeysError:
        raise _refused(
            "token-signature", "is not signed by the member it names", "签名无效"
        ) from None
    if abs(now_ms - claimed.time_ms) > TOKEN_AGE_MS_MAX:
        raise _refused(
            "token-time",
            f"is more than {TOKEN_AGE_MS_MAX // 1000} s off the hub's clock",
            f"时间与枢纽时钟相差超过 {TOKEN_AGE_MS_MAX // 1000} 秒",
            remedy=("set this machine's clock and ask again", "请校准本机时钟后重试"),
        )
    wanted = (asked.method, asked.target, asked.body_hash)
    if (claimed.method, claimed.target, claimed.body_hash) != wanted:
        raise _refused("token-request", "was made for another request", "并非为本次请求签发")
    return VerifiedToken(
        claimed.member, claimed.instance, claimed.nonce, claimed.time_ms, _MADE_HERE
    )


def replayed() -> NotAuthenticated:
    """SPEC step 6: what a hub raises for a nonce it remembers."""
    return _refused("token-replayed", "was used before", "令牌已被使用")


def _malformed() -> NotAuthenticated:
    return _refused("token-malformed", "carries a malformed token", "令牌格式错误")


def _refused(
    failure: str, en: str, zh: str, remedy: tuple[str, str] = ("", "")
) -> NotAuthenticated:
    return NotAuthenticated(
        f"the request {en}",
        f"请求未通过身份验证：{zh}",
        remedy=remedy if any(remedy) else ("sign the request anew", "请重新签署请求"),
        failure=failure,
    )
