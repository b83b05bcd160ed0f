"""Where the next page of a search begins; SPEC.md section 3. Opaque to whoever carries it.

A cursor names the question and the ledger it belongs to, so that pages of different questions or of
different ledgers are never put together. It is no secret and no proof.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from exchange.errors import UsageError
from exchange.ledger.merkle import HASH_BYTES
from keys import cbor
from keys.errors import KeysError

VERSION: Final = 1
CURSOR_BYTES_MAX: Final = 256


@dataclass(frozen=True, slots=True)
class Cursor:
    """After entry ``after`` of a ledger of ``size`` entries with this root."""

    question: bytes
    size: int
    root: bytes
    after: int

    def text(self) -> str:
        """As it is handed out: base64url without padding."""
        said = {0: VERSION, 1: self.question, 2: self.size, 3: self.root, 4: self.after}
        return base64.urlsafe_b64encode(cbor.encode(said)).decode().rstrip("=")


def query_hash(named: Mapping[str, str | int]) -> bytes:
    """What a cursor remembers of its question, 16 bytes."""
    return hashlib.sha256(b"exchange/v1/cursor" + cbor.encode(dict(named))).digest()[:16]


def read_cursor(text: str, named: Mapping[str, str | int]) -> Cursor:
    """The cursor in ``text``, if it belongs to the question ``named``; else `UsageError`."""
    cursor = _parsed(text)
    if cursor is None:
        raise _refused("this is no cursor", "这不是游标")
    if cursor.question != query_hash(named):
        raise _refused("this cursor belongs to another question", "该游标属于另一查询")
    return cursor


def _parsed(text: str) -> Cursor | None:
    if len(text) > 2 * CURSOR_BYTES_MAX:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        said = cbor.decode(raw, bytes_max=CURSOR_BYTES_MAX)
    except (binascii.Error, ValueError, KeysError):
        return None
    match said:
        case {0: 1, 1: bytes(question), 2: int(size), 3: bytes(root), 4: int(after), **rest} if (
            not rest and len(root) == HASH_BYTES and 0 <= after < size < 1 << 53
        ):
            return Cursor(question, size, root, after)
    return None


def _refused(en: str, zh: str) -> UsageError:
    return UsageError(
        en,
        zh,
        remedy=("ask again from the first page", "请从第一页重新查询"),
        failure="cursor",
    )
