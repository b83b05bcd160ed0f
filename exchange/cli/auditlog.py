"""The published log against one's own reading: is it of this ledger, fresh, and the only one."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from exchange.errors import InputUnreadable, NoteRefused, NotFound

if TYPE_CHECKING:
    from typing import BinaryIO

    from exchange.audit.published import Agreed
    from exchange.ledger.cosignature import LogKeys
    from exchange.ledger.merkle import Tree
    from exchange.ledger.policy import Policy
    from exchange.wiring.office import Office

TRIES: Final = 16
PAUSE_S: Final = 0.25
"""Four seconds: a hub seals within one, a witness may take longer."""
SEEN_FILE: Final = "checkpoint"
"""In the member's folder: the newest checkpoint that this member has verified."""


async def check_log(office: "Office", policy: "Policy | None" = None) -> "Agreed":
    """The checkpoint that the hub serves, once it reaches what this office has read.

    Raises `CheckFailed` (``checkpoint-old``, ``checkpoint-fork``, ``checkpoint-ahead``) naming an
    entry, or `NoteRefused`. What was seen last time is checked first, what is seen now is kept.
    """
    from exchange.audit.published import agree, old_checkpoint

    tree = office.view.follower.leaves.tree
    seen = office.home.member_directory(office.member) / SEEN_FILE
    if seen.is_file():
        _check_seen(seen, office.log_keys, tree)
    wanted = tree.size
    for tries_left in reversed(range(TRIES)):
        try:
            agreed = await agree(office.log, office.log_keys, tree, policy=policy)
        except (NotFound, NoteRefused) as error:
            if not tries_left or error.failure not in {"not-sealed", "no-log-file", "quorum"}:
                raise
            await office.view.catch_up()
        else:
            if agreed.head.checkpoint.size >= wanted:
                draft = seen.with_suffix(".new")
                draft.write_bytes(agreed.head.raw)
                draft.replace(seen)  # whole or not at all
                return agreed
            if not tries_left:
                raise old_checkpoint(agreed.head, wanted)
        await asyncio.sleep(PAUSE_S)
    raise AssertionError("the last try returns or raises")


def _check_seen(file: Path, keys: "LogKeys", tree: "Tree") -> None:
    """The checkpoint of last time; `InputUnreadable` names a file that is none any more."""
    from exchange.audit.published import check_checkpoint

    try:
        check_checkpoint(file.read_bytes(), keys, tree)
    except NoteRefused as error:
        raise InputUnreadable(
            f"{file}, the checkpoint that was verified last, is none of this ledger"
            f" ({error.failure})",
            f"{file} 应为上次核验过的检查点，但不是本账本的检查点（{error.failure}）",
            remedy=(
                "find out who changed it, then remove it; without it a fork since then goes"
                " unnoticed here",
                "请查明改动者后删除该文件；缺少它则此处无法察觉其后的分叉",
            ),
            failure="seen-checkpoint",
        ) from None


async def compare(office: "Office", where: str) -> None:
    """Whether what another reader was shown is of the ledger that this office has read.

    ``where`` is a checkpoint file, an archive, or a copy of a log: of these two every entry is
    compared, and a fork is traced to its first one.
    """
    from exchange.audit.published import agree
    from exchange.audit.tilecheck import check_entries, check_tiles
    from exchange.ledger.logreader import LogReader
    from exchange.wiring.logsource import open_source

    tree = office.view.follower.leaves.tree
    if Path(where).is_file():
        _compare_file(Path(where), office, tree)
        return
    source = open_source(where)
    try:
        reader = LogReader(source)
        size = (await agree(reader, office.log_keys, tree)).head.checkpoint.size
        await check_entries(reader, tree, size)
        await check_tiles(reader, tree, size)
    finally:
        await source.close()


def _compare_file(file: Path, office: "Office", tree: "Tree") -> None:
    """An archive, or else a checkpoint."""
    from exchange.audit.archive import MAGIC
    from exchange.audit.published import check_checkpoint

    with file.open("rb") as opened:
        if opened.read(len(MAGIC)) == MAGIC:
            _compare_archive(opened, office, tree)
        else:
            check_checkpoint(file.read_bytes(), office.log_keys, tree)


def _compare_archive(opened: "BinaryIO", office: "Office", tree: "Tree") -> None:
    """The entries of an archive, one by one, then its heads."""
    from exchange.audit.archive import ArchiveReader
    from exchange.audit.published import check_checkpoint
    from exchange.audit.tilecheck import check_leaves

    opened.seek(0)
    reader, at = ArchiveReader(opened), 0
    for entries in reader.blocks():
        check_leaves(entries, tree, at)
        at += len(entries)
    for note in reader.end.checkpoints if reader.end else ():
        check_checkpoint(note, office.log_keys, tree)
    if at > tree.size:
        raise NotFound(
            f"the archive has {at} entries, and the ledger read here {tree.size}",
            f"存档有 {at} 条，而此处读到的账本只有 {tree.size} 条",
            remedy=(
                "try again; if it stays so, the topic was cut: keep the archive",
                "请重试；若仍如此，说明主题被截断，请保全存档",
            ),
            failure="not-sealed",
        )
