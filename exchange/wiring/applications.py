"""Applications for data, the answers to them, and the grants that result."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from exchange.errors import NotFound, UsageError
from exchange.flow.ports import Admitted
from exchange.model.acts import AnswerRequest, Apply, RevokeGrant, WithdrawRequest
from exchange.model.regions import check_region
from exchange.model.text import Text
from exchange.registry.rows import Request, Shape
from exchange.registry.state import Registry
from exchange.wiring.newcomer import unfit
from exchange.wiring.office import Office


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for, or granted: empty ``fields`` are all, empty ``regions`` the country.

    Times are milliseconds since the epoch.
    """

    fields: tuple[str, ...]
    regions: tuple[str, ...]
    from_ms: int
    to_ms: int
    expires_ms: int


async def apply(
    office: Office, dataset: str, wanted: Wanted, *, purpose: str, duty: str, scenario: str = ""
) -> Admitted:
    """Apply for ``dataset``; an unconditional one is granted by this act itself."""
    registry = await office.registry()
    row = registry.datasets.get(dataset)
    if row is None:
        raise NotFound(
            f"there is no dataset {dataset[:80]!r} in the catalogue",
            f"目录中没有数据集 {dataset[:80]!r}",
            remedy=("see: exchange catalogue list", "请查看：exchange catalogue list"),
            failure="no-dataset",
        )
    shape = registry.shapes[row.contract_hash]
    fields = ordered(shape, wanted.fields) or shape.fields
    regions = tuple(map(check_region, wanted.regions)) or ("",)
    try:
        body = Apply(
            dataset=dataset,
            contract=row.contract_hash,
            fields=fields,
            regions=regions,
            purpose=purpose,
            duty=duty,
            from_ms=wanted.from_ms,
            to_ms=wanted.to_ms,
            expires_ms=wanted.expires_ms,
            scenario=scenario,
        )
    except ValidationError as error:
        raise unfit(error) from None
    return await office.submit(body, Text(f"have {dataset}", f"获取 {dataset}"))


async def approve(
    office: Office, request: Request, wanted: Wanted, *, price: str, conditions: Sequence[str]
) -> Admitted:
    """Grant at most what was asked; what ``wanted`` leaves empty is granted as asked."""
    shape = office.view.registry.shapes[request.contract_hash]
    regions = tuple(map(check_region, wanted.regions)) or request.regions
    try:
        body = AnswerRequest(
            request=request.id,
            approve=True,
            fields=ordered(shape, wanted.fields) or request.fields,
            regions=regions,
            from_ms=wanted.from_ms or request.from_ms,
            to_ms=wanted.to_ms or request.to_ms,
            expires_ms=wanted.expires_ms or request.expires_ms,
            price=price,
            conditions=tuple(conditions),
        )
    except ValidationError as error:
        raise unfit(error) from None
    return await office.submit(body, Text("answer so", "如此答复"))


async def refuse(office: Office, request: Request, *, basis: str) -> Admitted:
    """Refuse an application, citing a basis."""
    body = AnswerRequest(request=request.id, approve=False, basis=basis)
    return await office.submit(body, Text("refuse so", "如此拒绝"))


async def withdraw(office: Office, request: Request) -> Admitted:
    """Take an open application back."""
    body = WithdrawRequest(request=request.id)
    return await office.submit(body, Text("withdraw the application", "撤回申请"))


async def revoke(office: Office, grant: bytes, *, reason: str) -> Admitted:
    """End a grant from this entry on."""
    body = RevokeGrant(grant=grant, reason=reason)
    return await office.submit(body, Text("revoke the grant", "撤销授权"))


def grant_of(registry: Registry, act: bytes) -> bytes | None:
    """The grant that the application or answer ``act`` led to, if any."""
    for grant in reversed(registry.grants.values()):
        if act in {grant.id, grant.request}:
            return grant.id
    return None


def ordered(shape: Shape, fields: Sequence[str]) -> tuple[str, ...]:
    """``fields`` in the contract's order; `UsageError` names one that the contract lacks."""
    known = shape.fields
    for name in fields:
        if name not in known:
            raise UsageError(
                f"dataset {shape.dataset} has no field {name[:80]!r}",
                f"数据集 {shape.dataset} 没有字段 {name[:80]!r}",
                remedy=(f"its fields are: {', '.join(known)}", f"可用字段：{'、'.join(known)}"),
                failure="no-such-field",
            )
    return tuple(name for name in known if name in set(fields))


def fields_of_levels(shape: Shape, levels: Sequence[int]) -> tuple[str, ...]:
    """All fields of these levels; `UsageError` if the contract lacks one of them."""
    found = shape.fields_of(sorted(levels))
    if found is None:
        have = ", ".join(str(level) for level, _ in shape.sections)
        raise UsageError(
            f"dataset {shape.dataset} has sections {have} only",
            f"数据集 {shape.dataset} 只有分段 {have}",
            remedy=("name levels that it has", "请使用已有的敏感级别"),
            failure="no-such-level",
        )
    return found
