"""``exchange objection``: dispute records, correct or explain them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.cli.screen import Grid
from exchange.cli.session import session_of
from exchange.cli.times import shown
from exchange.cli.work import as_reader, at_work, find_id, short
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.flow.ports import Admitted
    from exchange.registry.dutyrows import Objection
    from exchange.registry.rows import Grant
    from exchange.wiring.office import Office

app = typer.Typer(no_args_is_help=True, help="Objections to records, and what came of them.")

KIND: Final = Text("objection", "异议")
OUTCOMES: Final = {
    "": Text("pending", "待处理"),
    "corrected": Text("corrected", "已更正"),
    "explained": Text("explained", "已说明"),
    "withdrawn": Text("withdrawn", "已撤回"),
}
REASONS: Final = {
    "wrong": Text("wrong", "内容错误"),
    "outdated": Text("outdated", "信息过期"),
    "incomplete": Text("incomplete", "信息不全"),
    "duplicate": Text("duplicate", "重复"),
    "not-the-person": Text("another person's", "非本人"),
    "other": Text("other", "其他"),
}
_TITLE: Final = Text("Objections", "异议")
_COLUMNS: Final = (
    Text("objection", "异议编号"),
    Text("by", "异议方"),
    Text("dataset", "数据集"),
    Text("provider", "提供方"),
    Text("records (versions)", "记录（版本）"),
    Text("fields", "字段"),
    Text("reason", "理由"),
    Text("status", "状态"),
    Text("service", "办事"),
)
_FILED: Final = Text(
    "objection {act} is on the ledger (entry {index}): {count} records of {dataset} are marked for"
    " their readers until it is settled",
    "异议 {act} 已登记（账本条目 {index}）：{dataset} 的 {count} 条记录在办结前对使用方标注",
)
_PROCEEDS: Final = Text(
    "a valid proof is held: service goes on meanwhile (COR-02 {badge})",
    "当事人持有有效证明：校核期间正常办事（COR-02 {badge}）",
)
_GOES_ON: Final = Text("goes on", "正常办理")
_SETTLED: Final = Text("{outcome} (entry {index})", "{outcome}（账本条目 {index}）")

ObjectionId = Annotated[str, typer.Argument(help="Id of an objection, may be cut.")]


@app.command("new")
def new(
    context: typer.Context,
    dataset: Annotated[str, typer.Argument(help="Id of a dataset.")],
    grant: Annotated[str, typer.Option("--grant", help="Id of a grant, may be cut.")],
    version: Annotated[
        list[int] | None,
        typer.Option("--version", help="Version of a disputed record; may be repeated."),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where", help="KEY=VALUE that finds the record in --received; may be repeated."
        ),
    ] = None,
    received: Annotated[
        Path | None,
        typer.Option("--received", help="The database that pull wrote; default: in the home."),
    ] = None,
    fields: Annotated[
        str, typer.Option("--fields", help="Disputed fields, comma-separated; default: all.")
    ] = "",
    reason: Annotated[
        str,
        typer.Option(
            "--reason", help="wrong, outdated, incomplete, duplicate, not-the-person or other."
        ),
    ] = "wrong",
    proof: Annotated[
        bool, typer.Option("--proof", help="The person holds a valid proof (COR-02).")
    ] = False,
    credit: Annotated[
        bool, typer.Option("--credit", help="It is a credit record (COR-04).")
    ] = False,
) -> None:
    """Object to records of a dataset, by version; what --where names never leaves this machine."""
    from exchange.model.dutyacts import NewObjection
    from exchange.wiring.marks import versions_of
    from exchange.wiring.matters import file

    session = session_of(context)

    async def work(office: "Office") -> "tuple[Admitted, int, str]":
        row = await _grant(office, dataset, grant)
        found = tuple(version or ())
        if where:
            folder = office.home.member_directory(office.member) / "received"
            database = received or folder / f"{dataset}-{short(row.id)}.db"
            found += versions_of(database, dataset, where)
        named = tuple(part.strip() for part in fields.split(",") if part.strip())
        admitted = await file(
            office,
            NewObjection,
            grant=row.id,
            versions=tuple(sorted(set(found))),
            fields=named or row.fields,
            reason=reason,
            proof=proof,
            credit=credit,
        )
        return admitted, len(set(found)), office.view.engine.register.rule("COR-02").badge

    admitted, count, badge = at_work(session, work)
    screen = session.screen
    screen.say(_FILED, act=short(admitted.act), index=admitted.index, count=count, dataset=dataset)
    if proof:
        screen.say(_PROCEEDS, badge=badge)
    screen.answer({"objection": admitted.act, "entry": admitted.index, "records": count})


@app.command("answer")
def answer(
    context: typer.Context,
    objection: ObjectionId,
    outcome: Annotated[
        str,
        typer.Option("--outcome", help="corrected, explained, or (the objector) withdrawn."),
    ],
    version: Annotated[
        int | None,
        typer.Option(
            "--version", help="Version of the corrected record; default: the newest anchored."
        ),
    ] = None,
    basis: Annotated[str, typer.Option("--basis", help="Basis of an explanation.")] = "",
) -> None:
    """Settle an objection: correct the records, explain them, or take it back."""
    from exchange.model.dutyacts import AnswerObjection
    from exchange.wiring.marks import newest_version
    from exchange.wiring.matters import file

    session = session_of(context)

    async def work(office: "Office") -> "Admitted":
        registry = await office.registry()
        row = registry.objections[find_id(KIND, registry.objections, objection)]
        stated = version
        if stated is None:
            stated = newest_version(registry, row.dataset) if outcome == "corrected" else 0
        return await file(
            office,
            AnswerObjection,
            objection=row.id,
            outcome=outcome,
            version=stated,
            basis=basis,
        )

    admitted = at_work(session, work)
    word = session.screen.word(OUTCOMES[outcome])
    session.screen.say(_SETTLED, outcome=word, index=admitted.index)
    session.screen.answer({"entry": admitted.index})


@app.command("list")
def list_objections(
    context: typer.Context,
    dataset: Annotated[str, typer.Option("--dataset", help="Only about this dataset.")] = "",
) -> None:
    """List the objections on the ledger."""
    session = session_of(context)
    screen = session.screen
    registry = as_reader(session, lambda office: office.registry())
    found = [row for row in registry.objections.values() if dataset in {"", row.dataset}]
    rows = [
        [
            short(row.id),
            row.objector,
            row.dataset,
            row.provider,
            row.versions,
            row.fields,
            screen.word(REASONS[row.reason]),
            screen.word(OUTCOMES[row.outcome or ""]),
            screen.word(_GOES_ON) if row.proof and row.outcome is None else "",
        ]
        for row in found
    ]
    screen.grid(Grid(_TITLE, _COLUMNS, rows))
    screen.answer({"objections": [objection_data(row) for row in found]})


@app.command("show")
def show(context: typer.Context, objection: ObjectionId) -> None:
    """Show one objection."""
    session = session_of(context)
    registry = as_reader(session, lambda office: office.registry())
    data = objection_data(registry.objections[find_id(KIND, registry.objections, objection)])
    for name, value in data.items():
        session.screen.pair(name, value)
    session.screen.answer(data)


def objection_data(row: "Objection") -> dict[str, Any]:
    """One objection for programs."""
    return {
        "objection": row.id.hex(),
        "objector": row.objector,
        "dataset": row.dataset,
        "provider": row.provider,
        "grant": row.grant.hex(),
        "versions": list(row.versions),
        "fields": list(row.fields),
        "reason": row.reason,
        "proof": row.proof,
        "service_proceeds": row.proof and row.outcome is None,
        "credit": row.credit,
        "filed": shown(row.filed_ms),
        "outcome": row.outcome,
        "corrected_version": row.version or None,
        "basis": row.basis,
        "entry": row.filed,
    }


async def _grant(office: "Office", dataset: str, grant: str) -> "Grant":
    from exchange.cli.catalogue import find_dataset
    from exchange.cli.grant import KIND as GRANT
    from exchange.errors import UsageError

    registry = await office.registry()
    find_dataset(registry, dataset)
    row = registry.grants[find_id(GRANT, registry.grants, grant)]
    if row.dataset != dataset:
        raise UsageError(
            f"grant {short(row.id)} is for {row.dataset}, not for {dataset}",
            f"授权 {short(row.id)} 针对 {row.dataset}，而非 {dataset}",
            remedy=(f"object to {row.dataset}", f"请对 {row.dataset} 提出异议"),
            failure="grant-dataset",
        )
    return row
