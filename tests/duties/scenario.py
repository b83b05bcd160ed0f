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
"""

from collections.abc import Mapping
from typing import Any

from tests.duties.stage import DutyStage, Ended


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
        return "deny", folded.rules
    when = scenario["when"]
    return stage.state(when["duty"], as_of=str(when["as-of"]), period=str(when.get("period", "")))


def _plain(value: object) -> object:
    return value if isinstance(value, bool | int | list) else str(value)
