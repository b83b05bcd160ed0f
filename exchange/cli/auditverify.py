"""``exchange audit verify``: the whole ledger, read and checked here."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from exchange.cli.auditentries import recorded
from exchange.cli.screen import Screen
from exchange.cli.session import session_of
from exchange.cli.times import shown
from exchange.cli.work import as_reader
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.audit.verify import Examined
    from exchange.wiring.office import Office

_WHOLE: Final = Text(
    "the ledger is whole: {entries} entries from the pinned genesis on, root {root}",
    "账本完整：自固定的创世条目起共 {entries} 条，根 {root}",
)
_FOUND: Final = Text(
    "every signature and every verdict was checked here; {denials} refusals, {rejudged} verdicts"
    " decided anew, {void} void acts, {junk} foreign messages skipped",
    "所有签名与裁决均在本机核验；拒绝 {denials} 项，重新裁决 {rejudged} 项，无效行为 {void} 项，"
    "跳过外来消息 {junk} 条",
)
_HUB_AGREES: Final = Text(
    "the hub states the same {size} entries and root", "枢纽给出的 {size} 条及其根与此一致"
)
_HUB_SILENT: Final = Text("no hub was asked", "未向枢纽核对")


def register(app: typer.Typer) -> None:
    """Put the command under ``app``."""
    app.command("verify")(verify)


def verify(
    context: typer.Context,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not compare with the hub's word.")
    ] = False,
) -> None:
    """Read the whole ledger from Kafka, check every signature and verdict, compare with the hub."""
    session = session_of(context)
    screen = session.screen

    async def work(office: "Office") -> "Examined":
        return await verify_ledger(office, offline=offline)

    found = as_reader(session, work)
    tell_examined(screen, found)
    screen.answer(
        {
            "verified": True,
            "entries": found.entries,
            "root": found.root,
            "time": shown(found.time_ms),
            "denials": found.denials,
            "rejudged": found.rejudged,
            "void": found.void,
            "junk": found.junk,
            "hub_size": found.hub_size,
        }
    )


async def verify_ledger(office: "Office", *, offline: bool = False) -> "Examined":
    """Read everything from the pin on, then compare with what the hub says."""
    from exchange.audit.verify import examine

    office.view.scrutinise()
    head = None if offline else await office.hub.head()
    registry, record = await recorded(office)
    hub = None if head is None else (head.size, head.root)
    return examine(office.view.follower, record, registry, hub=hub)


def tell_examined(screen: Screen, found: "Examined") -> None:
    """The findings in words."""
    screen.say(_WHOLE, entries=found.entries, root=found.root.hex())
    screen.say(
        _FOUND,
        denials=found.denials,
        rejudged=found.rejudged,
        void=found.void,
        junk=sum(found.junk.values()),
    )
    if found.hub_size < 0:
        screen.say(_HUB_SILENT)
    else:
        screen.say(_HUB_AGREES, size=found.hub_size)
