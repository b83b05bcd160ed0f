"""The Merkle tree over the leaves, and its proofs; RFC 6962 section 2.1 and RFC 9162 section 2.1.

`Tree` keeps the hash of every complete subtree (64 bytes a leaf in all), so that appending costs
two hashes on average and any root or proof of any prefix a few dozen. The checking functions need
no tree; they return a value only they can make, or raise `CheckFailed`.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import InitVar, dataclass
from typing import Final

from exchange.errors import CheckFailed

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
_MADE_HERE: Final = object()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    r"""An append-only tree of leaf hashes.

    >>> tree = Tree()
    >>> tree.append(hashlib.sha256(b"\x00").digest())
    >>> tree.root().hex()[:8]
    '6e340b9c'
    """

    def __init__(self) -> None:
        self._levels: list[bytearray] = [bytearray()]

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self._levels[0]) // HASH_BYTES

    def append(self, leaf: bytes) -> None:
        """Add a leaf by its hash."""
        level, node = 0, leaf
        while True:
            hashes = self._levels[level]
            hashes += node
            if len(hashes) % (2 * HASH_BYTES):
                return
            node = node_hash(bytes(hashes[-2 * HASH_BYTES : -HASH_BYTES]), node)
            level += 1
            if level == len(self._levels):
                self._levels.append(bytearray())

    def leaf(self, index: int) -> bytes:
        """The leaf hash at ``index``; IndexError beyond the end."""
        if not 0 <= index < self.size:
            raise IndexError(index)
        return self._complete(0, index)

    def root(self, size: int | None = None) -> bytes:
        """The root of the first ``size`` leaves (of all of them by default)."""
        end = self._checked(self.size if size is None else size)
        return range_hash(0, end, self._complete) if end else EMPTY_ROOT

    def inclusion(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """The path from leaf ``index`` to the root of ``size``; nearest sibling first."""
        end = self._checked(self.size if size is None else size)
        return tuple(range_hash(*one, self._complete) for one in inclusion_ranges(index, end))

    def consistency(self, old: int, new: int | None = None) -> tuple[bytes, ...]:
        """The proof that the tree of ``new`` leaves extends the one of ``old``, 0 < old ≤ new."""
        end = self._checked(self.size if new is None else new)
        return tuple(range_hash(*one, self._complete) for one in consistency_ranges(old, end))

    def row(self, level: int, start: int, end: int) -> bytes:
        """The hashes of complete subtrees ``start`` to ``end`` of 2^level leaves, put together."""
        return bytes(self._levels[level][start * HASH_BYTES : end * HASH_BYTES])

    def _checked(self, size: int) -> int:
        if not 0 <= size <= self.size:
            raise IndexError(size)
        return size

    def _complete(self, level: int, index: int) -> bytes:
        at = index * HASH_BYTES
        return bytes(self._levels[level][at : at + HASH_BYTES])


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """The ranges of leaves whose hashes lead from leaf ``index`` to the root; nearest first."""
    if not 0 <= index < size:
        raise IndexError(index)
    ranges: list[tuple[int, int]] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old: int, new: int) -> list[tuple[int, int]]:
    """The ranges of leaves whose hashes prove that ``new`` leaves extend ``old``, 0 < old ≤ new."""
    if not 0 < old <= new:
        raise IndexError(old)
    ranges: list[tuple[int, int]] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start, whole = middle, False
    if not whole:
        ranges.append((start, end))
    return ranges[::-1]


def complete_subtrees(start: int, end: int) -> list[tuple[int, int]]:
    """The complete subtrees (level, index) that leaves ``start`` to ``end`` are made of, in order.

    ``start`` is a multiple of the power of two at or above the count.
    """
    count = end - start
    if count & (count - 1) == 0:
        return [(count.bit_length() - 1, start // count)]
    middle = start + _split(count)
    return complete_subtrees(start, middle) + complete_subtrees(middle, end)


def range_hash(start: int, end: int, complete: Callable[[int, int], bytes]) -> bytes:
    """MTH of leaves ``start`` to ``end``; ``complete(level, index)`` gives a complete subtree's."""
    hashes = [complete(level, index) for level, index in complete_subtrees(start, end)]
    node = hashes.pop()
    while hashes:
        node = node_hash(hashes.pop(), node)
    return node


def _split(count: int) -> int:
    """The largest power of two below ``count``."""
    return 1 << (count - 1).bit_length() - 1


@dataclass(frozen=True, slots=True)
class Included:
    """A leaf at ``index`` of the tree with this root; only `check_inclusion` makes one."""

    leaf: bytes
    index: int
    size: int
    root: bytes
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _MADE_HERE:
            raise TypeError("only check_inclusion makes an Included")


@dataclass(frozen=True, slots=True)
class Extended:
    """A tree that extends another; only `check_consistency` makes it."""

    old_size: int
    old_root: bytes
    new_size: int
    new_root: bytes
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        if made_by is not _MADE_HERE:
            raise TypeError("only check_consistency makes an Extended")


def check_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> Included:
    """RFC 9162 section 2.1.3.2. Raises `CheckFailed` with failure ``inclusion``."""
    if not 0 <= index < size:
        raise _failed("inclusion", f" of entry {index}", f"第 {index} 条的")
    at, last, node = index, size - 1, leaf
    for step in proof:
        if last == 0 or len(step) != HASH_BYTES:
            raise _failed("inclusion", f" of entry {index}", f"第 {index} 条的")
        if at & 1 or at == last:
            node = node_hash(step, node)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            node = node_hash(node, step)
        at, last = at >> 1, last >> 1
    if last or node != root:
        raise _failed("inclusion", f" of entry {index}", f"第 {index} 条的")
    return Included(leaf, index, size, root, _MADE_HERE)


def check_consistency(
    old_size: int, old_root: bytes, new_size: int, new_root: bytes, proof: Sequence[bytes]
) -> Extended:
    """RFC 9162 section 2.1.4.2. Raises `CheckFailed` with failure ``consistency``."""
    if not 0 < old_size <= new_size:
        raise _failed("consistency")
    if old_size == new_size:
        if proof or old_root != new_root:
            raise _failed("consistency")
    elif _replayed(old_size, old_root, new_size, proof) != (old_root, new_root):
        raise _failed("consistency")
    return Extended(old_size, old_root, new_size, new_root, _MADE_HERE)


def _replayed(
    old_size: int, old_root: bytes, new_size: int, proof: Sequence[bytes]
) -> tuple[bytes, bytes]:
    """The two roots that ``proof`` leads to."""
    steps = list(proof)
    if old_size & (old_size - 1) == 0:
        steps.insert(0, old_root)
    if not steps or any(len(step) != HASH_BYTES for step in steps):
        raise _failed("consistency")
    at, last = old_size - 1, new_size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise _failed("consistency")
        if at & 1 or at == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, step)
        at, last = at >> 1, last >> 1
    if last:
        raise _failed("consistency")
    return old, new


def _failed(failure: str, of: str = "", zh: str = "") -> CheckFailed:
    return CheckFailed(
        f"the {failure} proof{of} does not lead to the root",
        f"{zh}证明无法得出所称的根哈希",
        remedy=(
            "do not trust this log before its operator has explained it",
            "在运营方作出说明之前请勿信任该日志",
        ),
        failure=failure,
    )
