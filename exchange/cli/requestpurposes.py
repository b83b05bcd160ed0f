"""Purposes, collections from citizens, and what the authority hears of: under ``request``."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.cli.cataloguepropose import listed
from exchange.cli.screen import Grid, Screen
from exchange.cli.session import session_of
from exchange.cli.work import as_authority, as_reader, at_work
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.flow.ports import Admitted
    from exchange.registry.liferows import Purpose
    from exchange.registry.state import Registry
    from exchange.wiring.office import Office

REPORTED: Final = ("CON-02", "ONCE-01")
"""Rules whose refusals the authority is to hear of."""
_TITLE: Final = Text("Purposes", "用途")
_COLUMNS: Final = (
    Text("purpose", "用途代码"),
    Text("title", "名称"),
    Text("title (Chinese)", "英文名称"),
    Text("statutory duty", "法定职责"),
)
_REGISTERED: Final = Text(
    "{purpose} is a purpose from entry {index} on", "用途 {purpose} 自账本条目 {index} 起可用"
)
_DECLARED: Final = Text(
    "declared (entry {index}): no department shares any of these items",
    "已申报（账本条目 {index}）：所列信息项均不能通过共享取得",
)


def register(app: typer.Typer) -> None:
    """Put the commands under ``app``."""
    app.command("purposes")(purposes)
    app.command("define-purpose")(define)
    app.command("collect")(collect)
    app.command("reports")(reports)


def purposes(context: typer.Context) -> None:
    """List the purposes that an application may name."""
    session = session_of(context)
    screen = session.screen
    registry = as_reader(session, lambda office: office.registry())
    chinese = screen.language == "zh"
    rows = [
        [
            row.id,
            row.title_zh if chinese else row.title_en,
            row.title_en if chinese else row.title_zh,
            row.duty,
        ]
        for row in registry.purposes.values()
    ]
    screen.grid(Grid(_TITLE, _COLUMNS, rows))
    screen.answer({"purposes": [_data(row) for row in registry.purposes.values()]})


def define(
    context: typer.Context,
    purpose: Annotated[str, typer.Argument(help="Code of a new purpose, for ever.")],
    title_zh: Annotated[str, typer.Option("--title-zh", help="Its name in Chinese.")],
    title_en: Annotated[str, typer.Option("--title-en", help="Its name in English.")],
    duty: Annotated[str, typer.Option("--duty", help="The statutory duty it serves, cited.")],
) -> None:
    """Register a local purpose, as the authority."""
    from exchange.wiring import applications

    session = session_of(context)

    async def work(office: "Office") -> "Admitted":
        return await applications.define_purpose(
            office, purpose, title_zh=title_zh, title_en=title_en, duty=duty
        )

    admitted = as_authority(session, work)
    session.screen.say(_REGISTERED, purpose=purpose, index=admitted.index)
    session.screen.answer({"purpose": purpose, "entry": admitted.index})


def collect(
    context: typer.Context,
    matter: Annotated[str, typer.Argument(help="Code of the matter (事项编码).")],
    items: Annotated[str, typer.Option("--items", help="Item codes, comma-separated.")],
) -> None:
    """Declare which items citizens are asked for; what is shared is refused (ONCE-01)."""
    from exchange.wiring import applications

    session = session_of(context)
    admitted = at_work(session, lambda office: applications.collect(office, matter, listed(items)))
    session.screen.say(_DECLARED, index=admitted.index)
    session.screen.answer({"matter": matter, "entry": admitted.index})


def reports(context: typer.Context) -> None:
    """List what the authority hears of: added conditions (CON-02), needless asking (ONCE-01)."""
    from exchange.cli.auditentries import recorded, row_data, tell_entries

    session = session_of(context)
    _, record = as_reader(session, recorded)
    rows = [row for row in record.refusals() if not set(REPORTED).isdisjoint(row.all_rules)]
    tell_entries(session.screen, rows)
    session.screen.answer({"entries": [row_data(row) for row in rows]})


def purpose_shown(registry: "Registry", code: str, screen: Screen) -> str:
    """A purpose as people read it: its title, and its code."""
    row = registry.purposes.get(code)
    if row is None:
        return code
    title = screen.word(Text(row.title_en, row.title_zh))
    return screen.word(Text(f"{title} ({code})", f"{title}（{code}）"))


def _data(row: "Purpose") -> dict[str, Any]:
    return {
        "purpose": row.id,
        "title": {"en": row.title_en, "zh": row.title_zh},
        "duty": row.duty,
        "entry": row.registered,
    }
