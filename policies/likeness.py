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

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final

import orjson

from policies.facts import (
    ContextValue,
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


SEEN_MAX: Final = 65_536
"""Sets of entities that are known by sight, some two kilobytes each: as many as there are grants in
use, or every second question is about one that was just forgotten."""


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
        self._pinned = self.pins or Pins((), ())
        self._places = {text: at for at, text in enumerate(self._pinned.texts)}
        self._seen: dict[tuple[int, ...], _Sight] = {}
        self._said: dict[Hashable, Hashable] = {}

    def key(self, question: Question) -> Hashable | None:
        """Equal for two questions only if they have one answer; None for what is no question."""
        facts = (question.principal, question.resource, *question.related)
        try:
            seen = self._seen.get(tuple(map(id, facts))) or self._looked_at(facts)
            return seen and self._asked(seen, question.action, question.context)
        except (AttributeError, TypeError, UnicodeEncodeError):
            return None

    def _looked_at(self, facts: tuple[Resource, ...]) -> "_Sight | None":
        """What every question about ``facts`` says; None if one of them is no fact."""
        notes = self._notes({})
        for fact in facts:
            kind = type(fact)
            notes.parts.append(kind)
            if not notes.take(_VALUES[kind](fact) if kind in _VALUES else (None,)):
                return None
        notes.check_texts()
        numbers = (*notes.numbers, *self._pinned.numbers)
        order = sorted(set(numbers))
        if order and not _LONG_MIN <= order[0] <= order[-1] <= _LONG_MAX:
            return None  # not a number to Cedar
        ranks = numbers if self.pins is None else map(order.index, numbers)
        said: Hashable = (tuple(notes.parts), tuple(ranks))
        if len(self._seen) >= SEEN_MAX:
            self._seen.clear()
            self._said.clear()
        seen = _Sight(facts, self._said.setdefault(said, said), order, notes.new)
        self._seen[tuple(map(id, facts))] = seen
        return seen

    def _asked(
        self, seen: "_Sight", action: str, context: Mapping[str, ContextValue]
    ) -> Hashable | None:
        """The class of a question about what was ``seen``."""
        names = sorted(context)
        notes = self._notes(seen.texts)
        if set(map(type, (action, *names))) != {str} or not notes.take(map(context.get, names)):
            return None
        notes.check_texts()
        own = sorted(set(notes.numbers))
        if own and not _LONG_MIN <= own[0] <= own[-1] <= _LONG_MAX:
            return None
        if self.pins is None:
            said: list[Hashable] = [*notes.numbers]
        else:
            # Where each lies among the numbers seen before, and which of its neighbours is less.
            order = seen.order
            said = [
                (bisect_left(order, one), bisect_right(order, one), own.index(one))
                for one in notes.numbers
            ]
        return seen.said, action, tuple(names), tuple(notes.parts), tuple(said)

    def _notes(self, before: dict[str, int]) -> "_Notes":
        return _Notes(self._places, before, pinned=self.pins is not None)


@dataclass(frozen=True, slots=True)
class _Sight:
    """What questions about ``facts`` say, whatever their context is.

    Holding ``facts`` keeps their identities theirs: nothing else can be taken for one of them.
    """

    facts: tuple[Resource, ...]
    said: Hashable
    order: list[int]
    """Every number in it and in the policies, ascending."""
    texts: dict[str, int]
    """Every text in it that is not in the policies, each with its place."""


class _Notes:
    """Takes values apart: numbers in ``numbers``, all else in ``parts``.

    With pins, texts become their places: as the policies have them (``places``), as they came
    ``before``, or behind all those in ``new``. Without, they stay as they are.
    """

    __slots__ = ("_before", "_pinned", "_places", "new", "numbers", "parts")

    def __init__(self, places: dict[str, int], before: dict[str, int], *, pinned: bool) -> None:
        self.parts: list[Any] = []
        self.numbers: list[int] = []
        self.new: dict[str, int] = {}
        self._places = places
        self._before = before
        self._pinned = pinned

    def take(self, values: Iterable[object]) -> bool:
        """Take ``values``; False if one is nothing that a fact holds."""
        for value in values:
            kind = type(value)
            if isinstance(value, str) and kind is str:
                self.parts.append(self._placed(value))
            elif isinstance(value, bool):
                self.parts.append(_YES if value else _NO)
            elif isinstance(value, int) and kind is int:
                self.numbers.append(value)
                self.parts.append(_NUMBER)
            elif isinstance(value, tuple) and kind is tuple and set(map(type, value)) <= {str}:
                self.parts.append(tuple([self._placed(one) for one in sorted(set(value))]))
            else:
                return False
        return True

    def check_texts(self) -> None:
        """Raise `UnicodeEncodeError` for a text that is none: half a character."""
        "".join(self.new).encode()

    def _placed(self, text: str) -> int | str:
        at = self._places.get(text)
        if at is None:
            at = self._before.get(text)
        if at is None:
            behind = len(self._places) + len(self._before)
            at = self.new.setdefault(text, behind + len(self.new))
        return at if self._pinned else text


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
