"""Every call into the `cryptography` package, and nothing else; what each may be used for.

Formats, ids and error texts are decided elsewhere in `keys`; a reader who wants to know whether the
mathematics is used well reads this file only. Failures of a library call become `OpenRefused` or
`SignatureInvalid` here, so no exception of the library crosses this line.

Random bytes come from the operating system, except where a caller hands in a seed.
"""

import datetime
import hashlib
import ipaddress
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hpke, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, mlkem, x25519
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from keys.errors import KeyRejected, OpenRefused, SignatureInvalid
from keys.secret import Secret

SEED_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
MLDSA_PUBLIC_BYTES: Final = 1312
MLDSA_SIGNATURE_BYTES: Final = 2420
MLKEM_PUBLIC_BYTES: Final = 1184
KEM_PUBLIC_BYTES: Final = MLKEM_PUBLIC_BYTES + 32
AEAD_TAG_BYTES: Final = 16
WRAP_OVERHEAD_BYTES: Final = 1120 + AEAD_TAG_BYTES
"""X-Wing ciphertext (ML-KEM-768: 1088, X25519: 32) and the tag around a wrapped secret."""

# A zero nonce is safe for exactly one reason: every key that reaches `aead_seal` was just derived
# from 32 fresh random bytes and is used for one message. A counter or a random 96-bit nonce under a
# longer-lived key would repeat after a restored backup, a cloned machine or 2^32 messages.
_NONCE: Final = bytes(12)

# X-Wing binds both shared secrets and the X25519 parts, so the wrap is as strong as the stronger
# of ML-KEM-768 and X25519. Base mode: it authenticates nobody, which is why every wrapped secret
# travels inside something signed and why all its context sits in ``info``.
_HPKE: Final = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


class SigningKey:
    """An Ed25519 private key from its 32-byte seed (RFC 8032)."""

    __slots__ = ("_key", "public")

    def __init__(self, seed: bytes) -> None:
        self._key = ed25519.Ed25519PrivateKey.from_private_bytes(seed)
        self.public: bytes = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """64 bytes, the same for the same message (Ed25519 needs no randomness)."""
        return self._key.sign(message)


def verify_signature(public: bytes, signature: bytes, message: bytes) -> None:
    """Return if ``signature`` is ``public``'s over ``message``; else `SignatureInvalid`."""
    try:
        _ed25519_public(public).verify(signature, message)
    except (InvalidSignature, ValueError):  # ValueError: a key of the wrong length
        raise _unsigned() from None


@lru_cache(maxsize=4_096)
def _ed25519_public(public: bytes) -> ed25519.Ed25519PublicKey:
    return ed25519.Ed25519PublicKey.from_public_bytes(public)


class MldsaKey:
    """An ML-DSA-44 private key from its 32-byte seed (FIPS 204, pure, empty context).

    For tree heads only, beside Ed25519: a head must convince somebody years from now, when Ed25519
    may have fallen. Everything that is signed thousands of times a second stays Ed25519.
    """

    __slots__ = ("_key", "public")

    def __init__(self, seed: bytes) -> None:
        self._key = mldsa.MLDSA44PrivateKey.from_seed_bytes(seed)
        self.public: bytes = self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """2,420 bytes, different every time (hedged signing)."""
        return self._key.sign(message)


def verify_mldsa(public: bytes, signature: bytes, message: bytes) -> None:
    """The same as `verify_signature` for ML-DSA-44."""
    try:
        mldsa.MLDSA44PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):  # ValueError: a key of the wrong length
        raise _unsigned() from None


Signature = tuple[bytes, bytes, bytes]
"""Public key, signature, message."""


def which_hold(signatures: Sequence[Signature]) -> bytes:
    """1 for each signature that `verify_signature` passes, 0 for each that it does not."""
    held = bytearray(len(signatures))
    for at, (public, signature, message) in enumerate(signatures):
        try:
            verify_signature(public, signature, message)
        except SignatureInvalid:
            continue
        held[at] = 1
    return bytes(held)


class DecapsulationKey:
    """An X-Wing private key from its 32-byte seed.

    The library's hybrid key objects cannot be serialised, so the seed is what is kept: SHAKE-256
    stretches it to 96 bytes, 64 for ML-KEM-768 and 32 for X25519, as draft-connolly-cfrg-xwing-kem
    ``expandDecapsulationKey`` does. The official vectors are in tests/keys/vectors.
    """

    __slots__ = ("_key", "public")

    def __init__(self, seed: bytes) -> None:
        stretched = hashlib.shake_256(seed).digest(96)
        pq = mlkem.MLKEM768PrivateKey.from_seed_bytes(stretched[:64])
        classical = x25519.X25519PrivateKey.from_private_bytes(stretched[64:])
        self._key = hpke.MLKEM768X25519PrivateKey(pq, classical)
        self.public: bytes = (
            pq.public_key().public_bytes_raw() + classical.public_key().public_bytes_raw()
        )

    def unwrap(self, wrapped: bytes, info: bytes) -> Secret:
        """The secret inside ``wrapped``, if it was wrapped to this key under this ``info``."""
        # The library reports truncation as a failed tag and a low-order X25519 part as ValueError;
        # both mean that whoever wrapped this did not follow the format.
        if len(wrapped) < WRAP_OVERHEAD_BYTES:
            raise _unopened("length")
        try:
            return Secret(_HPKE.decrypt(wrapped, self._key, info))
        except (InvalidTag, ValueError):
            raise _unopened("opened") from None


def wrap(public: bytes, secret: bytes, info: bytes) -> bytes:
    """``secret`` wrapped to an X-Wing key: 1,136 bytes longer, different every time."""
    pq, classical = kem_public(public)
    return _HPKE.encrypt(secret, hpke.MLKEM768X25519PublicKey(pq, classical), info)


def kem_public(public: bytes) -> tuple[mlkem.MLKEM768PublicKey, x25519.X25519PublicKey]:
    """Both halves of an X-Wing public key, or `KeyRejected`.

    The library checks that ML-KEM coefficients are reduced (FIPS 203 §7.2); an X25519 part of low
    order is found by the all-zero exchange that RFC 7748 §6.1 asks for, with any private key.
    """
    if len(public) != KEM_PUBLIC_BYTES:
        raise _rejected("length")
    try:
        pq = mlkem.MLKEM768PublicKey.from_public_bytes(public[:MLKEM_PUBLIC_BYTES])
    except ValueError:
        raise _rejected("encoding") from None
    classical = x25519.X25519PublicKey.from_public_bytes(public[MLKEM_PUBLIC_BYTES:])
    try:
        x25519.X25519PrivateKey.from_private_bytes(bytes(32)).exchange(classical)
    except ValueError:
        raise _rejected("low-order") from None
    return pq, classical


def hkdf(secret: bytes, *, salt: bytes, info: bytes, length: int) -> Secret:
    """HKDF-SHA256 (RFC 5869); an empty salt means the 32 zero bytes of the RFC."""
    return Secret(HKDF(SHA256(), length, salt, info).derive(secret))


def aead_seal(key: bytes, plaintext: bytes, aad: bytes) -> bytes:
    """AES-256-GCM under a key used this once; ciphertext followed by its 16-byte tag."""
    return AESGCM(key).encrypt(_NONCE, plaintext, aad)


def aead_open(key: bytes, ciphertext: bytes, aad: bytes) -> bytes:
    """The plaintext of `aead_seal`, or `OpenRefused`."""
    if len(ciphertext) < AEAD_TAG_BYTES:
        raise _unopened("length")
    try:
        return AESGCM(key).decrypt(_NONCE, ciphertext, aad)
    except InvalidTag:
        raise _unopened("opened") from None


def argon2id(passphrase: bytes, salt: bytes) -> Secret:
    """32 bytes from a passphrase: Argon2id, 3 passes, 4 lanes, 64 MiB (RFC 9106 §4, second choice).

    About 0.2 s on a server core: slow enough to make guessing expensive, short enough to start up.
    """
    kdf = Argon2id(salt=salt, length=32, iterations=3, lanes=4, memory_cost=1 << 16)
    return Secret(kdf.derive(passphrase))


def issue_ca(name: str, *, now_ms: int, days: int) -> tuple[Secret, bytes]:
    """A new private CA: its key (PKCS#8 DER, for custody only) and its certificate (PEM).

    ECDSA P-256, because TLS 1.3 clients of every kind accept it while several (browsers among
    them) refuse Ed25519 certificates. TLS protects hub traffic in transit; nothing that must
    survive a quantum computer relies on it alone: keys cross it wrapped by suite 1.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = _certificate(subject, subject, key.public_key(), now_ms, days)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(ca=True), critical=True)
    # Strict verifiers (Python 3.13 is one) also want the authority key id of a root.
    own = x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())
    certificate = builder.add_extension(own, critical=False).sign(key, SHA256())
    der = key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return Secret(der), certificate.public_bytes(serialization.Encoding.PEM)


def issue_server_certificate(
    ca_key: Secret,
    ca_certificate: bytes,
    hostnames: Sequence[str],
    *,
    passphrase: Secret,
    now_ms: int,
    days: int,
) -> tuple[bytes, bytes]:
    """A TLS server certificate (PEM) and its new private key (PEM, encrypted).

    ``hostnames`` are DNS names or IP addresses. The PEM's own key derivation is weak (PBKDF2 with
    few rounds); that is harmless here because ``passphrase`` is 32 random bytes in hex, held in
    custody, and never something a person thought of.
    """
    issuer_key = serialization.load_der_private_key(ca_key, password=None)
    if not isinstance(issuer_key, ec.EllipticCurvePrivateKey):
        raise TypeError("a CA key of custody is an ECDSA key")
    issuer = x509.load_pem_x509_certificate(ca_certificate)
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostnames[0])])
    builder = _certificate(subject, issuer.subject, key.public_key(), now_ms, days)
    names = x509.SubjectAlternativeName([_general_name(host) for host in hostnames])
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    certificate = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(ca=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(names, critical=False)
        .add_extension(authority, critical=False)
        .sign(issuer_key, SHA256())
    )
    encrypted = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(bytes(passphrase)),
    )
    return certificate.public_bytes(serialization.Encoding.PEM), encrypted


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    public: ec.EllipticCurvePublicKey,
    now_ms: int,
    days: int,
) -> x509.CertificateBuilder:
    now = datetime.datetime.fromtimestamp(now_ms // 1000, datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))  # clients whose clock is a bit late
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _key_usage(*, ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=ca,
        crl_sign=ca,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _unsigned() -> SignatureInvalid:
    return SignatureInvalid(
        "the signature does not match the key",
        "签名与公钥不符",
        remedy=("ask the signer which key it uses", "请向签名方核实其密钥"),
        failure="signature",
    )


def _unopened(failure: str) -> OpenRefused:
    return OpenRefused(
        "the ciphertext does not open: another key, another context, or altered bytes",
        "密文无法解开：密钥不符、上下文不符或内容被改动",
        remedy=("have its sender make it again", "请发送方重新生成"),
        failure=failure,
    )


def _rejected(failure: str) -> KeyRejected:
    return KeyRejected(
        "the key agreement public key is not a valid suite 1 key",
        "密钥协商公钥不是合规的套件 1 公钥",
        remedy=("generate a new key pair", "请重新生成密钥对"),
        failure=failure,
    )
