"""Proof that a hub holds a dataset's KEM key (exchange/hub/SPEC.md "Proof of possession").

The authority wraps a challenge to the key (`make_challenge`), a hub opens it in its custody and
signs what it found (`prove_possession`), the authority checks that before it puts the key on record
(`verify_proof`). The HPKE ``info`` differs from every epoch's in its first item, so no epoch secret
can be opened by way of a challenge.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import InitVar, dataclass, field
from typing import Final

from exchange.errors import CheckFailed
from exchange.flow.ports import Unwraps
from exchange.limits import POSSESSION_BYTES_MAX
from keys.cbor import encode
from keys.cose import Signer, parse1, sign1, verify1
from keys.errors import KeysError, OpenRefused
from keys.identity import check_kem_key, kid_of
from keys.suite import SUITE_1

POSSESSION_DOMAIN: Final = "exchange/v1/possession"
CHALLENGE_BYTES: Final = 32
_MADE_HERE: Final = object()


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge and how it travels; who made it keeps ``answer`` and sends ``wrapped``."""

    origin: str
    dataset: str
    kid: bytes
    wrapped: bytes
    answer: bytes = field(repr=False)
    """SHA-256 of the 32 random bytes."""


@dataclass(frozen=True, slots=True)
class ProvenKey:
    """A dataset key that a hub of the log has shown to hold; only `verify_proof` makes one."""

    dataset: str
    kid: bytes
    proof: bytes
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _MADE_HERE:
            raise TypeError("only verify_proof makes a ProvenKey")


def make_challenge(*, origin: str, dataset: str, public: bytes) -> Challenge:
    """A fresh challenge to the holder of ``public``; `keys.errors.KeyRejected` for a bad key."""
    kid = check_kem_key(public)
    nonce = secrets.token_bytes(CHALLENGE_BYTES)
    wrapped = SUITE_1.wrap(public, nonce, _info(origin, dataset, kid))
    return Challenge(origin, dataset, kid, wrapped, hashlib.sha256(nonce).digest())


def prove_possession(
    *, origin: str, dataset: str, kid: bytes, wrapped: bytes, custody: Unwraps, signer: Signer
) -> bytes:
    """A hub's proof, COSE_Sign1 under its entry key. KeyMissing or `CheckFailed`."""
    challenge = _opened(custody, kid, wrapped, _info(origin, dataset, kid))
    payload = encode([origin, dataset, kid, hashlib.sha256(challenge).digest()])
    return sign1(payload, POSSESSION_DOMAIN, signer)


def verify_proof(proof: bytes, challenge: Challenge, *, entry_keys: Iterable[bytes]) -> ProvenKey:
    """``proof``, if a hub of genesis opened ``challenge``; otherwise `CheckFailed`."""
    by_kid = {kid_of(SUITE_1.signature_algorithm, public): public for public in entry_keys}
    try:
        statement = parse1(proof, bytes_max=POSSESSION_BYTES_MAX)
        verified = verify1(statement, POSSESSION_DOMAIN, by_kid.get(statement.kid, b""))
    except KeysError:
        raise _refused("proof-signature") from None
    wanted = [challenge.origin, challenge.dataset, challenge.kid, challenge.answer]
    if verified.payload != encode(wanted):
        raise _refused("proof-content")
    return ProvenKey(challenge.dataset, challenge.kid, proof, _MADE_HERE)


def _opened(custody: Unwraps, kid: bytes, wrapped: bytes, info: bytes) -> bytes:
    try:
        challenge = custody.unwrap(kid, wrapped, info)
    except OpenRefused:
        raise _refused("challenge") from None
    if len(challenge) != CHALLENGE_BYTES:
        raise _refused("challenge")
    return challenge


def _info(origin: str, dataset: str, kid: bytes) -> bytes:
    return encode([POSSESSION_DOMAIN, origin, dataset, kid])


def _refused(failure: str) -> CheckFailed:
    return CheckFailed(
        f"possession of the dataset key is not shown ({failure})",
        f"未能证明枢纽持有数据集密钥（{failure}）",
        remedy=(
            "ask the hub for the dataset's key again and make a new challenge",
            "请重新向枢纽取得数据集密钥并重新质询",
        ),
        failure=failure,
    )
