"""``exchange notice``: what the authority lays on a provider, and how it was met."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.cli.dutytable import by_ms
from exchange.cli.screen import Grid
from exchange.cli.session import session_of
from exchange.cli.work import as_authority, as_reader, at_work, find_id, short
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.flow.ports import Admitted
    from exchange.registry.dutyrows import Notice
    from exchange.wiring.office import Office

app = typer.Typer(
    no_args_is_help=True, help="Notices of the authority that put a provider under a duty."
)

KIND: Final = Text("notice", "通知")
KINDS: Final = {
    "law-changed": Text("law or function changed", "法律或职能变化"),
    "correct-by": Text("correct by a date", "限期更正"),
    "register-by": Text("register by a date", "限期登记"),
}
_TITLE: Final = Text("Notices", "通知")
_COLUMNS: Final = (
    Text("notice", "通知编号"),
    Text("kind", "类型"),
    Text("dataset", "数据集"),
    Text("provider", "提供方"),
    Text("reference", "文号"),
    Text("settled (entry)", "办结条目"),
)
_FILED: Final = Text(
    "notice {act} puts {provider} under a duty (entry {index})",
    "通知 {act} 已对 {provider} 设定义务（账本条目 {index}）",
)
_SETTLED: Final = Text("settled (entry {index})", "已办结（账本条目 {index}）")


@app.command("new")
def new(
    context: typer.Context,
    dataset: Annotated[str, typer.Argument(help="Id of a dataset.")],
    kind: Annotated[str, typer.Option("--kind", help="law-changed, correct-by or register-by.")],
    reference: Annotated[str, typer.Option("--reference", help="Number of the document.")],
    provider: Annotated[
        str, typer.Option("--provider", help="Who must act; default: the dataset's provider.")
    ] = "",
    by: Annotated[str, typer.Option("--by", help="The date it sets.")] = "",
    behalf: Annotated[
        str, typer.Option("--behalf", help="In whose interest; that member may escalate.")
    ] = "",
) -> None:
    """Put a provider under a duty, as the authority."""
    from exchange.model.dutyacts import NewNotice
    from exchange.wiring.matters import file

    session = session_of(context)

    async def work(office: "Office") -> "tuple[Admitted, str]":
        row = (await office.registry()).datasets.get(dataset)
        owner = provider or (row.provider if row is not None else "")
        admitted = await file(
            office,
            NewNotice,
            notice=kind,
            dataset=dataset,
            provider=owner,
            reference=reference,
            by_ms=by_ms(by),
            behalf=behalf or None,
        )
        return admitted, owner

    admitted, owner = as_authority(session, work)
    session.screen.say(_FILED, act=short(admitted.act), provider=owner, index=admitted.index)
    session.screen.answer({"notice": admitted.act, "entry": admitted.index})


@app.command("settle")
def settle(
    context: typer.Context,
    notice: Annotated[str, typer.Argument(help="Id of a notice, may be cut.")],
    basis: Annotated[str, typer.Option("--basis", help="How it was met, as a reference.")],
    version: Annotated[
        int | None,
        typer.Option(
            "--version", help="Version of the corrected record; default: the newest anchored."
        ),
    ] = None,
) -> None:
    """State how a notice was met, as the provider."""
    from exchange.model.dutyacts import SettleNotice
    from exchange.wiring.marks import newest_version
    from exchange.wiring.matters import file

    session = session_of(context)

    async def work(office: "Office") -> "Admitted":
        registry = await office.registry()
        row = registry.notices[find_id(KIND, registry.notices, notice)]
        stated = version
        if stated is None:
            corrects = row.kind == "correct-by"
            stated = newest_version(registry, row.dataset) if corrects else 0
        return await file(office, SettleNotice, notice=row.id, basis=basis, version=stated)

    admitted = at_work(session, work)
    session.screen.say(_SETTLED, index=admitted.index)
    session.screen.answer({"entry": admitted.index})


@app.command("list")
def list_notices(context: typer.Context) -> None:
    """List the notices on the ledger."""
    session = session_of(context)
    screen = session.screen
    registry = as_reader(session, lambda office: office.registry())
    rows = [
        [
            short(row.id),
            screen.word(KINDS[row.kind]),
            row.dataset,
            row.provider,
            row.reference,
            row.settled,
        ]
        for row in registry.notices.values()
    ]
    screen.grid(Grid(_TITLE, _COLUMNS, rows))
    screen.answer({"notices": [notice_data(row) for row in registry.notices.values()]})


def notice_data(row: "Notice") -> dict[str, Any]:
    """One notice for programs."""
    return {
        "notice": row.id.hex(),
        "kind": row.kind,
        "dataset": row.dataset,
        "provider": row.provider,
        "reference": row.reference,
        "entry": row.filed,
        "settled_entry": row.settled,
        "basis": row.basis,
    }
