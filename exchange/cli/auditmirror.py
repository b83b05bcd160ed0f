"""``exchange audit mirror``: a copy of the published log, for tools that others wrote."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from exchange.cli.session import session_of
from exchange.cli.work import as_reader
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.audit.mirror import Mirrored
    from exchange.wiring.office import Office

_COPIED: Final = Text(
    "{folder} holds the log of {size} entries, root {root}; {fetched} files fetched",
    "{folder} 已有 {size} 条的日志，根 {root}；新取文件 {fetched} 个",
)
_VERIFIER: Final = Text(
    "any verifier of c2sp.org/tlog-tiles reads it, with this key: {vkey}",
    "任何 c2sp.org/tlog-tiles 验证程序均可读取，公钥：{vkey}",
)


def register(app: typer.Typer) -> None:
    """Put the command under ``app``."""
    app.command("mirror")(mirror)


def mirror(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A folder; what it holds already is kept.")],
) -> None:
    """Copy the published log from the hub into a folder, checking every entry and tile."""
    from exchange.audit.mirror import mirror as copy_log
    from exchange.ledger.logfiles import LogFiles
    from exchange.wiring.logsource import HubLog

    session = session_of(context)
    screen = session.screen

    async def work(office: "Office") -> "tuple[Mirrored, list[str]]":
        copy = LogFiles(folder, folder / ".head")
        done = await copy_log(HubLog(office.hub), office.log_keys, copy)
        return done, [key.text() for key in office.log_keys.vkeys]

    done, vkeys = as_reader(session, work)
    head = done.head.checkpoint
    screen.say(_COPIED, folder=folder, size=head.size, root=head.root.hex(), fetched=done.fetched)
    screen.say(_VERIFIER, vkey=vkeys[0])
    screen.answer(
        {
            "folder": str(folder),
            "size": head.size,
            "root": head.root.hex(),
            "fetched": done.fetched,
            "vkeys": vkeys,
        }
    )
