"""``exchange request new`` and ``complete``: what a consumer asks for, and what it left out."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from exchange.cli.cataloguepropose import listed
from exchange.cli.session import Session, session_of
from exchange.cli.times import DAY_MS, moment_ms
from exchange.cli.work import at_work, find_id, short
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.flow.ports import Admitted
    from exchange.registry.rows import Request
    from exchange.registry.state import Registry
    from exchange.wiring.applications import Wanted
    from exchange.wiring.office import Office

KIND: Final = Text("application", "申请")
ALL: Final = "all"
_GRANTED: Final = Text(
    "granted at once (entry {index}): grant {grant}", "当即授权（账本条目 {index}）：授权 {grant}"
)
_OPEN: Final = Text(
    "application {act} is on the ledger (entry {index}); the provider answers",
    "申请 {act} 已登记（账本条目 {index}），待提供方答复",
)
_RETURNED: Final = Text(
    "application {act} is returned once (entry {index}, REQ-01), for all of this is missing:",
    "申请 {act} 一次性退回补正（账本条目 {index}，REQ-01），须补齐以下全部内容：",
)
_PART: Final = Text("  - {en}", "  - {zh}")
_HOW: Final = Text(
    "complete it: exchange request complete {act} …",
    "请补全：exchange request complete {act} …",
)

Fields = Annotated[
    str, typer.Option("--fields", help="Fields, comma-separated; all names every one.")
]
Levels = Annotated[
    str, typer.Option("--levels", help="Sections by level instead of fields, for instance 1,2.")
]
Regions = Annotated[
    str, typer.Option("--regions", help="GB/T 2260 codes, comma-separated; all is the country.")
]
Scenario = Annotated[str, typer.Option("--scenario", help="In which procedure.")]
Manner = Annotated[
    str, typer.Option("--manner", help="How the data is to come: table, api or file.")
]
Necessary = Annotated[
    str,
    typer.Option(
        "--necessary", help="Personal fields the duty cannot do without, comma-separated (PI-01)."
    ),
]
Assessment = Annotated[
    str, typer.Option("--assessment", help="Reference of the impact assessment (PI-02).")
]
Until = Annotated[
    str, typer.Option("--to", help="Last moment of the data; default: the end of the grant.")
]
Expires = Annotated[str, typer.Option("--expires", help="End of the grant, for instance +366d.")]
RequestId = Annotated[str, typer.Argument(help="Id of an application, may be cut.")]


def register(app: typer.Typer) -> None:
    """Put the commands under ``app``."""
    app.command("new")(new)
    app.command("complete")(complete)


def new(  # noqa: PLR0913, PLR0917 - one argument an option
    context: typer.Context,
    dataset: Annotated[str, typer.Argument(help="Id of a dataset.")],
    purpose: Annotated[
        str,
        typer.Option("--purpose", help="A purpose of the register: see exchange request purposes."),
    ],
    duty: Annotated[
        str, typer.Option("--duty", help="The statutory duty, as a citation (DUTY-01).")
    ] = "",
    scenario: Scenario = "",
    manner: Manner = "",
    fields: Fields = "",
    levels: Levels = "",
    regions: Regions = "",
    since: Annotated[str, typer.Option("--from", help="First moment of the data.")] = "now",
    until: Until = "",
    expires: Expires = "",
    necessary: Necessary = "",
    assessment: Assessment = "",
) -> None:
    """Apply for data; unconditional data is granted at once, an incomplete application returned."""
    from exchange.wiring import applications

    session = session_of(context)
    matter = applications.Matter(purpose, duty, scenario, manner, listed(necessary), assessment)

    async def work(office: "Office") -> "tuple[Admitted, Registry]":
        names = await chosen(office, dataset, fields, levels)
        wanted = _wanted(names, regions, since, until, expires)
        admitted = await applications.apply(office, dataset, wanted, matter)
        return admitted, office.view.registry

    admitted, registry = at_work(session, work)
    _tell(session, admitted, registry.requests[admitted.act], registry)


def complete(  # noqa: PLR0913, PLR0917 - one argument an option
    context: typer.Context,
    request: RequestId,
    scenario: Scenario = "",
    manner: Manner = "",
    fields: Fields = "",
    levels: Levels = "",
    regions: Regions = "",
    since: Annotated[str, typer.Option("--from", help="First moment of the data.")] = "",
    until: Until = "",
    expires: Expires = "",
    necessary: Necessary = "",
    assessment: Assessment = "",
) -> None:
    """Complete a returned application: state all that was missing, once."""
    from exchange.wiring import applications

    session = session_of(context)
    matter = applications.Matter("", "", scenario, manner, listed(necessary), assessment)

    async def work(office: "Office") -> "tuple[Admitted, Request, Registry]":
        registry = await office.registry()
        row = registry.requests[find_id(KIND, registry.requests, request)]
        names = await chosen(office, row.dataset, fields, levels)
        wanted = _wanted(names, regions, since, until, expires)
        admitted = await applications.complete(office, row, wanted, matter)
        registry = office.view.registry
        return admitted, registry.requests[row.id], registry

    _tell(session, *at_work(session, work))


async def chosen(office: "Office", dataset: str, fields: str, levels: str) -> tuple[str, ...]:
    """The fields that were named one by one, by level, or as all; none if nobody named any."""
    from exchange.errors import UsageError
    from exchange.wiring.applications import fields_of_levels, shape_of

    if not levels and fields != ALL:
        return listed(fields)
    numbers = listed(levels)
    if (fields and levels) or not all(number.isdigit() for number in numbers):
        raise UsageError(
            "--levels takes numbers, and stands instead of --fields",
            "--levels 只接受数字，且不与 --fields 同用",
            remedy=("write --levels 1,2", "请写成 --levels 1,2"),
            failure="levels",
        )
    shape = shape_of(await office.registry(), dataset)
    return fields_of_levels(shape, [int(number) for number in numbers]) if levels else shape.fields


def regions_of(text: str) -> tuple[str, ...]:
    """Region codes as they were listed; ``all`` is the whole country."""
    return tuple("" if part == ALL else part for part in listed(text))


def _wanted(
    fields: tuple[str, ...], regions: str, since: str, until: str, expires: str
) -> "Wanted":
    """What is asked for; moments that nobody stated are 0."""
    from exchange.wiring.applications import Wanted
    from exchange.wiring.clock import now_ms

    now = now_ms()
    expires_ms = moment_ms(expires, now_ms=now) if expires else 0
    # "now" reaches back a day: bundles sealed just before the application are part of it.
    from_ms = now - DAY_MS if since == "now" else moment_ms(since, now_ms=now) if since else 0
    to_ms = moment_ms(until, now_ms=now) if until else expires_ms
    return Wanted(fields, regions_of(regions), from_ms, to_ms, expires_ms)


def _tell(session: Session, admitted: "Admitted", row: "Request", registry: "Registry") -> None:
    """Granted, waiting, or returned with the full list of what is missing."""
    from exchange.wiring.applications import PARTS, grant_of

    screen = session.screen
    grant = grant_of(registry, row.id)
    if row.status == "returned":
        screen.say(_RETURNED, act=short(row.id), index=admitted.index)
        for part in row.missing:
            screen.say(_PART, en=PARTS[part].en, zh=PARTS[part].zh)
        screen.say(_HOW, act=short(row.id))
    elif grant is None:
        screen.say(_OPEN, act=short(row.id), index=admitted.index)
    else:
        screen.say(_GRANTED, index=admitted.index, grant=short(grant))
    screen.answer(
        {
            "request": row.id,
            "entry": admitted.index,
            "grant": grant,
            "rules": admitted.rules,
            "status": row.status,
            "missing": list(row.missing),
        }
    )
