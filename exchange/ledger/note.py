"""Signed notes as c2sp.org/signed-note says, and the keys that sign them; LOG-SPEC.md section 1.

A note is a text and signature lines. `parse_note` takes one apart strictly (what it would not write
it refuses); who signed what is checked by exchange/ledger/cosignature.py. Nothing here holds a
private key.

>>> VerifierKey("example.com/log", SignatureType.ED25519, bytes(32)).text()
'example.com/log+a3ad76db+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from exchange.errors import NoteRefused

NOTE_BYTES_MAX: Final = 128 << 10
"""Sixteen signatures, which every verifier must take, of 5 kB each in base64."""
SIGNATURES_MAX: Final = 64
KEY_ID_BYTES: Final = 4
_DASH: Final = "— "


class SignatureType(IntEnum):
    """Signature type identifier bytes that C2SP assigned and that the Exchange uses."""

    ED25519 = 0x01
    """Ed25519 over the text."""
    COSIGNATURE = 0x04
    """Timestamped Ed25519 cosignature of a checkpoint."""
    MLDSA = 0x06
    """Timestamped ML-DSA-44 cosignature of a checkpoint."""


_PUBLIC_BYTES: Final = {
    SignatureType.ED25519: 32,
    SignatureType.COSIGNATURE: 32,
    SignatureType.MLDSA: 1312,
}


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key with the name it signs under; ``text`` writes it as a vkey."""

    name: str
    type: SignatureType
    public: bytes

    @property
    def id(self) -> bytes:
        """The four bytes that name this key, type and name in a signature line."""
        named = self.name.encode() + b"\n" + bytes([self.type]) + self.public
        return hashlib.sha256(named).digest()[:KEY_ID_BYTES]

    def text(self) -> str:
        """``<name>+<hex id>+<base64(type ‖ public)>``."""
        return f"{self.name}+{self.id.hex()}+{encode64(bytes([self.type]) + self.public)}"


@dataclass(frozen=True, slots=True)
class SignatureLine:
    """One signature line; a claim until it is verified."""

    name: str
    id: bytes
    signature: bytes

    def text(self) -> str:
        """The line with its newline."""
        return f"{_DASH}{self.name} {encode64(self.id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A note taken apart: ``text`` ends in a newline and is what was signed."""

    text: str
    lines: tuple[SignatureLine, ...]

    def render(self) -> bytes:
        """The bytes of the note."""
        return (self.text + "\n" + "".join(line.text() for line in self.lines)).encode()

    def by(self, key: VerifierKey) -> tuple[bytes, ...]:
        """The signatures that name ``key``."""
        return tuple(
            line.signature for line in self.lines if line.name == key.name and line.id == key.id
        )


def parse_note(raw: bytes) -> Note:
    """The note in ``raw``, or `NoteRefused` with the failure class of LOG-SPEC.md."""
    if len(raw) > NOTE_BYTES_MAX:
        raise malformed("note-too-large")
    text, blank, signatures = plain_text(raw).rpartition("\n\n")
    if not blank or not text or not signatures:
        raise malformed("note-shape")
    return Note(text + "\n", parse_lines(signatures))


def parse_lines(text: str) -> tuple[SignatureLine, ...]:
    """Signature lines, each ending in a newline; `NoteRefused` with ``note-line``."""
    *lines, rest = text.split("\n")
    if rest or not 0 < len(lines) <= SIGNATURES_MAX:
        raise malformed("note-line")
    return tuple(_line(line) for line in lines)


def parse_vkey(text: str) -> VerifierKey:
    """The key that a vkey writes, if its id is right and its type one of `SignatureType`.

    Raises `NoteRefused` with ``vkey``.
    """
    name, _, rest = text.partition("+")
    hexadecimal, _, encoded = rest.partition("+")
    material = decode64(encoded, "vkey")
    try:
        kind = SignatureType(material[0]) if material else None
    except ValueError:
        kind = None
    if kind is None or len(material) - 1 != _PUBLIC_BYTES[kind]:
        raise malformed("vkey")
    key = VerifierKey(check_name(name, "vkey"), kind, material[1:])
    if key.id.hex() != hexadecimal:
        raise malformed("vkey")
    return key


def check_name(name: str, failure: str = "key-name") -> str:
    """``name`` if it may name a key: not empty, no space of Unicode, no plus, at most 255 bytes."""
    if not name or any(one.isspace() or one == "+" or one < " " for one in name):
        raise malformed(failure)
    if len(name.encode()) > 255:  # an ML-DSA message gives a name's length one byte
        raise malformed(failure)
    return name


def plain_text(raw: bytes) -> str:
    """UTF-8 without control characters but newlines; `NoteRefused` with ``note-text``."""
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise malformed("note-text") from None
    if any(one < " " and one != "\n" for one in text):
        raise malformed("note-text")
    return text


def decimal(text: str, failure: str) -> int:
    """ASCII decimal below 2^63 without leading zeros; `NoteRefused` otherwise."""
    if text.isascii() and text.isdigit() and (text == "0" or text[0] != "0") and len(text) <= 19:
        value = int(text)
        if value < 1 << 63:
            return value
    raise malformed(failure)


def encode64(raw: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(raw).decode("ascii")


def decode64(text: str, failure: str) -> bytes:
    """What ``text`` encodes, if it is the one way to encode it; `NoteRefused` otherwise."""
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        raise malformed(failure) from None
    if encode64(raw) != text:
        raise malformed(failure)
    return raw


def hashes64(lines: Sequence[str], failure: str) -> tuple[bytes, ...]:
    """SHA-256 hashes in base64, one a line, as proofs write them."""
    hashes = tuple(decode64(line, failure) for line in lines)
    if any(len(one) != hashlib.sha256().digest_size for one in hashes):
        raise malformed(failure)
    return hashes


def malformed(failure: str) -> NoteRefused:
    """Text that is not what LOG-SPEC.md says it must be."""
    return NoteRefused(
        f"this is no well-formed signed note of a log ({failure})",
        f"这不是格式正确的日志签名文本（{failure}）",
        remedy=("fetch it again from its source", "请重新获取"),
        failure=failure,
    )


def _line(line: str) -> SignatureLine:
    if not line.startswith(_DASH):
        raise malformed("note-line")
    name, space, encoded = line[len(_DASH) :].partition(" ")
    blob = decode64(encoded, "note-line")
    if not space or len(blob) <= KEY_ID_BYTES:
        raise malformed("note-line")
    check_name(name, "note-line")
    return SignatureLine(name, blob[:KEY_ID_BYTES], blob[KEY_ID_BYTES:])
