"""What another rule set would change for those who stand on the ledger now. Pure.

Asked before a rule set is adopted: each grant that stands, each application that is open and each
dataset that is published is put to the rules in force and to the new ones, and shown if the two
differ. Nothing is signed and nothing is entered.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from exchange.model import acts
from exchange.registry import access
from exchange.registry.case import Asked
from exchange.registry.decide import examine, rule_on
from exchange.registry.lawbook import Decides, Lawbook
from exchange.registry.rows import Dataset, Grant, Request
from exchange.registry.state import Registry
from exchange.registry.supposed import Supposed
from policies.facts import Answer

Subject = Literal["grant", "application", "dataset"]


@dataclass(frozen=True, slots=True)
class Change:
    """One answer that would change. ``id`` is hex, of the dataset its name.

    A grant is asked for its keys, an application for its approval, a dataset for a new stream.
    """

    subject: Subject
    id: str
    member: str
    dataset: str
    before: Answer
    after: Answer


def changes(registry: Registry, old: Decides, new: Decides, at_ms: int) -> Iterator[Change]:
    """Every answer that differs, grants first, in the order of the ledger."""
    at_ms = max(at_ms, registry.time_ms)
    for grant in registry.grants.values():
        if grant.revoked is None and at_ms < grant.expires_ms:
            before, after = (_keys(registry, engine, grant, at_ms) for engine in (old, new))
            if before != after:
                yield Change("grant", grant.id.hex(), grant.consumer, grant.dataset, before, after)
    for request in registry.requests.values():
        if request.status == "open":
            before, after = (_approval(registry, engine, request, at_ms) for engine in (old, new))
            if before != after:
                short = request.id.hex()
                yield Change("application", short, request.consumer, request.dataset, before, after)
    for row in registry.datasets.values():
        if row.status == "published":
            before, after = (_stream(registry, engine, row, at_ms) for engine in (old, new))
            if before != after:
                yield Change("dataset", row.id, row.provider, row.id, before, after)


def _asked(registry: Registry, engine: Decides, act: Supposed, at_ms: int) -> Asked:
    return Asked(act, registry, at_ms, lambda: engine, Lawbook([engine]))


def _keys(registry: Registry, engine: Decides, grant: Grant, at_ms: int) -> Answer:
    """Keys of everything that the grant covers, of its own period."""
    asked = _asked(registry, engine, Supposed(acts.AskKeys.kind, grant.consumer), at_ms)
    return _together(
        [
            engine.decide(
                access.key_question(
                    asked,
                    grant,
                    purpose=grant.purpose,
                    contract=grant.contract_hash,
                    fields=grant.fields,
                    region=region,
                    period=(grant.from_ms, grant.to_ms),
                )
            )
            for region in grant.regions
        ]
    )


def _approval(registry: Registry, engine: Decides, request: Request, at_ms: int) -> Answer:
    """The provider's approval of just what was asked."""
    provider = registry.datasets[request.dataset].provider
    body = acts.AnswerRequest(request=request.id, approve=True)
    return _verdict(registry, engine, Supposed(body.kind, provider, body), at_ms)


def _stream(registry: Registry, engine: Decides, row: Dataset, at_ms: int) -> Answer:
    """A new stream of the dataset, by its provider."""
    digits = registry.shapes[row.contract_hash].region_digits
    body = acts.OpenStream(dataset=row.id, region="0" * digits, topic=row.topic, partition=0)
    return _verdict(registry, engine, Supposed(body.kind, row.provider, body), at_ms)


def _verdict(registry: Registry, engine: Decides, act: Supposed, at_ms: int) -> Answer:
    verdict = rule_on(examine(_asked(registry, engine, act, at_ms)), engine, {})
    return Answer(verdict.permit, verdict.rules)


def _together(answers: list[Answer]) -> Answer:
    """One answer for all regions: refused if one is, under every rule that refuses one."""
    refused = [answer for answer in answers if not answer.permit]
    rules = {rule for one in refused or answers for rule in (*one.rules, *one.warnings)}
    return Answer(not refused, tuple(sorted(rules)))
