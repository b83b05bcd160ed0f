"""A small published log: keys of two hubs and a witness, entries, and the files of any size."""

import random
from dataclasses import dataclass, field

from exchange.errors import NotFound
from exchange.ledger.checkpoint import Checkpoint
from exchange.ledger.cosignature import HeadSigner, LogKeys, log_keys, sign_head
from exchange.ledger.entry import leaf_hash
from exchange.ledger.merkle import Tree
from exchange.ledger.note import Note, SignatureLine, SignatureType, VerifierKey
from exchange.ledger.tiles import CHECKPOINT, ENTRIES, HEIGHT, encode_bundle, tiles_between
from keys.custody import MemoryCustody

ORIGIN = "exchange.test/2026"
WITNESS = "health.test/witness"
NOW_S = 1_795_000_000


@dataclass
class PublishedLog:
    """Everything is made from the seed, ML-DSA signatures excepted."""

    seed: int = 0
    hubs: tuple[str, ...] = ("hub-1", "hub-2")
    entries: list[bytes] = field(default_factory=list)
    tree: Tree = field(default_factory=Tree)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.custody = MemoryCustody(self.chance.randbytes)
        for name in (*self.hubs, WITNESS):
            self.custody.generate_signing(name)
            self.custody.generate_mldsa(f"{name}/mldsa")

    @property
    def keys(self) -> LogKeys:
        """What genesis would name."""
        publics = [(hub, self._public(hub), self._public(f"{hub}/mldsa")) for hub in self.hubs]
        return log_keys(ORIGIN, publics)

    def grow(self, count: int, *, bytes_max: int = 120) -> "PublishedLog":
        """Append ``count`` more entries of random bytes."""
        for _ in range(count):
            entry = self.chance.randbytes(self.chance.randint(1, bytes_max))
            self.entries.append(entry)
            self.tree.append(leaf_hash(entry))
        return self

    def signers(self, hub: str = "hub-1") -> tuple[HeadSigner, ...]:
        """A hub's two checkpoint keys."""
        return self._signers(hub, ORIGIN, SignatureType.ED25519)

    @property
    def witness(self) -> tuple[HeadSigner, ...]:
        """The witness's two keys."""
        return self._signers(WITNESS, WITNESS, SignatureType.COSIGNATURE)

    def head(self, size: int | None = None) -> Checkpoint:
        """The head of the first ``size`` entries."""
        size = len(self.entries) if size is None else size
        return Checkpoint(ORIGIN, size, self.tree.root(size))

    def signed(
        self, size: int | None = None, *, hub: str = "hub-1", witnessed: bool = False
    ) -> Note:
        """That head signed by a hub, and by the witness."""
        head = self.head(size)
        lines = sign_head(head, self.signers(hub), now_s=NOW_S)
        return Note(head.text(), lines + (self.cosigned(head) if witnessed else ()))

    def cosigned(self, head: Checkpoint) -> tuple[SignatureLine, ...]:
        """The witness's lines on ``head``."""
        return sign_head(head, self.witness, now_s=NOW_S + 1)

    def files(self, size: int | None = None, *, since: int = 0) -> dict[str, bytes]:
        """Checkpoint and tiles by path; only what was added ``since`` that size."""
        size = len(self.entries) if size is None else size
        made = {}
        for tile in tiles_between(since, size):
            end = tile.first + tile.width
            if tile.level == ENTRIES:
                made[tile.path] = encode_bundle(self.entries[tile.first : end])
            else:
                made[tile.path] = self.tree.row(HEIGHT * tile.level, tile.first, end)
        return made | {CHECKPOINT: self.signed(size).render()}

    def _public(self, label: str) -> bytes:
        return self.custody.public(label).raw

    def _signers(self, label: str, name: str, first: SignatureType) -> tuple[HeadSigner, ...]:
        classical = VerifierKey(name, first, self._public(label))
        second = VerifierKey(name, SignatureType.MLDSA, self._public(f"{label}/mldsa"))
        return (
            HeadSigner(classical, self.custody.signer(label)),
            HeadSigner(second, self.custody.mldsa_signer(f"{label}/mldsa")),
        )


class Served:
    """Files by path, as a `LogSource`; ``asked`` is what was read."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files
        self.asked: list[str] = []

    async def read(self, path: str) -> bytes:
        """See LogSource."""
        self.asked.append(path)
        if path not in self.files:
            raise NotFound(path, path)
        return self.files[path]


def policy_text(log: PublishedLog, quorum: str = "health") -> bytes:
    """A policy of the one witness, by its ML-DSA key."""
    return f"witness health {log.witness[1].key.text()}\nquorum {quorum}\n".encode()
