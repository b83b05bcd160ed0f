"""Signing tree heads, and checking who signed one; LOG-SPEC.md section 3.

Three kinds of signature line: the log's Ed25519 line over the text, and the timestamped
cosignatures of c2sp.org/tlog-cosignature, Ed25519 and ML-DSA-44. `verify_line` is the only reader
of any of them; `verify_head` adds what a head of this log must carry.

::

    head = verify_head(raw, log)  # a hub of this log signed it, with every key that it has
    head.checkpoint.size, head.checkpoint.root
"""

import struct
from collections.abc import Sequence
from dataclasses import InitVar, dataclass
from typing import Final, assert_never

from exchange.errors import NoteRefused
from exchange.ledger.checkpoint import Checkpoint, parse_checkpoint
from exchange.ledger.merkle import EMPTY_ROOT
from exchange.ledger.note import (
    Note,
    SignatureLine,
    SignatureType,
    VerifierKey,
    check_name,
    malformed,
    parse_note,
)
from keys import primitives
from keys.cose import Signer
from keys.errors import SignatureInvalid
from keys.identity import check_signing_key

_SUBTREE: Final = b"subtree/v1\n\x00"
_TIME: Final = struct.Struct(">Q")
_TIME_MAX: Final = (1 << 63) - 1
_MADE_HERE: Final = object()


@dataclass(frozen=True, slots=True)
class HubVerifiers:
    """The keys with which one hub signs heads: Ed25519 and, if it has one, ML-DSA-44."""

    hub: str
    keys: tuple[VerifierKey, ...]


@dataclass(frozen=True, slots=True)
class LogKeys:
    """Who may sign heads of the log of this origin. Its hubs share one name: the origin."""

    origin: str
    hubs: tuple[HubVerifiers, ...]

    @property
    def vkeys(self) -> tuple[VerifierKey, ...]:
        """All of them."""
        return tuple(key for hub in self.hubs for key in hub.keys)


@dataclass(frozen=True, slots=True)
class HeadSigner:
    """A private key in custody, and the name and kind under which it signs heads."""

    key: VerifierKey
    signer: Signer


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A head that ``hub`` signed; only `verify_head` makes one. ``note`` has all its lines.

    ``time_s`` is when the hub signed it, 0 if it has no ML-DSA key and so states no time.
    """

    checkpoint: Checkpoint
    hub: str
    time_s: int
    note: Note
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _MADE_HERE:
            raise TypeError("only verify_head makes a SignedHead")

    @property
    def raw(self) -> bytes:
        """The bytes of the signed note."""
        return self.note.render()


def log_keys(origin: str, hubs: Sequence[tuple[str, bytes, bytes | None]]) -> LogKeys:
    """The keys of a log from (hub, Ed25519 key, ML-DSA-44 key or None) of each hub.

    `NoteRefused` with ``key-name`` if the origin cannot be a key's name.
    """
    check_name(origin)
    return LogKeys(
        origin,
        tuple(HubVerifiers(hub, _pair(origin, first, second)) for hub, first, second in hubs),
    )


def sign_head(
    head: Checkpoint, signers: Sequence[HeadSigner], *, now_s: int
) -> tuple[SignatureLine, ...]:
    """A line by each signer, of the kind that its key has.

    A log's says that ``head`` is the log's; a witness's that it extends what it saw before, and
    both, where the kind states a time, that nothing larger was known at ``now_s``.
    """
    return tuple(_signed(head, one.key, one.signer, now_s) for one in signers)


def verify_head(raw: bytes, log: LogKeys) -> SignedHead:
    """The head in ``raw``, if it is of this log and one hub signed it with every key it has.

    Raises `NoteRefused`: the classes of LOG-SPEC.md sections 1 and 2, ``origin``, ``signature``
    for a line of a known key that does not verify, ``unsigned`` if no hub signed it whole.
    """
    note = parse_note(raw)
    head = parse_checkpoint(note.text)
    if head.origin != log.origin:
        raise refused("origin")
    if head.size == 0 and head.root != EMPTY_ROOT:
        raise malformed("checkpoint-root")
    signed: SignedHead | None = None
    for hub in log.hubs:
        times = [verified_time(key, note, head) for key in hub.keys]
        if signed is None and hub.keys and None not in times:
            time_s = max(filter(None, times), default=0)
            signed = SignedHead(head, hub.hub, time_s, note, _MADE_HERE)
    if signed is None:
        raise refused("unsigned")
    return signed


def verified_time(key: VerifierKey, note: Note, head: Checkpoint) -> int | None:
    """When ``key`` signed the note (0: it states no time); None if it did not.

    `NoteRefused` with ``signature`` if a line names the key and does not verify: such a note is
    malformed whatever else it carries.
    """
    times = [verify_line(key, signature, note.text, head) for signature in note.by(key)]
    return max(times) if times else None


def verify_line(key: VerifierKey, signature: bytes, text: str, head: Checkpoint) -> int:
    """The time that one signature by ``key`` states (0 if its type states none)."""
    try:
        if key.type is SignatureType.ED25519:
            primitives.verify_signature(key.public, signature, text.encode())
            return 0
        if len(signature) <= _TIME.size:
            raise refused("signature")
        time_s: int = _TIME.unpack_from(signature)[0]
        rest = signature[_TIME.size :]
        if time_s > _TIME_MAX:
            raise refused("signature")
        if key.type is SignatureType.COSIGNATURE:
            primitives.verify_signature(key.public, rest, _ed25519_message(text, time_s))
        else:
            primitives.verify_mldsa(key.public, rest, _mldsa_message(key.name, head, time_s))
    except SignatureInvalid:
        raise refused("signature") from None
    return time_s


def refused(failure: str) -> NoteRefused:
    """A well-formed note that is not signed as it must be."""
    return NoteRefused(
        f"the checkpoint is not signed as it must be ({failure})",
        f"检查点签名不符合要求（{failure}）",
        remedy=(
            "do not trust it; compare with another member's and tell the authority",
            "请勿信任；请与其他成员比对并报告主管部门",
        ),
        failure=failure,
    )


def _pair(name: str, ed25519: bytes, mldsa: bytes | None) -> tuple[VerifierKey, ...]:
    check_signing_key(ed25519)
    first = VerifierKey(name, SignatureType.ED25519, ed25519)
    return (first,) if mldsa is None else (first, VerifierKey(name, SignatureType.MLDSA, mldsa))


def _signed(head: Checkpoint, key: VerifierKey, signer: Signer, now_s: int) -> SignatureLine:
    match key.type:
        case SignatureType.ED25519:
            signature = signer.sign(head.text().encode())
        case SignatureType.COSIGNATURE:
            signature = _TIME.pack(now_s) + signer.sign(_ed25519_message(head.text(), now_s))
        case SignatureType.MLDSA:
            signature = _TIME.pack(now_s) + signer.sign(_mldsa_message(key.name, head, now_s))
        case _:
            assert_never(key.type)
    return SignatureLine(key.name, key.id, signature)


def _ed25519_message(text: str, time_s: int) -> bytes:
    return f"cosignature/v1\ntime {time_s}\n{text}".encode()


def _mldsa_message(name: str, head: Checkpoint, time_s: int) -> bytes:
    """``cosigned_message`` of the whole tree: start 0, end its size."""
    return b"".join(
        (
            _SUBTREE,
            _opaque(name),
            _TIME.pack(time_s),
            _opaque(head.origin),
            _TIME.pack(0),
            _TIME.pack(head.size),
            head.root,
        )
    )


def _opaque(text: str) -> bytes:
    raw = text.encode()
    if not 0 < len(raw) <= 255:
        raise malformed("key-name")
    return bytes([len(raw)]) + raw
