"""Questions that the rules cannot tell apart: one answer, and Cedar asked once."""

from dataclasses import replace
from typing import Any

import cedarpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.engine import ENGINE_DENIAL, Engine
from policies.facts import Question
from policies.likeness import Likeness, pins_of
from policies.ruleset import RuleSet
from policies.slices import slice_of
from tests.policies.test_properties import questions
from tests.policies.world import BASES, GRANT, LOG, NOW, ask

ENGINE = Engine.load()
SHIPPED = ENGINE._likeness


def renumbered(question: Question, change: Any) -> Question:  # noqa: ANN401
    """The question with every whole number put through ``change``."""

    def fact(one: Any) -> Any:  # noqa: ANN401
        values = {name: getattr(one, name) for name in type(one).__slots__}
        return replace(one, **{k: change(v) for k, v in values.items() if type(v) is int})

    return Question(
        question.action,
        fact(question.principal),
        fact(question.resource),
        tuple(map(fact, question.related)),
        {k: change(v) if type(v) is int else v for k, v in question.context.items()},
    )


@given(questions(), st.integers(1, 1_000), st.integers(0, 1_000_000))
def test_numbers_in_the_same_order_have_the_same_answer(
    question: Question, scale: int, shift: int
) -> None:
    assert SHIPPED.pins is not None
    pinned = max(SHIPPED.pins.numbers, default=0)
    # What lies among the numbers that the policies write out stays there.
    other = renumbered(
        question, lambda n: n if n <= pinned else (n - pinned) * scale + pinned + abs(shift)
    )
    assert SHIPPED.key(other) == SHIPPED.key(question)
    assert ENGINE.decide_slice(slice_of(other)) == ENGINE.decide_slice(slice_of(question))


@given(questions(), questions())
def test_what_memory_answers_is_what_cedar_answers(one: Question, two: Question) -> None:
    for question in (one, two, one):
        assert ENGINE.decide(question) == ENGINE.decide_slice(slice_of(question))
    if SHIPPED.key(one) == SHIPPED.key(two):
        assert ENGINE.decide(one) == ENGINE.decide_slice(slice_of(two))


def test_another_order_is_another_question() -> None:
    inside = ask("keys.ask")
    edge = replace(inside, context={**inside.context, "epoch_to": NOW + 1})
    touching = replace(inside, context={**inside.context, "time": GRANT.expires_ms})
    assert len({SHIPPED.key(question) for question in (inside, edge, touching)}) == 3


def renamed(question: Question) -> Question:
    """The question with every text that no policy writes out replaced by another."""
    assert SHIPPED.pins is not None
    known = SHIPPED.pins.texts

    def name(value: Any) -> Any:  # noqa: ANN401
        if isinstance(value, tuple):
            return tuple(map(name, value))
        return value if not isinstance(value, str) or value in known else f"another {value}"

    def fact(one: Any) -> Any:  # noqa: ANN401
        return replace(one, **{slot: name(getattr(one, slot)) for slot in type(one).__slots__})

    return Question(
        question.action,
        fact(question.principal),
        fact(question.resource),
        tuple(map(fact, question.related)),
        {key: name(value) for key, value in question.context.items()},
    )


@given(questions())
def test_other_names_in_the_same_pattern_have_the_same_answer(question: Question) -> None:
    other = renamed(question)
    assert SHIPPED.key(other) == SHIPPED.key(question)
    assert ENGINE.decide_slice(slice_of(other)) == ENGINE.decide_slice(slice_of(question))


def test_another_pattern_of_names_is_another_question() -> None:
    asked = ask("keys.ask")
    other = replace(asked, context={**asked.context, "purpose": "another"})
    nobody = replace(asked, principal=replace(asked.principal, id="nobody"))
    kind = replace(asked, principal=replace(asked.principal, kind="enterprise"))
    assert len({SHIPPED.key(question) for question in (asked, other, nobody, kind)}) == 4


def test_an_empty_name_and_one_that_is_no_text_are_no_names() -> None:
    asked = ask("keys.ask")
    empty = replace(asked, resource=replace(GRANT, id=""))
    broken = replace(asked, resource=replace(GRANT, id="\ud800"))
    assert SHIPPED.key(empty) != SHIPPED.key(asked)
    assert SHIPPED.key(broken) is None
    assert ENGINE.decide(asked).permit
    assert ENGINE.decide(empty) == ENGINE.decide(broken) == ENGINE_DENIAL


@pytest.mark.parametrize(
    "head", ['principal == Member::"x"', 'principal in Log::"x"', 'principal is Member in Log::"x"']
)
def test_a_policy_for_one_entity_is_asked_about_every_name(head: str) -> None:
    assert pins_of(cedarpy.policies_to_json_str(f"permit ({head}, action, resource);")) is None


def test_a_schema_that_lists_entities_is_asked_about_every_name() -> None:
    assert Likeness(tree("true"), 'entity Colour enum ["red"];').pins is None


def test_true_is_no_number_and_a_text_no_list() -> None:
    question = ask("request.new")
    keys = {
        SHIPPED.key(replace(question, context={**question.context, "duty": value}))
        for value in ("1", 1, True, ("1",))
    }
    assert len(keys) == 4


@pytest.mark.parametrize(
    "changed",
    [
        {"time": 1.5},
        {"time": None},
        {"time": 1 << 63},
        {"purpose": ["x"]},
        {"fields": (1,)},
        {7: "x"},
        {"nested": {"a": 1}},
    ],
)
def test_what_is_no_question_is_never_remembered(changed: dict[Any, Any]) -> None:
    question = ask("keys.ask")
    odd = replace(question, context={**question.context, **changed})
    assert SHIPPED.key(odd) is None
    assert ENGINE.decide(odd) == ENGINE_DENIAL


def test_a_resource_that_is_no_fact_is_never_remembered() -> None:
    odd: Any = "villages"
    assert SHIPPED.key(replace(ask("keys.ask"), resource=odd)) is None


def tree(condition: str) -> str:
    return cedarpy.policies_to_json_str(
        f"permit (principal, action, resource) when {{ {condition} }};"
    )


@pytest.mark.parametrize(
    ("condition", "pins"),
    [
        ("context.a < 3 && !(context.b == -7)", (-7, 3)),
        ("[1, 2].contains(context.a) || context has b", (1, 2)),
        ('if context.a > 1 then true else context.s == "x"', (1,)),
        ('principal is Member || resource == Log::"x"', ()),
    ],
)
def test_what_policies_write_out_stands_for_itself(condition: str, pins: tuple[int, ...]) -> None:
    found = pins_of(tree(condition))
    assert found is not None
    assert found.numbers == pins
    assert found.texts == (("", "x") if '"x"' in condition else ("",))


@pytest.mark.parametrize(
    "condition",
    [
        "context.a + 1 < context.b",
        "context.a < -context.b",
        "context.a * 2 < 7",
        'decimal("1.0").lessThan(decimal("2.0"))',
        'datetime("2025-08-01") < datetime("2026-01-01")',
        "{a: context.a}.a == 1",
        'principal is Member in Log::"x"',
        'context.s like "x*"',
        "if context.a + 1 > 2 then true else false",
        "[context.a + 1].isEmpty()",
    ],
)
def test_policies_that_do_more_than_compare_are_asked_about_every_number(condition: str) -> None:
    exact = Likeness(tree(condition))
    assert exact.pins is None
    early, late = ask("keys.ask"), ask("keys.ask", time=NOW + 1)
    assert exact.key(early) == exact.key(ask("keys.ask"))
    assert exact.key(early) != exact.key(late)


def test_a_number_in_a_policy_separates_what_lies_on_its_two_sides() -> None:
    split = Likeness(tree(f"context.time < {NOW}"))
    before, at, after = (ask("ledger.read", time=NOW + step) for step in (-1, 0, 1))
    assert len({split.key(before), split.key(at), split.key(after)}) == 3
    assert split.key(before) == split.key(ask("ledger.read", time=NOW - 2))


def test_memory_is_bounded_and_the_oldest_answer_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("policies.engine._ANSWERS_MAX", 2)
    engine = Engine(RuleSet.read())
    for action in sorted(BASES):
        engine.decide(ask(action))
        assert engine.decide(ask(action)).permit
    assert len(engine._answers) == 2


def test_a_long_question_is_decided_and_not_remembered() -> None:
    engine = Engine(RuleSet.read())
    engine.decide(ask("keys.ask", purpose="x" * 9_000))
    assert not engine._answers
    assert engine.decide(replace(ask("ledger.read"), resource=LOG)).permit
