"""Which questions the rules cannot tell apart; SPEC.md §2.6.

Policies that do nothing with whole numbers but compare them see only their order, and policies that
do nothing with names and texts but ask whether two are the same see only which are. Two questions
that become one when their numbers are replaced by ranks and their texts by the order in which they
first occur therefore have one answer. A ledger asks few really different questions: the time moves
on, epoch follows epoch, one grant is used like another, and the pattern stays.

Whether the policies keep to that is read from their syntax trees, not believed: one operator that
is not listed here, and only equal questions count as alike. What the policies write out themselves
(a number, a text, an entity) stands for itself.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
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
    Resource,
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
"""Cedar's operators of two sides that look at nothing but order and sameness."""
_ATTRIBUTE: Final = frozenset({".", "has", "is"})
_LONG_MIN: Final = -(1 << 63)
_LONG_MAX: Final = (1 << 63) - 1


SEEN_MAX: Final = 4_096
"""Sets of entities whose text is remembered by sight."""


class _NUMBER:
    """Stands where a number stood."""


class _YES:
    """Stands for true: Python holds ``True`` and ``1`` for the same."""


class _NO:
    """Stands for false."""


@dataclass(frozen=True, slots=True)
class Pins:
    """What policies write out, sorted: ``numbers``, and ``texts`` with the ids of entities."""

    numbers: tuple[int, ...]
    texts: tuple[str, ...]


class Likeness:
    """Names the class of questions that one rule set cannot tell from each other."""

    def __init__(self, policies: str, schema: str = "") -> None:
        """``policies`` are the rule set's, in Cedar's JSON syntax (``policies_to_json_str``)."""
        # An enumerated entity type would look into ids while a question is validated.
        self.pins = None if "enum" in schema else pins_of(policies)
        """What the policies write out; None if they look at more than order and sameness."""
        self._texts = {text: at for at, text in enumerate(self.pins.texts)} if self.pins else {}
        self._seen: dict[tuple[int, ...], _Taken] = {}

    def key(self, question: Question) -> Hashable | None:
        """Equal for two questions only if they have one answer; None for what is no question."""
        try:
            taken = self._taken_apart(question)
            "".join(taken.texts if taken else ()).encode()
        except (AttributeError, TypeError, UnicodeEncodeError):
            return None
        if taken is None:
            return None
        parts, numbers = taken.parts, taken.numbers
        if self.pins is None:
            return tuple(parts), tuple(numbers)
        order = sorted({*numbers, *self.pins.numbers})
        if order and not _LONG_MIN <= order[0] <= order[-1] <= _LONG_MAX:
            return None  # not a number to Cedar
        rank = {number: at for at, number in enumerate(order)}
        return tuple(parts), tuple([rank[number] for number in (*numbers, *self.pins.numbers)])

    def _taken_apart(self, question: Question) -> "_Taken | None":
        """All that a question says; None if it holds what is no fact."""
        facts = (question.principal, question.resource, *question.related)
        sight = tuple(map(id, facts))
        known = self._seen.get(sight)
        if known is None:
            known = self._entities(facts)
            if known is None:
                return None
            if len(self._seen) >= SEEN_MAX:
                self._seen.clear()
            self._seen[sight] = known
        context = question.context
        names = sorted(context)
        taken = _Taken(
            facts, [*known.parts, question.action, *names], [*known.numbers], dict(known.texts)
        )
        named = set(map(type, (question.action, *names))) == {str}
        values = [context[name] for name in names]
        return taken if named and _note(values, taken, pinned=self.pins is not None) else None

    def _entities(self, facts: tuple[Resource, ...]) -> "_Taken | None":
        taken = _Taken(facts, [], [], dict(self._texts))
        for fact in facts:
            kind = type(fact)
            taken.parts.append(kind)
            values = _VALUES[kind](fact) if kind in _VALUES else (None,)
            if not _note(values, taken, pinned=self.pins is not None):
                return None
        return taken


@dataclass(slots=True)
class _Taken:
    """What was said, with numbers apart; ``texts`` holds those that occurred, each with its place.

    Holding ``facts`` keeps their identities theirs: nothing else can be taken for one of them.
    """

    facts: tuple[Resource, ...]
    parts: list[object]
    numbers: list[int]
    texts: dict[str, int]


def _note(values: Iterable[object], taken: _Taken, *, pinned: bool) -> bool:
    """Put ``values`` behind what was taken; False if one is nothing that a fact holds.

    Texts become their places if ``pinned``, and stay as they are otherwise.
    """
    parts, texts = taken.parts, taken.texts
    for value in values:
        kind = type(value)
        if isinstance(value, str) and kind is str:
            at = texts.setdefault(value, len(texts))
            parts.append(at if pinned else value)
        elif isinstance(value, bool):
            parts.append(_YES if value else _NO)
        elif isinstance(value, int) and kind is int:
            taken.numbers.append(value)
            parts.append(_NUMBER)
        elif isinstance(value, tuple) and kind is tuple and set(map(type, value)) <= {str}:
            several = sorted(set(value))
            places = tuple([texts.setdefault(one, len(texts)) for one in several])
            parts.append(places if pinned else tuple(several))
        else:
            return False
    return True


def pins_of(policies: str) -> Pins | None:
    """What is written in ``policies``, if these look at nothing but order and sameness."""
    numbers: set[int] = set()
    texts: set[str] = {""}  # an empty id makes a question malformed
    for policy in orjson.loads(policies)["staticPolicies"].values():
        heads = (policy["principal"], policy["resource"])
        if any(head["op"] not in {"All", "is"} or "in" in head for head in heads):
            return None
        for condition in policy["conditions"]:
            if not _compares(condition["body"], numbers, texts):
                return None
    return Pins(tuple(sorted(numbers)), tuple(sorted(texts)))


def _compares(node: Any, numbers: set[int], texts: set[str]) -> bool:  # noqa: ANN401 - a tree
    """Whether an expression looks at nothing else; notes what it writes out."""

    def all_compare(*parts: object) -> bool:
        return all(_compares(part, numbers, texts) for part in parts)

    ((operator, inner),) = node.items()
    if operator in _BINARY:
        return all_compare(inner["left"], inner["right"])
    if operator in _ATTRIBUTE:
        return all_compare(inner["left"]) and "in" not in inner
    match operator, inner:
        case "!" | "isEmpty", _:
            return all_compare(inner["arg"])
        case "Set", _:
            return all_compare(*inner)
        case "if-then-else", _:
            return all_compare(inner["if"], inner["then"], inner["else"])
        case "Value", bool():
            pass
        case "Value", int():
            numbers.add(inner)
        case ("Value", str(text)) | ("Value", {"__entity": {"id": str(text)}}):
            texts.add(text)
        case _:
            return bool(operator == "Var")
    return True
