"""The engine itself: memory, threads, and what it does with a Cedar that misbehaves."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

import cedarpy
import pytest

from policies.engine import ENGINE_DENIAL, Engine
from policies.ruleset import RuleSet
from policies.slices import slice_of
from tests.policies.world import BASES, GRANT, NOW, ask


def test_equal_questions_get_equal_answers_from_memory_or_not() -> None:
    engine = Engine.load()
    for _ in range(2):
        for action in BASES:
            assert engine.decide(ask(action)) == engine.decide(ask(action))


def test_true_and_one_are_different_questions(engine: Engine) -> None:
    assert engine.decide(ask("stream.gap", owner=True)).permit
    assert engine.decide(ask("stream.gap", owner=1)) == ENGINE_DENIAL


def test_a_question_too_long_to_remember_is_decided_all_the_same(engine: Engine) -> None:
    fields = tuple(f"field_{at:04}" for at in range(1024))
    grant = replace(GRANT, fields=fields)
    wide = replace(ask("keys.ask", fields=fields), resource=grant)
    assert len(slice_of(wide).entities) > 8192
    assert engine.decide(wide).rules == ("GRANT-01",)
    assert engine.decide(replace(wide, resource=GRANT)).rules == ("PUR-01",)


def test_threads_share_one_engine() -> None:
    engine = Engine.load()
    questions = [ask(action, time=NOW + at) for at in range(20) for action in BASES]
    alone = [engine.decide(question) for question in questions]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(Engine.load().decide, questions)) == alone


@dataclass
class Diagnostics:
    reasons: list[str]
    id_annotations_by_reason: dict[str, str]
    errors: list[str]


@dataclass
class Result:
    decision: cedarpy.Decision
    diagnostics: Diagnostics


@pytest.mark.parametrize(
    ("decision", "reasons", "named", "errors"),
    [
        (cedarpy.Decision.Allow, ["policy0"], {"policy0": "GRANT-01"}, ["a forbid failed"]),
        (cedarpy.Decision.Allow, ["policy0"], {}, []),
        (cedarpy.Decision.Allow, [], {}, []),
        (cedarpy.Decision.Deny, ["policy0", "policy1"], {"policy0": "SEC-01"}, []),
        (cedarpy.Decision.Deny, [], {}, ["an error"]),
        (cedarpy.Decision.NoDecision, [], {}, []),
    ],
)
def test_anything_but_a_clean_result_is_a_denial(
    monkeypatch: pytest.MonkeyPatch,
    decision: cedarpy.Decision,
    reasons: list[str],
    named: dict[str, str],
    errors: list[str],
) -> None:
    def misbehave(*_: Any) -> Result:
        return Result(decision, Diagnostics(reasons, named, errors))

    engine = Engine(RuleSet.read())
    monkeypatch.setattr(cedarpy, "is_authorized", misbehave)
    assert engine.decide(ask("keys.ask")) == ENGINE_DENIAL
