"""Which questions the rules cannot tell apart; SPEC.md §2.6.

A policy that does nothing with whole numbers but compare them sees only their order. Two questions
that are equal but for their numbers, with the numbers in the same order among each other and among
those that the policies write out, therefore have one answer. A ledger asks few really different
questions: the time moves on, epoch follows epoch, and the order stays.

Whether the policies keep to comparisons is read from their syntax trees, not believed: one operator
that is not listed here, and only questions with equal numbers count as alike.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from operator import attrgetter
from typing import Any, Final

import orjson

from policies.facts import (
    DatasetFacts,
    DutyFacts,
    GrantFacts,
    LogFacts,
    MemberFacts,
    Question,
    RequestFacts,
)

_FACTS: Final = (MemberFacts, DatasetFacts, RequestFacts, GrantFacts, LogFacts, DutyFacts)
_VALUES: Final[Mapping[type, Callable[[Any], Any]]] = {
    kind: attrgetter("id", "id", *(name for name in kind.__slots__ if name != "id"))
    for kind in _FACTS
}
"""Attributes of a fact as a tuple; two of them at least, or `attrgetter` gives no tuple."""
_BINARY: Final = frozenset(
    {"==", "!=", "<", "<=", ">", ">=", "&&", "||", "in"}
    | {"contains", "containsAll", "containsAny"}
)
"""Cedar's operators of two sides that give the same for numbers in the same order."""
_ATTRIBUTE: Final = frozenset({".", "has", "like", "is"})
_LONG_MIN: Final = -(1 << 63)
_LONG_MAX: Final = (1 << 63) - 1


class _NUMBER:
    """Stands where a number stood."""


class Likeness:
    """Names the class of questions that one rule set cannot tell from each other."""

    def __init__(self, policies: str) -> None:
        """``policies`` are the rule set's, in Cedar's JSON syntax (``policies_to_json_str``)."""
        self.pins = pins_of(policies)
        """The numbers that the policies write out; None if they do more than compare."""

    def key(self, question: Question) -> Hashable | None:
        """Equal for two questions only if they have one answer; None for what is no question."""
        try:
            taken = _taken_apart(question)
        except (AttributeError, TypeError):
            taken = None
        if taken is None:
            return None
        parts, numbers = taken
        if self.pins is None:
            return tuple(parts), tuple(numbers)
        order = sorted({*numbers, *self.pins})
        if order and not _LONG_MIN <= order[0] <= order[-1] <= _LONG_MAX:
            return None  # not a number to Cedar
        rank = {number: at for at, number in enumerate(order)}
        return tuple(parts), tuple([rank[number] for number in (*numbers, *self.pins)])


def _taken_apart(question: Question) -> tuple[list[object], list[int]] | None:
    """All that a question says, and its numbers apart; None if it holds anything else."""
    numbers: list[int] = []
    parts: list[object] = []
    for fact in (question.principal, question.resource, *question.related):
        kind = type(fact)
        parts.append(kind)
        if not _note(_VALUES[kind](fact) if kind in _VALUES else (None,), parts, numbers):
            return None
    context = question.context
    names = sorted(context)
    values = [question.action, *names, *(context[name] for name in names)]
    return (parts, numbers) if _note(values, parts, numbers) else None


def pins_of(policies: str) -> tuple[int, ...] | None:
    """The whole numbers written in ``policies``, if these do nothing but compare numbers."""
    found: set[int] = set()
    for policy in orjson.loads(policies)["staticPolicies"].values():
        for condition in policy["conditions"]:
            if not _compares(condition["body"], found):
                return None
    return tuple(sorted(found))


def _compares(node: Any, found: set[int]) -> bool:  # noqa: ANN401 - a tree as Cedar writes it
    """Whether an expression only compares numbers; notes in ``found`` those it writes out."""
    ((operator, inner),) = node.items()
    if operator in _BINARY:
        return _compares(inner["left"], found) and _compares(inner["right"], found)
    if operator in _ATTRIBUTE:
        return _compares(inner["left"], found) and "in" not in inner
    match operator, inner:
        case "!" | "isEmpty", _:
            return _compares(inner["arg"], found)
        case "Set", _:
            return all(_compares(member, found) for member in inner)
        case "if-then-else", _:
            return all(_compares(inner[branch], found) for branch in ("if", "then", "else"))
        case ("Var", _) | ("Value", bool() | str() | {"__entity": _}):
            return True
        case "Value", int():
            found.add(inner)
            return True
    return False


def _note(values: Iterable[object], parts: list[object], numbers: list[int]) -> bool:
    """Take the numbers out of ``values``; False if one of these is nothing that a fact holds."""
    for value in values:
        kind = type(value)
        if isinstance(value, int) and kind is int:
            numbers.append(value)
            parts.append(_NUMBER)
            continue
        listed = isinstance(value, tuple) and kind is tuple and set(map(type, value)) <= {str}
        if not (listed or kind is str or kind is bool):
            return False
        parts.append(value)
    return True
