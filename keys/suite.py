"""Numbered suites: which algorithms a sealed thing uses; SPEC.md §1.

Everything above `keys` says "suite 1" and calls the methods below; no algorithm is named there. A
suite number is for ever: a suite is never changed, only added, and old ones stay readable.
Unwrapping needs a private key and therefore lives with custody.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from keys import identity, primitives
from keys.errors import UnknownSuite
from keys.secret import Secret


@dataclass(frozen=True, slots=True)
class Suite:
    """One row of the register, and the operations that go with it."""

    number: int
    name: str
    signature_algorithm: int
    """Algorithm byte of the signing keys (`keys.identity`)."""
    kem_algorithm: int
    """Algorithm byte of the key agreement keys."""
    secret_bytes: int
    """Length of an epoch secret, a section key, a salt and a commitment."""
    wrap_overhead_bytes: int
    """How much longer a wrapped secret is than the secret."""
    tag_bytes: int
    """How much longer a ciphertext is than its plaintext."""
    _wrap: Callable[[bytes, bytes, bytes], bytes] = field(repr=False)
    _hkdf: Callable[..., Secret] = field(repr=False)
    _seal: Callable[[bytes, bytes, bytes], bytes] = field(repr=False)
    _open: Callable[[bytes, bytes, bytes], bytes] = field(repr=False)

    def wrap(self, public: bytes, secret: bytes, info: bytes) -> bytes:
        """``secret`` readable by the holder of ``public`` who knows ``info``; `KeyRejected`."""
        return self._wrap(public, secret, info)

    def hkdf(self, secret: bytes, info: bytes, length: int, salt: bytes = b"") -> Secret:
        """``length`` bytes that are independent for each (salt, info)."""
        return self._hkdf(secret, salt=salt, info=info, length=length)

    def seal_once(self, key: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """Encrypt under a key that is used this once and never again: the nonce is fixed."""
        return self._seal(key, plaintext, aad)

    def open_once(self, key: bytes, ciphertext: bytes, aad: bytes) -> bytes:
        """What `seal_once` sealed; `OpenRefused` for another key, another aad or altered bytes."""
        return self._open(key, ciphertext, aad)


SUITE_1: Final = Suite(
    number=1,
    name="ML-KEM-768+X25519, HKDF-SHA256, AES-256-GCM, Ed25519",
    signature_algorithm=identity.ED25519,
    kem_algorithm=identity.XWING,
    secret_bytes=32,
    wrap_overhead_bytes=primitives.WRAP_OVERHEAD_BYTES,
    tag_bytes=primitives.AEAD_TAG_BYTES,
    _wrap=primitives.wrap,
    _hkdf=primitives.hkdf,
    _seal=primitives.aead_seal,
    _open=primitives.aead_open,
)

NATIONAL: Final[frozenset[int]] = frozenset()
"""Numbers of the suites made of SM algorithms (国密); this version has none."""

_SUITES: Final[Mapping[int, Suite]] = {1: SUITE_1}


def suite(number: int) -> Suite:
    """The suite of that number, or `UnknownSuite`."""
    if found := _SUITES.get(number):
        return found
    raise UnknownSuite(
        f"this program does not know cryptographic suite {number}",
        f"本程序不支持密码套件 {number}",
        remedy=("update the program", "请升级程序"),
    )
