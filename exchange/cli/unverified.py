"""待核 beside every unverified rule, wherever a command names one.

A rule of grade B or P/B is background knowledge: people must see that when they read its id in a
refusal, in a table, anywhere. The screen passes what it shows through here, so no command can
forget it; lines that say 待核 already stay as they are.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Final

BADGE: Final = "待核"
_RULE: Final = re.compile(r"(?<![\w-])[A-Z]{2,9}-[0-9]{2}(?![\w-])")


def mark(text: str) -> str:
    """``text`` with the badge behind each id of an unverified rule, line by line."""
    return "\n".join(map(_marked, text.split("\n"))) if _RULE.search(text) else text


def _marked(line: str) -> str:
    if BADGE in line:
        return line
    return _RULE.sub(lambda found: f"{found[0]} {BADGE}" if _is(found[0]) else found[0], line)


def unverified(rules: Iterable[str]) -> list[str]:
    """Those of ``rules`` that nobody has verified."""
    return [rule for rule in rules if _is(rule)]


def _is(rule: str) -> bool:
    return rule in _ids()


@cache
def _ids() -> frozenset[str]:
    """Of the rules of this program; their grades change with a reading of the text, not by law."""
    from policies.register import Register

    return frozenset(rule.id for rule in Register.load() if rule.badge)
