"""The hubs' CA as members trust it: one certificate in a file, named by its hash in genesis."""

import hashlib
import ssl
from pathlib import Path
from typing import Final

from exchange.errors import ConfigurationInvalid

CA_FILE_BYTES_MAX: Final = 16_384


def ca_hash(pem: str) -> bytes:
    """SHA-256 of the DER form of the one certificate in ``pem``: `Genesis.ca`. ValueError."""
    return hashlib.sha256(_der(pem)).digest()


def pinned_context(ca_file: Path, pinned: bytes) -> ssl.SSLContext:
    """TLS 1.3 that trusts the CA in ``ca_file`` and no other, if its hash is ``pinned``.

    `ConfigurationInvalid`: the file is missing or no certificate (``ca-file``), or holds another
    certificate than genesis names (``ca-pin``).
    """
    try:
        der = _der(ca_file.read_bytes()[:CA_FILE_BYTES_MAX].decode("ascii"))
    except (OSError, ValueError) as error:
        raise ConfigurationInvalid(
            f"{ca_file} is no readable CA certificate ({type(error).__name__})",
            f"{ca_file} 不是可读的 CA 证书（{type(error).__name__}）",
            remedy=("get ca.pem from the authority", "请向主管部门索取 ca.pem"),
            failure="ca-file",
        ) from None
    if hashlib.sha256(der).digest() != pinned:
        raise ConfigurationInvalid(
            f"{ca_file} is not the CA that the pinned ledger names",
            f"{ca_file} 并非所固定账本指明的 CA",
            remedy=("get ca.pem from the authority", "请向主管部门索取 ca.pem"),
            failure="ca-pin",
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # The bytes that were hashed: a second certificate behind the first in the file is not trusted.
    context.load_verify_locations(cadata=der)
    return context


def _der(pem: str) -> bytes:
    return ssl.PEM_cert_to_DER_cert(pem.strip())
