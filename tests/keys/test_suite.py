"""Suites by number, one-time encryption, key derivation, and secrets that stay hidden."""

import copy
import hmac
import pickle

import pytest

from keys.errors import OpenRefused, UnknownSuite
from keys.secret import Secret
from keys.suite import SUITE_1, suite

KEY = bytes(32)


def test_suite_1_is_the_only_one_so_far() -> None:
    assert suite(1) is SUITE_1
    for number in (0, 2, -1, 1 << 40):
        with pytest.raises(UnknownSuite) as caught:
            suite(number)
        assert str(number) in caught.value.text[0]


def test_hkdf_gives_the_vectors_of_its_rfc() -> None:
    okm = SUITE_1.hkdf(
        b"\x0b" * 22, bytes(range(0xF0, 0xFA)), 42, salt=bytes(range(13))
    )  # RFC 5869, A.1
    assert bytes(okm).hex() == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )
    unsalted = SUITE_1.hkdf(b"\x0b" * 22, b"", 42)  # A.3
    assert bytes(unsalted).hex() == (
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    )


def test_what_is_sealed_opens_with_its_key_and_aad_only() -> None:
    ciphertext = SUITE_1.seal_once(KEY, b"plaintext", b"aad")
    assert len(ciphertext) == len(b"plaintext") + SUITE_1.tag_bytes
    assert SUITE_1.open_once(KEY, ciphertext, b"aad") == b"plaintext"
    for key, text, aad in (
        (b"\x01" * 32, ciphertext, b"aad"),
        (KEY, ciphertext, b"aaD"),
        (KEY, ciphertext[:-1], b"aad"),
        (KEY, ciphertext + b"\x00", b"aad"),
        (KEY, bytes([ciphertext[0] ^ 1]) + ciphertext[1:], b"aad"),
    ):
        with pytest.raises(OpenRefused) as caught:
            SUITE_1.open_once(key, text, aad)
        assert caught.value.failure == "opened"


def test_a_ciphertext_shorter_than_its_tag_is_refused() -> None:
    with pytest.raises(OpenRefused) as caught:
        SUITE_1.open_once(KEY, bytes(15), b"")
    assert caught.value.failure == "length"


def test_the_name_of_a_suite_shows_and_its_functions_do_not() -> None:
    assert "ML-KEM-768" in repr(SUITE_1)
    assert "function" not in repr(SUITE_1)


def test_a_secret_never_shows_itself() -> None:
    secret = Secret(b"\xabsecret value")
    for shown in (repr(secret), str(secret), f"{secret}", f"{secret!r}", repr([secret])):
        assert "secret, 13 bytes" in shown
        assert "value" not in shown


def test_a_secret_is_not_compared_hashed_or_pickled() -> None:
    secret = Secret(b"value")
    for use in (
        lambda: secret == b"value",
        lambda: secret != b"value",
        lambda: {secret},
        lambda: pickle.dumps(secret),
        lambda: copy.deepcopy(secret),
    ):
        with pytest.raises(TypeError):
            use()
    assert hmac.compare_digest(secret, b"value")
