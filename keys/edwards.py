"""Is this an Ed25519 public key that only its owner can sign for? Pure arithmetic, RFC 8032 §5.1.

The library verifies signatures against *any* 32 bytes that decode to a point. Eight of those points
have small order, and for them signatures exist that nobody made (tests/keys/test_identity.py shows
one). Points outside the prime-order group, and second spellings of a point, let two verifiers
disagree about one signature. Everything here is public, so nothing needs constant time; a check
takes a few milliseconds and runs once for each key a process meets.
"""

from typing import Final, NamedTuple

P: Final = 2**255 - 19
"""The field of the curve."""
ORDER: Final = 2**252 + 27742317777372353535851937790883648493
"""The prime order of the group that keys live in."""
_D: Final = -121665 * pow(121666, -1, P) % P
_ROOT_OF_MINUS_ONE: Final = pow(2, (P - 1) // 4, P)


class Point(NamedTuple):
    """Extended coordinates: x = X/Z, y = Y/Z, x·y = T/Z."""

    x: int
    y: int
    z: int
    t: int


IDENTITY: Final = Point(0, 1, 1, 0)


def decode(encoded: bytes) -> Point | None:
    """The point, or None if the bytes are no point or not its canonical spelling (§5.1.3)."""
    packed = int.from_bytes(encoded, "little")
    y, sign = packed & ((1 << 255) - 1), packed >> 255
    if len(encoded) != 32 or y >= P:
        return None
    x = _x_of(y)
    if x is None or (x == 0 and sign == 1):
        return None
    if x & 1 != sign:
        x = P - x
    return Point(x, y, 1, x * y % P)


def in_prime_order_group(point: Point) -> bool:
    """True for points of order exactly `ORDER`; False for the identity and every torsion part."""
    return not _is_identity(point) and _is_identity(multiply(ORDER, point))


def multiply(scalar: int, point: Point) -> Point:
    """``scalar`` × ``point``; not constant time, for public values only."""
    result = IDENTITY
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point, scalar = add(point, point), scalar >> 1
    return result


def _x_of(y: int) -> int | None:
    square = (y * y - 1) * pow(_D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * _ROOT_OF_MINUS_ONE % P
    return None if (x * x - square) % P else x


def add(p: Point, q: Point) -> Point:
    """``p`` + ``q`` (§5.1.4); complete, so it also doubles."""
    a = (p.y - p.x) * (q.y - q.x) % P
    b = (p.y + p.x) * (q.y + q.x) % P
    c = 2 * p.t * q.t * _D % P
    d = 2 * p.z * q.z % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return Point(e * f % P, g * h % P, f * g % P, e * h % P)


def _is_identity(point: Point) -> bool:
    return point.x % P == 0 and (point.y - point.z) % P == 0
