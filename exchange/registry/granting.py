"""What permitted acts about applications and grants change; called by effects.py alone."""

from dataclasses import replace

from exchange.model import acts, lifeacts
from exchange.registry.access import renewed, terms
from exchange.registry.case import Asked
from exchange.registry.requests import completed, own_rows, wish_of, wish_of_request
from exchange.registry.rows import Grant, Request
from exchange.registry.state import Registry


def apply(body: acts.Apply, asked: Asked, index: int) -> None:
    """An application: returned with what it lacks, granted at once, or open for an answer."""
    act = asked.act
    request = Request(
        act.id,
        act.member,
        body.dataset,
        body.contract,
        body.fields,
        body.regions,
        body.purpose,
        body.duty,
        body.scenario,
        body.from_ms,
        body.to_ms,
        body.expires_ms,
        "open",
        opened=index,
        version=index + 1,
        manner=body.manner,
        necessary=body.necessary,
        assessment=body.assessment,
    )
    missing = wish_of(body).missing
    if missing:
        asked.registry.requests[request.id] = replace(request, status="returned", missing=missing)
        return
    _receive(request, asked, index)


def complete(body: lifeacts.CompleteRequest, asked: Asked, index: int) -> None:
    """A returned application that is whole now goes the way of one that was whole at once."""
    request = completed(body, asked.registry.requests[body.request])
    request = replace(request, version=index + 1)
    missing = wish_of_request(request).missing
    if missing:  # REQ-01 forbids it: only a hub that carries a verdict of its own gets here
        asked.registry.requests[request.id] = replace(request, missing=missing)
        return
    _receive(replace(request, status="open", missing=()), asked, index)


def answer(body: acts.AnswerRequest, asked: Asked, index: int) -> None:
    """The provider's answer; an approval makes a grant."""
    registry, act = asked.registry, asked.act
    request = registry.requests[body.request]
    registry.requests[request.id] = replace(
        request,
        status="approved" if body.approve else "refused",
        answer=act.id,
        basis=body.basis,
        reason=body.reason,
        version=index + 1,
    )
    if not body.approve:
        return
    given = terms(body, request)
    narrowed = replace(
        request,
        fields=given.fields,
        regions=given.regions,
        from_ms=given.from_ms,
        to_ms=given.to_ms,
        expires_ms=given.expires_ms,
    )
    _grant(registry, narrowed, act.id, index, conditions=body.conditions)


def withdraw(body: acts.WithdrawRequest, asked: Asked, index: int) -> None:
    """Taken back by its applicant."""
    request = asked.registry.requests[body.request]
    asked.registry.requests[request.id] = replace(
        request, status="withdrawn", answer=asked.act.id, version=index + 1
    )


def renew(body: lifeacts.RenewGrant, asked: Asked, index: int) -> None:
    """The same terms up to a later moment."""
    row = renewed(asked.registry.grants[body.grant], body.expires_ms)
    asked.registry.grants[row.id] = replace(row, renewed=(*row.renewed, index), version=index + 1)


def revoke(body: acts.RevokeGrant, asked: Asked, index: int) -> None:
    """From this position on it opens nothing."""
    grant = asked.registry.grants[body.grant]
    asked.registry.grants[grant.id] = replace(grant, revoked=index, version=index + 1)
    asked.registry.revoked_at[grant.dataset] = index + 1


def _receive(request: Request, asked: Asked, index: int) -> None:
    """A whole application reaches its provider, or what grants it in the provider's place."""
    registry, act = asked.registry, asked.act
    request = replace(request, received=index)
    row = registry.datasets[request.dataset]
    back = row.said.reflow and own_rows(registry, row, request.consumer, request.regions)
    if row.sharing == "unconditional" or back:
        request = replace(request, status="approved", answer=act.id)
        _grant(registry, request, act.id, index, conditions=row.conditions)
    registry.requests[request.id] = request


def _grant(
    registry: Registry,
    request: Request,
    act: bytes,
    index: int,
    *,
    conditions: tuple[str, ...] = (),
) -> None:
    """The grant that ``act`` makes of an application and its terms."""
    grant = Grant(
        act,
        request.id,
        request.consumer,
        request.dataset,
        request.contract_hash,
        request.fields,
        request.regions,
        request.purpose,
        request.duty,
        request.from_ms,
        request.to_ms,
        request.expires_ms,
        conditions,
        granted=index,
        version=index + 1,
    )
    registry.grants[grant.id] = grant
    registry.grants_by_consumer.setdefault(grant.consumer, []).append(grant.id)
    registry.grants_by_dataset.setdefault(grant.dataset, []).append(grant.id)
