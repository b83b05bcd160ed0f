"""Seal the ledger: write tiles, sign one head of each size, publish it; LOG-SPEC.md section 5.

The sequence, one method a step, in this order and no other; each says what a crash there means:

    draft = sealing.draft(tree, entries)      # 1. checked against the last signed head; pure
    head = sealing.sign(draft, now_s=…)       # 2.-4. files, signature, head kept
    sealing.publish(head)                     # 5. checkpoint
    sealing.sweep()                           # 6. superseded partial tiles

There is no recovery code: `begin` is what every start does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from exchange.errors import LedgerBroken, NoteRefused
from exchange.ledger.checkpoint import Checkpoint
from exchange.ledger.cosignature import (
    HeadSigner,
    HubVerifiers,
    LogKeys,
    SignedHead,
    sign_head,
    verify_head,
)
from exchange.ledger.logfiles import LogStorage
from exchange.ledger.merkle import Tree
from exchange.ledger.note import Note, SignatureLine
from exchange.ledger.tiles import (
    CHECKPOINT,
    ENTRIES,
    HEIGHT,
    WIDTH,
    encode_bundle,
    partial_tiles,
    tiles_between,
)

_OFTEN: Final = 2
"""Partial tiles of so many of the newest checkpoints stay: a reader may be half way through one."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What is to be sealed next: the head, and the files it refers to that are not there yet."""

    head: Checkpoint
    files: Mapping[str, bytes]


class Sealing:
    """One hub's log. ``signers`` are its checkpoint keys; nothing else may sign with them."""

    def __init__(
        self, storage: LogStorage, *, origin: str, hub: str, signers: Sequence[HeadSigner]
    ) -> None:
        self._storage = storage
        self._signers = tuple(signers)
        own = HubVerifiers(hub, tuple(signer.key for signer in signers))
        self._keys = LogKeys(origin, (own,))
        self.signed: SignedHead | None = None
        """The last head this hub signed, without the lines of witnesses."""
        self._published: list[int] = []

    @property
    def size(self) -> int:
        """How many entries are under the last signed head."""
        return 0 if self.signed is None else self.signed.checkpoint.size

    @property
    def published_size(self) -> int:
        """How many entries are under the checkpoint that is served."""
        return self._published[-1] if self._published else 0

    @property
    def unpublished(self) -> bool:
        """Whether the last signed head is not the checkpoint that is served."""
        return self.signed is not None and self.size not in self._published

    @property
    def next_first(self) -> int:
        """The first entry that `draft` needs: where the bundle begins that has room left."""
        return self.size // WIDTH * WIDTH

    def begin(self, tree: Tree) -> None:
        """Take up where the last process stopped, whatever it was doing.

        Raises `LedgerBroken` (``head-unreadable``, ``head-ahead``, ``head-inconsistent``): then
        this hub must sign nothing. OSError if the disk cannot be written.
        """
        self.signed = self._last_signed(tree)
        if self.signed is None:
            return
        published = self._storage.read(CHECKPOINT)
        if published is None or not published.startswith(self.signed.note.text.encode()):
            self.publish(self.signed)  # it died between steps 4 and 5
        self._published = [self.size]
        self.sweep()

    def draft(self, tree: Tree, entries: Sequence[bytes]) -> Draft:
        """Step 1: what to write and sign for the entries from `next_first` on.

        ``entries`` may be fewer than the tree has; at least one must be new. Raises `LedgerBroken`
        if the tree is not the one whose head was signed last. *A crash: nothing happened.*
        """
        if self.signed is not None:
            _check(tree, self.signed.checkpoint)
        first, size = self.next_first, self.next_first + len(entries)
        files = {}
        for tile in tiles_between(self.size, size):
            end = tile.first + tile.width
            if tile.level == ENTRIES:
                files[tile.path] = encode_bundle(entries[tile.first - first : end - first])
            else:
                files[tile.path] = tree.row(HEIGHT * tile.level, tile.first, end)
        return Draft(Checkpoint(self._keys.origin, size, tree.root(size)), files)

    def sign(self, draft: Draft, *, now_s: int) -> SignedHead:
        """Steps 2 to 4: files, signature, head. Raises OSError; then none of it counts.

        *A crash before the head is kept: files that nothing refers to, and that will be written
        again with the same bytes; a signature that nobody saw. After: `begin` publishes the head.*
        """
        if draft.head.size <= self.size:
            raise ValueError("a head of this size is signed already")
        self._storage.write(draft.files)
        lines = sign_head(draft.head, self._signers, now_s=now_s)
        raw = Note(draft.head.text(), lines).render()
        signed = verify_head(raw, self._keys)  # no broken signer ever publishes
        if self._storage.head() != (None if self.signed is None else self.signed.raw):
            raise _broken(
                "head-changed",
                "another process signs heads with this hub's keys",
                "另一进程正在使用本枢纽的检查点密钥",
            )
        self._storage.keep_head(raw)
        self.signed = signed
        return signed

    def publish(self, head: SignedHead, witnesses: Sequence[SignatureLine] = ()) -> None:
        """Step 5: make ``head`` the checkpoint that is served, with the lines of witnesses.

        Does nothing for a head that is not the last signed one any more. *A crash before: `begin`
        does it. After: what step 6 would remove stays for a while.*
        """
        if self.signed is None or head.checkpoint != self.signed.checkpoint:
            return
        note = Note(self.signed.note.text, (*self.signed.note.lines, *witnesses))
        self._storage.write({CHECKPOINT: note.render()})
        if self.size not in self._published:
            self._published = [*self._published, self.size][-_OFTEN:]

    def sweep(self) -> None:
        """Step 6: remove partial tiles that newer checkpoints superseded.

        *A crash: the next one removes them.*
        """
        keep = {tile for size in {*self._published, self.size} for tile in partial_tiles(size)}
        self._storage.keep_partials(keep)

    def _last_signed(self, tree: Tree) -> SignedHead | None:
        """The newer of the head that was kept and the checkpoint that is served, both checked."""
        kept = self._own(self._storage.head(), strict=True)
        served = self._own(self._storage.read(CHECKPOINT), strict=False)
        for head in filter(None, (kept, served)):
            _check(tree, head.checkpoint)
        if served is None or (kept is not None and kept.checkpoint.size >= served.checkpoint.size):
            return kept
        self._storage.keep_head(served.raw)  # a home that was restored in part
        return served

    def _own(self, raw: bytes | None, *, strict: bool) -> SignedHead | None:
        """A stored head with the lines of this hub only; None if there is none, or none of ours."""
        if raw is None:
            return None
        try:
            head = verify_head(raw, self._keys)
        except NoteRefused as error:
            if not strict:
                return None
            raise _broken(
                "head-unreadable",
                f"the last signed head on disk is not one of this hub ({error.failure})",
                f"磁盘上最后签署的检查点并非本枢纽所签（{error.failure}）",
            ) from None
        ours = {(key.name, key.id) for key in self._keys.vkeys}
        lines = tuple(line for line in head.note.lines if (line.name, line.id) in ours)
        return verify_head(Note(head.note.text, lines).render(), self._keys)


def _check(tree: Tree, signed: Checkpoint) -> None:
    """The tree that was folded extends the head that was signed."""
    if tree.size < signed.size:
        raise _broken(
            "head-ahead",
            f"this hub signed a head of {signed.size} entries; the topic has {tree.size}",
            f"本枢纽曾签署 {signed.size} 条的检查点，而主题上只有 {tree.size} 条",
        )
    if tree.root(signed.size) != signed.root:
        raise _broken(
            "head-inconsistent",
            f"the first {signed.size} entries are not those whose head this hub signed",
            f"前 {signed.size} 条条目与本枢纽签署过的检查点不符",
        )


def _broken(failure: str, en: str, zh: str) -> LedgerBroken:
    return LedgerBroken(
        en,
        zh,
        remedy=(
            "stop all hubs, keep the topic, this head and every checkpoint that readers have, and"
            " compare them",
            "请停止所有枢纽，保全主题、该检查点及读者手中的检查点并逐一比对",
        ),
        failure=failure,
    )
