"""The verdict on an act in one state: structure first, then the rules; the ledger's SPEC.md §7.

`examine` says what an act comes to (`Case` or `Denied`), `rule_on` asks the engine, `carry` takes a
hub's verdict as far as it may stand. Pure; the same act and state give the same verdict.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from exchange.ledger.act import Act
from exchange.ledger.entry import Statement
from exchange.ledger.verdict import Verdict
from exchange.model import acts, dutyacts, evidenceacts, lawacts, lifeacts
from exchange.registry import (
    access,
    catalogue,
    dutycases,
    forks,
    inquiries,
    law,
    parties,
    proposals,
    publishing,
    requests,
    sharing,
)
from exchange.registry.busrules import EVIDENCE, RULES
from exchange.registry.case import Asked, Case, Denied
from exchange.registry.lawbook import Decides
from policies.facts import Answer, Question

RulesByItem = Mapping[int, tuple[str, ...]]


_EXAMINE: Final[dict[type, Callable[[Any, Asked], Case | Denied]]] = {
    acts.EnrolMember: parties.examine_enrol,
    acts.SuspendMember: parties.examine_suspend,
    acts.RegisterInstance: parties.examine_register,
    acts.RetireInstance: parties.examine_retire,
    acts.ProposeDataset: proposals.examine_propose,
    lifeacts.ReviewDataset: proposals.examine_review,
    acts.PublishDataset: catalogue.examine_publish,
    acts.WithdrawDataset: catalogue.examine_withdraw,
    acts.DatasetKey: catalogue.examine_dataset_key,
    acts.OpenStream: publishing.examine_open,
    acts.ReportProgress: publishing.examine_progress,
    acts.DeclareGap: publishing.examine_gap,
    acts.ReportFork: forks.examine_fork,
    acts.Apply: requests.examine_apply,
    lifeacts.CompleteRequest: requests.examine_complete,
    acts.AnswerRequest: access.examine_answer,
    acts.WithdrawRequest: access.examine_withdraw_request,
    lifeacts.RenewGrant: access.examine_renew,
    acts.RevokeGrant: access.examine_revoke,
    acts.AskKeys: access.examine_ask,
    acts.FileReceipt: access.examine_receipt,
    dutyacts.NewDemand: dutycases.examine_demand,
    dutyacts.AnswerDemand: dutycases.examine_demand_answer,
    dutyacts.NewObjection: dutycases.examine_objection,
    dutyacts.AnswerObjection: dutycases.examine_objection_answer,
    dutyacts.Escalate: dutycases.examine_escalate,
    dutyacts.DecideEscalation: dutycases.examine_decide,
    dutyacts.NewNotice: dutycases.examine_notice,
    dutyacts.SettleNotice: dutycases.examine_settle_notice,
    dutyacts.ConfirmDeletion: dutycases.examine_deletion,
    dutyacts.NotifyPersons: dutycases.examine_notify,
    dutyacts.ExtendDuty: dutycases.examine_extend,
    dutyacts.ConsentExtension: dutycases.examine_consent,
    dutyacts.AdoptCalendar: dutycases.examine_calendar,
    evidenceacts.AuditQuery: inquiries.examine_query,
    lawacts.AdoptRules: law.examine_adopt,
    lawacts.AssignRole: law.examine_assign,
    lawacts.EndRole: law.examine_end,
    lawacts.PurgeRecords: law.examine_purge,
    lifeacts.ConsentOnward: sharing.examine_consent,
    lifeacts.DeclareCollection: sharing.examine_collection,
    lifeacts.RegisterPurpose: sharing.examine_purpose,
}


def examine(asked: Asked) -> Case | Denied:
    """What the act comes to in the state it meets, before any rule is asked."""
    return _EXAMINE[type(asked.act.body)](asked.act.body, asked)


def rule_on(case: Case | Denied, engine: Decides, refused: RulesByItem) -> Verdict:
    """The verdict of the rules; items in ``refused`` are refused whatever the rules say."""
    if isinstance(case, Denied):
        return Verdict(permit=False, rules=(case.rule,))
    answers = _answers(case, engine, refused)
    if case.itemised:
        return _by_item(answers)
    denials = [answer for answer in answers if not answer.permit]
    return Verdict(permit=not denials, rules=_union(denials or answers))


def carry(case: Case | Denied, said: Statement) -> Verdict | None:
    """The hub's verdict with what structure alone refuses; None if it is no verdict on this case.

    Only for an entry whose footprint holds.
    """
    if isinstance(case, Denied):
        return Verdict(permit=False, rules=(case.rule,))
    count = len(case.questions)
    refused = dict(said.refused_items)
    if not case.itemised:
        return None if refused else Verdict(said.permit, said.rules)
    if refused.keys() - set(range(count)) or said.permit != (len(refused) < count):
        return None
    for item, question in enumerate(case.questions):
        if isinstance(question, Denied):
            refused.setdefault(item, (question.rule,))
    permit = len(refused) < count
    rules = said.rules if permit == said.permit else _sorted(refused.values())
    return Verdict(permit, rules, tuple(sorted(refused.items())))


def untold(said: Statement) -> bool:
    """Whether a hub denied an adoption because of the set itself: that stands in any case.

    Otherwise a program without the set's engine could not go on where the set was refused.
    """
    return not said.permit and RULES in said.rules


def evidence(said: Statement) -> RulesByItem:
    """The refusals of an entry that rest on what only its hub could see."""
    return {item: rules for item, rules in said.refused_items if not EVIDENCE.isdisjoint(rules)}


def until_ms(act: Act, case: Case | Denied) -> int:
    """The instant from which a permit of this act would no longer hold."""
    if isinstance(case, Denied) or case.until_ms is None:
        return act.expires_ms
    return min(act.expires_ms, case.until_ms)


def _answers(case: Case, engine: Decides, refused: RulesByItem) -> list[Answer]:
    # The items of one request differ in little more than their stream. Facts are made once
    # (facts.py), so the same question shows in their identities; ``known`` holds them meanwhile.
    known: dict[tuple[object, ...], tuple[Question, Answer]] = {}
    answers: list[Answer] = []
    for item, question in enumerate(case.questions):
        if item in refused:
            answers.append(Answer(permit=False, rules=refused[item]))
        elif isinstance(question, Denied):
            answers.append(Answer(permit=False, rules=(question.rule,)))
        else:
            put = question() if callable(question) else question
            key = (id(put.resource), *map(id, put.related), *sorted(put.context.items()))
            if key not in known:
                known[key] = (put, engine.decide(put))
            answers.append(known[key][1])
    return answers


def _by_item(answers: list[Answer]) -> Verdict:
    refused = tuple(
        (item, answer.rules) for item, answer in enumerate(answers) if not answer.permit
    )
    permits = [answer for answer in answers if answer.permit]
    return Verdict(bool(permits), _union(permits or answers), refused)


def _union(answers: Iterable[Answer]) -> tuple[str, ...]:
    """Every rule behind the answers; a permit's warnings stand among them, being prohibitions."""
    return _sorted((*answer.rules, *answer.warnings) for answer in answers)


def _sorted(rules: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(sorted({rule for some in rules for rule in some}))
