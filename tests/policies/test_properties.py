"""What holds for every question, not only for those that somebody thought of."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from random import Random
from typing import Any, Final, cast

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.engine import Engine
from policies.facts import (
    ContextValue,
    DatasetFacts,
    GrantFacts,
    MemberFacts,
    Question,
    RequestFacts,
    Resource,
)
from policies.periods import start_ms
from policies.ruleset import RuleSet
from tests.policies.world import (
    BASES,
    CONSUMER,
    DATASET,
    GRANT,
    LATER,
    MEMBERS,
    NOW,
    PROVIDER,
    REQUEST,
    ask,
)

ENGINE: Final = Engine.load()
FIRST: Final = start_ms(date(2014, 11, 28))
PARTIES: Final = {"department", "authorised", "authority"}


def engine_with_policies_reversed() -> Engine:
    """The same law with its files in the opposite order."""
    files = dict(RuleSet.read().files)
    names = RuleSet(files).policies
    swapped = {name: files.pop(name) for name in names}
    renamed = {f"{len(names) - at}.cedar": swapped[name] for at, name in enumerate(names)}
    return Engine(RuleSet({**files, **renamed}))


Context = Mapping[str, Any]
REVERSED: Final = engine_with_policies_reversed()

DOMAINS: Final[dict[str, tuple[ContextValue, ...]]] = {
    "kind": ("department", "authorised", "authority", "auditor", "enterprise", "person", ""),
    "member_kind": ("department", "authorised", "authority", "auditor", "enterprise", ""),
    "provider": (PROVIDER.id, CONSUMER.id, "nobody"),
    "consumer": (PROVIDER.id, CONSUMER.id, "nobody"),
    "dataset": (DATASET.id,),
    "sharing": ("unconditional", "conditional", "refused", "?"),
    "secrecy": ("none", "work", "state", "?"),
    "status": ("proposed", "published", "withdrawn", "open", "approved", "refused", ""),
    "contract": ("c0ffee", "beef", ""),
    "fields": ((), ("code",), ("code", "name"), ("name", "code", "name"), ("phone",)),
    "unknown_fields": ((), ("phone",)),
    "missing": ((), ("摘要",)),
    "conditions": ((), ("每季度一次",)),
    "other_roles": ((), ("audit",), ("admin", "operate")),
    "records": ("network", "provision", "credit", ""),
    "age_months": (0, 5, 6, 35, 36, 119, 120),
    "malformed": ((), ("code",)),
    "incomplete": ((), ("manner",), ("fields", "regions", "time-limit")),
    "library": ("", "population", "credit"),
    "basis_kind": ("", "law", "rule"),
    "reason": ("", "not-held"),
    "scope": ((), ("department",)),
    "uses": ((), ("verification",)),
    **dict.fromkeys(("claimed", "unconsented", "available"), ((), ("item",))),
    **dict.fromkeys(("personal", "sensitive", "unneeded"), ((), ("name",))),
    "assessment": ("", "PIA-2026-07"),
    "regions": ((), ("",), ("33",), ("3301", "11"), ("330102",)),
    "region_prefixes": (("",), ("", "33"), ("", "33", "3301"), ("", "11"), ()),
    **dict.fromkeys(("purpose", "duty", "basis"), ("", "business", "就业促进法 32")),
    "price": ("", "0", "100"),
    **dict.fromkeys(("from_ms", "from", "epoch_from"), (-1, 0, 10, 15, 20, NOW)),
    **dict.fromkeys(("to_ms", "to", "epoch_to"), (0, 10, 15, 20, NOW, NOW + 1)),
    "time": (NOW, LATER - 1, LATER, LATER + 1),
    **dict.fromkeys(("expires_ms", "expires"), (0, NOW, LATER - 1, LATER, LATER + 1)),
    **dict.fromkeys(("obliged", "beneficiary"), (PROVIDER.id, CONSUMER.id, "nobody")),
    **dict.fromkeys(("open", "reasoned", "in_turn", "ended"), (True, False)),
    "outcome": ("registers", "refuses", "corrected", "explained", "withdrawn", "upholds", ""),
    "ground": ("overdue", "negative", ""),
    **dict.fromkeys(("days", "most"), (1, 5, 10, 11)),
    "ends": (0, NOW, LATER, LATER + 1),
    **dict.fromkeys(("active", "revoked", "taken", "owner", "own", "sm"), (True, False)),
    **dict.fromkeys(("key_covered", "approve", "widened"), (True, False)),
    **dict.fromkeys(("reviewed", "own_code", "mode_fits", "core_item"), (True, False)),
    **dict.fromkeys(("reflow", "purpose_known", "own_rows"), (True, False)),
}
"""The values that each attribute may take in a random world; the usual ones are among them."""


def departures(draw: st.DrawFn, names: Sequence[str]) -> dict[str, Any]:
    """New values for at most two of ``names``, so that permits stay as common as denials."""
    chosen = draw(st.sets(st.sampled_from(names), max_size=2)) if names else set()
    return {name: draw(st.sampled_from(DOMAINS[name])) for name in sorted(chosen)}


@st.composite
def questions(draw: st.DrawFn, action: str | None = None) -> Question:
    question = ask(action or draw(st.sampled_from(sorted(BASES))))
    facts: list[Resource] = [question.principal, question.resource, *question.related]
    if draw(st.integers(0, 4)) == 0:
        facts[0] = draw(st.sampled_from(sorted(MEMBERS.values(), key=lambda member: member.id)))
    at = draw(st.integers(0, len(facts) - 1))
    attributes = [name for name in type(facts[at]).__slots__ if name != "id"]
    if facts[0].id != facts[1].id:  # one member on both sides has one account
        facts[at] = replace(facts[at], **departures(draw, attributes))
    principal, resource, *related = facts
    assert isinstance(principal, MemberFacts)
    context = {**question.context, **departures(draw, sorted(question.context))}
    return Question(question.action, principal, resource, tuple(related), context)


STRANGERS: Final[tuple[Resource, ...]] = (
    MemberFacts("delta", "authority", active=True),
    MemberFacts("epsilon", "enterprise", active=False),
    replace(DATASET, id="elsewhere", secrecy="state"),
    replace(REQUEST, id="request-2", consumer="delta"),
    replace(GRANT, id="grant-2", revoked=True),
    replace(GRANT, id="grant-3", regions=("",), consumer="epsilon"),
)
"""The rest of a small world, which no question is about."""


@given(questions(), st.randoms())
def test_the_order_of_entities_values_and_attributes_never_matters(
    question: Question, random: Random
) -> None:
    context = random.sample(sorted(question.context.items()), len(question.context))
    known = (*question.related, question.principal, question.resource)
    other = replace(
        question,
        related=tuple(random.sample(known, len(known))),
        context={
            name: tuple(random.sample(value, len(value))) if isinstance(value, tuple) else value
            for name, value in context
        },
    )
    assert ENGINE.decide(other) == ENGINE.decide(question)


@given(questions())
def test_the_order_of_policies_never_matters(question: Question) -> None:
    assert REVERSED.decide(question) == ENGINE.decide(question)


@given(questions(), st.sets(st.sampled_from(STRANGERS)))
def test_a_slice_decides_as_the_whole_world_does(question: Question, others: set[Resource]) -> None:
    world = replace(question, related=(*question.related, *others))
    assert ENGINE.decide(world) == ENGINE.decide(question)


@settings(max_examples=400)
@given(questions(), st.integers(1, 20))
def test_nothing_becomes_permitted_because_time_passes(question: Question, wait: int) -> None:
    """Without exception: a grant's period bounds the epochs asked for, not the asking."""
    later = replace(
        question, context={**question.context, "time": int(str(question.context["time"])) + wait}
    )
    assert ENGINE.decide(question).permit or not ENGINE.decide(later).permit


@settings(max_examples=300)
@given(questions(), st.integers(FIRST, NOW), st.integers(1, NOW))
def test_nor_because_the_law_of_another_day_applies(
    question: Question, then: int, wait: int
) -> None:
    """Each profile so far forbids at least what the one before did; a new one must be adopted."""
    times = (then, then + wait)
    contexts = [{**question.context, "time": time} for time in times]
    before, after = (ENGINE.decide(replace(question, context=context)) for context in contexts)
    assert before.permit or not after.permit


@given(questions())
def test_a_denial_names_prohibitions_and_a_permit_names_permits(question: Question) -> None:
    answer = ENGINE.decide(question)
    effects = {ENGINE.register.rule(rule).effect for rule in answer.rules}
    assert effects <= {"permit" if answer.permit else "forbid", "oblige"}
    assert list(answer.rules) == sorted(set(answer.rules))
    if answer.permit:
        assert all(question.action in ENGINE.register.rule(r).actions for r in answer.rules)


@given(questions())
def test_a_whole_question_is_always_decided(question: Question) -> None:
    assert ENGINE.decide(question).rules != ("ENGINE-01",)


@given(questions(), st.data())
def test_dropping_any_attribute_denies(question: Question, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(question.context)))
    context = {key: value for key, value in question.context.items() if key != name}
    assert ENGINE.decide(replace(question, context=context)).rules == ("ENGINE-01",)


def live_basis(asker: MemberFacts, grant: GrantFacts, dataset: DatasetFacts, c: Context) -> bool:
    """When keys may leave, written a second time and in other words."""
    return (
        asker.active
        and asker.kind in PARTIES
        and asker.id == grant.consumer
        and dataset.status == "published"
        and dataset.secrecy == "none"
        and dataset.sharing in {"unconditional", "conditional"}
        and not grant.revoked
        and c["time"] < grant.expires_ms
        and grant.duty != ""
        and c["purpose"] == grant.purpose != ""
        and c["contract"] == grant.contract
        and {*c["fields"]} <= {*grant.fields}
        and len(c["fields"]) > 0
        and bool({*c["region_prefixes"]} & {*grant.regions})
        and grant.from_ms <= c["epoch_from"] < c["epoch_to"] <= grant.to_ms
    )


@settings(max_examples=500)
@given(questions("keys.ask"))
def test_keys_leave_exactly_on_a_live_basis(question: Question) -> None:
    grant, (dataset,) = question.resource, question.related
    assert isinstance(grant, GrantFacts)
    assert isinstance(dataset, DatasetFacts)
    expected = live_basis(question.principal, grant, dataset, question.context)
    assert ENGINE.decide(question).permit == expected


@given(questions("request.answer"))
def test_no_refusal_without_a_basis_no_fee_and_nothing_wider(question: Question) -> None:
    context, request = question.context, question.resource
    assert isinstance(request, RequestFacts)
    if ENGINE.decide(question).permit:
        assert context["price"] == ""
        assert context["approve"] or (context["basis"] != "" and context["reason"] != "")
        (dataset,) = question.related
        assert isinstance(dataset, DatasetFacts)
        assert set(dataset.conditions).issuperset(cast(tuple[str, ...], context["conditions"]))
        assert not (context["approve"] and context["widened"])


@given(questions("request.new"))
def test_no_application_without_a_duty(question: Question) -> None:
    if ENGINE.decide(question).permit:
        assert question.context["duty"] != ""
        assert question.principal.kind in PARTIES
