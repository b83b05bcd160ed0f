"""``exchange demand``: ask for data that nobody has registered, and answer such a demand."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.cli.screen import Grid
from exchange.cli.session import session_of
from exchange.cli.work import as_reader, at_work, find_id, short
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.flow.ports import Admitted
    from exchange.registry.dutyrows import Demand
    from exchange.wiring.office import Office

app = typer.Typer(
    no_args_is_help=True, help="Demands for data that nobody has registered, and their answers."
)

KIND: Final = Text("demand", "需求")
OUTCOMES: Final = {
    "": Text("open", "待答复"),
    "registers": Text("will be registered", "承诺登记"),
    "refers": Text("stands in the catalogue", "目录已有"),
    "lacks": Text("not held", "未掌握"),
    "refuses": Text("refused", "已拒绝"),
}
_TITLE: Final = Text("Demands", "需求清单")
_COLUMNS: Final = (
    Text("demand", "需求编号"),
    Text("asked by", "需求方"),
    Text("asked of", "被询方"),
    Text("what", "数据"),
    Text("region", "区划"),
    Text("duty", "法定职责"),
    Text("status", "状态"),
    Text("dataset", "数据集"),
)
_FILED: Final = Text(
    "demand {act} is on the ledger (entry {index}); {provider} must answer it",
    "需求 {act} 已登记（账本条目 {index}），{provider} 应当答复",
)
_ANSWERED: Final = Text("answered (entry {index})", "已答复（账本条目 {index}）")

DemandId = Annotated[str, typer.Argument(help="Id of a demand, may be cut.")]


@app.command("new")
def new(
    context: typer.Context,
    provider: Annotated[str, typer.Argument(help="The member that should have the data.")],
    title: Annotated[str, typer.Option("--title", help="What data; no personal data.")],
    duty: Annotated[
        str, typer.Option("--duty", help="The statutory duty, as a citation (DUTY-01).")
    ] = "",
    items: Annotated[
        str, typer.Option("--items", help="Data items that are needed, comma-separated.")
    ] = "",
    region: Annotated[str, typer.Option("--region", help="GB/T 2260 code of the place.")] = "",
    purpose: Annotated[
        str,
        typer.Option("--purpose", help="A purpose of the register: see exchange request purposes."),
    ] = "",
) -> None:
    """Demand data that nobody has registered; the member asked must answer."""
    from exchange.model.dutyacts import NewDemand
    from exchange.wiring.applications import purpose_of
    from exchange.wiring.matters import file

    session = session_of(context)

    async def work(office: "Office") -> "Admitted":
        registry = await office.registry()
        return await file(
            office,
            NewDemand,
            provider=provider,
            title=title,
            items=tuple(part.strip() for part in items.split(",") if part.strip()),
            region=region,
            purpose=purpose_of(registry, purpose),
            duty=duty,
        )

    admitted = at_work(session, work)
    session.screen.say(_FILED, act=short(admitted.act), index=admitted.index, provider=provider)
    session.screen.answer({"demand": admitted.act, "entry": admitted.index})


@app.command("answer")
def answer(
    context: typer.Context,
    demand: DemandId,
    outcome: Annotated[str, typer.Option("--outcome", help="registers, refers, lacks or refuses.")],
    dataset: Annotated[
        str, typer.Option("--dataset", help="The dataset to be registered, or that stands.")
    ] = "",
    by: Annotated[str, typer.Option("--by", help="Until when it is registered.")] = "",
    basis: Annotated[str, typer.Option("--basis", help="Basis of a negative answer.")] = "",
) -> None:
    """Answer a demand: register the data, refer to it, or say why not."""
    from exchange.cli.dutytable import by_ms
    from exchange.model.dutyacts import AnswerDemand
    from exchange.wiring.matters import file

    session = session_of(context)

    async def work(office: "Office") -> "Admitted":
        registry = await office.registry()
        return await file(
            office,
            AnswerDemand,
            demand=find_id(KIND, registry.demands, demand),
            outcome=outcome,
            dataset=dataset or None,
            by_ms=by_ms(by),
            basis=basis,
        )

    admitted = at_work(session, work)
    session.screen.say(_ANSWERED, index=admitted.index)
    session.screen.answer({"entry": admitted.index})


@app.command("list")
def list_demands(context: typer.Context) -> None:
    """List the demands on the ledger."""
    session = session_of(context)
    screen = session.screen
    registry = as_reader(session, lambda office: office.registry())
    rows = [
        [
            short(row.id),
            row.consumer,
            row.provider,
            row.title,
            row.region,
            row.duty,
            screen.word(OUTCOMES[row.outcome or ""]),
            row.dataset,
        ]
        for row in registry.demands.values()
    ]
    screen.grid(Grid(_TITLE, _COLUMNS, rows))
    screen.answer({"demands": [demand_data(row) for row in registry.demands.values()]})


@app.command("show")
def show(context: typer.Context, demand: DemandId) -> None:
    """Show one demand."""
    session = session_of(context)
    registry = as_reader(session, lambda office: office.registry())
    data = demand_data(registry.demands[find_id(KIND, registry.demands, demand)])
    for name, value in data.items():
        session.screen.pair(name, value)
    session.screen.answer(data)


def demand_data(row: "Demand") -> dict[str, Any]:
    """One demand for programs."""
    return {
        "demand": row.id.hex(),
        "consumer": row.consumer,
        "provider": row.provider,
        "title": row.title,
        "items": list(row.items),
        "region": row.region,
        "purpose": row.purpose,
        "duty": row.duty,
        "outcome": row.outcome,
        "dataset": row.dataset or None,
        "basis": row.basis,
        "entry": row.filed,
    }
