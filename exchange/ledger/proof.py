"""Offline proofs that an entry is on the ledger: c2sp.org/tlog-proof texts; LOG-SPEC.md section 7.

One text holds the entry, its index, the path to a root, and the signed checkpoint of that root.
`verify_proof` needs that text, the log's keys and, if witnesses are to be asked for, a policy; no
network.
"""

from dataclasses import InitVar, dataclass
from typing import Final

from exchange.errors import CheckFailed
from exchange.ledger.cosignature import LogKeys, SignedHead, verify_head
from exchange.ledger.entry import leaf_hash
from exchange.ledger.merkle import check_inclusion
from exchange.ledger.note import decimal, decode64, encode64, hashes64, malformed, plain_text
from exchange.ledger.policy import Policy, Witnessed, check_quorum

VERSION_LINE: Final = "c2sp.org/tlog-proof@v1"
PROOF_BYTES_MAX: Final = 256 << 10
"""An entry in base64, 63 hashes and a checkpoint with sixteen signatures."""
SUFFIX: Final = ".tlog-proof"
_PATH_MAX: Final = 63
_MADE_HERE: Final = object()


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof taken apart; a claim. ``extra`` holds the entry, b"" if the text leaves it out."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes = b""

    def text(self) -> str:
        """The text, to be kept in a file with the suffix `SUFFIX`."""
        lines = [VERSION_LINE]
        if self.extra:
            lines.append(f"extra {encode64(self.extra)}")
        lines += [f"index {self.index}", *map(encode64, self.path)]
        return "\n".join(lines) + "\n\n" + self.checkpoint.decode()


@dataclass(frozen=True, slots=True)
class Proven:
    """An entry that stands at ``index`` of the log under ``head``; only `verify_proof` makes one.

    ``witnessed`` is None if no policy was given.
    """

    entry: bytes
    index: int
    head: SignedHead
    witnessed: Witnessed | None
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _MADE_HERE:
            raise TypeError("only verify_proof makes a Proven")


def parse_proof(raw: bytes) -> Proof:
    """The proof in ``raw``; `NoteRefused` with a ``proof`` failure class."""
    if len(raw) > PROOF_BYTES_MAX:
        raise malformed("proof-too-large")
    head, blank, checkpoint = plain_text(raw).partition("\n\n")
    version, *lines = head.split("\n")
    if version != VERSION_LINE or not blank or not lines:
        raise malformed("proof-shape")
    extra = b""
    if lines[0].startswith("extra "):
        extra = decode64(lines.pop(0).removeprefix("extra "), "proof-extra")
    if not lines or not lines[0].startswith("index ") or len(lines) > 1 + _PATH_MAX:
        raise malformed("proof-shape")
    index = decimal(lines[0].removeprefix("index "), "proof-index")
    return Proof(index, hashes64(lines[1:], "proof-path"), checkpoint.encode(), extra)


def verify_proof(
    proof: Proof, log: LogKeys, *, entry: bytes | None = None, policy: Policy | None = None
) -> Proven:
    """The entry, if it stands where the proof says; ``entry`` wins over what the text carries.

    In the order of tlog-proof: leaf hash, log signature, cosignatures, inclusion. Raises
    `NoteRefused` (`verify_head`, `check_quorum`) or `CheckFailed` with ``no-entry``, ``inclusion``.
    """
    claimed = entry if entry is not None else proof.extra
    if not claimed:
        raise CheckFailed(
            "the proof does not carry the entry",
            "证明中未附条目",
            remedy=("name the entry's file with --entry", "请用 --entry 指定条目文件"),
            failure="no-entry",
        )
    leaf = leaf_hash(claimed)
    head = verify_head(proof.checkpoint, log)
    witnessed = check_quorum(head, policy) if policy is not None else None
    root, size = head.checkpoint.root, head.checkpoint.size
    check_inclusion(leaf, proof.index, size, proof.path, root)
    return Proven(claimed, proof.index, head, witnessed, _MADE_HERE)
