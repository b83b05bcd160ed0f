"""Putting duties on the book and taking them off; the only code that writes their rows' ends.

::

    name = owe(asked, index, Owed("answer", request.id.hex(), ("SLA-02",), owner=…, beneficiary=…))
    settle(asked, index, name)
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from exchange.registry.case import Asked
from exchange.registry.duties import standing
from exchange.registry.dutyrows import Duty, DutyKind, DutyOutcome
from exchange.registry.terms import rows_on, working_days

TERM: Final = "TERM-01"
"""The bus's own term where the law states none."""


@dataclass(frozen=True, slots=True)
class Owed:
    """What is to be owed: its id is ``kind/name``, its law those of ``rules`` that hold now."""

    kind: DutyKind
    name: str
    rules: Iterable[str]
    owner: str
    beneficiary: str
    dataset: str = ""
    region: str = ""
    by_ms: int = 0
    grant: bytes | None = None
    cycle: str = ""


def owe(asked: Asked, index: int, owed: Owed) -> str | None:
    """Put a duty on the book; None if no rule of law that it rests on holds now.

    Its term is ``by_ms``, else the working days of the first of the rules that states any.
    """
    rows = rows_on(asked.law(), owed.rules, asked.at_ms)
    if all(row.id == TERM for row in rows):
        return None
    days, extension = working_days(rows)
    identifier = f"{owed.kind}/{owed.name}"
    asked.registry.duties[identifier] = Duty(
        identifier,
        owed.kind,
        owed.owner,
        owed.beneficiary,
        tuple(row.id for row in rows),
        owed.dataset,
        owed.region,
        index,
        asked.at_ms,
        index + 1,
        days=0 if owed.by_ms else days,
        extension=extension,
        by_ms=owed.by_ms,
        grant=owed.grant,
        cycle=owed.cycle,
    )
    asked.registry.duties_open.add(identifier)
    return identifier


def settle(asked: Asked, index: int, identifier: str, outcome: DutyOutcome = "done") -> None:
    """Note that a duty was met, or lost its ground, and what that means for who insisted on it."""
    registry = asked.registry
    row = registry.duties.get(identifier)
    if row is not None and row.settled is None:
        row = replace(
            row, settled=index, settled_ms=asked.at_ms, outcome=outcome, version=index + 1
        )
        registry.duties[identifier] = row
        registry.duties_open.discard(identifier)
        count(asked, row)
    if identifier in registry.escalated:
        _settle_escalations(asked, index, identifier, outcome)


def _settle_escalations(asked: Asked, index: int, identifier: str, outcome: DutyOutcome) -> None:
    """Nobody has to decide about it any more; a direction to meet it is met, but not by a no."""
    for row in [one for one in asked.registry.escalations.values() if one.duty == identifier]:
        settle_open(asked, index, f"decide/{row.id.hex()}", "lapsed")
        if outcome != "refused":
            settle_open(asked, index, f"directed/{row.id.hex()}", outcome)


def count(asked: Asked, row: Duty, state: str = "") -> None:
    """Count how a duty ended, for meters that cannot walk the whole book."""
    found = state or standing(row, asked.registry, asked.law(), asked.at_ms).state
    for rule in row.rules:
        place = (rule, found)
        asked.registry.duty_counts[place] = asked.registry.duty_counts.get(place, 0) + 1


def settle_open(asked: Asked, index: int, name: str, outcome: DutyOutcome) -> None:
    """`settle`, unless it was met before: what is met stays met when its ground falls away."""
    row = asked.registry.duties.get(name)
    if row is not None and row.settled is None:
        settle(asked, index, name, outcome)
