"""May a member read this, and if not, what exactly is missing? Pure.

found = may_read(registry, engine, Wanted("health", "villages", purpose="业务协同"), at_ms)
found.permit, found.grant, found.rules, [item.what for item in found.missing]

It asks the rules what a key request would be asked, grant by grant, for a bundle sealed now; where
no grant permits it, the nearest one is compared with what is wanted, part by part. Where there is
none, the rules are asked about an application instead.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from exchange.audit import lacking
from exchange.audit.lacking import Missing
from exchange.ledger.verdict import Verdict
from exchange.model import acts
from exchange.model.regions import contains
from exchange.registry import access
from exchange.registry.case import Asked
from exchange.registry.decide import examine, rule_on
from exchange.registry.lawbook import Decides, Lawbook
from exchange.registry.rows import Dataset, Grant
from exchange.registry.state import Registry
from exchange.registry.supposed import Supposed
from policies.facts import Answer

YEAR_MS: Final = 366 * 86_400_000


@dataclass(frozen=True, slots=True)
class Wanted:
    """Empty ``fields`` are all of the contract; "" among ``regions`` is the whole country."""

    member: str
    dataset: str
    purpose: str
    fields: tuple[str, ...] = ()
    regions: tuple[str, ...] = ("",)
    duty: str = ""
    assessment: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """The answer. ``grant`` is the one that permits, or the nearest one that does not.

    ``rules`` are those behind a permit (its warnings among them), or those that forbid.
    """

    permit: bool
    grant: bytes | None
    rules: tuple[str, ...]
    missing: tuple[Missing, ...] = field(default=())


def may_read(registry: Registry, engine: Decides, wanted: Wanted, at_ms: int) -> Reading:
    """Whether the member may have keys for all of it now, and what is missing otherwise."""
    at_ms = max(at_ms, registry.time_ms)
    member, dataset = registry.members.get(wanted.member), registry.datasets.get(wanted.dataset)
    if member is None:
        return _nothing(lacking.no_member(wanted.member))
    if dataset is None:
        return _nothing(lacking.no_dataset(wanted.dataset, registry))
    known = registry.shapes[dataset.contract_hash].fields
    unknown = [name for name in wanted.fields if name not in known]
    if unknown:
        return _nothing(lacking.no_field(unknown, known))
    own = [
        grant
        for name in registry.grants_by_consumer.get(wanted.member, ())
        if (grant := registry.grants[name]).dataset == wanted.dataset
    ]
    judged = [(grant, _asked(registry, engine, wanted, grant, at_ms)) for grant in reversed(own)]
    for grant, answer in judged:
        if answer.permit:
            return Reading(permit=True, grant=grant.id, rules=(*answer.rules, *answer.warnings))
    if not own:
        return _without_grant(registry, engine, wanted, dataset, at_ms)
    nearest = min(judged, key=lambda one: len([*_lacks(registry, wanted, one[0], at_ms)]))
    grant, answer = nearest
    return Reading(
        permit=False,
        grant=grant.id,
        rules=answer.rules,
        missing=(*_lacks(registry, wanted, grant, at_ms),),
    )


def _nothing(missing: Missing) -> Reading:
    return _missing([missing])


def _missing(missing: list[Missing], rules: tuple[str, ...] = ()) -> Reading:
    return Reading(permit=False, grant=None, rules=rules, missing=tuple(missing))


def _fields(registry: Registry, wanted: Wanted) -> tuple[str, ...]:
    row = registry.datasets[wanted.dataset]
    return wanted.fields or registry.shapes[row.contract_hash].fields


def _asked(registry: Registry, engine: Decides, wanted: Wanted, grant: Grant, at_ms: int) -> Answer:
    """What the rules say of a bundle sealed now, in every region that is wanted."""
    act = Supposed(acts.AskKeys.kind, wanted.member)
    asked = Asked(act, registry, at_ms, lambda: engine, Lawbook([engine]))
    answers = [
        engine.decide(
            access.key_question(
                asked,
                grant,
                purpose=wanted.purpose,
                contract=registry.datasets[wanted.dataset].contract_hash,
                fields=_fields(registry, wanted),
                region=region,
                period=(at_ms, at_ms + 1),
            )
        )
        for region in wanted.regions
    ]
    refused = [answer for answer in answers if not answer.permit]
    rules = {rule for answer in refused or answers for rule in answer.rules}
    warnings = set() if refused else {rule for answer in answers for rule in answer.warnings}
    return Answer(not refused, tuple(sorted(rules)), tuple(sorted(warnings)))


def _lacks(registry: Registry, wanted: Wanted, grant: Grant, at_ms: int) -> Iterator[Missing]:
    """Each part in which a grant does not cover what is wanted, or has ended."""
    row = registry.datasets[wanted.dataset]
    if not registry.active(wanted.member):
        yield lacking.suspended(wanted.member)
    if row.status != "published":
        yield lacking.withdrawn(wanted.dataset)
    if row.sharing == "refused":
        yield lacking.not_shared(wanted.dataset, row.basis)
    if grant.revoked is not None:
        yield lacking.revoked(grant.revoked)
    if at_ms >= grant.expires_ms:
        yield lacking.expired(grant.expires_ms)
    if not grant.from_ms <= at_ms < grant.to_ms:
        yield lacking.period(grant)
    if grant.contract_hash != row.contract_hash:
        yield lacking.contract()
    if wanted.purpose != grant.purpose:
        yield lacking.purpose(grant.purpose)
    uncovered = [name for name in _fields(registry, wanted) if name not in grant.fields]
    if uncovered:
        yield lacking.uncovered(uncovered)
    outside = [
        region
        for region in wanted.regions
        if not any(contains(granted, region) for granted in grant.regions)
    ]
    if outside:
        yield lacking.outside(outside)


def _without_grant(
    registry: Registry, engine: Decides, wanted: Wanted, dataset: Dataset, at_ms: int
) -> Reading:
    """No grant at all: what became of applications, or what one would meet."""
    missing = [lacking.no_grant(wanted.member, wanted.dataset)]
    mine = [
        row
        for row in registry.requests.values()
        if (row.consumer, row.dataset) == (wanted.member, wanted.dataset)
    ]
    newest = mine[-1] if mine else None
    if newest is not None and newest.status == "open":
        return _missing([*missing, lacking.pending(newest)])
    if newest is not None and newest.status == "returned":
        return _missing([*missing, lacking.returned(newest)])
    if newest is not None and newest.status == "refused":
        return _missing([*missing, lacking.refused(newest)])
    verdict = _application(registry, engine, wanted, dataset, at_ms)
    if verdict.permit:
        return _missing([*missing, lacking.apply(dataset)])
    rows = [engine.register.rules[rule] for rule in verdict.rules if rule in engine.register.rules]
    return _missing([*missing, *map(lacking.forbidden, rows)], verdict.rules)


def _application(
    registry: Registry, engine: Decides, wanted: Wanted, dataset: Dataset, at_ms: int
) -> Verdict:
    """What would become of an application for just this, complete but for what is not wanted."""
    fields = _fields(registry, wanted)
    body = acts.Apply(
        dataset=wanted.dataset,
        contract=dataset.contract_hash,
        fields=fields,
        regions=wanted.regions,
        purpose=wanted.purpose,
        duty=wanted.duty,
        from_ms=at_ms,
        to_ms=at_ms + YEAR_MS,
        expires_ms=at_ms + YEAR_MS,
        scenario="-",
        manner="table",
        necessary=fields,
        assessment=wanted.assessment,
    )
    act = Supposed(body.kind, wanted.member, body=body)
    asked = Asked(act, registry, at_ms, lambda: engine, Lawbook([engine]))
    return rule_on(examine(asked), engine, {})
