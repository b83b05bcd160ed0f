"""The catalogue: publication, withdrawal, dataset keys; proposals are proposals.py."""

from exchange.model import acts
from exchange.model.text import Text
from exchange.registry import busrules, facts, possession
from exchange.registry.case import Asked, Case, Denied, nothing_there
from exchange.registry.proposals import PENDING, no_proposal, stated
from keys.errors import KeysError
from keys.identity import check_kem_key


def examine_publish(body: acts.PublishDataset, asked: Asked) -> Case | Denied:
    """The newest proposal for the dataset, reviewed or not: that is for the rules to ask."""
    proposal = asked.registry.proposals.get(body.proposal)
    if proposal is None or proposal.dataset != body.dataset or proposal.status not in PENDING:
        return no_proposal(body.dataset)
    provider = facts.member_facts(asked.registry.members[proposal.provider])
    return Case(
        (
            asked.question(
                facts.proposal_facts(proposal),
                (provider,),
                taken=False,
                reviewed=proposal.status == "reviewed",
                **stated(proposal, asked.registry),
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


def _unpublished(dataset: str) -> Denied:
    return nothing_there(f"{dataset} is not in the catalogue", f"{dataset} 不在目录中")
