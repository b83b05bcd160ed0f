"""Which public keys may be enrolled, and by what name they go."""

import hashlib

import pytest

from keys import edwards, primitives
from keys.errors import KeyRejected
from keys.identity import ED25519, XWING, check_kem_key, check_signing_key, kid_of
from keys.primitives import DecapsulationKey, SigningKey

SIGNING = SigningKey(bytes(32)).public
KEM = DecapsulationKey(bytes(32)).public
IDENTITY = (1).to_bytes(32, "little")
P = edwards.P
ORDER_8 = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
"""A point of order eight, from the ed25519 speccheck list."""


def encoded(point: edwards.Point) -> bytes:
    inverse = pow(point.z, -1, P)
    x, y = point.x * inverse % P, point.y * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def torsion() -> list[bytes]:
    """The eight points whose order divides eight, as multiples of one of order eight."""
    generator = edwards.decode(bytes.fromhex(ORDER_8))
    assert generator is not None
    return [encoded(edwards.multiply(factor, generator)) for factor in range(8)]


def with_torsion() -> bytes:
    """A key that is honest but for a part of order eight."""
    honest, bad = edwards.decode(SIGNING), edwards.decode(bytes.fromhex(ORDER_8))
    assert honest is not None
    assert bad is not None
    return encoded(edwards.add(honest, bad))


def refused_signing(public: bytes) -> str:
    with pytest.raises(KeyRejected) as caught:
        check_signing_key(public)
    return caught.value.failure


def refused_kem(public: bytes) -> str:
    with pytest.raises(KeyRejected) as caught:
        check_kem_key(public)
    return caught.value.failure


def test_a_kid_names_algorithm_and_key() -> None:
    digest = hashlib.sha256(b"exchange/v1/kid\x01" + SIGNING).digest()
    assert kid_of(ED25519, SIGNING) == check_signing_key(SIGNING) == digest[:16]
    assert kid_of(XWING, KEM) == check_kem_key(KEM) != kid_of(ED25519, KEM)


@pytest.mark.parametrize("number", range(20))
def test_keys_that_custody_makes_may_be_enrolled(number: int) -> None:
    check_signing_key(SigningKey(bytes([number]) * 32).public)


def test_a_signature_that_nobody_made_holds_for_the_identity() -> None:
    primitives.verify_signature(IDENTITY, IDENTITY + bytes(32), b"anything at all")


def test_all_eight_torsion_points_are_refused() -> None:
    points = torsion()
    assert len(set(points)) == 8
    assert IDENTITY in points
    assert {refused_signing(point) for point in points} == {"small-order"}


def test_a_key_with_a_torsion_part_is_refused() -> None:
    assert refused_signing(with_torsion()) == "small-order"


@pytest.mark.parametrize(
    "public",
    [
        P.to_bytes(32, "little"),
        (P + 1).to_bytes(32, "little"),
        (2**255 - 1).to_bytes(32, "little"),
        (1 | 1 << 255).to_bytes(32, "little"),
        (P - 1 | 1 << 255).to_bytes(32, "little"),
        (2).to_bytes(32, "little"),
    ],
    ids=["y=p", "y=p+1", "y=2^255-1", "x=-0", "x=-0 again", "no point"],
)
def test_a_key_that_is_no_point_or_a_second_spelling_is_refused(public: bytes) -> None:
    assert refused_signing(public) == "encoding"


@pytest.mark.parametrize("length", [0, 31, 33, 64])
def test_a_signing_key_has_32_bytes(length: int) -> None:
    assert refused_signing(bytes(length)) == "length"


@pytest.mark.parametrize(
    ("failure", "public"),
    [
        ("length", KEM[:-1]),
        ("length", KEM + b"\x00"),
        ("length", b""),
        ("encoding", b"\xff" * 1184 + KEM[1184:]),
        ("low-order", KEM[:1184] + bytes(32)),
        ("low-order", KEM[:1184] + (1).to_bytes(32, "little")),
        ("low-order", KEM[:1184] + (P - 1).to_bytes(32, "little")),
        ("low-order", KEM[:1184] + P.to_bytes(32, "little")),
        ("low-order", KEM[:1184] + (P + 1).to_bytes(32, "little")),
        ("encoding", KEM[:1184] + (P + 9).to_bytes(32, "little")),
        ("encoding", KEM[:1184] + (9 | 1 << 255).to_bytes(32, "little")),
    ],
)
def test_a_key_agreement_key_that_must_not_be_enrolled_is_refused(
    failure: str, public: bytes
) -> None:
    assert refused_kem(public) == failure


def test_a_point_of_the_curve_decodes_to_itself() -> None:
    point = edwards.decode(SIGNING)
    assert point is not None
    assert encoded(point) == SIGNING
    assert edwards.decode(SIGNING[:31]) is None
