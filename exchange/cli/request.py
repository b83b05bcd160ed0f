"""``exchange request``: apply for data, answer an application."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.cli.screen import Grid
from exchange.cli.session import session_of
from exchange.cli.times import DAY_MS, moment_ms, shown
from exchange.cli.work import at_work, find_id, short
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.flow.ports import Admitted
    from exchange.registry.rows import Request
    from exchange.wiring.office import Office

app = typer.Typer(no_args_is_help=True, help="Applications for data and the answers to them.")

KIND: Final = Text("application", "申请")
STATUS: Final = {
    "open": Text("open", "待答复"),
    "approved": Text("approved", "已同意"),
    "refused": Text("refused", "已拒绝"),
    "withdrawn": Text("withdrawn", "已撤回"),
}
_TITLE: Final = Text("Applications", "申请")
_COLUMNS: Final = (
    Text("application", "申请编号"),
    Text("consumer", "申请方"),
    Text("dataset", "数据集"),
    Text("status", "状态"),
    Text("purpose", "用途"),
    Text("duty", "法定职责"),
    Text("regions", "区划"),
    Text("fields", "字段"),
)
_GRANTED: Final = Text(
    "granted at once (entry {index}): grant {grant}", "当即授权（账本条目 {index}）：授权 {grant}"
)
_OPEN: Final = Text(
    "application {act} is on the ledger (entry {index}); the provider answers",
    "申请 {act} 已登记（账本条目 {index}），待提供方答复",
)
_APPROVED: Final = Text("grant {grant} (entry {index})", "授权 {grant}（账本条目 {index}）")
_ANSWERED: Final = Text("answered (entry {index})", "已答复（账本条目 {index}）")
_TAKEN_BACK: Final = Text("withdrawn (entry {index})", "已撤回（账本条目 {index}）")

Fields = Annotated[str, typer.Option("--fields", help="Fields, comma-separated; default: all.")]
Levels = Annotated[
    str, typer.Option("--levels", help="Sections by level instead of fields, for instance 1,2.")
]
Regions = Annotated[
    str, typer.Option("--regions", help="GB/T 2260 codes, comma-separated; default: everywhere.")
]
RequestId = Annotated[str, typer.Argument(help="Id of an application, may be cut.")]


@app.command("new")
def new(  # noqa: PLR0913, PLR0917 - one argument an option
    context: typer.Context,
    dataset: Annotated[str, typer.Argument(help="Id of a dataset.")],
    purpose: Annotated[str, typer.Option("--purpose", help="What the data is for.")],
    duty: Annotated[
        str, typer.Option("--duty", help="The statutory duty, as a citation (DUTY-01).")
    ] = "",
    scenario: Annotated[str, typer.Option("--scenario", help="In which procedure.")] = "",
    fields: Fields = "",
    levels: Levels = "",
    regions: Regions = "",
    since: Annotated[str, typer.Option("--from", help="First moment of the data.")] = "now",
    until: Annotated[str, typer.Option("--to", help="Last moment of the data.")] = "+366d",
    expires: Annotated[str, typer.Option("--expires", help="End of the grant.")] = "+366d",
) -> None:
    """Apply for data; an unconditional dataset is granted at once."""
    from exchange.wiring import applications
    from exchange.wiring.clock import now_ms

    session = session_of(context)
    now = now_ms()
    # "now" reaches back a day: bundles sealed just before the application are part of it.
    from_ms = now - DAY_MS if since == "now" else moment_ms(since, now_ms=now)

    async def work(office: "Office") -> "tuple[Admitted, bytes | None]":
        names = await _fields(office, dataset, fields, levels)
        wanted = applications.Wanted(
            fields=names,
            regions=_listed(regions),
            from_ms=from_ms,
            to_ms=moment_ms(until, now_ms=now),
            expires_ms=moment_ms(expires, now_ms=now),
        )
        admitted = await applications.apply(
            office, dataset, wanted, purpose=purpose, duty=duty, scenario=scenario
        )
        return admitted, applications.grant_of(office.view.registry, admitted.act)

    admitted, grant = at_work(session, work)
    if grant is None:
        session.screen.say(_OPEN, act=short(admitted.act), index=admitted.index)
    else:
        session.screen.say(_GRANTED, index=admitted.index, grant=short(grant))
    session.screen.answer(
        {"request": admitted.act, "entry": admitted.index, "grant": grant, "rules": admitted.rules}
    )


@app.command("answer")
def answer(
    context: typer.Context,
    request: RequestId,
    approve: Annotated[
        bool, typer.Option("--approve/--refuse", help="Grant it, or refuse it with a basis.")
    ],
    fields: Fields = "",
    levels: Levels = "",
    regions: Regions = "",
    expires: Annotated[str, typer.Option("--expires", help="An earlier end of the grant.")] = "",
    condition: Annotated[
        list[str] | None, typer.Option("--condition", help="A condition; may be repeated.")
    ] = None,
    price: Annotated[
        str, typer.Option("--price", help="A charge. Anything but nothing is refused (FEE-01).")
    ] = "",
    basis: Annotated[str, typer.Option("--basis", help="Legal basis of a refusal.")] = "",
) -> None:
    """Answer an application: approve at most what was asked, or refuse with a basis."""
    from exchange.wiring import applications
    from exchange.wiring.clock import now_ms

    session = session_of(context)

    async def work(office: "Office") -> "tuple[Admitted, bytes | None]":
        registry = await office.registry()
        row = registry.requests[find_id(KIND, registry.requests, request)]
        if not approve:
            return await applications.refuse(office, row, basis=basis), None
        wanted = applications.Wanted(
            fields=await _fields(office, row.dataset, fields, levels),
            regions=_listed(regions),
            from_ms=0,
            to_ms=0,
            expires_ms=moment_ms(expires, now_ms=now_ms()) if expires else 0,
        )
        admitted = await applications.approve(
            office, row, wanted, price=price, conditions=condition or ()
        )
        return admitted, applications.grant_of(office.view.registry, row.id)

    admitted, grant = at_work(session, work)
    said = _ANSWERED if grant is None else _APPROVED
    session.screen.say(said, grant=short(grant), index=admitted.index)
    session.screen.answer({"entry": admitted.index, "grant": grant, "rules": admitted.rules})


@app.command("withdraw")
def withdraw(context: typer.Context, request: RequestId) -> None:
    """Take an open application back."""
    from exchange.wiring import applications

    session = session_of(context)

    async def work(office: "Office") -> "Admitted":
        registry = await office.registry()
        row = registry.requests[find_id(KIND, registry.requests, request)]
        return await applications.withdraw(office, row)

    admitted = at_work(session, work)
    session.screen.say(_TAKEN_BACK, index=admitted.index)
    session.screen.answer({"entry": admitted.index})


@app.command("list")
def list_requests(context: typer.Context) -> None:
    """List the applications on the ledger."""
    from exchange.cli.work import as_reader

    session = session_of(context)
    screen = session.screen
    registry = as_reader(session, lambda office: office.registry())
    rows = [
        [
            short(row.id),
            row.consumer,
            row.dataset,
            screen.word(STATUS[row.status]),
            row.purpose,
            row.duty,
            row.regions,
            row.fields,
        ]
        for row in registry.requests.values()
    ]
    screen.grid(Grid(_TITLE, _COLUMNS, rows))
    screen.answer({"requests": [request_data(row) for row in registry.requests.values()]})


@app.command("show")
def show(context: typer.Context, request: RequestId) -> None:
    """Show one application."""
    from exchange.cli.work import as_reader

    session = session_of(context)
    registry = as_reader(session, lambda office: office.registry())
    data = request_data(registry.requests[find_id(KIND, registry.requests, request)])
    for name, value in data.items():
        session.screen.say(Text("{name}: {value}", "{name}：{value}"), name=name, value=value)
    session.screen.answer(data)


def request_data(row: "Request") -> dict[str, Any]:
    """One application for programs."""
    return {
        "request": row.id.hex(),
        "consumer": row.consumer,
        "dataset": row.dataset,
        "status": row.status,
        "purpose": row.purpose,
        "duty": row.duty,
        "scenario": row.scenario,
        "fields": list(row.fields),
        "regions": list(row.regions),
        "from": shown(row.from_ms),
        "to": shown(row.to_ms),
        "expires": shown(row.expires_ms),
        "basis": row.basis,
        "entry": row.opened,
    }


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


async def _fields(office: "Office", dataset: str, fields: str, levels: str) -> tuple[str, ...]:
    """The fields that were named one by one or by level."""
    from exchange.cli.catalogue import find_dataset
    from exchange.errors import UsageError
    from exchange.wiring.applications import fields_of_levels

    if not levels:
        return _listed(fields)
    numbers = _listed(levels)
    if fields or not all(number.isdigit() for number in numbers):
        raise UsageError(
            "--levels takes numbers, and stands instead of --fields",
            "--levels 只接受数字，且不与 --fields 同用",
            remedy=("write --levels 1,2", "请写成 --levels 1,2"),
            failure="levels",
        )
    registry = await office.registry()
    shape = registry.shapes[find_dataset(registry, dataset).contract_hash]
    return fields_of_levels(shape, [int(number) for number in numbers])
