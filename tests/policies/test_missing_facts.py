"""Attack 18: each attribute of each question in turn, left out or of a wrong type, is a denial."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import pytest

from policies.engine import ENGINE_DENIAL, Engine
from policies.facts import MemberFacts, Question, Resource
from policies.slices import QuestionMalformed, Slice, slice_of
from tests.policies.world import BASES, GRANT, LATER, NOW, ask

WRONG: Final[list[Any]] = [None, True, 7, 1.5, "7", ["x"], [7], {}, {"x": 1}, 1 << 64]
STRANGERS: Final[list[Any]] = [
    None,
    1.5,
    b"7",
    {"x": 1},
    ["x"],
    (7,),
    ("x", None),
    "\ud800",
    1 << 64,
]


def alike(one: object, other: object) -> bool:
    """Whether the schema could take ``one`` for ``other``: the same JSON type."""
    if isinstance(one, list) and isinstance(other, list):
        return all(isinstance(part, str) for part in (*one, *other))
    return type(one) is type(other)


def mistyped(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name, value in record.items():
        for wrong in WRONG:
            if not alike(wrong, value):
                yield {**record, name: wrong}


def lacking(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for name in record:
        yield {key: value for key, value in record.items() if key != name}


def damaged(record: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from lacking(record)
    yield from mistyped(record)
    yield {**record, "stranger": True}


def with_context(cut: Slice, context: object) -> Slice:
    return replace(cut, context=json.dumps(context))


def with_entities(cut: Slice, entities: object) -> Slice:
    return replace(cut, entities=json.dumps(entities))


@pytest.mark.parametrize("action", BASES)
def test_a_context_that_does_not_fit_is_a_denial(engine: Engine, action: str) -> None:
    cut = slice_of(ask(action))
    assert engine.decide_slice(cut).permit
    for context in damaged(json.loads(cut.context)):
        assert engine.decide_slice(with_context(cut, context)) == ENGINE_DENIAL, context


@pytest.mark.parametrize("action", BASES)
def test_an_entity_that_does_not_fit_is_a_denial(engine: Engine, action: str) -> None:
    cut = slice_of(ask(action))
    entities = json.loads(cut.entities)
    for at, entity in enumerate(entities):
        for attrs in damaged(entity["attrs"]):
            changed = [*entities[:at], {**entity, "attrs": attrs}, *entities[at + 1 :]]
            assert engine.decide_slice(with_entities(cut, changed)) == ENGINE_DENIAL, attrs


@pytest.mark.parametrize("action", BASES)
def test_an_entity_that_is_missing_is_a_denial(engine: Engine, action: str) -> None:
    cut = slice_of(ask(action))
    entities = json.loads(cut.entities)
    for at, entity in enumerate(entities):
        # The log has no attributes, so nothing could be read from it.
        if entity["uid"]["type"] != "Log":
            changed = entities[:at] + entities[at + 1 :]
            assert not engine.decide_slice(with_entities(cut, changed)).permit, entity["uid"]


@pytest.mark.parametrize(
    "entities", ["", "null", "{}", "[1]", "[{}]", "not json", '[{"uid": 1, "attrs": {}}]']
)
def test_entities_that_are_none_are_a_denial(engine: Engine, entities: str) -> None:
    cut = replace(slice_of(ask("keys.ask")), entities=entities)
    assert engine.decide_slice(cut) == ENGINE_DENIAL


@pytest.mark.parametrize("context", ["", "null", "[]", "not json", '{"time": 1', '"time"'])
def test_a_context_that_is_none_is_a_denial(engine: Engine, context: str) -> None:
    cut = replace(slice_of(ask("keys.ask")), context=context)
    assert engine.decide_slice(cut) == ENGINE_DENIAL


@pytest.mark.parametrize("action", ["", "keys.Ask", "keys.ask ", "grant.everything", '"', "\x00"])
def test_an_unknown_action_is_a_denial(engine: Engine, action: str) -> None:
    assert engine.decide(replace(ask("keys.ask"), action=action)) == ENGINE_DENIAL


@pytest.mark.parametrize("kind", ["", "member", "Officer", "Action", "Member::x"])
def test_an_unknown_type_of_entity_is_a_denial(engine: Engine, kind: str) -> None:
    cut = slice_of(ask("keys.ask"))
    assert engine.decide_slice(replace(cut, principal=(kind, "x"))) == ENGINE_DENIAL
    assert engine.decide_slice(replace(cut, resource=(kind, "x"))) == ENGINE_DENIAL


def test_an_action_on_the_wrong_kind_of_resource_is_a_denial(engine: Engine) -> None:
    for action in BASES:
        for other in BASES:
            question = replace(ask(action), resource=BASES[other][1], related=BASES[other][2])
            if type(BASES[other][1]) is not type(BASES[action][1]):
                assert engine.decide(question) == ENGINE_DENIAL, (action, other)


@pytest.mark.parametrize("action", BASES)
def test_a_value_that_is_no_fact_is_a_denial(engine: Engine, action: str) -> None:
    question = ask(action)
    for name in question.context:
        for stranger in STRANGERS:
            context = {**question.context, name: stranger}
            assert engine.decide(replace(question, context=context)) == ENGINE_DENIAL


def facts_of(question: Question) -> list[Resource]:
    return [question.principal, question.resource, *question.related]


@pytest.mark.parametrize("action", BASES)
def test_a_fact_of_a_wrong_type_is_a_denial(engine: Engine, action: str) -> None:
    for at, fact in enumerate(facts_of(ask(action))):
        for name in type(fact).__slots__:
            for stranger in STRANGERS:
                parts: list[Any] = facts_of(ask(action))
                parts[at] = replace(fact, **{name: stranger})
                question = Question(
                    action, parts[0], parts[1], tuple(parts[2:]), ask(action).context
                )
                assert engine.decide(question) == ENGINE_DENIAL, (name, stranger)


def test_a_fact_without_a_value_is_a_denial(engine: Engine) -> None:
    for name in type(GRANT).__slots__:
        grant = replace(GRANT)
        object.__delattr__(grant, name)
        assert engine.decide(replace(ask("keys.ask"), resource=grant)) == ENGINE_DENIAL


def test_two_accounts_of_one_entity_are_a_denial(engine: Engine) -> None:
    question = ask("keys.ask")
    twin = replace(question.principal, active=False)
    assert engine.decide(replace(question, related=(*question.related, twin))) == ENGINE_DENIAL
    same = replace(question.principal)
    assert engine.decide(replace(question, related=(*question.related, same))).permit


def test_a_question_says_what_is_wrong_without_its_values() -> None:
    context: dict[str, Any] = {"time": NOW, "purpose": {"secret": LATER}}
    question = replace(ask("keys.ask"), context=context)
    with pytest.raises(QuestionMalformed) as raised:
        slice_of(question)
    assert "secret" not in str(raised.value)


class Officer(MemberFacts):
    """A stranger that looks like a member."""


def test_a_lookalike_of_a_fact_is_a_denial(engine: Engine) -> None:
    question = ask("keys.ask")
    twin = Officer(question.principal.id, question.principal.kind, active=True)
    assert engine.decide(replace(question, principal=twin)) == ENGINE_DENIAL
