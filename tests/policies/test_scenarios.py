"""The scenario table: what each enforced rule lets pass and what it stops."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from policies.engine import Engine
from policies.facts import Answer
from policies.register import Register
from policies.verification import ENGINE_RULES
from tests.policies.world import BASES, ask, depart

TABLES: Final = sorted((Path(__file__).parent / "scenarios").glob("*.yaml"))
SCENARIOS: Final[list[dict[str, Any]]] = [
    scenario for path in TABLES for scenario in yaml.safe_load(path.read_text("utf-8"))
]
KEYS: Final = {"rule", "name", "action", "given", "when", "then"}


def expected(then: Mapping[str, list[str]]) -> Answer:
    (verdict, rules), *rest = then.items()
    assert not rest
    assert verdict in {"permit", "deny"}
    return Answer(permit=verdict == "permit", rules=tuple(rules))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: f"{s['rule']}: {s['name']}")
def test_a_scenario_ends_as_told(engine: Engine, scenario: dict[str, Any]) -> None:
    assert set(scenario) <= KEYS
    question = depart(
        ask(scenario["action"]), scenario.get("given") or {}, scenario.get("when") or {}
    )
    assert engine.decide(question) == expected(scenario["then"])


def test_every_enforced_rule_has_a_passing_and_a_failing_scenario(register: Register) -> None:
    for rule in register:
        if rule.enforced == "policy" or rule.id in ENGINE_RULES:
            verdicts = {next(iter(s["then"])) for s in SCENARIOS if s["rule"] == rule.id}
            assert verdicts == {"permit", "deny"}, rule.id


def test_a_failing_scenario_of_a_prohibition_names_it(register: Register) -> None:
    for scenario in SCENARIOS:
        rule = register.rule(scenario["rule"])
        if rule.effect == "forbid" and "deny" in scenario["then"]:
            assert rule.id in scenario["then"]["deny"], scenario["name"]


def test_every_action_is_permitted_in_the_usual_world(engine: Engine) -> None:
    for action in BASES:
        assert engine.decide(ask(action)).permit, action


def test_every_permit_is_seen_to_permit_each_of_its_actions(register: Register) -> None:
    seen = {
        (rule, scenario["action"])
        for scenario in SCENARIOS
        for rule in scenario["then"].get("permit", ())
    }
    stated = {(rule.id, action) for rule in register for action in rule.actions}
    assert seen == stated
