"""What permitted acts about duties change; called like exchange/registry/effects.py."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from exchange.model import dutyacts as acts
from exchange.registry.case import Asked
from exchange.registry.duties import find
from exchange.registry.dutyrows import AdoptedYear, Demand, Escalation, Notice, Objection
from exchange.registry.owing import TERM, Owed, owe, settle, settle_open


def _demand(body: acts.NewDemand, asked: Asked, index: int) -> None:
    act = asked.act
    asked.registry.demands[act.id] = Demand(
        act.id,
        act.member,
        body.provider,
        body.title,
        body.items,
        body.region,
        body.purpose,
        body.duty,
        index,
    )
    owe(
        asked,
        index,
        Owed(
            "demand",
            act.id.hex(),
            ("RESP-01", TERM),
            owner=body.provider,
            beneficiary=act.member,
        ),
    )


def _answer_demand(body: acts.AnswerDemand, asked: Asked, index: int) -> None:
    registry = asked.registry
    row = registry.demands[body.demand]
    registry.demands[row.id] = replace(
        row, outcome=body.outcome, dataset=body.dataset or "", basis=body.basis
    )
    negative = body.outcome in {"lacks", "refuses"}
    settle(asked, index, f"demand/{row.id.hex()}", "refused" if negative else "done")
    if body.outcome == "registers" and body.dataset is not None:
        _owe_entry(
            asked,
            index,
            row.id,
            body.dataset,
            owner=row.provider,
            beneficiary=row.consumer,
            by_ms=body.by_ms,
        )


def _owe_entry(
    asked: Asked,
    index: int,
    ground: bytes,
    dataset: str,
    *,
    owner: str,
    beneficiary: str,
    by_ms: int,
) -> None:
    """``owner`` must propose ``dataset`` for the catalogue."""
    name = owe(
        asked,
        index,
        Owed(
            "register",
            ground.hex(),
            ("OBL-01", TERM),
            owner=owner,
            beneficiary=beneficiary,
            dataset=dataset,
            by_ms=by_ms,
        ),
    )
    if name is not None:
        asked.registry.duties_register.setdefault(dataset, set()).add(name)


def _objection(body: acts.NewObjection, asked: Asked, index: int) -> None:
    registry, act = asked.registry, asked.act
    grant = registry.grants[body.grant]
    row = Objection(
        act.id,
        act.member,
        grant.dataset,
        registry.datasets[grant.dataset].provider,
        grant.id,
        body.versions,
        body.fields,
        body.reason,
        body.proof,
        body.credit or registry.datasets[grant.dataset].said.library == "credit",
        index,
        asked.at_ms,
    )
    registry.objections[row.id] = row
    registry.objections_open.setdefault(row.dataset, []).append(row.id)
    rules = ("COR-04",) if row.credit else ("COR-01",)
    owe(
        asked,
        index,
        Owed(
            "objection",
            row.id.hex(),
            (*rules, "COR-02") if row.proof else rules,
            owner=row.provider,
            beneficiary=row.objector,
            dataset=row.dataset,
        ),
    )


def _answer_objection(body: acts.AnswerObjection, asked: Asked, index: int) -> None:
    registry = asked.registry
    row = registry.objections[body.objection]
    registry.objections[row.id] = replace(
        row, outcome=body.outcome, version=body.version, basis=body.basis
    )
    registry.objections_open[row.dataset].remove(row.id)
    match body.outcome:
        case "corrected":
            settle(asked, index, f"objection/{row.id.hex()}")
        case "explained":
            settle(asked, index, f"objection/{row.id.hex()}", "refused")
        case "withdrawn":
            settle(asked, index, f"objection/{row.id.hex()}", "lapsed")


def _escalate(body: acts.Escalate, asked: Asked, index: int) -> None:
    registry, act = asked.registry, asked.act
    row = Escalation(act.id, body.duty, act.member, body.tier, index, asked.at_ms)
    registry.escalations[row.id] = row
    registry.escalated[body.duty] = row.id
    duty = find(registry, body.duty, asked.at_ms)
    owner = registry.authority if duty is None or body.tier > 1 else duty.owner
    owe(
        asked,
        index,
        Owed(
            "decide",
            row.id.hex(),
            ("ESC-01", TERM),
            owner=owner,
            beneficiary=act.member,
            dataset=duty.dataset if duty is not None else "",
        ),
    )


def _decide(body: acts.DecideEscalation, asked: Asked, index: int) -> None:
    registry = asked.registry
    row = registry.escalations[body.escalation]
    registry.escalations[row.id] = replace(
        row, decision=body.decision, decided_ms=asked.at_ms, basis=body.basis
    )
    settle_open(asked, index, f"decide/{row.id.hex()}", "done")
    duty = find(registry, row.duty, asked.at_ms)
    if body.decision != "directs" or duty is None:
        return
    owe(
        asked,
        index,
        Owed(
            "directed",
            row.id.hex(),
            ("ESC-01", TERM),
            owner=duty.owner,
            beneficiary=row.applicant,
            dataset=duty.dataset,
            by_ms=body.by_ms,
        ),
    )
    if duty.outcome == "refused":
        _reopen(duty.id, asked, index)


def _reopen(name: str, asked: Asked, index: int) -> None:
    """What was answered in the negative waits for an answer again, on its whole term.

    Nothing is permitted by that.
    """
    registry = asked.registry
    kind, _, hexadecimal = name.partition("/")
    identifier = bytes.fromhex(hexadecimal)
    match kind:
        case "answer":
            request = registry.requests[identifier]
            registry.requests[identifier] = replace(
                request, status="open", answer=None, basis="", reason="", version=index + 1
            )
        case "objection":
            objection = registry.objections[identifier]
            registry.objections[identifier] = replace(objection, outcome=None)
            registry.objections_open[objection.dataset].append(identifier)
        case _:
            demand = registry.demands[identifier]
            registry.demands[identifier] = replace(demand, outcome=None, dataset="", basis="")
    registry.duties[name] = replace(
        registry.duties[name],
        basis=index,
        since_ms=asked.at_ms,
        by_ms=0,
        settled=None,
        settled_ms=0,
        outcome="",
        extended_days=0,
        extended_ms=0,
        version=index + 1,
    )
    registry.duties_open.add(name)


def _notice(body: acts.NewNotice, asked: Asked, index: int) -> None:
    registry, act = asked.registry, asked.act
    behalf = body.behalf or registry.authority
    registry.notices[act.id] = Notice(
        act.id, body.notice, body.dataset, body.provider, body.reference, index
    )
    match body.notice:
        case "register-by":
            _owe_entry(
                asked,
                index,
                act.id,
                body.dataset,
                owner=body.provider,
                beneficiary=behalf,
                by_ms=body.by_ms,
            )
        case "correct-by":
            owe(
                asked,
                index,
                Owed(
                    "correct",
                    act.id.hex(),
                    ("COR-03",),
                    owner=body.provider,
                    beneficiary=behalf,
                    dataset=body.dataset,
                    by_ms=body.by_ms,
                ),
            )
        case "law-changed":
            name = owe(
                asked,
                index,
                Owed(
                    "catalogue",
                    act.id.hex(),
                    ("CAT-05",),
                    owner=body.provider,
                    beneficiary=behalf,
                    dataset=body.dataset,
                ),
            )
            if name is not None:
                registry.duties_register.setdefault(body.dataset, set()).add(name)


def _settle_notice(body: acts.SettleNotice, asked: Asked, index: int) -> None:
    registry = asked.registry
    row = registry.notices[body.notice]
    registry.notices[row.id] = replace(row, settled=index, basis=body.basis)
    kind = "correct" if row.kind == "correct-by" else "catalogue"
    name = f"{kind}/{row.id.hex()}"
    registry.duties_register.get(row.dataset, set()).discard(name)
    settle(asked, index, name)


def _deleted(body: acts.ConfirmDeletion, asked: Asked, index: int) -> None:
    settle(asked, index, f"delete/{body.grant.hex()}")


def _notified(body: acts.NotifyPersons, asked: Asked, index: int) -> None:
    settle(asked, index, f"notify/{body.grant.hex()}")


def _extend(body: acts.ExtendDuty, asked: Asked, index: int) -> None:
    row = asked.registry.duties[body.duty]
    asked.registry.duties[row.id] = replace(row, asked_days=body.days, version=index + 1)


def _consent(body: acts.ConsentExtension, asked: Asked, index: int) -> None:
    row = asked.registry.duties[body.duty]
    if body.agree:
        row = replace(
            row,
            extended_days=row.extended_days + row.asked_days,
            extended_ms=row.extended_ms or asked.at_ms,
        )
    asked.registry.duties[row.id] = replace(row, asked_days=0, version=index + 1)


def _calendar(body: acts.AdoptCalendar, asked: Asked, index: int) -> None:
    year = AdoptedYear(body.year, body.off, body.work, asked.at_ms, index)
    asked.registry.calendar = (*asked.registry.calendar, year)


EFFECTS: Final[dict[type, Callable[[Any, Asked, int], None]]] = {
    acts.NewDemand: _demand,
    acts.AnswerDemand: _answer_demand,
    acts.NewObjection: _objection,
    acts.AnswerObjection: _answer_objection,
    acts.Escalate: _escalate,
    acts.DecideEscalation: _decide,
    acts.NewNotice: _notice,
    acts.SettleNotice: _settle_notice,
    acts.ConfirmDeletion: _deleted,
    acts.NotifyPersons: _notified,
    acts.ExtendDuty: _extend,
    acts.ConsentExtension: _consent,
    acts.AdoptCalendar: _calendar,
}
