"""Acts about duties before the rules are asked: what they name stands as they assume."""

from exchange.model import dutyacts as acts
from exchange.model.text import Text
from exchange.registry import busrules, facts
from exchange.registry.case import Asked, Case, Denied, nothing_there
from exchange.registry.duties import ended, find, ground, next_tier, standing
from exchange.registry.dutyrows import Duty, Objection
from exchange.registry.state import Registry
from exchange.registry.terms import as_date, calendar
from policies.facts import ContextValue, DutyFacts, LogFacts, MemberFacts
from policies.periods import day_of

BY_MS_MAX = 366 * 86_400_000
"""How far ahead a date may be set."""
_NO_END = (1 << 62) - 1
_NEGATIVE = frozenset({"lacks", "refuses", "explained", "upholds"})


def examine_demand(body: acts.NewDemand, asked: Asked) -> Case | Denied:
    """A member to ask, other than the one that asks; a purpose, if stated, of the register."""
    row = asked.registry.members.get(body.provider)
    if row is None or row.id == asked.act.member:
        return nothing_there(f"there is no other member {body.provider}", "没有该其他成员")
    if body.purpose and body.purpose not in asked.registry.purposes:
        return nothing_there("its purpose is not in the register", "用途未登记")
    return Case((asked.question(facts.member_facts(row), duty=body.duty),))


def examine_demand_answer(body: acts.AnswerDemand, asked: Asked) -> Case | Denied:
    """An open demand; a promise names its dataset and a day ahead, a reference one that stands."""
    row = asked.registry.duties.get(f"demand/{body.demand.hex()}")
    if row is None or row.settled is not None:
        return nothing_there("there is no such open demand", "没有该待答复需求")
    if body.outcome in {"registers", "refers"} and body.dataset is None:
        return nothing_there("the answer names no dataset", "答复未写明数据集")
    if body.outcome == "refers" and body.dataset not in asked.registry.datasets:
        return nothing_there("it refers to no dataset of the catalogue", "所指数据集不在目录中")
    if not _sensible(body.by_ms, asked):
        return _no_day()
    return _about(row, asked, outcome=body.outcome, reasoned=_reasoned(body.outcome, body.basis))


def examine_objection(body: acts.NewObjection, asked: Asked) -> Case | Denied:
    """Records that the dataset's streams have reached, and fields that the grant covers."""
    registry = asked.registry
    grant = registry.grants.get(body.grant)
    if grant is None:
        return nothing_there("there is no such grant", "没有该授权")
    if not set(body.fields) <= set(grant.fields):
        why = Text("it disputes fields that the grant does not cover", "所涉字段不在授权范围内")
        return Denied(busrules.CONTRACT, why)
    if max(body.versions) > _newest_version(registry, grant.dataset):
        return nothing_there("no such record was published", "没有发布过该版本的记录")
    row = registry.datasets[grant.dataset]
    related = facts.related_facts(registry, row, grant.consumer)
    return Case((asked.question(facts.grant_facts(grant), related),))


def examine_objection_answer(body: acts.AnswerObjection, asked: Asked) -> Case | Denied:
    """A pending objection; a correction names a later version that a stream is anchored at."""
    objection = asked.registry.objections.get(body.objection)
    if objection is None or objection.outcome is not None:
        return nothing_there("there is no such pending objection", "没有该待处理异议")
    if body.outcome == "corrected" and not _corrected(objection, body.version, asked.registry):
        return _uncorrected()
    row = asked.registry.duties.get(f"objection/{body.objection.hex()}") or _unbound(objection)
    return _about(row, asked, outcome=body.outcome, reasoned=_reasoned(body.outcome, body.basis))


def examine_escalate(body: acts.Escalate, asked: Asked) -> Case | Denied:
    """A duty; whether there is ground, and whether the tier is its turn, is for the rules."""
    duty = find(asked.registry, body.duty, asked.at_ms)
    if duty is None or duty.kind in {"decide", "directed"}:
        return _no_duty()
    law = asked.law()
    why = ground(duty, asked.registry, law, asked.at_ms)
    turn = next_tier(duty, asked.registry, law, asked.at_ms)
    return _about(duty, asked, ground=why, in_turn=body.tier == turn)


def examine_decide(body: acts.DecideEscalation, asked: Asked) -> Case | Denied:
    """An escalation that nobody has decided."""
    row = asked.registry.duties.get(f"decide/{body.escalation.hex()}")
    if row is None or row.settled is not None:
        return nothing_there("there is no such open escalation", "没有该待处理的升级事项")
    if not _sensible(body.by_ms, asked):
        return _no_day()
    reasoned = _reasoned(body.decision, body.basis)
    return _about(row, asked, outcome=body.decision, reasoned=reasoned)


def examine_notice(body: acts.NewNotice, asked: Asked) -> Case | Denied:
    """A provider and a dataset of its own, or one yet to be registered; dates lie ahead."""
    registry = asked.registry
    provider = registry.members.get(body.provider)
    if provider is None or (body.behalf is not None and body.behalf not in registry.members):
        return nothing_there("there is no such member", "没有该成员")
    row = registry.datasets.get(body.dataset)
    if body.notice == "register-by":
        if row is not None:
            return nothing_there("the dataset is registered already", "该数据集已登记")
    elif row is None or row.provider != provider.id:
        return nothing_there("the provider has no such dataset", "该提供方没有此数据集")
    if (body.by_ms == 0) != (body.notice == "law-changed") or not _sensible(body.by_ms, asked):
        return _no_day()
    return Case((asked.question(facts.member_facts(provider)),))


def examine_settle_notice(body: acts.SettleNotice, asked: Asked) -> Case | Denied:
    """A notice that is open; a correction names a version that a stream is anchored at."""
    notice = asked.registry.notices.get(body.notice)
    if notice is None or notice.kind == "register-by" or notice.settled is not None:
        return nothing_there("there is no such open notice", "没有该待办通知")
    kind = "correct" if notice.kind == "correct-by" else "catalogue"
    row = asked.registry.duties.get(f"{kind}/{body.notice.hex()}")
    if row is None or row.settled is not None:
        return nothing_there("there is no such open notice", "没有该待办通知")
    if notice.kind == "correct-by":
        newest = _newest_version(asked.registry, notice.dataset, after=notice.filed)
        if not 0 < body.version <= newest:
            return _uncorrected()
    return _about(row, asked, outcome="settled", reasoned=True)


def examine_deletion(body: acts.ConfirmDeletion, asked: Asked) -> Case | Denied:
    """A grant under which keys were released and whose copy is not confirmed deleted yet."""
    return _of_grant(body.grant, "delete", asked)


def examine_notify(body: acts.NotifyPersons, asked: Asked) -> Case | Denied:
    """A grant under which personal data was released and nobody was told yet."""
    return _of_grant(body.grant, "notify", asked)


def examine_extend(body: acts.ExtendDuty, asked: Asked) -> Case | Denied:
    """A duty that is owed and may be extended."""
    return _extension(body.duty, asked, body.days)


def examine_consent(body: acts.ConsentExtension, asked: Asked) -> Case | Denied:
    """A duty for which days were asked."""
    duty = asked.registry.duties.get(body.duty)
    if duty is None or not duty.asked_days:
        return nothing_there("nobody has asked for more days", "没有待同意的延期申请")
    return _extension(body.duty, asked, duty.asked_days)


def examine_calendar(body: acts.AdoptCalendar, asked: Asked) -> Case | Denied:
    """Days of that year (and of the December before it) that exist, and change nothing past."""
    days = calendar(asked.registry, asked.law())
    today = day_of(asked.at_ms)
    try:
        listed = [as_date(day) for day in (*body.off, *body.work)]
    except ValueError:
        return _no_calendar("a day does not exist", "所列日期不存在")
    if not body.off or len(set(listed)) != len(listed):
        return _no_calendar("it takes no day off, or lists one twice", "未列放假日或日期重复")
    for day in listed:
        if day.year != body.year and (day.year, day.month) != (body.year - 1, 12):
            return _no_calendar("a day lies outside the year", "所列日期不在该年度内")
        if day.year in days.years and day <= today:
            return _no_calendar(
                "a day of a known year has passed", "已知年度中已过去的日期不可更改"
            )
    if any(as_date(day).weekday() < 5 for day in body.work):
        return _no_calendar("a make-up day is no weekend day", "调休上班日须为周末")
    return Case((asked.question(LogFacts(asked.registry.origin)),))


def _extension(name: str, asked: Asked, days: int) -> Case | Denied:
    duty = asked.registry.duties.get(name)
    if duty is None or duty.cycle or duty.settled is not None:
        return _no_duty()
    found = standing(duty, asked.registry, asked.law(), asked.at_ms)
    ends_ms = found.term.ends_ms
    case = _about(
        duty,
        asked,
        days=days,
        most=max(0, duty.extension - duty.extended_days),
        ends=_NO_END if ends_ms is None else ends_ms,
    )
    return Case(case.questions, until_ms=ends_ms)


def _about(duty: Duty, asked: Asked, **context: ContextValue) -> Case:
    """The question about a duty, its owner and its beneficiary."""
    members = asked.registry.members
    beneficiary = duty.beneficiary or _reader(duty, asked)
    fact = DutyFacts(duty.id, duty.owner, beneficiary, duty.kind, duty.settled is None)
    names = dict.fromkeys((duty.owner, beneficiary))
    related: tuple[MemberFacts, ...] = tuple(facts.member_facts(members[name]) for name in names)
    return Case((asked.question(fact, related, **context),))


def _reader(duty: Duty, asked: Asked) -> str:
    """Of a duty to every reader: the member that acts if it is one, else the authority."""
    registry, member = asked.registry, asked.act.member
    grants = (registry.grants[grant] for grant in registry.grants_by_consumer.get(member, ()))
    reads = any(
        grant.dataset == duty.dataset and not ended(grant.id, registry, asked.at_ms)
        for grant in grants
    )
    return member if reads else registry.authority


def _of_grant(grant: bytes, kind: str, asked: Asked) -> Case | Denied:
    duty = asked.registry.duties.get(f"{kind}/{grant.hex()}")
    if duty is None or duty.settled is not None:
        return nothing_there("nothing is owed under this grant", "该授权下没有此项待办义务")
    return _about(duty, asked, ended=ended(grant, asked.registry, asked.at_ms))


def _newest_version(registry: Registry, dataset: str, *, after: int = -1) -> int:
    """The newest version that a stream is anchored at, by an entry past ``after``."""
    newest = 0
    for stream in registry.streams_by_dataset.get(dataset, ()):
        row = registry.newest_anchor(stream)
        if row is not None and row.index > after:
            newest = max(newest, row.version)
    return newest


def _unbound(objection: Objection) -> Duty:
    """What would be owed about an objection that no row of law bound anybody to answer."""
    return Duty(
        f"objection/{objection.id.hex()}",
        "objection",
        objection.provider,
        objection.objector,
        (),
        objection.dataset,
        "",
        objection.filed,
        objection.filed_ms,
        version=0,
    )


def _corrected(objection: Objection, version: int, registry: Registry) -> bool:
    newest = _newest_version(registry, objection.dataset, after=objection.filed)
    return max(objection.versions) < version <= newest


def _reasoned(outcome: str, basis: str) -> bool:
    """Whether an outcome that is negative cites a basis."""
    return outcome not in _NEGATIVE or bool(basis.strip())


def _sensible(by_ms: int, asked: Asked) -> bool:
    return by_ms == 0 or asked.at_ms < by_ms <= asked.at_ms + BY_MS_MAX


def _no_duty() -> Denied:
    return nothing_there("there is no such open duty", "没有该待办义务")


def _no_day() -> Denied:
    return nothing_there(
        "the date is missing, has passed, or lies more than a year ahead",
        "期限缺失、已过，或超过一年",
    )


def _uncorrected() -> Denied:
    return nothing_there(
        "no stream of the dataset was anchored at that later version since",
        "此后没有数据流锚定到该更新版本",
    )


def _no_calendar(en: str, zh: str) -> Denied:
    return nothing_there(en, zh)
