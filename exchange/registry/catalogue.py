"""The catalogue: proposals, publication, withdrawal, dataset keys."""

import hashlib
import re

from exchange.errors import ContractInvalid
from exchange.model import acts
from exchange.model.contract import Contract
from exchange.model.text import Text
from exchange.registry import busrules, facts, possession
from exchange.registry.case import Asked, Case, Denied, nothing_there
from exchange.registry.rows import Proposal, Shape
from keys import cbor
from keys.errors import KeysError
from keys.identity import check_kem_key
from policies.facts import DatasetFacts

PARTITIONS_MAX = 1_024
_TOPIC = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
"""What Kafka takes, without names that begin like a path."""
_OPTIONAL_ELEMENTS = frozenset({"related"})


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
    proposed = DatasetFacts(body.dataset, asked.act.member, body.sharing, body.secrecy, "proposed")
    return Case(
        (
            asked.question(
                proposed,
                (asked.actor,),
                missing=missing_elements(body.elements),
                price=body.price,
                taken=_taken(body.dataset, asked),
            ),
        )
    )


def examine_publish(body: acts.PublishDataset, asked: Asked) -> Case | Denied:
    """The newest proposal for the dataset, still open."""
    proposal = asked.registry.proposals.get(body.proposal)
    if proposal is None or proposal.dataset != body.dataset or proposal.status != "open":
        return nothing_there(
            f"no such open proposal for {body.dataset}", f"{body.dataset} 没有该待审提案"
        )
    provider = facts.member_facts(asked.registry.members[proposal.provider])
    return Case(
        (
            asked.question(
                facts.proposal_facts(proposal),
                (provider,),
                missing=proposal.missing,
                price=proposal.price,
            ),
        )
    )


def examine_withdraw(body: acts.WithdrawDataset, asked: Asked) -> Case | Denied:
    """A dataset that stands in the catalogue."""
    row = asked.registry.datasets.get(body.dataset)
    if row is None or row.status != "published":
        return _unpublished(body.dataset)
    related = facts.related_facts(asked.registry, row)[1:]
    return Case((asked.question(facts.dataset_facts(row), related),))


def examine_dataset_key(body: acts.DatasetKey, asked: Asked) -> Case | Denied:
    """A fresh KEM key that a hub of this log has shown to hold."""
    row = asked.registry.datasets.get(body.dataset)
    if row is None or row.status != "published":
        return _unpublished(body.dataset)
    if not 0 <= body.valid_from_ms < body.valid_to_ms:
        return nothing_there("the key is valid at no time", "密钥有效期为空")
    try:
        kid = check_kem_key(body.public)
        possession.check_dataset_key(
            body.proof,
            origin=asked.registry.origin,
            dataset=body.dataset,
            kid=kid,
            entry_keys={hub.kid: hub.entry for hub in asked.registry.hubs.values()},
        )
    except KeysError as error:
        return Denied(busrules.PROOF, Text(*error.text))
    if kid in asked.registry.kids:
        return Denied(busrules.PROOF, Text("this key was enrolled before", "该密钥曾经登记"))
    related = facts.related_facts(asked.registry, row)[1:]
    return Case((asked.question(facts.dataset_facts(row), related),), until_ms=body.valid_to_ms)


def read_shape(encoded: bytes) -> Shape:
    """What decisions need of an encoded contract; `ContractInvalid` if it is none."""
    contract = Contract.decode(encoded)
    return Shape(
        contract.dataset,
        tuple((section.level, section.fields) for section in contract.sections),
        contract.key,
        contract.region_digits,
    )


def proposal_row(body: acts.ProposeDataset, asked: Asked, version: int) -> Proposal:
    """The row of a permitted proposal."""
    return Proposal(
        asked.act.id,
        body.dataset,
        asked.act.member,
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
        "open",
        version,
    )


def missing_elements(elements: acts.CoreElements) -> tuple[str, ...]:
    """Names of the core elements that stand empty; related codes may."""
    return tuple(
        name
        for name in type(elements).model_fields
        if name not in _OPTIONAL_ELEMENTS and not getattr(elements, name)
    )


def _taken(dataset: str, asked: Asked) -> bool:
    """Whether another provider has the dataset, or has proposed it and waits."""
    row = asked.registry.datasets.get(dataset)
    owner = row.provider if row else None
    newest = asked.registry.proposed.get(dataset)
    if owner is None and newest is not None:
        owner = asked.registry.proposals[newest].provider
    return owner not in (None, asked.act.member)


def _unpublished(dataset: str) -> Denied:
    return nothing_there(f"{dataset} is not in the catalogue", f"{dataset} 不在目录中")
