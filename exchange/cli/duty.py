"""``exchange duty``: who owes what until when, who is late, and who keeps its word."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from exchange.audit.dutywords import STATES
from exchange.cli.dutytable import (
    as_of_ms,
    duty_data,
    find_duty,
    tell_duties,
    tell_duty,
)
from exchange.cli.problems import EXIT_REFUSED
from exchange.cli.rules import tell_rules
from exchange.cli.screen import Grid
from exchange.cli.session import Session, session_of
from exchange.cli.times import shown
from exchange.cli.work import as_reader, at_work
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.cli.dutytable import Row
    from exchange.flow.ports import Admitted
    from exchange.wiring.office import Office
    from policies.register import Register

app = typer.Typer(no_args_is_help=True, help="Duties: who owes what, until when, and who is late.")

Member = Annotated[str, typer.Option("--member", help="Only what this member owes or is owed.")]
AsOf = Annotated[
    str,
    typer.Option(
        "--as-of",
        help="Look at the book on this day (its end in China), behind or ahead of the ledger;"
        " ahead it shows what stands if nothing more happens.",
    ),
]
DutyId = Annotated[str, typer.Argument(help="Id of a duty, may be cut.")]

_AHEAD: Final = Text(
    "a projection: {as_of} lies ahead; this is how things stand then if nothing more happens",
    "预测：{as_of} 尚未到来；若此后无任何行为，届时状态如下",
)
_SUSPENDED: Final = Text(
    "suspended, and bound all the same: {members}; what they owe stays open, insist with: exchange"
    " escalate new",
    "已暂停但义务不因此免除：{members}；所欠事项保持未办，可用 exchange escalate new 提请升级",
)
_NONE: Final = Text("nothing is overdue", "没有逾期义务")
_OVERDUE: Final = Text("{count} duties are overdue", "{count} 项义务逾期")
_WAITING: Final = Text(
    "{count} duties await the calendar of {year}; the authority adopts it with: exchange rules"
    " calendar adopt",
    "{count} 项义务待 {year} 年工作日历；由主管部门采纳：exchange rules calendar adopt",
)
_ASKED: Final = Text(
    "{days} more working days are asked for (entry {index}); the other side consents",
    "已申请延期 {days} 个工作日（账本条目 {index}），待对方同意",
)
_AGREED: Final = Text(
    "the last day is {day} now (entry {index})", "截止日现为 {day}（账本条目 {index}）"
)
_DECLINED: Final = Text("declined (entry {index})", "已拒绝延期（账本条目 {index}）")
_SCORES: Final = Text("Duties by department", "各部门义务履行情况")
_MEMBER: Final = Text("department", "部门")
_SHARE: Final = Text("in time", "按期率")


@app.command("list")
def list_duties(
    context: typer.Context,
    as_of: AsOf = "now",
    member: Member = "",
    state: Annotated[
        str, typer.Option("--state", help="Only this state, for instance due or breached.")
    ] = "",
) -> None:
    """List the duties that the ledger gives rise to."""
    session = session_of(context)
    _check_state(state)
    rows, register, at_ms = _read(session, as_of, member)
    rows = [row for row in rows if not state or row[1].state == state]
    tell_duties(session.screen, rows, register, as_of_ms=at_ms)
    session.screen.answer(_answer(rows, register, at_ms))


@app.command("overdue")
def overdue(context: typer.Context, as_of: AsOf = "now", member: Member = "") -> int:
    """List what is overdue, escalated or awaiting a calendar; exit 1 when anything is overdue."""
    session = session_of(context)
    screen = session.screen
    every, register, at_ms = _read(session, as_of, member)
    rows = [row for row in every if row[1].overdue]
    if rows:
        tell_duties(screen, rows, register, as_of_ms=at_ms)
    screen.say(_OVERDUE if rows else _NONE, count=len(rows))
    waiting: dict[int, int] = {}
    for _, how in every:
        if how.state == "awaiting-calendar" and how.term.awaiting is not None:
            waiting[how.term.awaiting] = waiting.get(how.term.awaiting, 0) + 1
    for year, count in waiting.items():
        screen.note(_WAITING, count=count, year=year)
    screen.answer(_answer(rows, register, at_ms) | {"awaiting_calendar": waiting})
    return EXIT_REFUSED if rows else 0


@app.command("show")
def show(context: typer.Context, duty: DutyId, as_of: AsOf = "now") -> None:
    """Show one duty: its ground, its term, its extension, its escalation."""
    session = session_of(context)
    rows, register, _ = _read(session, as_of, duty=duty)
    found = find_duty(rows, duty)
    tell_duty(session.screen, *found)
    tell_rules(session.screen, found[0].rules, register)
    session.screen.answer(duty_data(*found, register))


@app.command("extend")
def extend(
    context: typer.Context,
    duty: DutyId,
    days: Annotated[int, typer.Option("--days", min=1, help="How many working days more.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; stands on the ledger.")] = "",
) -> None:
    """Ask the other side for more working days, before the term ends."""
    from exchange.model.dutyacts import ExtendDuty
    from exchange.wiring.matters import file

    session = session_of(context)

    async def work(office: "Office") -> "Admitted":
        found, _ = find_duty(await _rows(office), duty)
        return await file(office, ExtendDuty, duty=found.id, days=days, reason=reason)

    admitted = at_work(session, work)
    session.screen.say(_ASKED, days=days, index=admitted.index)
    session.screen.answer({"entry": admitted.index})


@app.command("consent")
def consent(
    context: typer.Context,
    duty: DutyId,
    agree: Annotated[
        bool, typer.Option("--agree/--decline", help="Agree to the days asked for, or do not.")
    ] = True,
) -> None:
    """Consent to the days that the other side asked for."""
    from exchange.model.dutyacts import ConsentExtension
    from exchange.wiring.matters import file

    session = session_of(context)

    async def work(office: "Office") -> "tuple[Admitted, Row]":
        found, _ = find_duty(await _rows(office), duty)
        admitted = await file(office, ConsentExtension, duty=found.id, agree=agree)
        return admitted, find_duty(await _rows(office), found.id)

    admitted, (_, how) = at_work(session, work)
    day = "" if how.term.last_day is None else how.term.last_day.isoformat()
    session.screen.say(_AGREED if agree else _DECLINED, day=day, index=admitted.index)
    session.screen.answer({"entry": admitted.index, "last_day": day or None})


@app.command("scoreboard")
def show_scoreboard(context: typer.Context, as_of: AsOf = "now") -> None:
    """Show by department what is due, done in time, late, breached; anybody may."""
    from exchange.audit.scoreboard import scoreboard

    session = session_of(context)
    screen = session.screen
    rows, _, at_ms = _read(session, as_of)
    scores = scoreboard(rows)
    table = [
        [
            score.member,
            *(score[state] for state in STATES),
            "" if score.in_time is None else f"{score.in_time:.0%}",
        ]
        for score in scores
    ]
    screen.grid(Grid(_SCORES, (_MEMBER, *STATES.values(), _SHARE), table))
    screen.answer(
        {
            "as_of": shown(at_ms),
            "departments": [
                {"member": score.member, **score.counts, "in_time": score.in_time}
                for score in scores
            ],
        }
    )


def _read(
    session: Session, as_of: str, member: str = "", duty: str = ""
) -> "tuple[list[Row], Register, int]":
    """The book as the member that asks has folded it itself, at a moment.

    Or ``member``'s part of it, or the duties whose id begins with ``duty``.
    """
    from exchange.registry.duties import OPEN, book
    from exchange.wiring.clock import now_ms

    now = now_ms()
    at_ms = as_of_ms(as_of, now_ms=now)

    async def work(office: "Office") -> "tuple[list[Row], Register, list[str]]":
        registry = await office.registry()
        law = office.view.engine
        rows = [
            (row, how)
            for row, how in book(registry, law, at_ms)
            if (not member or member in {row.owner, row.beneficiary})
            and (not duty or row.id.startswith(duty.strip().removesuffix("…")))
        ]
        owners = {row.owner for row, how in rows if how.state in OPEN}
        return rows, law.register, sorted(one for one in owners if not registry.active(one))

    rows, register, suspended = as_reader(session, work)
    if at_ms > now:
        session.screen.note(_AHEAD, as_of=shown(at_ms))
    if suspended:
        session.screen.note(_SUSPENDED, members=", ".join(suspended))
    return rows, register, at_ms


async def _rows(office: "Office") -> "list[Row]":
    from exchange.registry.duties import book
    from exchange.wiring.clock import now_ms

    return list(book(await office.registry(), office.view.engine, now_ms()))


def _answer(rows: "list[Row]", register: "Register", at_ms: int) -> dict[str, object]:
    duties = [duty_data(duty, how, register) for duty, how in rows]
    return {"as_of": shown(at_ms), "duties": duties}


def _check_state(state: str) -> None:
    from exchange.errors import UsageError

    if state and state not in STATES:
        known = ", ".join(STATES)
        raise UsageError(
            f"there is no state {state[:40]!r}",
            f"没有状态 {state[:40]!r}",
            remedy=(f"write one of: {known}", f"可用：{known}"),
            failure="state",
        )
