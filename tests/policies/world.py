"""A small world in which every action is permitted, and how a test departs from it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from policies.facts import (
    DatasetFacts,
    DutyFacts,
    GrantFacts,
    LogFacts,
    MemberFacts,
    Question,
    RequestFacts,
    Resource,
)

NOW: Final = 1_770_000_000_000
LATER: Final = NOW + 86_400_000

AUTHORITY: Final = MemberFacts("data-bureau", "authority", active=True)
PROVIDER: Final = MemberFacts("civil-affairs", "department", active=True)
CONSUMER: Final = MemberFacts("human-resources", "department", active=True)
AUDITOR: Final = MemberFacts("audit-office", "auditor", active=True)
DATASET: Final = DatasetFacts("villages", PROVIDER.id, "unconditional", "none", "published")
PROPOSED: Final = replace(DATASET, status="proposed")
LOG: Final = LogFacts("exchange.zj.example/2026")
REQUEST: Final = RequestFacts(
    "request-1", CONSUMER.id, DATASET.id, "open", ("code", "name"), ("33",), 0, NOW, LATER
)
RETURNED: Final = replace(REQUEST, status="returned")
GRANT: Final = GrantFacts(
    "grant-1",
    CONSUMER.id,
    DATASET.id,
    "c0ffee",
    ("code", "name"),
    ("3301",),
    "business",
    "就业促进法 32",
    0,
    NOW,
    LATER,
    revoked=False,
)

APPLICATION: Final[Mapping[str, Any]] = {
    "duty": "就业促进法 32",
    "purpose": "business",
    "purpose_known": True,
    "incomplete": (),
    "fields": ("code", "name"),
    "unknown_fields": (),
    "key_covered": True,
    "regions": ("3301",),
    "own_rows": False,
    "from": 0,
    "to": NOW,
    "expires": LATER,
    "personal": (),
    "sensitive": (),
    "unneeded": (),
    "assessment": "",
}
ENTRY: Final[Mapping[str, Any]] = {
    "taken": False,
    "reviewed": True,
    "missing": (),
    "malformed": (),
    "own_code": True,
    "mode_fits": True,
    "price": "",
    "basis": "",
    "basis_kind": "",
    "core_item": False,
    "scope": (),
    "uses": (),
    "claimed": (),
    "unconsented": (),
}
RENEWAL: Final[Mapping[str, Any]] = {
    "expires": LATER + 1,
    "contract": "c0ffee",
    "own_rows": False,
}
ANSWER: Final[Mapping[str, Any]] = {
    "approve": True,
    "basis": "",
    "reason": "",
    "price": "",
    "widened": False,
    "conditions": (),
    "expires": LATER,
}
KEYS: Final[Mapping[str, Any]] = {
    "purpose": "business",
    "contract": "c0ffee",
    "fields": ("code",),
    "region_prefixes": ("", "33", "3301", "330102"),
    "epoch_from": 10,
    "epoch_to": 20,
}

DUTY: Final = DutyFacts("demand/1", PROVIDER.id, CONSUMER.id, "demand", open=True)
DECIDED: Final[Mapping[str, Any]] = {"outcome": "directs", "reasoned": True}
MORE_DAYS: Final[Mapping[str, Any]] = {"days": 5, "most": 10, "ends": LATER}

Base = tuple[MemberFacts, Resource, tuple[Resource, ...], Mapping[str, Any]]
BASES: Final[Mapping[str, Base]] = {
    "member.enrol": (AUTHORITY, LOG, (), {"member_kind": "department"}),
    "member.suspend": (AUTHORITY, PROVIDER, (), {}),
    "instance.register": (PROVIDER, PROVIDER, (), {}),
    "instance.retire": (PROVIDER, PROVIDER, (), {}),
    "catalogue.propose": (PROVIDER, PROPOSED, (), ENTRY),
    "catalogue.review": (AUTHORITY, PROPOSED, (), {}),
    "catalogue.publish": (AUTHORITY, PROPOSED, (), ENTRY),
    "onward.consent": (PROVIDER, DATASET, (), {}),
    "collection.declare": (CONSUMER, LOG, (), {"available": ()}),
    "purpose.register": (AUTHORITY, LOG, (), {}),
    "catalogue.withdraw": (PROVIDER, DATASET, (), {}),
    "dataset.key": (AUTHORITY, DATASET, (), {}),
    "stream.open": (PROVIDER, DATASET, (), {"owner": True, "sm": False}),
    "stream.progress": (PROVIDER, DATASET, (), {"owner": True}),
    "stream.gap": (PROVIDER, DATASET, (), {"owner": True}),
    "stream.fork": (CONSUMER, DATASET, (), {}),
    "request.new": (CONSUMER, DATASET, (), APPLICATION),
    "request.complete": (CONSUMER, RETURNED, (DATASET,), APPLICATION),
    "request.answer": (PROVIDER, REQUEST, (DATASET,), ANSWER),
    "request.withdraw": (CONSUMER, REQUEST, (), {}),
    "grant.renew": (CONSUMER, GRANT, (DATASET,), RENEWAL),
    "grant.revoke": (CONSUMER, GRANT, (DATASET,), {}),
    "keys.ask": (CONSUMER, GRANT, (DATASET,), KEYS),
    "receipt.file": (CONSUMER, GRANT, (), {}),
    "demand.new": (CONSUMER, PROVIDER, (), {"duty": "就业促进法 32"}),
    "demand.answer": (PROVIDER, DUTY, (), DECIDED),
    "objection.new": (CONSUMER, GRANT, (), {}),
    "objection.answer": (
        PROVIDER,
        replace(DUTY, kind="objection"),
        (),
        {"outcome": "corrected", "reasoned": True},
    ),
    "escalate.new": (CONSUMER, DUTY, (), {"ground": "overdue", "in_turn": True}),
    "escalate.decide": (PROVIDER, replace(DUTY, kind="decide"), (), DECIDED),
    "notice.new": (AUTHORITY, PROVIDER, (), {}),
    "notice.settle": (PROVIDER, replace(DUTY, kind="correct"), (), DECIDED),
    "deletion.confirm": (PROVIDER, replace(DUTY, kind="delete"), (), {"ended": True}),
    "person.notify": (PROVIDER, replace(DUTY, kind="notify"), (), {"ended": False}),
    "duty.extend": (PROVIDER, DUTY, (), MORE_DAYS),
    "duty.consent": (CONSUMER, DUTY, (), MORE_DAYS),
    "calendar.adopt": (AUTHORITY, LOG, (), {}),
    "rules.adopt": (AUTHORITY, LOG, (), {}),
    "role.assign": (PROVIDER, PROVIDER, (), {"other_roles": ()}),
    "role.end": (PROVIDER, PROVIDER, (), {}),
    "records.purge": (AUDITOR, LOG, (), {"records": "network", "age_months": 6}),
    "ledger.read": (AUDITOR, LOG, (), {}),
    "audit.query": (AUDITOR, LOG, (), {"own": False, "purpose": "audit"}),
}
"""The permitted question of every action, without its time."""

MEMBERS: Final = {
    "authority": AUTHORITY,
    "provider": PROVIDER,
    "consumer": CONSUMER,
    "auditor": AUDITOR,
}


def ask(action: str, **context: Any) -> Question:
    """The permitted question of ``action`` at `NOW`, with ``context`` changed."""
    principal, resource, related, usual = BASES[action]
    return Question(action, principal, resource, related, {"time": NOW, **usual, **context})


def depart(question: Question, given: Mapping[str, Any], when: Mapping[str, Any]) -> Question:
    """Change ``question`` as a scenario says.

    ``given``: ``who`` (a name of `MEMBERS`), ``member`` (its attributes), ``resource`` and
    ``dataset`` (theirs), ``without`` (``related``: nothing but the resource is known).
    ``when``: context attributes; ``absent`` lists those that are left out.
    """
    principal = replace(MEMBERS.get(given.get("who", ""), question.principal))
    principal = replace(principal, **_tuples(given.get("member", {})))
    resource, related = question.resource, question.related
    if given.get("itself"):
        resource = principal
    resource = replace(resource, **_tuples(given.get("resource", {})))
    changes = _tuples(given.get("dataset", {}))
    related = tuple(replace(fact, **changes) for fact in related)
    context = {**question.context, **_tuples({k: v for k, v in when.items() if k != "absent"})}
    for name in when.get("absent", ()):
        del context[name]
    return replace(
        question,
        principal=principal,
        resource=resource,
        related=() if given.get("without") == "related" else related,
        context=context,
    )


def _tuples(changes: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list) else v for k, v in changes.items()}
