"""Which messages are leaves, and in which positions; exchange/ledger/SPEC.md sections 3 and 4.

`Leaves.take` is handed every message of the topic in order and gives back what it became. Pure: the
follower (follower.py) does the reading, the fold (verdict.Fold) keeps the state.
"""

from array import array
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from exchange.bus.ports import Message
from exchange.errors import EntryRefused, LedgerBroken
from exchange.ledger.act import Act
from exchange.ledger.entry import Entry, ParsedEntry, leaf_hash, parse_entry, verify_entry
from exchange.ledger.genesis import check_genesis, read_genesis
from exchange.ledger.merkle import Tree
from exchange.ledger.verdict import Fold, Folded
from exchange.limits import LEAF_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Junk:
    """A message that is no leaf: where it stands and the failure class of what it is instead."""

    offset: int
    failure: str


Checked = tuple[Entry, Act | None]
"""A verified entry and the verified act in it; no act where that was not checked or does not hold.
A kid is the hash of its key, so an entry verified under a kid that may sign here is verified."""


class Leaves:
    """The leaves of one topic so far: their tree, their offsets, and the junk between them."""

    def __init__(self, pin: bytes, fold: Fold) -> None:
        self.tree = Tree()
        self.junk: Counter[str] = Counter()
        self.position = 0
        """The next offset to be read."""
        self._pin = pin
        self._fold = fold
        self._offsets = array("q")
        self._known: dict[bytes, tuple[Entry, Act]] = {}

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self._offsets)

    def offset_of(self, index: int) -> int:
        """Where leaf ``index`` stands on the topic."""
        return self._offsets[index]

    def index_at(self, offset: int) -> int | None:
        """The leaf at ``offset``; None if what stands there is junk, or not yet read."""
        index = bisect_left(self._offsets, offset)
        return index if index < self.size and self._offsets[index] == offset else None

    def know(self, entry: Entry, act: Act) -> None:
        """Take note of an entry of this process's own, verified already: reading it is cheap."""
        self._known[entry.leaf_hash] = (entry, act)

    def forget(self, entry: Entry) -> None:
        """Undo `know`."""
        self._known.pop(entry.leaf_hash, None)

    def take(self, message: Message, checked: Checked | None = None) -> Folded | Junk | None:
        """What the next message became; None for one that was taken before.

        ``checked`` are its entry and act, if their signatures were checked ahead of their turn.
        Raises `LedgerBroken` if it contradicts the pin or what was read at its offset before.
        """
        if message.offset < self.position:
            self.check_again(message)
            return None
        try:
            folded = self._take_leaf(message.value, checked)
        except EntryRefused as error:
            self.position = message.offset + 1
            self.junk[error.failure] += 1
            return Junk(message.offset, error.failure)
        self.tree.append(folded.entry.leaf_hash)
        self._offsets.append(message.offset)
        self.position = message.offset + 1
        return folded

    def check_again(self, message: Message) -> None:
        """Raise `LedgerBroken` if a leaf that was read at this offset is not there any more."""
        index = self.index_at(message.offset)
        if index is None:
            return
        if message.value is None or leaf_hash(message.value) != self.tree.leaf(index):
            raise rewritten(index)

    def _take_leaf(self, value: bytes | None, checked: Checked | None) -> Folded:
        if value is None:
            raise _junk("null")
        if len(value) > LEAF_BYTES_MAX:
            raise _junk("too-large")
        if self.size == 0:
            return self._take_genesis(value)
        known = self._known.pop(leaf_hash(value), None) if self._known else checked
        if known is not None and known[0].raw == value and self._may_sign(known[0]):
            return self._fold.fold(*known)
        return self._fold.fold(self._verified(parse_entry(value)))

    def _verified(self, parsed: ParsedEntry) -> Entry:
        said = parsed.statement
        if said.origin != self._fold.origin:
            raise _junk("origin")
        public = self._fold.hub_public(said.hub, parsed.kid)
        if public is None:
            raise _junk("unknown-hub")
        return verify_entry(parsed, public)

    def _may_sign(self, entry: Entry) -> bool:
        said = entry.statement
        known = self._fold.hub_public(said.hub, entry.kid) is not None
        return known and said.origin == self._fold.origin

    def _take_genesis(self, value: bytes) -> Folded:
        if leaf_hash(value) == self._pin:
            return self._fold.begin(check_genesis(value, self._pin))
        try:
            other = read_genesis(value)
        except LedgerBroken:
            raise _junk("before-genesis") from None
        raise LedgerBroken(
            f"this ledger begins with the genesis of {other.origin}"
            f" ({other.pin.hex()[:16]}), not with the pinned one ({self._pin.hex()[:16]})",
            f"该账本以 {other.origin} 的创世条目（{other.pin.hex()[:16]}）开头，"
            f"与固定的（{self._pin.hex()[:16]}）不符",
            remedy=(
                "check the pin, and where the ledger is read from: Kafka's address, the file",
                "请核对创世哈希与账本来源（Kafka 地址或文件）",
            ),
            failure="wrong-genesis",
        )


def rewritten(index: int) -> LedgerBroken:
    """Leaf ``index`` is not what it was."""
    return LedgerBroken(
        f"leaf {index} of the ledger has been rewritten",
        f"账本第 {index} 片叶子已被改写",
        remedy=_KEEP,
        failure="rewritten",
    )


def truncated(had: int, has: int, what: Literal["leaves", "offsets"]) -> LedgerBroken:
    """The topic or the ledger is shorter than it was."""
    chinese = {"leaves": "叶子", "offsets": "位移"}[what]
    return LedgerBroken(
        f"the ledger has been cut: {has} {what} where there were {had}",
        f"账本被截断：{chinese}原有 {had}，现仅 {has}",
        remedy=_KEEP,
        failure="truncated",
    )


_KEEP = (
    "stop all hubs, keep every copy of the topic, and compare them with another member's",
    "请停止所有枢纽，保全主题的所有副本，并与其他成员的副本比对",
)


def _junk(failure: str) -> EntryRefused:
    return EntryRefused(
        f"a message on the ledger topic is no entry ({failure})",
        f"账本主题上的消息不是条目（{failure}）",
        failure=failure,
    )
