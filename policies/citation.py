"""How a rule names its source to a reader, and how it does not.

A citation of law is a claim. A row of grade S names its text and article and may quote it; a row of
grade P names them and says that this is the gist; an unverified row (B, or P/B) names nothing and
says 待核. A rule of the bus says that it is one, and what it rests on.
"""

import re
from collections.abc import Iterable
from typing import Final, assert_never

from policies.rows import RegisterFile, SourceRow
from policies.rule import Language, Rule

_NUMBER: Final = re.compile(r"([0-9]+(?:–[0-9]+)?)(?:\(([0-9]+)\))?")


def cite(rule: Rule, rests_on: Iterable[Rule], file: RegisterFile, language: Language) -> str:
    """The line a reader sees under ``rule``; ``rests_on`` are the rows a bus rule refers to."""
    match rule.grade:
        case "S":
            return _texts(rule, file, language)
        case "P":
            gist = "（大意，非原文）" if language == "zh" else " (gist, not the wording)"
            return _texts(rule, file, language) + gist
        case "P/B" | "B":
            return "待核：依据尚未核实" if language == "zh" else "待核 (unverified, no citation)"
        case "bus":
            own = "总线自身规则" if language == "zh" else "a rule of this bus"
            texts = [cite(other, (), file, language) for other in rests_on if not other.badge]
            if not texts:
                return own
            joined = ("；" if language == "zh" else "; ").join(texts)
            return own + ("，依据" if language == "zh" else ", resting on ") + joined
        case _:
            assert_never(rule.grade)


def _texts(rule: Rule, file: RegisterFile, language: Language) -> str:
    parts = [
        _place(file.sources[source], article, language) + _quote(quote, language)
        for source, article, quote in zip(rule.source, rule.article, rule.quotes, strict=True)
    ]
    return ("；" if language == "zh" else "; ").join(parts)


def _place(source: SourceRow, article: str, language: Language) -> str:
    if source.division == "clause":
        return f"{source.title.in_language(language)} {article}".rstrip()
    if language == "zh":
        return source.title.zh + _NUMBER.sub(_chinese, article).replace(", ", "、")
    return source.title.en + (f", art. {article}" if article else "")


def _chinese(number: re.Match[str]) -> str:
    item = number[2]
    return f"第{number[1]}条" + (f"第（{item}）项" if item else "")


def _quote(quote: str, language: Language) -> str:
    if not quote:
        return ""
    return f"：“{quote}”" if language == "zh" else f": “{quote}”"
