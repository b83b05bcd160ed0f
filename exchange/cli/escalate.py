"""``exchange escalate``: insist on what is overdue or refused, tier by tier; decide a tier."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.cli.dutytable import by_ms, duty_name, find_duty
from exchange.cli.screen import Grid
from exchange.cli.session import session_of
from exchange.cli.times import shown
from exchange.cli.work import as_reader, at_work, find_id, short
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.flow.ports import Admitted
    from exchange.registry.dutyrows import Escalation
    from exchange.wiring.office import Office

app = typer.Typer(
    no_args_is_help=True,
    help="Escalation in three tiers: the provider, the authority, the government above it.",
)

KIND: Final = Text("escalation", "升级事项")
TIERS: Final = {
    1: Text("1 consultation", "1 协商"),
    2: Text("2 department in charge", "2 主管部门"),
    3: Text("3 government of that level", "3 本级政府"),
}
_DECISIONS: Final = {
    "": Text("open", "待决定"),
    "directs": Text("directs", "责令办理"),
    "upholds": Text("upholds", "维持"),
}
_TITLE: Final = Text("Escalations", "升级事项")
_COLUMNS: Final = (
    Text("escalation", "编号"),
    Text("duty", "义务编号"),
    Text("by", "提请方"),
    Text("tier", "层级"),
    Text("since", "时间"),
    Text("decision", "决定"),
    Text("basis", "依据"),
)
_FILED: Final = Text(
    "escalation {act} of {duty}: {tier} (entry {index}); it permits nothing by itself",
    "{duty} 已提请升级 {act}：{tier}（账本条目 {index}）；升级本身不构成许可",
)
_DECIDED: Final = Text("decided (entry {index})", "已决定（账本条目 {index}）")

EscalationId = Annotated[str, typer.Argument(help="Id of an escalation, may be cut.")]


@app.command("new")
def new(
    context: typer.Context,
    duty: Annotated[str, typer.Argument(help="Id of a duty, may be cut.")],
    tier: Annotated[
        int | None,
        typer.Option("--tier", min=1, max=3, help="Which tier; default: the one whose turn it is."),
    ] = None,
    reference: Annotated[
        str, typer.Option("--reference", help="Number of the letter that goes with it.")
    ] = "",
) -> None:
    """Escalate a duty that is owed to you and overdue, or that was answered in the negative."""
    from exchange.model.dutyacts import Escalate
    from exchange.registry.duties import book, next_tier
    from exchange.wiring.clock import now_ms
    from exchange.wiring.matters import file

    session = session_of(context)

    async def work(office: "Office") -> "tuple[Admitted, str, int]":
        registry, law, now = await office.registry(), office.view.engine, now_ms()
        found, _ = find_duty(book(registry, law, now), duty)
        turn = tier or next_tier(found, registry, law, now) or 1
        admitted = await file(office, Escalate, duty=found.id, tier=turn, reference=reference)
        return admitted, found.id, turn

    admitted, name, turn = at_work(session, work)
    session.screen.say(
        _FILED,
        act=short(admitted.act),
        duty=duty_name(name),
        tier=session.screen.word(TIERS[turn]),
        index=admitted.index,
    )
    session.screen.answer(
        {"escalation": admitted.act, "duty": name, "tier": turn, "entry": admitted.index}
    )


@app.command("decide")
def decide(
    context: typer.Context,
    escalation: EscalationId,
    directs: Annotated[
        bool,
        typer.Option("--direct/--uphold", help="Direct the owner to act, or uphold what it did."),
    ],
    by: Annotated[str, typer.Option("--by", help="Until when the owner must act.")] = "",
    basis: Annotated[str, typer.Option("--basis", help="Why it is upheld.")] = "",
) -> None:
    """Decide a tier: the provider decides the first, the authority the others."""
    from exchange.model.dutyacts import DecideEscalation
    from exchange.wiring.matters import file

    session = session_of(context)

    async def work(office: "Office") -> "Admitted":
        registry = await office.registry()
        return await file(
            office,
            DecideEscalation,
            escalation=find_id(KIND, registry.escalations, escalation),
            decision="directs" if directs else "upholds",
            by_ms=by_ms(by),
            basis=basis,
        )

    admitted = at_work(session, work)
    session.screen.say(_DECIDED, index=admitted.index)
    session.screen.answer({"entry": admitted.index})


@app.command("list")
def list_escalations(context: typer.Context) -> None:
    """List the escalations on the ledger."""
    session = session_of(context)
    screen = session.screen
    registry = as_reader(session, lambda office: office.registry())
    rows = [
        [
            short(row.id),
            duty_name(row.duty),
            row.applicant,
            screen.word(TIERS[row.tier]),
            shown(row.opened_ms),
            screen.word(_DECISIONS[row.decision or ""]),
            row.basis,
        ]
        for row in registry.escalations.values()
    ]
    screen.grid(Grid(_TITLE, _COLUMNS, rows))
    found = [escalation_data(row) for row in registry.escalations.values()]
    screen.answer({"escalations": found})


def escalation_data(row: "Escalation") -> dict[str, Any]:
    """One escalation for programs."""
    return {
        "escalation": row.id.hex(),
        "duty": row.duty,
        "applicant": row.applicant,
        "tier": row.tier,
        "decision": row.decision,
        "basis": row.basis,
        "entry": row.opened,
    }
