"""Public keys: what one may enrol, and the short name by which everything refers to it; SPEC.md §5.

A kid is a name, not a proof: whoever reads one looks the key up among enrolled keys and checks that
it hashes to the kid.
"""

import hashlib
from functools import lru_cache
from typing import Final

from keys import edwards, primitives
from keys.errors import KeyRejected

ED25519: Final = 1
"""Signatures of suite 1. Algorithm bytes are permanent; SPEC.md §5 keeps the register."""
XWING: Final = 2
"""Key agreement of suite 1: ML-KEM-768 with X25519."""
MLDSA44: Final = 6
"""Signatures of tree heads, beside Ed25519's."""
KID_BYTES: Final = 16

_X25519_PRIME: Final = 2**255 - 19


def kid_of(algorithm: int, public: bytes) -> bytes:
    """16 bytes that name ``public`` when used with ``algorithm``."""
    named = hashlib.sha256(b"exchange/v1/kid" + bytes([algorithm]) + public)
    return named.digest()[:KID_BYTES]


@lru_cache(maxsize=4096)
def check_signing_key(public: bytes) -> bytes:
    """The kid of an Ed25519 key that may be enrolled, or `KeyRejected`.

    Refused: wrong ``length``, no point or not its canonical ``encoding``, and points that are not
    of prime order (``small-order``), the identity among them. Results are remembered, so calling
    this at every verification costs nothing.
    """
    if len(public) != 32:
        raise _rejected("length")
    point = edwards.decode(public)
    if point is None:
        raise _rejected("encoding")
    if not edwards.in_prime_order_group(point):
        raise _rejected("small-order")
    return kid_of(ED25519, public)


@lru_cache(maxsize=4096)
def check_kem_key(public: bytes) -> bytes:
    """The kid of a suite 1 key agreement key that may be enrolled, or `KeyRejected`.

    Refused: wrong ``length``, a half that is not in canonical ``encoding``, and an X25519 half of
    ``low-order``, to which everybody computes the same shared secret.
    """
    primitives.kem_public(public)
    if int.from_bytes(public[primitives.MLKEM_PUBLIC_BYTES :], "little") >= _X25519_PRIME:
        raise _rejected("encoding")
    return kid_of(XWING, public)


def check_mldsa_key(public: bytes) -> bytes:
    """The kid of an ML-DSA-44 key, or `KeyRejected`: wrong ``length``, the one way to be none.

    FIPS 204 packs ten bits a coefficient, so that every string of 1,312 bytes is some key's.
    """
    if len(public) != primitives.MLDSA_PUBLIC_BYTES:
        raise _rejected("length")
    return kid_of(MLDSA44, public)


def _rejected(failure: str) -> KeyRejected:
    return KeyRejected(
        f"this public key must not be enrolled ({failure})",
        f"该公钥不得登记（{failure}）",
        remedy=("generate a new key pair", "请重新生成密钥对"),
        failure=failure,
    )
