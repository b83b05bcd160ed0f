"""Duties as people and programs see them, and the one that a short id names."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

from exchange.audit.dutywords import KINDS, STATES
from exchange.cli.screen import Grid, Screen
from exchange.cli.times import moment_ms, shown
from exchange.errors import NotFound, UsageError
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.audit.owed import Tie
    from exchange.registry.duties import Standing
    from exchange.registry.dutyrows import Duty
    from policies.register import Register

Row = tuple["Duty", "Standing"]

_LAST_MS: Final = 7_258_089_600_000
"""The end of 2199 in China."""
_TITLE: Final = Text("Duties as of {day}", "截至 {day} 的义务")
_COLUMNS: Final = (
    Text("duty", "义务编号"),
    Text("what", "事项"),
    Text("owed by", "义务人"),
    Text("owed to", "受益方"),
    Text("dataset", "数据集"),
    Text("last day", "截止日"),
    Text("state", "状态"),
    Text("rules", "规则"),
    Text("basis (entry)", "依据条目"),
)
COUNTED: Final = Text(
    "last days in working days are counted from the day after receipt: 待核, an assumption of"
    " this bus",
    "以工作日计的截止日自收到次日起算：待核，系本总线的假定",
)
_EVERY_READER: Final = Text("every reader", "全部使用方")
_YEAR: Final = Text("needs the calendar of {year}", "待 {year} 年日历")


def as_of_ms(text: str, *, now_ms: int) -> int:
    """The moment that ``--as-of`` names: of a date, the last millisecond of that day in China."""
    from datetime import date

    from policies.workdays import end_of_day_ms

    if len(text) == 10:
        try:
            return _sensible(end_of_day_ms(date.fromisoformat(text)) - 1)
        except (ValueError, OverflowError):
            pass
    return _sensible(moment_ms(text, now_ms=now_ms))


def _sensible(at_ms: int) -> int:
    """The moment, unless it lies centuries ahead: every day until then would be counted."""
    if at_ms <= _LAST_MS:
        return at_ms
    raise UsageError(
        "that lies too far ahead",
        "时间过于遥远",
        remedy=("name a day before 2200", "请填写 2200 年以前的日期"),
        failure="moment",
    )


def by_ms(text: str) -> int:
    """The first moment that is too late for a date (its end in China); 0 for none."""
    from exchange.wiring.clock import now_ms

    if not text:
        return 0
    return as_of_ms(text, now_ms=now_ms()) + (1 if len(text) == 10 else 0)


def duty_name(name: str) -> str:
    """An id as tables show it: digits enough to type back."""
    base, _, last = name.rpartition("/")
    return f"{base}/{last[:12]}" if len(last) == 64 else name


def find_duty(rows: Iterable[Row], text: str) -> Row:
    """The one duty whose id begins with ``text``; `NotFound` or `UsageError`."""
    wanted = text.strip().removesuffix("…")
    found = [row for row in rows if row[0].id.startswith(wanted)] if "/" in wanted else []
    if len(found) == 1:
        return found[0]
    exact = [row for row in found if row[0].id == wanted]
    if exact:
        return exact[0]
    if found:
        raise UsageError(
            f"several duties begin with {text[:80]}",
            f"以 {text[:80]} 开头的义务不止一个",
            remedy=("write more of the id", "请写出更多位编号"),
            failure="ambiguous",
        )
    raise NotFound(
        f"there is no duty {text[:80]!r}",
        f"没有义务 {text[:80]!r}",
        remedy=("see: exchange duty list", "请查看：exchange duty list"),
        failure="no-such-id",
    )


def tell_duties(
    screen: Screen, rows: Sequence[Row], register: "Register", *, as_of_ms: int
) -> None:
    """The table."""
    day = shown(as_of_ms)
    title = Text(_TITLE.en.format(day=day), _TITLE.zh.format(day=day))
    screen.grid(Grid(title, _COLUMNS, [_cells(screen, run, register) for run in _runs(rows)]))
    if any(duty.days for duty, _ in rows):
        screen.note(COUNTED)


def _runs(rows: Sequence[Row]) -> "list[list[Row]]":
    """The rows, periods of one cycle that follow each other in one state taken together."""
    runs: list[list[Row]] = []
    for duty, how in rows:
        before = runs[-1][-1] if runs else None
        alike = (
            before is not None
            and bool(duty.cycle)
            and _cycle_of(before[0]) == _cycle_of(duty)
            and before[1].state == how.state
        )
        if alike:
            runs[-1].append((duty, how))
        else:
            runs.append([(duty, how)])
    return runs


def _cycle_of(duty: "Duty") -> str:
    return duty.id.rpartition("/")[0]


def _cells(screen: Screen, run: "list[Row]", register: "Register") -> list[object]:
    duty, how = run[-1]
    what = f"{screen.word(KINDS[duty.kind])} {duty.region}".strip()
    name = duty_name(run[0][0].id)
    if len(run) > 1:
        what = f"{what} ×{len(run)}"
        name = f"{name}…{duty.id.rpartition('/')[2]}"
    state = screen.word(STATES[how.state])
    if how.escalation is not None and how.state == "escalated":
        state = f"{state} ({how.escalation.tier}/3)"
    return [
        name,
        what,
        duty.owner,
        duty.beneficiary or screen.word(_EVERY_READER),
        duty.dataset,
        last_day(screen, how),
        state,
        marked(duty.rules, register),
        duty.basis,
    ]


def last_day(screen: Screen, how: "Standing") -> str:
    """The last day of a term, the year it waits for, or nothing."""
    if how.term.awaiting is not None:
        return screen.word(_YEAR).format(year=how.term.awaiting)
    return "" if how.term.last_day is None else how.term.last_day.isoformat()


def marked(rules: Iterable[str], register: "Register") -> list[str]:
    """Ids of rules, each with 待核 where nobody has verified it."""
    return [f"{name} {register.rule(name).badge}".strip() for name in rules]


_TIES: Final = {
    "begins": Text("puts under a duty", "产生义务"),
    "meets": Text("meets a duty", "履行义务"),
    "about": Text("about a duty", "涉及义务"),
}
_TIE: Final = Text(
    "{how}: {duty} ({what}), {owner} to {beneficiary}, last day {day}, {state}: {rules}",
    "{how}：{duty}（{what}），义务人 {owner}，受益方 {beneficiary}，截止日 {day}，{state}：{rules}",
)
_NOT_BEGUN: Final = Text("not begun", "未起算")


def tell_ties(screen: Screen, found: "Sequence[Tie]", register: "Register") -> None:
    """What an entry means for duties, a line each; their law stands on the duty."""
    for tie in found:
        duty, how = tie.duty, tie.standing
        screen.say(
            _TIE,
            how=screen.word(_TIES[tie.how]),
            duty=duty_name(duty.id),
            what=screen.word(KINDS[duty.kind]),
            owner=duty.owner,
            beneficiary=duty.beneficiary or screen.word(_EVERY_READER),
            day=last_day(screen, how) or "-",
            state=screen.word(STATES.get(how.state, _NOT_BEGUN)),
            rules=", ".join(marked(duty.rules, register)),
        )
    if any(tie.duty.days for tie in found):
        screen.note(COUNTED)


_DETAILS: Final = (
    Text("duty: {duty}", "义务编号：{duty}"),
    Text("what: {what}", "事项：{what}"),
    Text("owed by {owner} to {beneficiary}", "义务人：{owner}；受益方：{beneficiary}"),
    Text("dataset: {dataset} {region}", "数据集：{dataset} {region}"),
    Text("state: {state}", "状态：{state}"),
    Text("since {since} (entry {entry})", "起算：{since}（账本条目 {entry}）"),
    Text("last day: {last_day}", "截止日：{last_day}"),
    Text(
        "extension: {extended} working days granted, {asked} asked for, {most} more possible",
        "延期：已同意 {extended} 个工作日，待同意 {asked} 个，尚可申请 {most} 个",
    ),
)
_MET: Final = Text("met at entry {settled} ({outcome})", "办结条目：{settled}（{outcome}）")
_INSISTED: Final = Text(
    "escalated to tier {tier} of 3 by {applicant} (entry {entry}); that permits nothing by itself",
    "{applicant} 已提请升级至第 {tier} 级，共 3 级（账本条目 {entry}）；升级本身不构成许可",
)
_OUTCOMES: Final = {
    "done": Text("done", "已办理"),
    "refused": Text("answered in the negative", "否定答复"),
    "lapsed": Text("its ground fell away", "事由消失"),
}


def tell_duty(screen: Screen, duty: "Duty", how: "Standing") -> None:
    """One duty in lines; its rules are told by `exchange.cli.rules.tell_rules`."""
    values = {
        "duty": duty.id,
        "what": screen.word(KINDS[duty.kind]),
        "owner": duty.owner,
        "beneficiary": duty.beneficiary or screen.word(_EVERY_READER),
        "dataset": duty.dataset or "-",
        "region": duty.region,
        "state": screen.word(STATES[how.state]),
        "since": shown(how.since_ms),
        "entry": duty.basis,
        "last_day": last_day(screen, how) or "-",
        "extended": duty.extended_days,
        "asked": duty.asked_days,
        "most": max(0, duty.extension - duty.extended_days),
    }
    for line in _DETAILS:
        screen.say(line, **values)
    if duty.days:
        screen.note(COUNTED)
    if duty.settled is not None and duty.outcome:
        outcome = screen.word(_OUTCOMES[duty.outcome])
        screen.say(_MET, settled=duty.settled, outcome=outcome)
    if how.escalation is not None:
        row = how.escalation
        screen.say(_INSISTED, tier=row.tier, applicant=row.applicant, entry=row.opened)


def duty_data(duty: "Duty", how: "Standing", register: "Register") -> dict[str, Any]:
    """One duty for programs."""
    term = how.term
    insisted = how.escalation
    return {
        "duty": duty.id,
        "kind": duty.kind,
        "owner": duty.owner,
        "beneficiary": duty.beneficiary or None,
        "dataset": duty.dataset or None,
        "region": duty.region or None,
        "rules": [{"id": name, "verified": not register.rule(name).badge} for name in duty.rules],
        "state": how.state,
        "since": shown(how.since_ms),
        "working_days": duty.days or None,
        "counting_verified": not duty.days,
        "last_day": term.last_day.isoformat() if term.last_day else None,
        "deadline_ms": term.ends_ms,
        "awaiting_calendar": term.awaiting,
        "extension_most": duty.extension - duty.extended_days,
        "extended_days": duty.extended_days,
        "extension_asked": duty.asked_days,
        "escalation": None
        if insisted is None
        else {"id": insisted.id.hex(), "tier": insisted.tier, "entry": insisted.opened},
        "entry": duty.basis,
        "settled_entry": duty.settled,
        "outcome": duty.outcome or None,
    }
