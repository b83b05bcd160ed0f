"""Proposals for the catalogue: what stands in one, what is wrong with it, and their review.

`stated` is what the rules are told of a proposal, when it is proposed and when it is published: in
between another dataset may have become the source of an item, or a consent may have been withdrawn.
"""

import hashlib
import re
from typing import Final, get_args

from exchange.errors import ContractInvalid
from exchange.model import acts, lifeacts
from exchange.model.acttypes import MemberKind
from exchange.model.contract import Contract
from exchange.model.creditcode import credit_code_valid
from exchange.model.guide import code_valid, mode_fits
from exchange.model.regions import is_region
from exchange.model.text import Text
from exchange.registry import busrules, facts
from exchange.registry.case import Asked, Case, Denied, nothing_there
from exchange.registry.liferows import Claim, Particulars
from exchange.registry.rows import Proposal, Shape
from exchange.registry.state import Registry
from keys import cbor
from policies.facts import ContextValue

PARTITIONS_MAX = 1_024
PENDING: Final = frozenset({"open", "reviewed"})
"""Statuses of a proposal that may still be published."""
KINDS_OF_MEMBER: Final = frozenset(get_args(MemberKind))
_TOPIC = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
"""What Kafka takes, without names that begin like a path."""
_OPTIONAL_ELEMENTS = frozenset({"related", "mode"})


def examine_propose(body: acts.ProposeDataset, asked: Asked) -> Case | Denied:
    """A contract that can be read and is for this dataset, on a topic that can exist."""
    try:
        shape = read_shape(body.contract)
    except ContractInvalid as error:
        return Denied(busrules.CONTRACT, error.text)
    if shape.dataset != body.dataset:
        why = Text("the contract is for another dataset", "合约针对其他数据集")
        return Denied(busrules.CONTRACT, why)
    if not _TOPIC.fullmatch(body.topic) or not 0 < body.partitions <= PARTITIONS_MAX:
        why = Text("no topic, or no sensible number of partitions", "主题或分区数不合规")
        return Denied(busrules.CONTRACT, why)
    others = (row for row in asked.registry.datasets.values() if row.id != body.dataset)
    if any(row.topic == body.topic and row.provider != asked.act.member for row in others):
        why = Text("the topic is another provider's", "该主题属于其他提供方")
        return Denied(busrules.CONTRACT, why)
    unknown = _unknown(body, asked.registry)
    if unknown is not None:
        return unknown
    row = proposal_row(body, asked.act.id, asked.act.member, version=0)
    return Case(
        (
            asked.question(
                facts.proposal_facts(row),
                (asked.actor,),
                taken=_taken(body.dataset, asked),
                reviewed=False,
                **stated(row, asked.registry),
            ),
        )
    )


def examine_review(body: lifeacts.ReviewDataset, asked: Asked) -> Case | Denied:
    """The newest proposal for the dataset, not published yet; a return says what is wrong."""
    proposal = asked.registry.proposals.get(body.proposal)
    if proposal is None or proposal.dataset != body.dataset or proposal.status not in PENDING:
        return no_proposal(body.dataset)
    if body.approve == bool(body.wanting):
        return nothing_there(
            "a return lists what is wrong, an approval nothing", "退回须列明问题，通过则不列"
        )
    provider = facts.member_facts(asked.registry.members[proposal.provider])
    return Case((asked.question(facts.proposal_facts(proposal), (provider,)),))


def stated(row: Proposal, registry: Registry) -> dict[str, ContextValue]:
    """What the rules are told of a proposal beside who, which dataset, and its review."""
    elements = elements_of(row.elements)
    member = registry.members[row.provider]
    said = row.said
    return {
        "missing": row.missing,
        "malformed": ("code",) if said.code and not code_valid(said.code) else (),
        "own_code": not elements.provider_code
        or (
            credit_code_valid(elements.provider_code)
            and elements.provider_code == member.credit_code
        ),
        "mode_fits": mode_fits(elements.format, said.mode),
        "price": row.price,
        "basis": row.basis,
        "basis_kind": said.basis_kind,
        "core_item": said.core_item,
        "scope": said.scope,
        "uses": said.uses,
        "claimed": _claimed(row, registry),
        "unconsented": _unconsented(row, registry),
    }


def read_shape(encoded: bytes) -> Shape:
    """What decisions need of an encoded contract; `ContractInvalid` if it is none."""
    contract = Contract.decode(encoded)
    personal = contract.personal
    return Shape(
        contract.dataset,
        tuple((section.level, section.fields) for section in contract.sections),
        contract.key,
        contract.region_digits,
        tuple(personal),
        tuple(name for name, kind in personal.items() if kind == "sensitive"),
    )


def proposal_row(body: acts.ProposeDataset, act: bytes, provider: str, version: int) -> Proposal:
    """The row of a proposal by ``provider``."""
    return Proposal(
        act,
        body.dataset,
        provider,
        body.sharing,
        body.secrecy,
        body.basis,
        hashlib.sha256(body.contract).digest(),
        body.topic,
        body.partitions,
        body.price,
        body.conditions,
        cbor.encode(body.elements.to_map()),
        missing_elements(body.elements),
        Particulars(
            body.elements.code,
            body.elements.mode,
            body.basis_kind,
            body.library,
            body.core_item,
            body.scope,
            body.uses,
            body.sources,
            body.derived_from,
            body.reflow,
        ),
        "open",
        version,
    )


def elements_of(encoded: bytes) -> acts.CoreElements:
    """The core elements of a row."""
    return acts.CoreElements.from_map(cbor.decode(encoded, bytes_max=len(encoded)))


def missing_elements(elements: acts.CoreElements) -> tuple[str, ...]:
    """Names of the core elements that stand empty; related codes may."""
    return tuple(
        name
        for name in type(elements).model_fields
        if name not in _OPTIONAL_ELEMENTS and not getattr(elements, name)
    )


def no_proposal(dataset: str) -> Denied:
    """Nothing, or nothing of that id, waits under this name."""
    return nothing_there(f"no such open proposal for {dataset}", f"{dataset} 没有该待审提案")


def _unknown(body: acts.ProposeDataset, registry: Registry) -> Denied | None:
    """A purpose, a source dataset or a scope that nobody knows, if it names one."""
    for use in body.uses:
        if use not in registry.purposes:
            return nothing_there(
                f"there is no purpose {use} in the register", f"用途登记中没有 {use}"
            )
    for code in body.scope:
        if code not in KINDS_OF_MEMBER and code not in registry.members and not is_region(code):
            return nothing_there(
                f"{code} is no member, kind of member or region", f"{code} 不是成员、成员类别或区划"
            )
    for source in body.derived_from:
        if source not in registry.datasets or source == body.dataset:
            return nothing_there(f"there is no source dataset {source}", f"没有来源数据集 {source}")
    return None


def _claimed(row: Proposal, registry: Registry) -> tuple[str, ...]:
    """Items and the resource code that another published dataset has."""
    items = [item for item in row.said.sources if _elsewhere(registry.items, item, row.dataset)]
    code = row.said.code
    return (*items, *([code] if _elsewhere(registry.codes, code, row.dataset) else []))


def _elsewhere(claims: dict[str, Claim], name: str, dataset: str) -> bool:
    claim = claims.get(name)
    return claim is not None and claim.dataset != dataset


def _unconsented(row: Proposal, registry: Registry) -> tuple[str, ...]:
    """Sources of other providers that have not consented to being passed on."""
    return tuple(
        source
        for source in row.said.derived_from
        if registry.datasets[source].provider != row.provider
        and not _consent(registry, source, row.provider)
    )


def _consent(registry: Registry, dataset: str, member: str) -> bool:
    consent = registry.consents.get((dataset, member))
    return consent is not None and consent.given


def _taken(dataset: str, asked: Asked) -> bool:
    """Whether another provider has the dataset, has proposed it, or must register it.

    The last so that nobody takes the name that a promise or a notice gave to somebody else, who
    could then never keep it.
    """
    registry, member = asked.registry, asked.act.member
    row = registry.datasets.get(dataset)
    owner = row.provider if row else None
    newest = registry.proposed.get(dataset)
    if owner is None and newest is not None:
        owner = registry.proposals[newest].provider
    if owner is not None:
        return owner != member
    bound = {registry.duties[name].owner for name in registry.duties_register.get(dataset, ())}
    return bool(bound) and member not in bound
