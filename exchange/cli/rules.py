"""``exchange rules``: what they say, where they stand, how sure we are, why an entry fell so."""

import re
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.cli.lawmaking import register as register_lawmaking
from exchange.cli.mayread import Fields, Regions, Sections, explain_reading
from exchange.cli.ruletexts import EFFECTS, ENFORCED, MODES, heading, term
from exchange.cli.screen import Grid, Screen
from exchange.cli.session import Session, session_of
from exchange.cli.work import as_reader
from exchange.errors import UsageError
from exchange.model.text import Text

if TYPE_CHECKING:
    from policies.register import Register
    from policies.rule import Rule

app = typer.Typer(no_args_is_help=True, help="The rules in force, their sources and their grades.")
register_lawmaking(app)

_RULE: Final = re.compile(r"[A-Z]{2,9}-[0-9]{2}")
_TITLE: Final = Text("Rules of the bus", "总线规则")
_COLUMNS: Final = (
    Text("rule", "规则"),
    Text("effect", "效力"),
    Text("enforced", "执行方式"),
    Text("grade", "核实等级"),
    Text("deadline", "期限"),
    Text("in force", "施行"),
    Text("title", "名称"),
    Text("source", "依据"),
)
_SHIPPED_ONLY: Final = Text(
    "no home here: these are the rules that ship with this program",
    "此处没有主目录：以下为本程序自带的规则",
)
Shipped = Annotated[
    bool,
    typer.Option("--shipped", help="The rules of this program, not those that the ledger adopted."),
]


@app.command("list")
def list_rules(
    context: typer.Context,
    enforced: Annotated[
        bool, typer.Option("--enforced", help="Only rules that decide something today.")
    ] = False,
    as_of: Annotated[
        str, typer.Option("--as-of", help="Only rules that hold on this day (2026-12-31).")
    ] = "",
    shipped: Shipped = False,
) -> None:
    """List every rule with its effect, its grade and its source."""
    session = session_of(context)
    screen = session.screen
    register = register_of(session, shipped=shipped)
    day = _day(as_of) if as_of else None
    rules = [
        rule
        for rule in (register if day is None else _holding(register, day))
        if not enforced or rule.enforced != "later"
    ]
    screen.grid(Grid(_TITLE, _COLUMNS, [_row(rule, register, screen) for rule in rules]))
    profile = None if day is None else register.profile_on(day)
    data = [rule_data(rule, register) for rule in rules]
    screen.answer({"as_of": as_of or None, "profile": profile, "rules": data})


@app.command("show")
def show(
    context: typer.Context,
    rule: Annotated[str, typer.Argument(help="Id of a rule, for instance DUTY-01.")],
    as_of: Annotated[
        str, typer.Option("--as-of", help="Only rules that hold on this day (2026-12-31).")
    ] = "",
    shipped: Shipped = False,
) -> None:
    """Show one rule: condition, effect, source, grade, and what a person can do about it."""
    session = session_of(context)
    screen = session.screen
    register = register_of(session, shipped=shipped)
    found = register.rule(rule.upper())
    tell_rules(screen, [found.id], register)
    _tell_standing(screen, found, register)
    data = rule_data(found, register)
    if as_of:
        holds = found in _holding(register, _day(as_of))
        screen.say(_HOLDS if holds else _HOLDS_NOT, day=as_of)
        data["holds"] = holds
    screen.answer(data)


_HOLDS: Final = Text("  holds on {day}", "  于 {day} 施行")
_HOLDS_NOT: Final = Text("  does not hold on {day}", "  于 {day} 未施行")


@app.command("explain")
def explain(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            help="Id of a rule, index of a ledger entry, or id of an act (hex, may be cut)."
        ),
    ] = "",
    member: Annotated[
        str, typer.Option("--member", help="Whether this member may read; with --dataset.")
    ] = "",
    dataset: Annotated[str, typer.Option("--dataset", help="Which dataset.")] = "",
    purpose: Annotated[
        str,
        typer.Option("--purpose", help="A purpose of the register: see exchange request purposes."),
    ] = "",
    duty: Annotated[
        str, typer.Option("--duty", help="The statutory duty, as a citation (DUTY-01).")
    ] = "",
    fields: Fields = "",
    section: Sections = "",
    region: Regions = "",
) -> None:
    """Explain a rule, the verdict on a ledger entry, or whether a member may read a dataset."""
    from exchange.cli.auditshow import show_entry

    session = session_of(context)
    if member or dataset:
        explain_reading(session, member, dataset, purpose, duty, fields, section, region)
    elif _RULE.fullmatch(what.upper()):
        show(context, what)
    elif what:
        show_entry(session, what)
    else:
        raise UsageError(
            "it is not said what to explain",
            "未指明要说明的内容",
            remedy=(
                "name a rule or an entry, or --member, --dataset and --purpose",
                "请写明规则或条目，或 --member、--dataset 与 --purpose",
            ),
            failure="nothing-to-explain",
        )


def register_of(session: Session, *, shipped: bool) -> "Register":
    """The rules in force on the ledger of this home; those of the program where there is none."""
    from exchange.wiring.home import CONFIGURATION
    from exchange.wiring.lawbook import register_in_force, shipped_rules

    if shipped:
        return shipped_rules().register
    if not (session.home / CONFIGURATION).is_file():
        session.screen.note(_SHIPPED_ONLY)
        return shipped_rules().register
    return register_in_force(as_reader(session, lambda office: office.registry()))


def tell_rules(screen: Screen, rules: Iterable[str], register: "Register | None" = None) -> None:
    """Each rule as people read it: title, condition, source, remedy."""
    if register is None:
        from policies.register import Register

        register = Register.load()
    for name in rules:
        rule = register.rules.get(name)
        if rule is None:  # adopted after this program was made
            screen.say(Text("{r}: exchange rules show {r}", "{r}：exchange rules show {r}"), r=name)
            continue
        screen.say(heading(rule))
        screen.say(Text("  when: {c}", "  情形：{c}"), c=screen.word(Text(*rule.condition)))
        source = register.citation(name, screen.language)
        screen.say(Text("  source: {s}", "  依据：{s}"), s=source)
        screen.say(Text("  remedy: {r}", "  办法：{r}"), r=screen.word(Text(*rule.needed)))


def rule_data(rule: "Rule", register: "Register") -> dict[str, Any]:
    """One rule for programs."""
    return {
        "id": rule.id,
        "title": {"en": rule.title_en, "zh": rule.title_zh},
        "condition": {"en": rule.condition[0], "zh": rule.condition[1]},
        "effect": rule.effect,
        "enforced": rule.enforced,
        "mode": rule.mode,
        "grade": rule.grade,
        "verified": not rule.badge,
        "badge": rule.badge,
        "citation": {
            "en": register.citation(rule.id, "en"),
            "zh": register.citation(rule.id, "zh"),
        },
        "deadline": rule.deadline.model_dump() if rule.deadline else None,
        "remedy": {"en": rule.needed[0], "zh": rule.needed[1]},
        "valid_from": rule.valid_from.isoformat(),
        "valid_from_verified": not register.day_badge(rule),
        "valid_to": rule.valid_to.isoformat() if rule.valid_to else None,
        "profiles": list(rule.profiles),
    }


def _tell_standing(screen: Screen, rule: "Rule", register: "Register") -> None:
    # Every value of an unverified row says so itself, and none names a text of law: lines are read
    # one by one, and a profile's title beside the row would read as where it stands.
    badge = f" {rule.badge}" if rule.badge else ""
    if rule.deadline:
        screen.say(Text("  deadline: {t}", "  期限：{t}"), t=screen.word(term(rule)) + badge)
    if rule.mode != "enforce":
        screen.say(Text("  mode: {m}", "  方式：{m}"), m=screen.word(MODES[rule.mode]))
    profiles = register.file.profiles
    named = [
        name if badge else profiles[name].title.in_language(screen.language)
        for name in rule.profiles
    ]
    screen.say(Text("  profiles: {p}", "  配置集：{p}"), p=", ".join(named) + badge)
    screen.say(Text("  in force: {f}", "  施行：{f}"), f=_validity(rule, register))


def _validity(rule: "Rule", register: "Register") -> str:
    until = f" {rule.valid_to.isoformat()}" if rule.valid_to else ""
    return f"{rule.valid_from.isoformat()} –{until} {register.day_badge(rule)}".rstrip()


def _holding(register: "Register", day: date) -> list["Rule"]:
    """The rows of the profile of that day that hold on it, those that are off as well."""
    profile = register.profile_on(day)
    return [rule for rule in register if profile in rule.profiles and rule.holds_on(day)]


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{text[:40]!r} is no day",
            f"{text[:40]!r} 不是日期",
            remedy=("write 2026-12-31", "请写成 2026-12-31"),
            failure="day",
        ) from None


def _row(rule: "Rule", register: "Register", screen: Screen) -> list[object]:
    mode = "" if rule.mode == "enforce" else f" ({screen.word(MODES[rule.mode])})"
    return [
        rule.id,
        screen.word(EFFECTS[rule.effect]),
        screen.word(ENFORCED[rule.enforced]) + mode,
        f"{rule.grade} {rule.badge}".strip(),
        f"{screen.word(term(rule))} {rule.badge if rule.deadline else ''}".strip(),
        _validity(rule, register),
        rule.title(screen.language),
        register.citation(rule.id, screen.language),
    ]
