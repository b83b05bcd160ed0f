"""Applications: what one lacks, what it asks of personal data, and whose own rows it is about.

`examine_apply` and `examine_complete` tell the rules the same things of an application, as it was
filed and as it was completed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from exchange.model import acts, lifeacts
from exchange.model.regions import contains
from exchange.registry import facts
from exchange.registry.case import Asked, Case, Denied, nothing_there
from exchange.registry.rows import Dataset, Request, Shape
from exchange.registry.state import Registry
from policies.facts import ContextValue, DatasetFacts, MemberFacts

PARTS: Final = ("scenario", "manner", "fields", "regions", "time-limit")
"""What an application must state beside its duty: 场景, 方式, 范围 (two parts), 时限 (REQ-01)."""


@dataclass(frozen=True, slots=True)
class Wish:
    """An application as the rules look at it; times are milliseconds since the epoch (UTC)."""

    contract: bytes
    fields: tuple[str, ...]
    regions: tuple[str, ...]
    purpose: str
    duty: str
    scenario: str
    manner: str
    from_ms: int
    to_ms: int
    expires_ms: int
    necessary: tuple[str, ...]
    assessment: str

    @property
    def missing(self) -> tuple[str, ...]:
        """What it leaves out, in the order of `PARTS`."""
        stated = {
            "scenario": bool(self.scenario),
            "manner": bool(self.manner),
            "fields": bool(self.fields),
            "regions": bool(self.regions),
            "time-limit": self.to_ms > 0 and self.expires_ms > 0,
        }
        return tuple(part for part in PARTS if not stated[part])


def examine_apply(body: acts.Apply, asked: Asked) -> Case | Denied:
    """A dataset that is in the catalogue, or proposed for it; the rules look at all of the rest."""
    registry = asked.registry
    row = registry.datasets.get(body.dataset)
    if row is not None:
        related = facts.related_facts(registry, row)[1:]
        question = asked.question(
            facts.dataset_facts(row), related, **told(wish_of(body), row, asked)
        )
        return Case((question,), until_ms=body.expires_ms or None)
    newest = registry.proposed.get(body.dataset)
    if newest is None:
        return nothing_there(f"there is no dataset {body.dataset}", f"没有数据集 {body.dataset}")
    proposal = registry.proposals[newest]
    provider: tuple[DatasetFacts | MemberFacts, ...]
    provider = (facts.member_facts(registry.members[proposal.provider]),)
    shape = registry.shapes[proposal.contract_hash]
    context = _context(wish_of(body), shape, proposal.contract_hash, registry)
    question = asked.question(facts.proposal_facts(proposal), provider, own_rows=False, **context)
    return Case((question,), until_ms=body.expires_ms or None)


def examine_complete(body: lifeacts.CompleteRequest, asked: Asked) -> Case | Denied:
    """An application that was returned; with what is added it is looked at anew."""
    request = asked.registry.requests.get(body.request)
    if request is None or request.status != "returned":
        return nothing_there("there is no such returned application", "没有该已退回的申请")
    row = asked.registry.datasets[request.dataset]
    whole = completed(body, request)
    question = asked.question(
        facts.request_facts(request),
        facts.related_facts(asked.registry, row, request.consumer),
        **told(wish_of_request(whole), row, asked),
    )
    return Case((question,), until_ms=whole.expires_ms or None)


def wish_of(body: acts.Apply) -> Wish:
    """What an application says."""
    return Wish(
        body.contract,
        body.fields,
        body.regions,
        body.purpose,
        body.duty,
        body.scenario,
        body.manner,
        body.from_ms,
        body.to_ms,
        body.expires_ms,
        body.necessary,
        body.assessment,
    )


def wish_of_request(row: Request) -> Wish:
    """What an application on record says."""
    return Wish(
        row.contract_hash,
        row.fields,
        row.regions,
        row.purpose,
        row.duty,
        row.scenario,
        row.manner,
        row.from_ms,
        row.to_ms,
        row.expires_ms,
        row.necessary,
        row.assessment,
    )


def completed(body: lifeacts.CompleteRequest, request: Request) -> Request:
    """The application with what its applicant adds; what is left empty stays as it was."""
    return replace(
        request,
        scenario=body.scenario or request.scenario,
        manner=body.manner or request.manner,
        fields=body.fields or request.fields,
        regions=body.regions or request.regions,
        from_ms=body.from_ms or request.from_ms,
        to_ms=body.to_ms or request.to_ms,
        expires_ms=body.expires_ms or request.expires_ms,
        necessary=body.necessary or request.necessary,
        assessment=body.assessment or request.assessment,
    )


def told(wish: Wish, row: Dataset, asked: Asked) -> dict[str, ContextValue]:
    """What the rules are told of an application for ``row``."""
    shape = asked.registry.shapes[row.contract_hash]
    context = _context(wish, shape, row.contract_hash, asked.registry)
    own = own_rows(asked.registry, row, asked.act.member, wish.regions)
    return {**context, "own_rows": own}


def own_rows(registry: Registry, row: Dataset, member: str, regions: Sequence[str]) -> bool:
    """回流: whether all of ``regions`` lie in the member's place, itself below the provider's.

    A member without a place, or of the provider's own level, has no rows to get back.
    """
    place = registry.members[member].region
    above = registry.members[row.provider].region
    below = contains(above, place) and place != above
    return below and bool(regions) and all(contains(place, region) for region in regions)


def key_covered(shape: Shape, fields: tuple[str, ...]) -> bool:
    """Every grant includes the whole section of the key, so that a sink can tell records apart."""
    section = next(names for _, names in shape.sections if shape.key[0] in names)
    return set(section) <= set(fields)


def _context(
    wish: Wish, shape: Shape, contract: bytes, registry: Registry
) -> dict[str, ContextValue]:
    known = set(shape.fields) if wish.contract == contract else set[str]()
    asked_for = set(wish.fields)
    personal = tuple(name for name in shape.personal if name in asked_for)
    return {
        "duty": wish.duty,
        "purpose": wish.purpose,
        "purpose_known": wish.purpose in registry.purposes,
        "incomplete": wish.missing,
        "fields": wish.fields,
        "unknown_fields": tuple(name for name in wish.fields if name not in known),
        "key_covered": not wish.fields or key_covered(shape, wish.fields),
        "regions": wish.regions,
        "from": wish.from_ms,
        "to": wish.to_ms,
        "expires": wish.expires_ms,
        "personal": personal,
        "sensitive": tuple(name for name in shape.sensitive if name in asked_for),
        "unneeded": tuple(name for name in personal if name not in wish.necessary),
        "assessment": wish.assessment,
    }
