"""What acts about duties read; a part of exchange/registry/footprint.py."""

from collections.abc import Iterable
from typing import Final, Protocol

from exchange.ledger.act import Act
from exchange.model import dutyacts as acts
from exchange.model import lawacts
from exchange.registry.dutyrows import Duty
from exchange.registry.state import Registry

_GRANTS_READ: Final = 64
"""Newest grants of a reader that decide whether a cycle is owed to it."""

Pair = tuple[str, int]


class Reads(Protocol):
    """Pairs of the other tables; `exchange.registry.footprint`."""

    @property
    def registry(self) -> Registry:
        """The state."""

    def member(self, member: str) -> Pair:
        """A member."""

    def purpose(self, purpose: str) -> Pair:
        """A purpose of the register."""

    def dataset(self, dataset: str) -> Iterable[Pair]:
        """A dataset and its provider."""

    def grant(self, grant: bytes) -> Iterable[Pair]:
        """A grant, its consumer and its dataset."""


def of_duty(act: Act, reads: Reads) -> Iterable[Pair]:
    """The pairs of an act about duties; none for another act."""
    body = act.body
    match body:
        case acts.NewDemand():
            yield reads.member(body.provider)
            yield reads.purpose(body.purpose)
        case acts.AnswerDemand():
            yield from _duty(f"demand/{body.demand.hex()}", reads)
        case acts.NewObjection():
            yield from reads.grant(body.grant)
        case acts.AnswerObjection():
            yield from _duty(f"objection/{body.objection.hex()}", reads)
            if (objection := reads.registry.objections.get(body.objection)) is not None:
                yield reads.member(objection.provider)  # the duty's parties, or whose it would be
                yield reads.member(objection.objector)
        case acts.NewNotice():
            yield reads.member(body.provider)
            yield from reads.dataset(body.dataset)
        case acts.SettleNotice():
            yield from _duty(f"correct/{body.notice.hex()}", reads)
            yield from _duty(f"catalogue/{body.notice.hex()}", reads)
        case acts.AdoptCalendar() | lawacts.AdoptRules():
            yield _calendar(reads)
        case _:
            yield from _of_term(act, reads)


def _of_term(act: Act, reads: Reads) -> Iterable[Pair]:
    body = act.body
    match body:
        case acts.Escalate():
            yield _calendar(reads)
            yield from _duty(body.duty, reads)
            yield from _reader(act.member, body.duty, reads)
            yield _escalated(body.duty, reads)
        case acts.DecideEscalation():
            yield from _duty(f"decide/{body.escalation.hex()}", reads)
        case acts.ConfirmDeletion():
            yield from _duty(f"delete/{body.grant.hex()}", reads)
            yield from reads.grant(body.grant)
        case acts.NotifyPersons():
            yield from _duty(f"notify/{body.grant.hex()}", reads)
            yield from reads.grant(body.grant)
        case acts.ExtendDuty() | acts.ConsentExtension():
            yield _calendar(reads)
            yield from _duty(body.duty, reads)


def _row(name: str, registry: Registry) -> Duty | None:
    """The row of a duty, or of the cycle that a period belongs to."""
    return registry.duties.get(name) or registry.duties.get(name.rpartition("/")[0])


def _duty(name: str, reads: Reads) -> Iterable[Pair]:
    row = _row(name, reads.registry)
    yield f"t:{name}", row.version if row else 0
    if row:
        yield reads.member(row.owner)
        if row.beneficiary:
            yield reads.member(row.beneficiary)


def _reader(member: str, name: str, reads: Reads) -> Iterable[Pair]:
    row = _row(name, reads.registry)
    if row is None or row.beneficiary:
        return
    for grant in reads.registry.grants_by_consumer.get(member, ())[-_GRANTS_READ:]:
        if reads.registry.grants[grant].dataset == row.dataset:
            yield from reads.grant(grant)


def _escalated(name: str, reads: Reads) -> Pair:
    """The newest escalation about a duty, its decision, and what follows from it."""
    registry = reads.registry
    last = registry.escalated.get(name)
    if last is None:
        return f"e:{name}", 0
    follow_ups = (registry.duties.get(f"{kind}/{last.hex()}") for kind in ("decide", "directed"))
    versions = [row.version for row in follow_ups if row is not None]
    return f"e:{name}", max([registry.escalations[last].opened + 1, *versions])


def _calendar(reads: Reads) -> Pair:
    years = reads.registry.calendar
    return "y:calendar", years[-1].index + 1 if years else 0
