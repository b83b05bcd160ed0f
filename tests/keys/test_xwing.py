"""Key agreement: official X-Wing vectors, then what HPKE around it must and must not open."""

import hashlib
import hmac
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from keys import primitives
from keys.errors import KeyRejected, OpenRefused
from keys.primitives import DecapsulationKey
from keys.suite import SUITE_1

VECTORS = json.loads((Path(__file__).parent / "vectors" / "xwing.json").read_text("utf-8"))
OFFICIAL = [
    {name: bytes.fromhex(value) for name, value in vector.items()} for vector in VECTORS["vectors"]
]
SECRET = bytes(range(32))
ALICE = DecapsulationKey(bytes(32))
BOB = DecapsulationKey(bytes([1]) * 32)


def extract(salt: bytes, key: bytes) -> bytes:
    return hmac.digest(salt, key, hashlib.sha256)


def expand(key: bytes, info: bytes, length: int) -> bytes:
    blocks, block = b"", b""
    for number in range(1, 3):
        block = hmac.digest(key, block + info + bytes([number]), hashlib.sha256)
        blocks += block
    return blocks[:length]


def hpke_by_hand(shared_secret: bytes, plaintext: bytes, info: bytes) -> bytes:
    """RFC 9180 §5.1 and §5.2, base mode, written out from the text; what follows ``enc``."""
    suite_id = b"HPKE" + bytes.fromhex("647a00010002")

    def labeled_extract(salt: bytes, label: bytes, key: bytes) -> bytes:
        return extract(salt, b"HPKE-v1" + suite_id + label + key)

    def labeled_expand(key: bytes, label: bytes, info: bytes, length: int) -> bytes:
        return expand(key, length.to_bytes(2, "big") + b"HPKE-v1" + suite_id + label + info, length)

    context = (
        b"\x00"
        + labeled_extract(b"", b"psk_id_hash", b"")
        + labeled_extract(b"", b"info_hash", info)
    )
    secret = labeled_extract(shared_secret, b"secret", b"")
    key = labeled_expand(secret, b"key", context, 32)
    nonce = labeled_expand(secret, b"base_nonce", context, 12)
    return AESGCM(key).encrypt(nonce, plaintext, b"")


@pytest.mark.parametrize("vector", OFFICIAL)
def test_the_official_seed_gives_the_official_public_key(vector: dict[str, bytes]) -> None:
    assert DecapsulationKey(vector["sk"]).public == vector["pk"]


@pytest.mark.parametrize("vector", OFFICIAL)
def test_what_is_wrapped_under_the_official_shared_secret_opens(vector: dict[str, bytes]) -> None:
    wrapped = vector["ct"] + hpke_by_hand(vector["ss"], SECRET, b"info")
    assert bytes(DecapsulationKey(vector["sk"]).unwrap(wrapped, b"info")) == SECRET


def test_a_wrapped_secret_opens_for_its_key_and_info_only() -> None:
    wrapped = SUITE_1.wrap(ALICE.public, SECRET, b"info")
    assert len(wrapped) == 32 + SUITE_1.wrap_overhead_bytes == 1168
    assert bytes(ALICE.unwrap(wrapped, b"info")) == SECRET
    for key, info in ((BOB, b"info"), (ALICE, b"inf0"), (ALICE, b"")):
        with pytest.raises(OpenRefused):
            key.unwrap(wrapped, info)


def test_wrapping_twice_gives_two_ciphertexts() -> None:
    assert SUITE_1.wrap(ALICE.public, SECRET, b"") != SUITE_1.wrap(ALICE.public, SECRET, b"")


@pytest.mark.parametrize("position", [0, 1087, 1088, 1119, 1120, 1167])
def test_a_changed_wrapped_secret_does_not_open(position: int) -> None:
    wrapped = bytearray(SUITE_1.wrap(ALICE.public, SECRET, b"info"))
    wrapped[position] ^= 1
    with pytest.raises(OpenRefused):
        ALICE.unwrap(bytes(wrapped), b"info")


def test_a_wrapped_secret_with_a_low_order_point_does_not_open() -> None:
    wrapped = SUITE_1.wrap(ALICE.public, SECRET, b"info")
    with pytest.raises(OpenRefused):
        ALICE.unwrap(wrapped[:1088] + bytes(32) + wrapped[1120:], b"info")


@pytest.mark.parametrize(
    ("length", "failure"), [(0, "length"), (1135, "length"), (1167, "opened"), (1169, "opened")]
)
def test_a_wrapped_secret_of_another_length_does_not_open(length: int, failure: str) -> None:
    wrapped = (SUITE_1.wrap(ALICE.public, SECRET, b"info") + b"\x00")[:length]
    with pytest.raises(OpenRefused) as caught:
        ALICE.unwrap(wrapped, b"info")
    assert caught.value.failure == failure


def test_nothing_is_wrapped_to_a_key_that_is_none() -> None:
    with pytest.raises(KeyRejected):
        SUITE_1.wrap(ALICE.public[:-1], SECRET, b"info")
    with pytest.raises(KeyRejected):
        SUITE_1.wrap(ALICE.public[: primitives.MLKEM_PUBLIC_BYTES] + bytes(32), SECRET, b"info")
