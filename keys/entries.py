"""What custody holds, and how it is written down inside the encrypted file; SPEC.md §6.3."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Final

from keys import cbor
from keys.errors import MalformedCbor, TornFile
from keys.secret import Secret

CONTENT_BYTES_MAX: Final = 1 << 20
"""A custody file of a member holds tens of keys of some hundred bytes."""


class Kind(IntEnum):
    """What an entry is for. Numbers are permanent; those of key pairs equal the algorithm bytes."""

    SIGNING = 1
    """Ed25519 seed, 32 bytes; nothing public."""
    KEM = 2
    """X-Wing seed, 32 bytes; nothing public."""
    CA = 3
    """P-256 key, PKCS#8 DER; public: its certificate, PEM."""
    TLS = 4
    """Passphrase of an encrypted private key file, 64 hex digits; public: the certificate, PEM."""
    LOCAL = 5
    """32 random bytes under which this machine encrypts its own files; nothing public."""
    MLDSA = 6
    """ML-DSA-44 seed, 32 bytes; nothing public."""


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One secret of custody."""

    kind: Kind
    secret: Secret
    public: bytes = b""


def encode(entries: Mapping[str, Entry]) -> bytes:
    """Deterministic CBOR: label → [kind, secret, public]."""
    return cbor.encode(
        {label: [int(entry.kind), entry.secret, entry.public] for label, entry in entries.items()}
    )


def decode(content: bytes) -> dict[str, Entry]:
    """The entries of decrypted content; `TornFile` if this build cannot read them."""
    try:
        value = cbor.decode(content, bytes_max=CONTENT_BYTES_MAX)
    except MalformedCbor as error:
        raise unreadable(error.failure) from None
    if not isinstance(value, dict):
        raise unreadable("shape")
    return {_label(label): _entry(item) for label, item in value.items()}


def unreadable(failure: str, path: Path | None = None) -> TornFile:
    """The one sentence for every custody file that cannot be read; ``path`` where it is known."""
    name = "" if path is None else f" {path}"
    return TornFile(
        f"the key file{name} is damaged or from another version ({failure})",
        f"密钥文件{name and name + ' '}已损坏或版本不符（{failure}）",
        remedy=(
            "restore it from a backup: exchange keys restore",
            "请从备份恢复：exchange keys restore",
        ),
        failure=failure,
    )


def _label(label: object) -> str:
    if not isinstance(label, str):
        raise unreadable("shape")
    return label


def _entry(item: object) -> Entry:
    match item:
        case [int(kind), bytes(secret), bytes(public)] if kind in set(Kind):
            return Entry(Kind(kind), Secret(secret), public)
    raise unreadable("kind")
