"""Who says how a scenario ends: the rules, or code that derives duties from acts.

A scenario names its evaluator with ``by`` (``rules`` when it names none). An evaluator takes the
scenario as it was written and gives the outcome with the ids of the rules behind it. Whoever
brings rows that no policy decides adds a line to `EVALUATORS`, and the words of its outcomes to
`PASSES` and `FAILS`::

    - {rule: SLA-02, name: answered on the tenth day, by: duty, given: …, then: {done: [SLA-02]}}
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from policies.engine import Engine
from policies.periods import start_ms
from tests.duties.scenario import by_duty, by_entry
from tests.policies.laws import engine_with
from tests.policies.world import ask, depart

Scenario = Mapping[str, Any]
Ended = tuple[str, tuple[str, ...]]
"""One word of `PASSES` or `FAILS`, and rule ids in ascending order."""
Evaluator = Callable[[Engine, Scenario], Ended]

PASSES: Final = frozenset({"permit", "warn", "due", "done", "extended", "kept"})
"""Outcomes in which what the rule asks for is so, or can still become so in time."""
FAILS: Final = frozenset({"deny", "late", "breached", "escalated", "awaiting-calendar"})
"""Outcomes in which the rule stopped something, or was not kept."""


def by_rules(engine: Engine, scenario: Scenario) -> Ended:
    """The answer of the rule engine to the usual question of an action, changed as told.

    ``at`` is a day on which it is asked, ``law`` changes rows of the shipped rule set first.
    """
    law = engine_with(scenario["law"]) if "law" in scenario else engine
    usual = ask(scenario["action"], **_time(scenario))
    answer = law.decide(depart(usual, scenario.get("given") or {}, scenario.get("when") or {}))
    if answer.warnings:
        return "warn", tuple(sorted((*answer.rules, *answer.warnings)))
    return "permit" if answer.permit else "deny", answer.rules


def _time(scenario: Scenario) -> dict[str, int]:
    return {"time": start_ms(scenario["at"])} if "at" in scenario else {}


EVALUATORS: Final[dict[str, Evaluator]] = {
    "rules": by_rules,
    "duty": lambda _, scenario: by_duty(scenario),
    "entry": lambda _, scenario: by_entry(scenario),
}
"""By the word that stands after ``by``."""
