"""The few entities that a question reaches, as the JSON that Cedar reads.

A question's members, dataset, request or grant become entities; lists become sets (sorted, so that
equal questions have equal text); ids of other entities become references. Nothing is filled in: a
value of another type than the facts declare is `QuestionMalformed`, and whatever else does not fit
the schema is found by Cedar when it validates the slice. Both end as a denial.
"""

from dataclasses import dataclass, fields
from typing import Final

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

SLICE_FORMAT: Final = 2
"""Raise it when the same facts become other entities, or the same register other periods: replay
must know which reading it uses."""

_TYPES: Final[dict[type, str]] = {
    MemberFacts: "Member",
    DatasetFacts: "Dataset",
    RequestFacts: "Request",
    GrantFacts: "Grant",
    LogFacts: "Log",
    DutyFacts: "Duty",
}
_ATTRIBUTES: Final[dict[type, tuple[str, ...]]] = {
    kind: tuple(field.name for field in fields(kind) if field.name != "id") for kind in _TYPES
}
_REFERENCES: Final = {
    "provider": "Member",
    "consumer": "Member",
    "dataset": "Dataset",
    "obliged": "Member",
    "beneficiary": "Member",
}


class QuestionMalformed(ValueError):
    """A question holds something that is no fact. The engine turns it into ENGINE-01."""


@dataclass(frozen=True, slots=True)
class Slice:
    """One question as Cedar reads it: who, what, on what, and two JSON documents.

    ``time_ms`` chooses the rules that are asked; without a time it is None, and none are.
    """

    principal: tuple[str, str]
    action: str
    resource: tuple[str, str]
    context: str
    entities: str
    time_ms: int | None


def slice_of(question: Question) -> Slice:
    """Build the slice of ``question``; raises `QuestionMalformed`, never anything else."""
    try:
        entities = _entities((question.principal, question.resource, *question.related))
        context = {name: _value(value) for name, value in question.context.items()}
        return Slice(
            principal=_uid(question.principal),
            action=_name(question.action),
            resource=_uid(question.resource),
            context=_json(context),
            entities=_json([entities[uid] for uid in sorted(entities)]),
            time_ms=time if type(time := context.get("time")) is int else None,
        )
    except (AttributeError, TypeError) as error:
        raise QuestionMalformed(type(error).__name__) from None


def _entities(facts: tuple[Resource, ...]) -> dict[tuple[str, str], dict[str, object]]:
    found: dict[tuple[str, str], dict[str, object]] = {}
    for fact in facts:
        uid = _uid(fact)
        entity = _entity(fact, uid)
        if found.setdefault(uid, entity) != entity:
            raise QuestionMalformed("two accounts of one entity")
    return found


def _entity(fact: Resource, uid: tuple[str, str]) -> dict[str, object]:
    attributes = {
        name: _reference(_REFERENCES[name], getattr(fact, name))
        if name in _REFERENCES
        else _value(getattr(fact, name))
        for name in _ATTRIBUTES[type(fact)]
    }
    return {"uid": {"type": uid[0], "id": uid[1]}, "attrs": attributes, "parents": []}


def _uid(fact: Resource) -> tuple[str, str]:
    kind = _TYPES.get(type(fact))
    if kind is None:
        raise QuestionMalformed("not a fact")
    return kind, _name(fact.id)


def _reference(kind: str, name: object) -> dict[str, object]:
    return {"__entity": {"type": kind, "id": _name(name)}}


def _name(value: object) -> str:
    if type(value) is not str or not value:
        raise QuestionMalformed("an id that is no text, or empty")
    return value


def _value(value: object) -> bool | int | str | list[str]:
    if type(value) is bool or type(value) is int or type(value) is str:
        return value
    if type(value) is tuple and all(type(part) is str for part in value):
        return sorted(set(value))
    raise QuestionMalformed("a value that is no boolean, whole number, text or tuple of texts")


def _json(value: object) -> str:
    """Compact JSON; lone surrogates and integers beyond 64 bits are refused (TypeError)."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
