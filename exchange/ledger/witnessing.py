"""What a witness decides, and what a log asks of one: c2sp.org/tlog-witness; LOG-SPEC.md section 6.

Pure: `decide` takes a request, the logs that the witness knows and what it cosigned last, and says
what to answer; keeping the new state before signing is the caller's part (exchange/witness). The
log's side is `request_body` and `read_answer`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from exchange.errors import CheckFailed, NoteRefused
from exchange.ledger.checkpoint import Checkpoint, parse_checkpoint
from exchange.ledger.cosignature import LogKeys, SignedHead, verified_time
from exchange.ledger.merkle import EMPTY_ROOT, check_consistency
from exchange.ledger.note import (
    Note,
    SignatureLine,
    VerifierKey,
    decimal,
    encode64,
    hashes64,
    malformed,
    parse_lines,
    parse_note,
    plain_text,
)

REQUEST_BYTES_MAX: Final = 256 << 10
ANSWER_BYTES_MAX: Final = 64 << 10
PROOF_LINES_MAX: Final = 63
SIZE_TYPE: Final = "text/x.tlog.size"
OK: Final = 200
_OLD: Final = re.compile(r"old (.*)")


@dataclass(frozen=True, slots=True)
class Cosigned:
    """What a witness keeps of a log: the head it cosigned last."""

    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Submission:
    """A request taken apart: an old size, a consistency proof, a checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    note: Note
    head: Checkpoint


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body. At 200 there is no body yet: the head is to be kept, then cosigned."""

    status: int
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"


def parse_submission(raw: bytes) -> Submission:
    """A request, or `NoteRefused`: 400."""
    if len(raw) > REQUEST_BYTES_MAX:
        raise malformed("submission")
    top, blank, note = plain_text(raw).partition("\n\n")
    first, *lines = top.split("\n")
    old = _OLD.fullmatch(first)
    if not blank or old is None or len(lines) > PROOF_LINES_MAX:
        raise malformed("submission")
    parsed = parse_note(note.encode())
    return Submission(
        decimal(old[1], "submission"),
        hashes64(lines, "submission"),
        parsed,
        parse_checkpoint(parsed.text),
    )


def check_known(asked: Submission, logs: Mapping[str, LogKeys]) -> Answer | None:
    """Whether the checkpoint is by a log that the witness knows; the refusal, or None.

    404: no such log. 403: no key of it signed, or the line of a key of it does not verify.
    """
    log = logs.get(asked.head.origin)
    if log is None:
        return Answer(404, "no log of this origin is known here\n")
    try:
        times = [verified_time(key, asked.note, asked.head) for key in log.vkeys]
    except NoteRefused:
        return Answer(403, "a signature of this log does not verify\n")
    if all(time is None for time in times):
        return Answer(403, "no key of this log signed the checkpoint\n")
    return None


def decide(asked: Submission, last: Cosigned | None) -> Answer:
    """What follows from what the witness cosigned ``last``; 200 means: keep this head, then sign.

    400: the old size is above the checkpoint's. 409: not the size cosigned last. 422: not proven
    to be consistent.
    """
    known = last or Cosigned(0, b"")
    head = asked.head
    if asked.old > head.size:
        return Answer(400, "the old size is above that of the checkpoint\n")
    if asked.old != known.size:
        return Answer(409, f"{known.size}\n", SIZE_TYPE)
    if head.size == 0 and head.root != EMPTY_ROOT:
        return _inconsistent()
    if known.size == 0:
        return Answer(OK) if not asked.proof else _inconsistent()
    try:
        check_consistency(known.size, known.root, head.size, head.root, asked.proof)
    except CheckFailed:
        return _inconsistent()
    return Answer(OK)


def request_body(old: int, proof: Sequence[bytes], head: SignedHead) -> bytes:
    """What a log sends to `add-checkpoint`."""
    lines = [f"old {old}\n", *(f"{encode64(one)}\n" for one in proof), "\n"]
    return "".join(lines).encode() + head.raw


def read_answer(
    raw: bytes, head: SignedHead, keys: Sequence[VerifierKey]
) -> tuple[SignatureLine, ...]:
    """The lines of an answer that are by ``keys`` and verify; `NoteRefused` if one does not.

    Lines of unknown keys are ignored.
    """
    if len(raw) > ANSWER_BYTES_MAX:
        raise malformed("cosignatures")
    lines = parse_lines(plain_text(raw))
    note = Note(head.note.text, lines)
    by_known = {(key.name, key.id) for key in keys if verified_time(key, note, head.checkpoint)}
    return tuple(line for line in lines if (line.name, line.id) in by_known)


def read_size(raw: bytes) -> int:
    """The size in the body of a 409; `NoteRefused` if there is none."""
    if len(raw) > 32 or not raw.endswith(b"\n"):
        raise malformed("size")
    return decimal(plain_text(raw)[:-1], "size")


def _inconsistent() -> Answer:
    return Answer(422, "the checkpoint is not proven consistent with the last one\n")
