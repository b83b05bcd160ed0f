"""``exchange rules``: what they say, where they stand, how sure we are, why an entry fell so."""

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.cli.screen import Grid, Screen
from exchange.cli.session import session_of
from exchange.model.text import Text

if TYPE_CHECKING:
    from policies.register import Register
    from policies.rule import Rule

app = typer.Typer(no_args_is_help=True, help="The rules in force, their sources and their grades.")

_RULE: Final = re.compile(r"[A-Z]{2,9}-[0-9]{2}")
_TITLE: Final = Text("Rules of the bus", "总线规则")
_COLUMNS: Final = (
    Text("rule", "规则"),
    Text("effect", "效力"),
    Text("enforced", "执行方式"),
    Text("grade", "核实等级"),
    Text("title", "名称"),
    Text("source", "依据"),
)
_ENFORCED: Final = {
    "policy": Text("decides", "策略判定"),
    "engine": Text("decides (engine)", "引擎判定"),
    "duty": Text("duty with a term", "限期义务"),
    "later": Text("not enforced yet", "尚未执行"),
}
EFFECTS: Final = {
    "permit": Text("permit", "许可"),
    "forbid": Text("forbid", "禁止"),
    "oblige": Text("oblige", "义务"),
    "track": Text("track", "跟踪"),
    "escalate": Text("escalate", "升级"),
    "allow-service": Text("allow service", "保障办理"),
}


@app.command("list")
def list_rules(
    context: typer.Context,
    enforced: Annotated[
        bool, typer.Option("--enforced", help="Only rules that decide something today.")
    ] = False,
) -> None:
    """List every rule with its effect, its grade and its source."""
    from policies.register import Register

    screen = session_of(context).screen
    register = Register.load()
    rules = [rule for rule in register if not enforced or rule.enforced != "later"]
    screen.grid(Grid(_TITLE, _COLUMNS, [_row(rule, register, screen) for rule in rules]))
    screen.answer({"rules": [rule_data(rule, register) for rule in rules]})


@app.command("show")
def show(
    context: typer.Context,
    rule: Annotated[str, typer.Argument(help="Id of a rule, for instance DUTY-01.")],
) -> None:
    """Show one rule: condition, effect, source, grade, and what a person can do about it."""
    from policies.register import Register

    screen = session_of(context).screen
    register = Register.load()
    tell_rules(screen, [rule.upper()], register)
    screen.answer(rule_data(register.rule(rule.upper()), register))


@app.command("explain")
def explain(
    context: typer.Context,
    what: Annotated[
        str,
        typer.Argument(
            help="Id of a rule, index of a ledger entry, or id of an act (hex, may be cut)."
        ),
    ],
) -> None:
    """Explain a rule, or the verdict on one ledger entry: what was asked, which rules decided."""
    from exchange.cli.auditshow import show_entry

    if _RULE.fullmatch(what.upper()):
        show(context, what)
    else:
        show_entry(session_of(context), what)


def tell_rules(screen: Screen, rules: Iterable[str], register: "Register | None" = None) -> None:
    """Each rule as people read it: title, condition, source, remedy."""
    if register is None:
        from policies.register import Register

        register = Register.load()
    for name in rules:
        rule = register.rule(name)
        screen.say(_heading(rule))
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
        "grade": rule.grade,
        "verified": not rule.badge,
        "citation": {
            "en": register.citation(rule.id, "en"),
            "zh": register.citation(rule.id, "zh"),
        },
        "remedy": {"en": rule.needed[0], "zh": rule.needed[1]},
        "valid_from": rule.valid_from.isoformat(),
        "valid_to": rule.valid_to.isoformat() if rule.valid_to else None,
        "profiles": list(rule.profiles),
    }


def _heading(rule: "Rule") -> Text:
    badge = f" [{rule.badge}]" if rule.badge else ""
    return Text(
        f"{rule.id} {rule.title_en} ({EFFECTS[rule.effect].en}){badge}",
        f"{rule.id} {rule.title_zh}（{EFFECTS[rule.effect].zh}）{badge}",
    )


def _row(rule: "Rule", register: "Register", screen: Screen) -> list[object]:
    return [
        rule.id,
        screen.word(EFFECTS[rule.effect]),
        screen.word(_ENFORCED[rule.enforced]),
        f"{rule.grade} {rule.badge}".strip(),
        rule.title(screen.language),
        register.citation(rule.id, screen.language),
    ]
