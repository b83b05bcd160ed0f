"""The published log against one's own reading: is it of this ledger, fresh, and the only one."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from exchange.errors import NoteRefused, NotFound

if TYPE_CHECKING:
    from exchange.audit.published import Agreed
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
    from exchange.audit.published import agree, check_checkpoint, old_checkpoint

    tree = office.view.follower.leaves.tree
    seen = office.home.member_directory(office.member) / SEEN_FILE
    if seen.is_file():
        check_checkpoint(seen.read_bytes(), office.log_keys, tree)
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
                seen.write_bytes(agreed.head.raw)
                return agreed
            if not tries_left:
                raise old_checkpoint(agreed.head, wanted)
        await asyncio.sleep(PAUSE_S)
    raise AssertionError("the last try returns or raises")


async def compare(office: "Office", where: str) -> None:
    """Whether what another reader was shown is of the ledger that this office has read.

    ``where`` is a checkpoint file, or a copy of a log: then a fork is traced to its first entry.
    """
    from exchange.audit.published import agree, check_checkpoint
    from exchange.ledger.logreader import LogReader
    from exchange.wiring.logsource import open_source

    tree = office.view.follower.leaves.tree
    if Path(where).is_file():
        check_checkpoint(Path(where).read_bytes(), office.log_keys, tree)
        return
    source = open_source(where)
    try:
        await agree(LogReader(source), office.log_keys, tree)
    finally:
        await source.close()
