"""The published log against what an auditor has read itself: proofs, heads, forks.

A head is believed as far as its signatures reach; whether it is a head of *this* ledger is settled
by the auditor's own tree, folded from the topic, from a copy or from an archive. Every refusal
names the entry from which on the two differ.
"""

from dataclasses import dataclass

from exchange.errors import CheckFailed, NoteRefused, NotFound
from exchange.ledger.cosignature import LogKeys, SignedHead, verify_head
from exchange.ledger.logreader import LogReader
from exchange.ledger.merkle import Tree
from exchange.ledger.policy import Policy, Witnessed, check_quorum
from exchange.ledger.proof import Proof, Proven, verify_proof


@dataclass(frozen=True, slots=True)
class Agreed:
    """A head that the hub serves and that the auditor's own tree has as well."""

    head: SignedHead
    witnessed: Witnessed | None


async def prove(
    reader: LogReader, log: LogKeys, index: int, *, policy: Policy | None = None
) -> tuple[Proof, Proven]:
    """The proof that entry ``index`` stands under the newest checkpoint, verified before it leaves.

    Reads a checkpoint, a bundle and three or four tiles, however long the log is. `NotFound` with
    ``not-sealed`` if the checkpoint does not reach so far; `NoteRefused`, `CheckFailed`.
    """
    head = verify_head(await reader.checkpoint(), log)
    size = head.checkpoint.size
    if index >= size:
        raise _not_sealed(index, size)
    entry = await reader.entry(index, size)
    path = await reader.inclusion(index, size)
    proof = Proof(index, path, head.raw, entry)
    return proof, verify_proof(proof, log, policy=policy)


async def agree(
    reader: LogReader, log: LogKeys, tree: Tree, *, policy: Policy | None = None
) -> Agreed:
    """The newest checkpoint that ``reader`` serves, if it is a head of ``tree``.

    Raises `NotFound` with ``not-sealed`` while the log reaches further than the tree or the other
    way round (a moment later it may not); `CheckFailed` with ``checkpoint-fork``, naming the first
    entry that differs; `NoteRefused` if it is not signed, or not witnessed, as it must be.
    """
    head = verify_head(await reader.checkpoint(), log)
    size = head.checkpoint.size
    if size > tree.size:
        if (index := await first_difference(reader, tree, size)) is not None:
            raise _forked(head, index)
        raise _not_sealed(size - 1, tree.size)
    if tree.root(size) != head.checkpoint.root:
        raise _forked(head, await first_difference(reader, tree, size))
    return Agreed(head, check_quorum(head, policy) if policy is not None else None)


async def first_difference(reader: LogReader, tree: Tree, size: int) -> int | None:
    """The first entry that ``reader``, a log of ``size``, has other than ``tree``; by its tiles.

    None if the tiles agree as far as the shorter goes, or are not to be had: then only the roots
    are known to differ.
    """
    same, differs = 0, min(size, tree.size)
    try:
        if await reader.prefix_root(differs, size) == tree.root(differs):
            return None
        while differs - same > 1:
            middle = (same + differs) // 2
            if await reader.prefix_root(middle, size) == tree.root(middle):
                same = middle
            else:
                differs = middle
    except (NotFound, NoteRefused):
        return None
    return differs - 1


def check_checkpoint(raw: bytes, log: LogKeys, tree: Tree) -> SignedHead:
    """A checkpoint that somebody kept, if the ledger of ``tree`` still has it among its heads.

    It may be one's own of last week, or another reader's of now. Raises `CheckFailed`:
    ``checkpoint-ahead`` if the tree is shorter, ``checkpoint-fork`` if it has another root there.
    """
    head = verify_head(raw, log)
    size = head.checkpoint.size
    if size > tree.size:
        raise CheckFailed(
            f"hub {head.hub} signed a head of {size} entries, and the ledger read here ends before"
            f" entry {tree.size}",
            f"枢纽 {head.hub} 签署过 {size} 条的检查点，而此处读到的账本止于第 {tree.size} 条之前",
            remedy=_KEEP,
            failure="checkpoint-ahead",
        )
    if tree.root(size) != head.checkpoint.root:
        raise _forked(head, None)
    return head


def old_checkpoint(head: SignedHead, size: int) -> CheckFailed:
    """A hub that goes on serving a head that the ledger has long outgrown."""
    served = head.checkpoint.size
    return CheckFailed(
        f"the checkpoint that hub {head.hub} serves is old: it ends before entry {served}, and the"
        f" ledger has {size} entries",
        f"枢纽 {head.hub} 提供的检查点过旧：止于第 {served} 条之前，而账本已有 {size} 条",
        remedy=(
            "ask the hub's operator why it does not seal; ask another hub or a witness meanwhile",
            "请向枢纽运维人员了解未封存的原因，并暂向其他枢纽或见证人核对",
        ),
        failure="checkpoint-old",
    )


def _forked(head: SignedHead, index: int | None) -> CheckFailed:
    size = head.checkpoint.size
    where = f"from entry {index} on" if index is not None else f"somewhere before entry {size}"
    wo = f"自第 {index} 条起" if index is not None else f"在第 {size} 条之前"
    return CheckFailed(
        f"two histories: hub {head.hub} signed a head of {size} entries that differ {where} from"
        " the ledger read here",
        f"出现两种历史：枢纽 {head.hub} 签署的 {size} 条检查点{wo}与此处读到的账本不同",
        remedy=_KEEP,
        failure="checkpoint-fork",
    )


_KEEP = (
    "keep this checkpoint: its signature proves the fork. Compare with your own ledger, which names"
    " the first entry that differs (exchange audit verify --against COPY); tell the authority",
    "请保全该检查点，其签名即为分叉的证据；请与自己的账本比对以找出首个不同的条目"
    "（exchange audit verify --against 副本），并报告主管部门",
)


def _not_sealed(index: int, size: int) -> NotFound:
    return NotFound(
        f"the newest checkpoint has {size} entries; entry {index} is not under it yet",
        f"最新检查点包含 {size} 条，第 {index} 条尚未纳入",
        remedy=(
            "try again in a second; the last entry is one less than the size",
            "请一秒后重试；最后一条的编号为条目数减一",
        ),
        failure="not-sealed",
    )
