"""Scenarios of duties: steps on their days, then one duty on another day.

::

    - rule: SLA-02
      name: answered on the tenth working day
      by: duty
      given:
        begin: {day: 2026-02-10}
        steps:
          - {day: 2026-02-13, do: apply}
          - {day: 2026-03-05, do: answer, approve: true}
      when: {duty: answer, as-of: 2026-03-05}
      then: {done: [RESP-01, SLA-02]}

``do`` names a method of `DutyStage`, the rest are its arguments. A step that is refused ends the
scenario as ``deny`` with the rules of the entry, if it is the last; any other must be permitted.

What is asserted of a duty stands on a ledger entry: the one that it rests on, the one that met it,
or the one that was about it (exchange/audit/owed.py) names the duty with these rules.

Scenarios of single acts (``by: entry``) are shorter: what was before, and the act whose entry is
looked at, on one day (`ENTRY_DAY` if none is told)::

    - {rule: FEE-01, name: …, by: entry, given: [apply], when: {do: respond, approve: true,
       price: "1"}, then: {deny: [FEE-01]}}
"""

from collections.abc import Mapping
from typing import Any, Final

from exchange.audit.owed import ties
from exchange.ledger.verdict import Folded
from policies.register import Register
from tests.duties.entrystage import EntryStage
from tests.duties.stage import DutyStage, Ended, at_noon
from tests.ledger.drafts import engine

ENTRY_DAY: Final = "2026-07-01"


def by_duty(scenario: Mapping[str, Any]) -> Ended:
    """How the scenario ends."""
    given = scenario["given"]
    begin = dict(given["begin"])
    stage = DutyStage(str(begin.pop("day")), **begin)
    steps = list(given["steps"])
    for number, step in enumerate(steps, 1):
        told = dict(step)
        stage.on(str(told.pop("day")))
        act = getattr(stage, told.pop("do").replace("-", "_"))
        folded = act(*told.pop("args", ()), **{name: _plain(value) for name, value in told.items()})
        if isinstance(folded, bytes) or folded.permit:
            continue
        assert number == len(steps), (step, folded.rules)
        assert _named(stage, scenario, folded.index), step
        return ended(folded)
    when = scenario["when"]
    ended_so = stage.state(
        when["duty"], as_of=str(when["as-of"]), period=str(when.get("period", ""))
    )
    duty = stage.duty_seen
    rests_on = duty.basis if duty.settled is None else duty.settled
    last = stage.world.folded[-1].index
    assert any(_named(stage, scenario, entry) for entry in (rests_on, last)), (duty.id, rests_on)
    return ended_so


def by_entry(scenario: Mapping[str, Any]) -> Ended:
    """How the entry of the act in ``when`` reads; what is in ``given`` was permitted before."""
    given = list(scenario.get("given", ()))
    begin = given.pop(0)["begin"] if given and "begin" in given[0] else {}
    stage = EntryStage(str(scenario.get("at", ENTRY_DAY)), **begin)
    for step in given:
        folded = _played(stage, step)
        assert folded is None or folded.permit, (step, folded.rules)
    looked_at = _played(stage, scenario["when"])
    assert looked_at is not None
    return ended(looked_at)


def ended(folded: Folded) -> Ended:
    """Verdict and rules as the hub wrote and signed them, which stood at their position."""
    said = folded.entry.statement
    assert folded.carried
    assert (said.permit, said.rules) == (folded.permit, folded.rules)
    forbids = any(Register.load().rule(rule).effect == "forbid" for rule in said.rules)
    warned = said.permit and forbids  # policies/SPEC.md 2.7
    return ("warn" if warned else "permit" if said.permit else "deny"), said.rules


def _played(stage: DutyStage, step: str | Mapping[str, Any]) -> Folded | None:
    told = {"do": step} if isinstance(step, str) else dict(step)
    if "on" in told:
        stage.on(str(told.pop("on")))
    act = getattr(stage, told.pop("do").replace("-", "_"))
    folded = act(*told.pop("args", ()), **{name: _exact(value) for name, value in told.items()})
    return folded if isinstance(folded, Folded) else None


def _named(stage: DutyStage, scenario: Mapping[str, Any], index: int) -> bool:
    """Whether an entry names the row of law that the scenario is about.

    On a duty that it begins, meets or is about, or as what a rule of the bus on it rests on.
    """
    folded, at_ms = stage.world.folded[index], at_noon(str(scenario["when"]["as-of"]))
    tied = ties(stage.world.registry, engine(), folded.act, index, at_ms)
    register = engine().register
    on_duties = {rule for tie in tied for rule in tie.duty.rules}
    rested_on = {row for rule in folded.rules for row in register.rule(rule).rests_on}
    return scenario["rule"] in on_duties | rested_on


def _plain(value: object) -> object:
    return value if isinstance(value, bool | int | list) else str(value)


def _exact(value: object) -> object:
    """Lists are tuples in acts, days are texts."""
    if isinstance(value, list):
        return tuple(value)
    return value if isinstance(value, bool | int | dict) else str(value)
