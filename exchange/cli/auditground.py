"""What a replay is held against: the pin, a witness policy, the heads that hubs signed."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from exchange.cli.auditprove import policy_in
from exchange.cli.session import Session
from exchange.errors import CheckFailed, LedgerBroken, NoteRefused, NotFound, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchange.audit.archive import Header
    from exchange.audit.replay import Replay
    from exchange.ledger.cosignature import SignedHead
    from exchange.ledger.genesis import Root
    from exchange.ledger.policy import Policy, Witnessed
    from exchange.wiring.office import Office


QUORUM_TRIES: Final = 16
QUORUM_PAUSE_S: Final = 0.25
"""Four seconds: a hub seals within one, a witness may take longer."""


async def newest_head(
    office: "Office", policy: "Policy | None", *, covering: int = 0
) -> "tuple[SignedHead, Witnessed | None]":
    """The newest checkpoint that the hub serves, once the quorum of ``policy`` has cosigned it.

    It has at least ``covering`` entries. Raises `NoteRefused`, with ``quorum`` if the witnesses
    have not signed within four seconds, `CheckFailed` with ``checkpoint-old`` if the hub has not.
    """
    from exchange.audit.published import old_checkpoint
    from exchange.ledger.cosignature import verify_head
    from exchange.ledger.policy import check_quorum

    for tries_left in reversed(range(QUORUM_TRIES)):
        head = verify_head(await office.log.checkpoint(), office.log_keys)
        try:
            witnessed = None if policy is None else check_quorum(head, policy)
        except NoteRefused as error:
            if not tries_left or error.failure != "quorum":
                raise
        else:
            if head.checkpoint.size >= covering:
                return head, witnessed
            if not tries_left:
                raise old_checkpoint(head, covering)
        await asyncio.sleep(QUORUM_PAUSE_S)
    raise AssertionError("the last try returns or raises")


def begun(replay: "Replay") -> "Root":
    """The root of trust of what was replayed; `LedgerBroken` if there was no entry at all."""
    if replay.root is None:
        raise _empty()
    return replay.root


def signed_heads(notes: "Sequence[bytes]", replay: "Replay") -> "list[SignedHead]":
    """The heads in ``notes``: each signed by a hub of this ledger, and a head of its tree.

    Raises `NoteRefused`, `CheckFailed`; `LedgerBroken` if there was no entry at all.
    """
    from exchange.audit.published import check_checkpoint
    from exchange.wiring.hublog import keys_of_log

    root = begun(replay)
    keys = keys_of_log(root)
    return [check_checkpoint(note, keys, replay.leaves.tree) for note in notes]


def policy_known(session: Session, pin: bytes, file: Path | None) -> "Policy | None":
    """The policy in ``file``; else that of this home, if the ledger of ``pin`` is its own."""
    from exchange.wiring.home import open_home

    if file is not None:
        return policy_in(file)
    try:
        home = open_home(session.home)
    except NotFound:
        return None
    return home.policy() if home.pin == pin else None


def pin_known(session: Session, pin: str, claimed: bytes | None) -> bytes:
    """The pin that the caller or this home names; what an archive says of itself is no pin."""
    from exchange.ledger.genesis import parse_pin
    from exchange.wiring.home import open_home

    if pin:
        return parse_pin(pin)
    try:
        return open_home(session.home).pin
    except NotFound:
        raise UsageError(
            "which ledger this should be is not known: there is no home here and no --pin",
            "无法确定应为哪本账本：此处没有主目录，也未给出 --pin",
            remedy=_ask_for_pin(claimed),
            failure="no-pin",
        ) from None


def _ask_for_pin(claimed: bytes | None) -> tuple[str, str]:
    if claimed is None:
        return (
            "ask the authority for the pin, and say --pin",
            "请向主管部门核实创世哈希，并用 --pin 给出",
        )
    return (
        f"ask the authority for the pin; if it is {claimed.hex()}, say --pin with it",
        f"请向主管部门核实创世哈希；若为 {claimed.hex()}，请用 --pin 给出",
    )


def check_claims(header: "Header", replay: "Replay") -> None:
    """`CheckFailed` if an archive calls itself the ledger of another origin or another pin."""
    root = replay.root
    if root is not None and (header.origin, header.pin) != (root.origin, root.pin):
        raise CheckFailed(
            f"the archive's header says {header.origin} ({header.pin.hex()[:16]}), and its entries"
            f" are of {root.origin} ({root.pin.hex()[:16]})",
            f"存档文件头称其为 {header.origin}（{header.pin.hex()[:16]}），而条目属于"
            f" {root.origin}（{root.pin.hex()[:16]}）",
            remedy=(
                "get another copy: somebody changed this one",
                "请另取副本：该文件已被改动",
            ),
            failure="archive-header",
        )


def check_head(replay: "Replay", size: int, root: str) -> None:
    """`CheckFailed` unless the hub's head lies on the ledger that was replayed."""
    tree = replay.leaves.tree
    if size > tree.size:
        raise CheckFailed(
            f"the hub states {size} entries, {tree.size} were read",
            f"枢纽声称有 {size} 条，实际读到 {tree.size} 条",
            remedy=_COMPARE,
            failure="hub-ahead",
        )
    if tree.root(size).hex() != root:
        raise differs(size)


def differs(size: int) -> CheckFailed:
    """The hub states another root than that of what was read."""
    return CheckFailed(
        f"the hub's root of {size} entries is not that of the entries that were read",
        f"枢纽给出的前 {size} 条的根与读到的条目不符",
        remedy=_COMPARE,
        failure="root",
    )


def _empty() -> LedgerBroken:
    return LedgerBroken(
        "there is no entry in it, not even the pinned genesis",
        "其中没有任何条目，连固定的创世条目也没有",
        remedy=("get another copy of the ledger", "请另取账本副本"),
        failure="no-genesis",
    )


def no_checkpoint() -> NoteRefused:
    """An archive without a head, where a policy wants a cosigned one."""
    return NoteRefused(
        "the archive holds no signed checkpoint, and the policy demands a cosigned one",
        "存档中没有已签署的检查点，而策略要求经见证人共签",
        remedy=(
            "export the ledger again where the hub publishes a log: exchange audit export FILE",
            "请在枢纽已公开日志处重新导出：exchange audit export 文件",
        ),
        failure="quorum",
    )


_COMPARE: Final = (
    "keep every copy of the topic and compare them with another member's; stop the hub",
    "请保全主题的所有副本并与其他成员比对，同时停止枢纽",
)
