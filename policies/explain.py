"""An answer in words: which rules decided, where they stand, and what would be needed.

    for line in explain(answer, register, "en"):
        print(line.text)

A permit names the permits that carried it, then the prohibitions that it is warned of. A denial
names each rule with its source and a remedy; a default denial (BASIS-01) of a known action also
lists what could have permitted it.
"""

from dataclasses import dataclass
from typing import Final

from policies.facts import Answer
from policies.register import Register
from policies.rule import Language, Rule

_FIRST: Final = "SEC-01"
"""Secrecy is spoken of first, whatever else is wrong."""


@dataclass(frozen=True, slots=True)
class Line:
    """One rule as a reader sees it. ``badge`` is 待核 on whatever nobody has verified.

    A ``warning`` stands beside a permit: what it names forbids nothing here, by configuration.
    """

    rule: str
    title: str
    citation: str
    needed: str
    badge: str
    text: str
    warning: bool = False


def explain(
    answer: Answer, register: Register, language: Language, *, action: str = ""
) -> tuple[Line, ...]:
    """The lines for ``answer``, secrecy first, then by id.

    Raises `RuleUnknown` for an id that ``register`` lacks: explain a decision with the rule set
    that made it.
    """
    ids = sorted(answer.rules, key=lambda rule: (rule != _FIRST, rule))
    lines = [
        _line(register.rule(rule), register, language, denied=not answer.permit) for rule in ids
    ]
    if "BASIS-01" in answer.rules:
        permits = [rule for rule in register if rule.effect == "permit" and action in rule.actions]
        lines += [_line(rule, register, language, denied=True) for rule in permits]
    lines += [
        _line(register.rule(rule), register, language, denied=True, warning=True)
        for rule in answer.warnings
    ]
    return tuple(lines)


def _line(
    rule: Rule, register: Register, language: Language, *, denied: bool, warning: bool = False
) -> Line:
    title = rule.title(language)
    citation = register.citation(rule.id, language)
    needed = rule.needed[0 if language == "en" else 1] if denied else ""
    if language == "zh":
        text = f"{rule.id} {title}（{citation}）" + (f"。需要：{needed}" if needed else "")
    else:
        text = f"{rule.id} {title} ({citation})" + (f". Needed: {needed}" if needed else "")
    if warning:
        text = ("提示：" if language == "zh" else "Warning: ") + text
    return Line(rule.id, title, citation, needed, rule.badge, text, warning)
