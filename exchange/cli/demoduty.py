"""The scene of the demo about duties: a disputed record, a date that passes, who insists on it."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from exchange.audit.dutywords import KINDS
from exchange.cli.demostage import AUTHORITY, CIVIL, HUMAN, VILLAGES, Stage
from exchange.cli.dutytable import as_of_ms, duty_name, marked, tell_duties
from exchange.cli.work import short
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.registry.duties import Standing
    from exchange.registry.dutyrows import Duty

_TERM_S: Final = 1.0
"""What the authority leaves the provider in the demo; a real date lies days ahead."""
_AHEAD: Final = timedelta(days=60)
_LOOK_S: Final = 0.05
"""So long after the date is over, whatever rounds a clock."""

_SCENE: Final = Text(
    "A record is disputed; a date passes; whoever waits for it insists",
    "一条记录被提出异议；期限届满；受益方提请升级",
)
_DISPUTED: Final = Text(
    "Human Resources disputes one record: entry {index} names its version, not its key; it is"
    " marked in the reader's own database until {provider} answers ({rules})",
    "人社厅对一条记录提出异议：账本条目 {index} 只载版本、不载主键；{provider} 答复前，"
    "该记录在使用方自己的库中标注（{rules}）",
)
_ORDERED: Final = Text(
    "the authority orders a correction within {seconds} second, for the demonstration: entry"
    " {index}; nothing comes",
    "主管部门责令在 {seconds} 秒内更正（演示用期限）：账本条目 {index}；逾期未办",
)
_ESCALATED: Final = Text(
    "{duty} is overdue on the ledger; Human Resources escalates it, tier {tier} of 3: entry {index}"
    " ({rules}); that permits nothing by itself",
    "{duty} 在账本上已逾期；人社厅提请升级（第 {tier} 级，共 3 级）：账本条目 {index}（{rules}）；"
    "升级本身不构成许可",
)
_PROJECTED: Final = Text(
    "a projection, not the ledger: looked at on {day}, if nobody does anything more, {count} duties"
    " are overdue, among them: {what}",
    "以下为预测而非账本事实：若此后无人办理，至 {day} 将有 {count} 项义务逾期，其中：{what}",
)
_WAITING: Final = Text(
    "{count} more have no last day yet: nobody has adopted the working days of {year}",
    "另有 {count} 项尚无截止日：{year} 年工作日尚未采纳",
)


async def dispute_and_insist(stage: Stage) -> None:
    """One record is disputed and marked; a date passes at ledger time; the reader escalates."""
    stage.open_scene(_SCENE)
    await _dispute(stage)
    name = await _let_a_date_pass(stage)
    await _insist(stage, name)
    await _look_ahead(stage)


async def _dispute(stage: Stage) -> None:
    from exchange.cli.demostory import pull
    from exchange.model.dutyacts import NewObjection
    from exchange.wiring.matters import file

    office = stage.offices[HUMAN]
    version = _some_version(stage)
    admitted = await file(
        office,
        NewObjection,
        grant=stage.grants[VILLAGES],
        versions=(version,),
        fields=("name",),
        reason="wrong",
        proof=True,
    )
    await pull(stage, VILLAGES)
    stage.must(_marked(stage) == [version], _SCENE, "marks")
    rules = office.view.registry.duties[f"objection/{admitted.act.hex()}"].rules
    shown = ", ".join(marked(rules, office.view.engine.register))
    stage.tell(_DISPUTED, index=admitted.index, provider=CIVIL, rules=shown)


async def _let_a_date_pass(stage: Stage) -> str:
    from exchange.model.dutyacts import NewNotice
    from exchange.wiring.clock import now_ms
    from exchange.wiring.matters import file

    by_ms = now_ms() + round(_TERM_S * 1_000)
    admitted = await file(
        stage.offices[AUTHORITY],
        NewNotice,
        notice="correct-by",
        dataset=VILLAGES,
        provider=CIVIL,
        reference="演示通知 1号",
        by_ms=by_ms,
        behalf=HUMAN,
    )
    stage.tell(_ORDERED, seconds=round(_TERM_S), index=admitted.index)
    await asyncio.sleep(max(0, by_ms - now_ms()) / 1_000 + _LOOK_S)
    return f"correct/{admitted.act.hex()}"


async def _insist(stage: Stage, name: str) -> None:
    from exchange.model.dutyacts import Escalate
    from exchange.wiring.clock import now_ms
    from exchange.wiring.matters import file

    admitted = await file(stage.offices[HUMAN], Escalate, duty=name, tier=1)
    office = stage.offices[AUTHORITY]
    await office.registry()
    rows = _overdue(stage, now_ms())
    found = [row for row in rows if row[0].id == name and row[1].state == "escalated"]
    stage.must(bool(found), _SCENE, "overdue")
    rules = ", ".join(marked(found[0][0].rules, office.view.engine.register))
    stage.tell(_ESCALATED, duty=duty_name(name), tier=1, index=admitted.index, rules=rules)
    tell_duties(stage.screen, rows, office.view.engine.register, as_of_ms=now_ms())
    stage.duties = {
        "overdue": [
            {
                "duty": duty.id,
                "owner": duty.owner,
                "state": how.state,
                "rules": list(duty.rules),
                "entry": duty.basis,
            }
            for duty, how in rows
        ],
        "escalation": {"id": short(admitted.act), "tier": 1, "entry": admitted.index},
    }


async def _look_ahead(stage: Stage) -> None:
    from exchange.wiring.clock import now_ms
    from policies.periods import day_of

    day = (day_of(now_ms()) + _AHEAD).isoformat()
    at_ms = as_of_ms(day, now_ms=now_ms())
    rows = _overdue(stage, at_ms)
    kinds = dict.fromkeys(stage.screen.word(KINDS[duty.kind]) for duty, _ in rows)
    stage.must(len(rows) >= len(stage.duties["overdue"]), _SCENE, "projection")
    stage.tell(_PROJECTED, day=day, count=len(rows), what=", ".join(kinds))
    waiting = [how for _, how in _book(stage, at_ms) if how.state == "awaiting-calendar"]
    if waiting:
        stage.tell(_WAITING, count=len(waiting), year=waiting[0].term.awaiting)
    stage.duties["projected"] = {
        "as_of": day,
        "overdue": len(rows),
        "awaiting_calendar": len(waiting),
    }


def _overdue(stage: Stage, at_ms: int) -> "list[tuple[Duty, Standing]]":
    """What the authority's own reading of the ledger says is overdue then."""
    return [row for row in _book(stage, at_ms) if row[1].overdue]


def _book(stage: Stage, at_ms: int) -> "list[tuple[Duty, Standing]]":
    from exchange.registry.duties import book

    view = stage.offices[AUTHORITY].view
    return list(book(view.registry, view.engine, at_ms))


def _some_version(stage: Stage) -> int:
    """The version of one received record."""
    with closing(sqlite3.connect(stage.received(VILLAGES))) as connection:
        query = "SELECT min(_version) FROM village_register_records"
        return int(connection.execute(query).fetchone()[0])


def _marked(stage: Stage) -> list[int]:
    """Versions that the reader's database shows as disputed."""
    with closing(sqlite3.connect(stage.received(VILLAGES))) as connection:
        query = (
            "SELECT said.version FROM exchange_disputed AS said JOIN village_register_disputed"
            " AS held ON held._objection = said.objection WHERE said.dataset = ?"
        )
        return [row[0] for row in connection.execute(query, (VILLAGES,))]
