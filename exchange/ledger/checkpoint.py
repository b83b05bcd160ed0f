"""Checkpoints as c2sp.org/tlog-checkpoint says: the text of a tree head; LOG-SPEC.md section 2.

Pure text and numbers. Signing and verifying is exchange/ledger/cosignature.py's.
"""

from dataclasses import dataclass

from exchange.ledger.merkle import HASH_BYTES
from exchange.ledger.note import decimal, decode64, encode64, malformed


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The head of a tree of ``size`` leaves; ``root`` is 32 bytes.

    ``extensions`` are lines that others may add to theirs; the Exchange writes none.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The text of the note, newline included."""
        lines = (self.origin, str(self.size), encode64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def parse_checkpoint(text: str) -> Checkpoint:
    """The head in the text of a note; `NoteRefused` with a ``checkpoint`` failure class."""
    origin, size, root, *extensions = _lines(text)
    head = Checkpoint(
        origin,
        decimal(size, "checkpoint-size"),
        decode64(root, "checkpoint-root"),
        tuple(extensions),
    )
    if len(head.root) != HASH_BYTES:
        raise malformed("checkpoint-root")
    return head


def _lines(text: str) -> list[str]:
    *lines, rest = text.split("\n")
    if rest or len(lines) < 3 or not all(lines):
        raise malformed("checkpoint-lines")
    return lines
