"""Onward consent, collection from citizens, and the purposes that applications may name."""

from exchange.model import lifeacts
from exchange.registry import facts
from exchange.registry.case import Asked, Case, Denied, nothing_there
from exchange.registry.liferows import Collection, Consent, Purpose
from policies.facts import LogFacts


def examine_consent(body: lifeacts.ConsentOnward, asked: Asked) -> Case | Denied:
    """A dataset in the catalogue, and a member that could pass it on."""
    row = asked.registry.datasets.get(body.dataset)
    if row is None:
        return nothing_there(f"there is no dataset {body.dataset}", f"没有数据集 {body.dataset}")
    if body.member not in asked.registry.members:
        return nothing_there(f"there is no member {body.member}", f"没有成员 {body.member}")
    related = facts.related_facts(asked.registry, row)[1:]
    return Case((asked.question(facts.dataset_facts(row), related),))


def examine_collection(body: lifeacts.DeclareCollection, asked: Asked) -> Case | Denied:
    """Items by code; those that another member's published dataset gives are named to the rules."""
    if not body.items or not body.matter:
        return nothing_there("it names no matter or no item", "未写明事项或信息项")
    registry = asked.registry
    available = [
        item
        for item in body.items
        if (claim := registry.items.get(item)) is not None
        and registry.datasets[claim.dataset].provider != asked.act.member
        and registry.datasets[claim.dataset].sharing != "refused"
    ]
    log = LogFacts(registry.origin)
    return Case((asked.question(log, available=tuple(available)),))


def examine_purpose(body: lifeacts.RegisterPurpose, asked: Asked) -> Case | Denied:
    """A code that is free, with titles and the duty it serves."""
    if body.purpose in asked.registry.purposes:
        return nothing_there(
            f"the purpose {body.purpose} is registered already", f"用途 {body.purpose} 已登记"
        )
    if not (body.title_zh and body.title_en and body.duty):
        return nothing_there("it lacks a title or its duty", "缺少名称或法定职责")
    return Case((asked.question(LogFacts(asked.registry.origin)),))


def consent(body: lifeacts.ConsentOnward, asked: Asked, index: int) -> None:
    """The newest word of a provider on one dataset and one member."""
    key = (body.dataset, body.member)
    asked.registry.consents[key] = Consent(*key, body.given, index + 1)


def collect(body: lifeacts.DeclareCollection, asked: Asked, index: int) -> None:
    """A declaration stands as it was made."""
    act = asked.act
    row = Collection(act.id, act.member, body.matter, body.items, index)
    asked.registry.collections[act.id] = row


def register_purpose(body: lifeacts.RegisterPurpose, asked: Asked, index: int) -> None:
    """A purpose, from this position on."""
    asked.registry.purposes[body.purpose] = Purpose(
        body.purpose, body.title_zh, body.title_en, body.duty, index, index + 1
    )
