"""What permitted acts about the catalogue change; called by effects.py alone."""

from dataclasses import replace

from exchange.model import acts, lifeacts
from exchange.registry.case import Asked
from exchange.registry.liferows import Claim
from exchange.registry.proposals import PENDING, proposal_row, read_shape
from exchange.registry.rows import Dataset, Proposal
from exchange.registry.state import Registry


def propose(body: acts.ProposeDataset, asked: Asked, index: int) -> None:
    """A proposal, instead of one that still waits."""
    registry = asked.registry
    row = proposal_row(body, asked.act.id, asked.act.member, index + 1)
    earlier = registry.proposed.get(body.dataset)
    if earlier is not None and registry.proposals[earlier].status in {*PENDING, "returned"}:
        registry.proposals[earlier] = replace(registry.proposals[earlier], status="replaced")
    registry.proposals[row.id] = row
    registry.proposed[body.dataset] = row.id
    if row.contract_hash not in registry.contracts:
        registry.contracts[row.contract_hash] = body.contract
        registry.shapes[row.contract_hash] = read_shape(body.contract)


def review(body: lifeacts.ReviewDataset, asked: Asked, index: int) -> None:
    """The proposal may be published, or waits for a better one."""
    row = asked.registry.proposals[body.proposal]
    asked.registry.proposals[row.id] = replace(
        row,
        status="reviewed" if body.approve else "returned",
        wanting=body.wanting,
        version=index + 1,
    )


def publish(body: acts.PublishDataset, asked: Asked, index: int) -> None:
    """The dataset is what its proposal says, from here on; so are its claims to items."""
    registry = asked.registry
    before = registry.datasets.get(body.dataset)
    if before is not None:
        _release(registry, before)
    proposal = replace(registry.proposals[body.proposal], status="published", version=index + 1)
    registry.proposals[body.proposal] = proposal
    registry.datasets[body.dataset] = Dataset(
        proposal.dataset,
        proposal.provider,
        proposal.id,
        proposal.sharing,
        proposal.secrecy,
        proposal.basis,
        proposal.contract_hash,
        proposal.topic,
        proposal.partitions,
        proposal.price,
        proposal.conditions,
        proposal.elements,
        proposal.said,
        "published",
        published=index,
        version=index + 1,
    )
    _claim(registry, proposal, Claim(body.dataset, index + 1))
    if proposal.sharing == "refused":  # CLASS-01: whoever reads it loses access with the next key
        registry.revoked_at[body.dataset] = index + 1


def withdraw(body: acts.WithdrawDataset, asked: Asked, index: int) -> None:
    """Out of the catalogue; what it was the source of is free."""
    registry = asked.registry
    row = registry.datasets[body.dataset]
    registry.datasets[body.dataset] = replace(row, status="withdrawn", version=index + 1)
    registry.revoked_at[body.dataset] = index + 1
    _release(registry, row)


def _claim(registry: Registry, proposal: Proposal, claim: Claim) -> None:
    registry.items.update(dict.fromkeys(proposal.said.sources, claim))
    registry.codes[proposal.said.code] = claim


def _release(registry: Registry, row: Dataset) -> None:
    """Free the items and the code of a dataset that is replaced or withdrawn."""
    for claims, names in ((registry.items, row.said.sources), (registry.codes, (row.said.code,))):
        for name in names:
            claim = claims.get(name)
            if claim is not None and claim.dataset == row.id:
                del claims[name]
