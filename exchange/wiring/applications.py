"""Applications for data, the answers to them, and the grants that result."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, cast

from pydantic import ValidationError

from exchange.errors import NotFound, RuleRefused, UsageError
from exchange.flow.ports import Admitted
from exchange.model.acts import AnswerRequest, Apply, RevokeGrant, WithdrawRequest
from exchange.model.acttypes import Mode, Reason
from exchange.model.contract import REGION_DIGITS
from exchange.model.lifeacts import CompleteRequest, DeclareCollection, RegisterPurpose, RenewGrant
from exchange.model.regions import check_region, contains
from exchange.model.text import Text
from exchange.registry.requests import completed, wish_of_request
from exchange.registry.rows import Request, Shape
from exchange.registry.state import Registry
from exchange.wiring.hints import about_application, hinted
from exchange.wiring.newcomer import unfit
from exchange.wiring.office import Office

PARTS: Final = {
    "scenario": Text("scenario (--scenario)", "使用场景（--scenario）"),
    "manner": Text("manner of provision (--manner)", "提供方式（--manner）"),
    "fields": Text("scope: fields (--fields or --levels)", "范围：字段（--fields 或 --levels）"),
    "regions": Text("scope: regions (--regions)", "范围：区划（--regions）"),
    "time-limit": Text("time limit (--expires)", "使用时限（--expires）"),
}
"""The parts of an application that may be missing (exchange/registry/requests.py), for people."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for, or granted; what is left empty (or 0) is missing, or granted as asked.

    Times are milliseconds since the epoch. A region "" is the whole country.
    """

    fields: tuple[str, ...]
    regions: tuple[str, ...]
    from_ms: int
    to_ms: int
    expires_ms: int


@dataclass(frozen=True, slots=True)
class Matter:
    """What an application is for, and how the data is to come; codes where the bus has codes.

    ``necessary`` are fields of personal data that the duty cannot do without, ``assessment`` refers
    to their impact assessment.
    """

    purpose: str
    duty: str
    scenario: str = ""
    manner: str = ""
    necessary: tuple[str, ...] = ()
    assessment: str = ""


async def apply(office: Office, dataset: str, wanted: Wanted, matter: Matter) -> Admitted:
    """Apply for ``dataset``; what is left out comes back as a list (REQ-01).

    An unconditional dataset, or rows that flow back, are granted by this act itself.
    """
    registry = await office.registry()
    contract = _contract(registry, dataset)
    shape = registry.shapes[contract]
    try:
        body = Apply(
            dataset=dataset,
            contract=contract,
            fields=ordered(shape, wanted.fields),
            regions=openable(shape, wanted.regions),
            purpose=purpose_of(registry, matter.purpose),
            duty=matter.duty,
            from_ms=wanted.from_ms,
            to_ms=wanted.to_ms,
            expires_ms=wanted.expires_ms,
            scenario=matter.scenario,
            manner=cast(Mode, matter.manner),
            necessary=ordered(shape, matter.necessary),
            assessment=matter.assessment,
        )
    except ValidationError as error:
        raise unfit(error) from None
    try:
        return await office.submit(body, Text(f"have {dataset}", f"获取 {dataset}"))
    except RuleRefused as error:
        raise hinted(error, about_application(body, shape, registry)) from None


async def complete(office: Office, request: Request, wanted: Wanted, matter: Matter) -> Admitted:
    """Complete a returned application; what is left empty stays as it was filed."""
    shape = office.view.registry.shapes[request.contract_hash]
    try:
        body = CompleteRequest(
            request=request.id,
            scenario=matter.scenario,
            manner=cast(Mode, matter.manner),
            fields=ordered(shape, wanted.fields),
            regions=openable(shape, wanted.regions),
            from_ms=wanted.from_ms,
            to_ms=wanted.to_ms,
            expires_ms=wanted.expires_ms,
            necessary=ordered(shape, matter.necessary),
            assessment=matter.assessment,
        )
    except ValidationError as error:
        raise unfit(error) from None
    try:
        return await office.submit(body, Text("complete the application so", "如此补全申请"))
    except RuleRefused as error:
        missing = wish_of_request(completed(body, request)).missing
        if not missing:
            raise
        also = still_missing(missing)
        remedy = (f"{also[0]}; {error.remedy.en}", f"{also[1]}；{error.remedy.zh}")
        raise RuleRefused(*error.text, rules=error.rules, remedy=remedy) from None


async def approve(
    office: Office, request: Request, wanted: Wanted, *, price: str, conditions: Sequence[str]
) -> Admitted:
    """Grant at most what was asked; what ``wanted`` leaves empty is granted as asked."""
    shape = office.view.registry.shapes[request.contract_hash]
    regions = openable(shape, wanted.regions) or request.regions
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


async def refuse(office: Office, request: Request, *, basis: str, reason: str) -> Admitted:
    """Refuse an application, citing a basis and a reason (exchange/model/reasons.py)."""
    try:
        body = AnswerRequest(
            request=request.id, approve=False, basis=basis, reason=cast(Reason, reason)
        )
    except ValidationError as error:
        raise unfit(error) from None
    return await office.submit(body, Text("refuse so", "如此拒绝"))


async def withdraw(office: Office, request: Request) -> Admitted:
    """Take an open application back."""
    body = WithdrawRequest(request=request.id)
    return await office.submit(body, Text("withdraw the application", "撤回申请"))


async def revoke(office: Office, grant: bytes, *, reason: str) -> Admitted:
    """End a grant from this entry on."""
    body = RevokeGrant(grant=grant, reason=reason)
    return await office.submit(body, Text("revoke the grant", "撤销授权"))


async def renew(office: Office, grant: bytes, *, expires_ms: int) -> Admitted:
    """The same grant up to a later moment."""
    body = RenewGrant(grant=grant, expires_ms=expires_ms)
    return await office.submit(body, Text("renew the grant", "续期授权"))


def still_missing(missing: Sequence[str]) -> tuple[str, str]:
    """What an application lacks, all of it, in both languages."""
    named = [PARTS[part] for part in missing]
    return (
        f"state all that is missing: {', '.join(text.en for text in named)}",
        f"请一次补齐：{'、'.join(text.zh for text in named)}",
    )


def purpose_of(registry: Registry, said: str) -> str:
    """The code of a purpose that a person names by code or by title; else as it was said."""
    for purpose in registry.purposes.values():
        if said in {purpose.id, purpose.title_zh, purpose.title_en}:
            return purpose.id
    return said


def openable(shape: Shape, regions: Iterable[str]) -> tuple[str, ...]:
    """The fewest regions that cover the place, if keys can be given for them; else `UsageError`.

    Keys open whole streams: of data split by county nobody gets a town, of undivided data no part.
    """
    named = smallest(map(check_region, regions))
    for region in named:
        if len(region) > shape.region_digits:
            digits = shape.region_digits
            level = next((name for name, length in REGION_DIGITS.items() if length == digits), "")
            split = f"is split by {level}" if level else "is not split by region"
            zh = f"按{digits}位区划拆分" if level else "不按区划拆分"
            raise UsageError(
                f"{shape.dataset} {split}: keys for {region} alone cannot be given",
                f"{shape.dataset} {zh}，无法只开放 {region}",
                remedy=(
                    f"name {level} codes or larger ones" if level else "write --regions all",
                    "请使用该级或更大的区划代码" if level else "请写 --regions all",
                ),
                failure="region-split",
            )
    return named


def smallest(regions: Iterable[str]) -> tuple[str, ...]:
    """The fewest regions that cover the same place, in the order they were named."""
    named = tuple(dict.fromkeys(regions))
    return tuple(
        region
        for region in named
        if not any(contains(other, region) for other in named if other != region)
    )


async def define_purpose(
    authority: Office, purpose: str, *, title_zh: str, title_en: str, duty: str
) -> Admitted:
    """Register a local purpose."""
    try:
        body = RegisterPurpose(purpose=purpose, title_zh=title_zh, title_en=title_en, duty=duty)
    except ValidationError as error:
        raise unfit(error) from None
    return await authority.submit(body, Text("register a purpose", "登记用途"))


async def collect(office: Office, matter: str, items: Sequence[str]) -> Admitted:
    """Declare what citizens are asked for in one matter."""
    try:
        body = DeclareCollection(matter=matter, items=tuple(items))
    except ValidationError as error:
        raise unfit(error) from None
    return await office.submit(body, Text("ask citizens for this", "向群众收取所列材料"))


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


def shape_of(registry: Registry, dataset: str) -> Shape:
    """What a dataset's records look like, in the catalogue or proposed for it; else `NotFound`."""
    return registry.shapes[_contract(registry, dataset)]


def _contract(registry: Registry, dataset: str) -> bytes:
    """The contract in force, or the one that is proposed; `NotFound` if there is neither."""
    row = registry.datasets.get(dataset)
    if row is not None:
        return row.contract_hash
    proposal = registry.proposed.get(dataset)
    if proposal is not None:
        return registry.proposals[proposal].contract_hash
    raise NotFound(
        f"there is no dataset {dataset[:80]!r} in the catalogue",
        f"目录中没有数据集 {dataset[:80]!r}",
        remedy=("see: exchange catalogue list", "请查看：exchange catalogue list"),
        failure="no-dataset",
    )


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
