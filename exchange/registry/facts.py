"""Rows of the state as the plain facts a question to the rules is made of (policies/facts.py).

Rows are frozen, so the facts of one are made once: whoever asks the same again hands the engine the
very same objects, and it knows them at sight (policies/likeness.py).
"""

from collections.abc import Callable
from functools import wraps
from typing import Final, TypeVar

from exchange.model.regions import parents
from exchange.registry.rows import Dataset, Grant, Member, Proposal, Request
from exchange.registry.state import Registry
from policies.facts import DatasetFacts, GrantFacts, MemberFacts, RequestFacts

_ROWS_REMEMBERED: Final = 65_536
Row = TypeVar("Row")
Facts = TypeVar("Facts")


def _by_sight(make: Callable[[Row], Facts]) -> Callable[[Row], Facts]:
    """Remember what was made of a row by the row's identity: hashing one costs more than making.

    A remembered row is held, so that no other can get its identity.
    """
    known: dict[int, tuple[Row, Facts]] = {}

    def made(row: Row) -> Facts:
        found = known.get(id(row))
        if found is None:
            if len(known) >= _ROWS_REMEMBERED:
                known.clear()
            found = known.setdefault(id(row), (row, make(row)))
        return found[1]

    return wraps(make)(made)


@_by_sight
def member_facts(row: Member) -> MemberFacts:
    """A member as it stands."""
    return MemberFacts(row.id, row.kind, row.active)


@_by_sight
def dataset_facts(row: Dataset) -> DatasetFacts:
    """A catalogue entry as it stands."""
    return DatasetFacts(
        row.id,
        row.provider,
        row.sharing,
        row.secrecy,
        row.status,
        row.said.library,
        row.conditions,
        row.said.reflow,
    )


def proposal_facts(row: Proposal) -> DatasetFacts:
    """A dataset as its provider proposes it."""
    return DatasetFacts(
        row.dataset,
        row.provider,
        row.sharing,
        row.secrecy,
        "proposed",
        row.said.library,
        row.conditions,
        row.said.reflow,
    )


@_by_sight
def request_facts(row: Request) -> RequestFacts:
    """An application as it stands."""
    return RequestFacts(
        row.id.hex(),
        row.consumer,
        row.dataset,
        row.status,
        row.fields,
        row.regions,
        row.from_ms,
        row.to_ms,
        row.expires_ms,
    )


@_by_sight
def grant_facts(row: Grant) -> GrantFacts:
    """A grant as it stands."""
    return GrantFacts(
        row.id.hex(),
        row.consumer,
        row.dataset,
        row.contract_hash.hex(),
        row.fields,
        row.regions,
        row.purpose,
        row.duty,
        row.from_ms,
        row.to_ms,
        row.expires_ms,
        row.revoked is not None,
    )


def related_facts(
    registry: Registry, dataset: Dataset, *members: str
) -> tuple[DatasetFacts | MemberFacts, ...]:
    """The dataset, its provider and further members, each once."""
    names = dict.fromkeys((dataset.provider, *members))
    return (
        dataset_facts(dataset),
        *(member_facts(registry.members[name]) for name in names),
    )


def region_prefixes(region: str) -> tuple[str, ...]:
    """Every division that contains ``region``, itself included; "" is the whole country."""
    return ("", *parents(region), region) if region else ("",)
