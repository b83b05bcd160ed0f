"""Signed statements: COSE_Sign1 (RFC 9052 §4.2) in one narrow profile; SPEC.md §3.

Order that cannot be skipped: `parse1` gives a `Sign1`, whose payload is only a claim; `verify1`
alone makes a `Verified`, and `verify_claims` the same for many at a time. What a signature is for
(an act, an entry, a header, …) is its *domain*, the ``external_aad``: a signature made for one
domain is refused in every other.

>>> from keys.custody import MemoryCustody
>>> custody = MemoryCustody()
>>> public = custody.generate_signing("demo")
>>> raw = sign1(b"hello", "exchange/v1/act", custody.signer("demo"))
>>> verify1(parse1(raw, bytes_max=1000), "exchange/v1/act", public.raw).payload
b'hello'
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import InitVar, dataclass
from functools import lru_cache
from typing import Final, NamedTuple, Protocol

from keys import cbor, identity, primitives
from keys.errors import KeyRejected, MalformedCbor, MalformedSign1, SignatureInvalid

DOMAINS: Final = frozenset(
    f"exchange/v1/{name}"
    for name in (
        "act",
        "entry",
        "header",
        "answer",
        "receipt",
        "read",
        "possession",
        "claim",
        "report",
    )
)
"""Every external_aad in use. Permanent; a new kind of statement gets a new one."""

_ALGORITHM_LABEL: Final = 1
_KID_LABEL: Final = 4
_EDDSA: Final = -8
_ITEMS_MAX: Final = 64
"""Four, and room to say what is wrong with others."""
_MADE_HERE: Final = object()
_HEAD: Final = b"\x84\x55"
"""How a statement begins: an array of four, of which the first is the 21 bytes of `_protected`."""
_PROTECTED_END: Final = len(_HEAD) + 21
_EMPTY_MAP: Final = 0xA0
_SIGNATURE_HEAD: Final = b"\x58\x40"


class Signer(Protocol):
    """Something in custody that signs and never shows its key."""

    @property
    def kid(self) -> bytes:
        """Name of the public key, 16 bytes."""

    def sign(self, message: bytes) -> bytes:
        """Its signature over ``message``; 64 bytes for the Ed25519 keys that sign statements."""


class Sign1(NamedTuple):
    """A well-formed statement that nobody has verified yet."""

    kid: bytes
    payload: bytes
    signature: bytes
    protected: bytes
    raw: bytes


class Claim(NamedTuple):
    """What a signature would prove if it held; ``signed`` is the Sig_structure."""

    statement: Sign1
    domain: str
    public: bytes
    signed: bytes


@dataclass(frozen=True, slots=True)
class Verified:
    """A statement whose signature was checked under ``public``; only `verify1` makes one."""

    payload: bytes
    kid: bytes
    id: bytes
    """SHA-256 of what was signed, 32 bytes; what cannot change without breaking the signature."""
    domain: str
    public: bytes
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _MADE_HERE:
            raise TypeError("only verify1 makes a Verified")


class Signed(NamedTuple):
    """A new statement and its id."""

    raw: bytes
    id: bytes


def sign1(payload: bytes, domain: str, signer: Signer) -> bytes:
    """An untagged COSE_Sign1 array over ``payload`` for ``domain``."""
    return sign1_with_id(payload, domain, signer).raw


def sign1_with_id(payload: bytes, domain: str, signer: Signer) -> Signed:
    """The same, with the id that `verify1` will find."""
    protected = _protected(signer.kid)
    structure = _sig_structure(protected, domain, payload)
    raw = cbor.encode([protected, {}, payload, signer.sign(structure)])
    return Signed(raw, hashlib.sha256(structure).digest())


def parse1(raw: bytes, *, bytes_max: int) -> Sign1:
    """Take the array apart; `MalformedSign1` names what is not of the profile.

    Nothing that is outside the signature may vary: the unprotected map is empty, so a statement has
    one set of bytes (up to the signature itself) and its id cannot be given a second envelope.
    """
    try:
        if (usual := _usual(raw, bytes_max)) is not None:
            return usual
        match cbor.decode(raw, bytes_max=bytes_max, items_max=_ITEMS_MAX):
            case [bytes(protected), dict(unprotected), bytes(payload), bytes(signature)]:
                pass
            case _:
                raise _malformed("shape")
        if unprotected:
            raise _malformed("unprotected")
        kid = _kid_of(protected)
    except MalformedCbor as error:
        raise _malformed(error.failure) from None
    if len(signature) != primitives.SIGNATURE_BYTES:
        raise _malformed("signature-length")
    return Sign1(kid, payload, signature, protected, raw)


def _usual(raw: bytes, bytes_max: int) -> Sign1 | None:
    """A statement laid out as `sign1` does; None for what `parse1` has to look at item by item.

    The profile fixes every byte around the payload but its length, so the parts are found by
    position: replays spend their time here.
    """
    start, end = _PROTECTED_END + 1, len(raw) - len(_SIGNATURE_HEAD) - primitives.SIGNATURE_BYTES
    if len(raw) > bytes_max or start >= end or not raw.startswith(_HEAD):
        return None
    if raw[_PROTECTED_END] != _EMPTY_MAP or not raw.startswith(_SIGNATURE_HEAD, end):
        return None
    payload = cbor.byte_string(raw, start, end)
    if payload is None:
        return None
    protected = raw[len(_HEAD) : _PROTECTED_END]
    signature = raw[end + len(_SIGNATURE_HEAD) :]
    return Sign1(_kid_of(protected), payload, signature, protected, raw)


def content_id(sign1: Sign1, domain: str) -> bytes:
    """SHA-256 of the Sig_structure: the id of an act, an entry's statement or a header."""
    structure = _sig_structure(sign1.protected, domain, sign1.payload)
    return hashlib.sha256(structure).digest()


def verify1(sign1: Sign1, domain: str, public: bytes) -> Verified:
    """The statement, if ``public`` is the key it names and signed it for ``domain``.

    `SignatureInvalid` has classes ``key`` (not an enrollable key), ``kid`` (another key is named)
    and ``signature``.
    """
    claim = claim1(sign1, domain, public)
    primitives.verify_signature(public, sign1.signature, claim.signed)
    return _verified(claim)


def claim1(sign1: Sign1, domain: str, public: bytes) -> Claim:
    """All of `verify1` but the mathematics, for `verify_claims`; `SignatureInvalid` as there."""
    try:
        kid = identity.check_signing_key(public)
    except KeyRejected:
        raise _invalid("key") from None
    if kid != sign1.kid:
        raise _invalid("kid")
    return Claim(sign1, domain, public, _sig_structure(sign1.protected, domain, sign1.payload))


def verify_claims(
    claims: Sequence[Claim], check: Callable[[list[primitives.Signature]], bytes]
) -> list[Verified | None]:
    """A `Verified` for every claim whose signature holds, None for the others.

    ``check`` is `primitives.which_hold`, here or in another process: a byte for each signature.
    """
    asked = [(claim.public, claim.statement.signature, claim.signed) for claim in claims]
    held = check(asked)
    if len(held) != len(claims):
        raise ValueError("there is one answer a signature")
    return [_verified(claim) if yes == 1 else None for claim, yes in zip(claims, held, strict=True)]


def _verified(claim: Claim) -> Verified:
    statement = claim.statement
    identifier = hashlib.sha256(claim.signed).digest()
    return Verified(
        statement.payload, statement.kid, identifier, claim.domain, claim.public, _MADE_HERE
    )


@lru_cache(maxsize=64)
def _protected(kid: bytes) -> bytes:
    return cbor.encode({_ALGORITHM_LABEL: _EDDSA, _KID_LABEL: kid})


@lru_cache(maxsize=4096)
def _kid_of(protected: bytes) -> bytes:
    match cbor.decode(protected, bytes_max=64):
        case {1: -8, 4: bytes(kid), **rest} if not rest and len(kid) == identity.KID_BYTES:
            return kid
    raise _malformed("protected")


def _sig_structure(protected: bytes, domain: str, payload: bytes) -> bytes:
    return _before_payload(protected, domain) + cbor.byte_string_head(len(payload)) + payload


@lru_cache(maxsize=4096)
def _before_payload(protected: bytes, domain: str) -> bytes:
    """The Sig_structure up to its payload: an array of four, of which this encodes three."""
    if domain not in DOMAINS:
        raise ValueError(f"no such signature domain: {domain}")
    return b"\x84" + cbor.encode(["Signature1", protected, domain.encode()])[1:]


def _malformed(failure: str) -> MalformedSign1:
    return MalformedSign1(
        f"this is not a signed statement of the Exchange ({failure})",
        f"这不是本系统的签名文书（{failure}）",
        remedy=("have its signer make it again", "请签名方重新生成"),
        failure=failure,
    )


def _invalid(failure: str) -> SignatureInvalid:
    return SignatureInvalid(
        f"the statement is not signed by the expected key ({failure})",
        f"文书并非由预期的密钥签署（{failure}）",
        remedy=("ask the signer which key it uses", "请向签名方核实其密钥"),
        failure=failure,
    )
