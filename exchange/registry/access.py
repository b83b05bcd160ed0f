"""Access: answers, renewals, revocations, key requests, receipts; applications are requests.py."""

from dataclasses import dataclass, replace
from functools import partial

from exchange.model import acts, lifeacts
from exchange.model.regions import contains
from exchange.model.text import Text
from exchange.registry import busrules, facts
from exchange.registry.case import Asked, Case, Denied, Pending, nothing_there
from exchange.registry.requests import key_covered, own_rows
from exchange.registry.rows import Grant, Request
from exchange.registry.state import Registry
from policies.facts import Question


def examine_answer(body: acts.AnswerRequest, asked: Asked) -> Case | Denied:
    """An open application; an approval names at most what was asked, or nothing for all of it."""
    request = asked.registry.requests.get(body.request)
    if request is None or request.status != "open":
        return nothing_there("there is no such open application", "没有该待答复申请")
    row = asked.registry.datasets[request.dataset]
    given = terms(body, request)
    shape = asked.registry.shapes[request.contract_hash]
    if body.approve and not key_covered(shape, given.fields):
        why = Text("the answer leaves out the key fields", "答复未包含主键字段")
        return Denied(busrules.CONTRACT, why)
    question = asked.question(
        facts.request_facts(request),
        facts.related_facts(asked.registry, row, request.consumer),
        approve=body.approve,
        basis=body.basis,
        reason=body.reason,
        price=body.price,
        widened=body.approve and _widened(given, request),
        conditions=body.conditions,
        expires=given.expires_ms,
    )
    return Case((question,), until_ms=given.expires_ms if body.approve else None)


def examine_withdraw_request(body: acts.WithdrawRequest, asked: Asked) -> Case | Denied:
    """An application that is still open."""
    request = asked.registry.requests.get(body.request)
    if request is None or request.status not in {"open", "returned"}:
        return nothing_there("there is no such open application", "没有该待答复申请")
    row = asked.registry.datasets[request.dataset]
    related = facts.related_facts(asked.registry, row, request.consumer)
    return Case((asked.question(facts.request_facts(request), related),))


def examine_revoke(body: acts.RevokeGrant, asked: Asked) -> Case | Denied:
    """A grant that was not revoked before."""
    grant = asked.registry.grants.get(body.grant)
    if grant is None or grant.revoked is not None:
        return nothing_there("there is no such standing grant", "没有该有效授权")
    return Case((_about_grant(asked, grant),))


def examine_renew(body: lifeacts.RenewGrant, asked: Asked) -> Case | Denied:
    """A grant, whatever its state: the rules say whether its basis lives."""
    grant = asked.registry.grants.get(body.grant)
    if grant is None:
        return nothing_there("there is no such grant", "没有该授权")
    row = asked.registry.datasets[grant.dataset]
    question = asked.question(
        facts.grant_facts(grant),
        facts.related_facts(asked.registry, row, grant.consumer),
        expires=body.expires_ms,
        contract=row.contract_hash.hex(),
        own_rows=own_rows(asked.registry, row, grant.consumer, grant.regions),
    )
    return Case((question,), until_ms=grant.expires_ms)


def examine_ask(body: acts.AskKeys, asked: Asked) -> Case | Denied:
    """One question an item; equal items make equal questions, which are asked once."""
    grant = asked.registry.grants.get(body.grant)
    if grant is None:
        return nothing_there("there is no such grant", "没有该授权")
    if not body.items:
        return nothing_there("it asks for nothing", "未请求任何密钥")
    questions = tuple(_about_item(asked, body, grant, item) for item in body.items)
    return Case(questions, until_ms=grant.expires_ms, itemised=True)


def examine_receipt(body: acts.FileReceipt, asked: Asked) -> Case | Denied:
    """Runs of streams that belong to the dataset of a grant."""
    grant = asked.registry.grants.get(body.grant)
    if grant is None:
        return nothing_there("there is no such grant", "没有该授权")
    for run in body.items:
        stream = asked.registry.streams.get(run.stream)
        if stream is None or stream.dataset != grant.dataset:
            return nothing_there("a stream is not of the grant's dataset", "流不属于授权的数据集")
        if not 0 <= run.first <= run.last or run.records < 0 or not run.levels:
            why = Text("a run is empty or has negative numbers", "回执区间为空或含负数")
            return Denied(busrules.STREAM, why)
    return Case((_about_grant(asked, grant),))


@dataclass(frozen=True, slots=True)
class Terms:
    """What an approval gives; times are milliseconds since the epoch (UTC)."""

    fields: tuple[str, ...]
    regions: tuple[str, ...]
    from_ms: int
    to_ms: int
    expires_ms: int


def terms(body: acts.AnswerRequest, request: Request) -> Terms:
    """The terms of an answer: its own, and the application's where it states none."""
    return Terms(
        fields=body.fields or request.fields,
        regions=body.regions or request.regions,
        from_ms=body.from_ms or request.from_ms,
        to_ms=body.to_ms or request.to_ms,
        expires_ms=body.expires_ms or request.expires_ms,
    )


def renewed(grant: Grant, expires_ms: int) -> Grant:
    """``grant`` up to ``expires_ms``; data that ran to the end of its term goes on with it."""
    runs_on = grant.to_ms >= grant.expires_ms
    to_ms = max(grant.to_ms, expires_ms) if runs_on else grant.to_ms
    return replace(grant, expires_ms=expires_ms, to_ms=to_ms)


def _widened(given: Terms, request: Request) -> bool:
    return (
        not set(given.fields) <= set(request.fields)
        or not all(_within(region, request.regions) for region in given.regions)
        or not request.from_ms <= given.from_ms < given.to_ms <= request.to_ms
    )


def _within(region: str, regions: tuple[str, ...]) -> bool:
    return any(contains(outer, region) for outer in regions)


def _about_grant(asked: Asked, grant: Grant) -> Question:
    row = asked.registry.datasets[grant.dataset]
    related = facts.related_facts(asked.registry, row, grant.consumer)
    return asked.question(facts.grant_facts(grant), related)


def _about_item(
    asked: Asked, body: acts.AskKeys, grant: Grant, item: acts.AskItem
) -> Pending | Denied:
    stream = asked.registry.streams.get(item.stream)
    if stream is None or stream.dataset != grant.dataset:
        return nothing_there("a stream is not of the grant's dataset", "流不属于授权的数据集")
    shape = asked.registry.shapes.get(item.contract)
    fields = shape.fields_of(item.levels) if shape and shape.dataset == grant.dataset else None
    if not fields:
        why = Text("the contract has no such sections", "合约没有所请求的分段")
        return Denied(busrules.CONTRACT, why)
    if _beyond_frontier(asked.registry, item):
        why = Text(
            "the provider's instance stopped before it anchored this bundle",
            "提供方实例停用前未锚定该数据包",
        )
        return Denied(busrules.STREAM, why)
    fork = asked.registry.forks.get(item.stream)
    if fork is not None and item.sequence >= fork.sequence:
        why = Text(
            f"the stream has two histories from sequence {fork.sequence} on",
            f"该数据流自序号 {fork.sequence} 起存在两个历史",
        )
        return Denied(busrules.FORK, why)
    return partial(_item_question, asked, body, grant, item, stream.region, fields)


def _item_question(
    asked: Asked,
    body: acts.AskKeys,
    grant: Grant,
    item: acts.AskItem,
    region: str,
    fields: tuple[str, ...],
) -> Question:
    return key_question(
        asked,
        grant,
        purpose=body.purpose,
        contract=item.contract,
        fields=fields,
        region=region,
        period=(item.from_ms, item.to_ms),
    )


def key_question(
    asked: Asked,
    grant: Grant,
    *,
    purpose: str,
    contract: bytes,
    fields: tuple[str, ...],
    region: str,
    period: tuple[int, int],
) -> Question:
    """The question of one epoch: keys under ``grant``, of a stream in ``region``; times in ms."""
    row = asked.registry.datasets[grant.dataset]
    return asked.question(
        facts.grant_facts(grant),
        facts.related_facts(asked.registry, row, grant.consumer),
        purpose=purpose,
        contract=contract.hex(),
        fields=fields,
        region_prefixes=facts.region_prefixes(region),
        epoch_from=period[0],
        epoch_to=period[1],
    )


def _beyond_frontier(registry: Registry, item: acts.AskItem) -> bool:
    frontier = registry.frontier(item.stream)
    return item.sequence < 0 or (frontier is not None and item.sequence > frontier)
