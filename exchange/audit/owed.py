"""What an entry means for duties: which it begins, meets, or is about, under which law. Pure.

    for tie in ties(registry, law, row.parsed, row.index, at_ms):
        tie.how, tie.duty.id, tie.duty.rules, tie.standing.state

An entry's own rules say what permitted or forbade its act. The law that puts somebody under a term
decides no question, so it stands on the duty, and the duty rests on the entry: this is where the
two are read together.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from exchange.ledger.act import Act, ParsedAct
from exchange.model import acts
from exchange.model import dutyacts as duties
from exchange.model.actcodec import Body
from exchange.registry.cycles import occurrences
from exchange.registry.duties import Standing, find, standing
from exchange.registry.dutyrows import Duty
from exchange.registry.state import Registry
from exchange.registry.terms import Law

How = Literal["begins", "meets", "about"]
"""``about``: it answers, extends or escalates the duty, or tried to, or began it before an
escalation opened it again."""


@dataclass(frozen=True, slots=True)
class Tie:
    """One duty that an entry concerns, and how the duty stands at the moment that was asked for."""

    how: How
    duty: Duty
    standing: Standing


_ANSWERS: Final[dict[type[Body], tuple[tuple[str, ...], str]]] = {
    acts.AnswerRequest: (("answer",), "request"),
    acts.WithdrawRequest: (("answer",), "request"),
    duties.AnswerDemand: (("demand",), "demand"),
    duties.AnswerObjection: (("objection",), "objection"),
    duties.DecideEscalation: (("decide",), "escalation"),
    duties.SettleNotice: (("correct", "catalogue"), "notice"),
    duties.ConfirmDeletion: (("delete",), "grant"),
    duties.NotifyPersons: (("notify",), "grant"),
}
"""Acts that name the duty they would meet by what it arose from."""


def ties(
    registry: Registry, law: Law, act: ParsedAct | Act | None, index: int, at_ms: int
) -> Iterator[Tie]:
    """The duties that entry ``index`` concerns, in the order of the ledger, each once."""
    if act is None or act.body is None:
        return
    named, own = set(_named(act.body)), f"/{act.id.hex()}"
    provided = {name for (name, _), one in registry.provided.items() if one.index == index}
    for row in registry.duties.values():
        periods = occurrences(row, registry, at_ms) if row.id in provided else ()
        met = [one for one in periods if one.settled == index]
        for duty in (row, *reversed(met)):
            how = _how(duty, row, index)
            if how is None and (duty.id in named or duty.id.endswith(own)):
                how = "about"
            if how is not None:
                yield Tie(how, duty, standing(duty, registry, law, at_ms))
                named.discard(duty.id)
    for name in sorted(named):
        period = find(registry, name, at_ms)  # of a cycle: it is no row of its own
        if period is not None:
            yield Tie("about", period, standing(period, registry, law, at_ms))


def _how(duty: Duty, row: Duty, index: int) -> How | None:
    if duty.settled == index:
        return "meets"
    return "begins" if duty.basis == index and duty is row else None


def _named(body: Body) -> Iterator[str]:
    if isinstance(body, duties.Escalate | duties.ExtendDuty | duties.ConsentExtension):
        yield body.duty
    kinds, field = _ANSWERS.get(type(body), ((), ""))
    yield from (f"{kind}/{getattr(body, field).hex()}" for kind in kinds)
