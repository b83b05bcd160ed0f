"""The scenario table: what each rule lets pass and what it stops."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from policies.engine import Engine
from policies.register import Register
from policies.verification import ENGINE_RULES
from tests.policies.evaluators import EVALUATORS, FAILS, PASSES, Ended
from tests.policies.world import BASES, ask

TABLES: Final = sorted((Path(__file__).parent / "scenarios").glob("*.yaml"))
SCENARIOS: Final[list[dict[str, Any]]] = [
    scenario for path in TABLES for scenario in yaml.safe_load(path.read_text("utf-8"))
]
KEYS: Final = {"rule", "name", "by", "action", "at", "law", "given", "when", "then"}
BY_RULES: Final = [s for s in SCENARIOS if s.get("by", "rules") == "rules"]


def told(scenario: Mapping[str, Any]) -> str:
    """What a scenario is called: several evaluators may be asked the same."""
    by = scenario.get("by", "rules")
    return f"{scenario['rule']}: {scenario['name']}" + ("" if by == "rules" else f" ({by})")


def expected(then: Mapping[str, list[str]]) -> Ended:
    ((outcome, rules),) = then.items()
    assert outcome in PASSES | FAILS
    return outcome, tuple(rules)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=told)
def test_a_scenario_ends_as_told(engine: Engine, scenario: dict[str, Any]) -> None:
    assert set(scenario) <= KEYS
    evaluate = EVALUATORS[scenario.get("by", "rules")]
    assert evaluate(engine, scenario) == expected(scenario["then"])


def seen_both_ways(rule: str) -> bool:
    """Whether the rule has a scenario that passes and one that fails."""
    outcomes = {next(iter(s["then"])) for s in SCENARIOS if s["rule"] == rule}
    return bool(outcomes & PASSES) and bool(outcomes & FAILS)


def test_every_rule_has_a_passing_and_a_failing_scenario(register: Register) -> None:
    """Every row of law, whatever its effect; of the bus's own rules those that are asked."""
    wanted = {
        rule.id
        for rule in register
        if rule.grade != "bus" or rule.enforced == "policy" or rule.id in ENGINE_RULES
    }
    lacking = {rule for rule in wanted if not seen_both_ways(rule)}
    assert not lacking


def test_every_row_of_law_is_seen_both_ways_on_a_ledger_entry(register: Register) -> None:
    """Not as an answer of the engine alone: on entries that a hub signed and everybody folds.

    A row that decides is among the rules of the entry; a row that puts under a term is among those
    of the duty that the entry begins, meets, or is about (`tests.duties.scenario`).
    """
    seen: dict[str, set[bool]] = {}
    for scenario in SCENARIOS:
        if scenario.get("by") in {"entry", "duty"}:
            seen.setdefault(scenario["rule"], set()).add(next(iter(scenario["then"])) in PASSES)
    lacking = {rule.id for rule in register if rule.grade != "bus" and len(seen[rule.id]) < 2}
    assert not lacking


def test_a_failing_scenario_of_a_prohibition_names_it(register: Register) -> None:
    for scenario in SCENARIOS:
        rule = register.rule(scenario["rule"])
        outcome, rules = expected(scenario["then"])
        if rule.effect == "forbid" and outcome in FAILS:
            assert rule.id in rules, scenario["name"]


def test_every_action_is_permitted_in_the_usual_world(engine: Engine) -> None:
    for action in BASES:
        assert engine.decide(ask(action)).permit, action


def test_every_permit_is_seen_to_permit_each_of_its_actions(register: Register) -> None:
    seen = {
        (rule, scenario["action"])
        for scenario in BY_RULES
        for rule in scenario["then"].get("permit", ())
    }
    stated = {(rule.id, action) for rule in register for action in rule.actions}
    assert seen >= stated
    assert not {pair for pair in seen - stated if register.rule(pair[0]).effect == "permit"}


def test_every_row_that_the_duty_book_keeps_is_seen_on_it(register: Register) -> None:
    seen = {
        rule
        for scenario in SCENARIOS
        if scenario.get("by") == "duty"
        for outcome, rules in scenario["then"].items()
        if outcome != "deny"
        for rule in rules
    }
    assert {rule.id for rule in register if rule.enforced == "duty"} <= seen
