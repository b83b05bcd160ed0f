"""What can stand between a member and a dataset, in both languages; see mayread.py. Pure."""

from dataclasses import dataclass
from typing import Final

from exchange.model.text import Text
from exchange.registry.rows import Dataset, Grant, Request
from exchange.registry.state import Registry
from policies.periods import day_of
from policies.rule import Rule


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that stands in the way; ``what`` is stable, for programs."""

    what: str
    text: Text
    remedy: Text


def no_member(member: str) -> Missing:
    """Nobody of that name."""
    return Missing(
        "member",
        Text(f"there is no member {member[:80]}", f"没有成员 {member[:80]}"),
        Text("the authority enrols it", "由主管部门接纳"),
    )


def suspended(member: str) -> Missing:
    """Its keys do not count."""
    return Missing(
        "member",
        Text(f"{member} is suspended", f"{member} 已暂停"),
        Text("ask the authority", "请联系主管部门"),
    )


def no_dataset(dataset: str, registry: Registry) -> Missing:
    """Nothing of that name in the catalogue."""
    if dataset in registry.proposed:
        return Missing(
            "dataset",
            Text(f"{dataset} is proposed and not published", f"{dataset} 已申报，尚未发布"),
            Text("the authority publishes it", "由主管部门审核发布"),
        )
    return Missing(
        "dataset",
        Text(f"there is no dataset {dataset[:80]}", f"没有数据集 {dataset[:80]}"),
        Text("see: exchange catalogue list", "请查看：exchange catalogue list"),
    )


def no_field(unknown: list[str], known: tuple[str, ...]) -> Missing:
    """The contract lacks them."""
    names = ", ".join(name[:64] for name in unknown)
    return Missing(
        "fields",
        Text(f"the contract has no field {names}", f"合约没有字段 {names}"),
        Text(f"its fields are: {', '.join(known)}", f"可用字段：{'、'.join(known)}"),
    )


def withdrawn(dataset: str) -> Missing:
    """No longer in the catalogue."""
    return Missing(
        "dataset",
        Text(f"{dataset} was withdrawn from the catalogue", f"{dataset} 已从目录撤回"),
        Text("its provider proposes it again", "由提供方重新申报"),
    )


def not_shared(dataset: str, basis: str) -> Missing:
    """Classed as not shared since (CLASS-01)."""
    return Missing(
        "class",
        Text(
            f"{dataset} is classed as not shared now: {basis}",
            f"{dataset} 现已列为不予共享：{basis}",
        ),
        Text(
            "see the entry (exchange catalogue show); whoever disputes it turns to the authority",
            "请查看目录（exchange catalogue show）；有异议的，向主管部门提出",
        ),
    )


def revoked(index: int) -> Missing:
    """The grant has ended by an act."""
    return Missing(
        "revoked",
        Text(f"the grant was revoked by entry {index}", f"授权已被账本条目 {index} 撤销"),
        Text(
            f"see its reason (exchange audit show {index}), and apply again",
            f"请查看原因（exchange audit show {index}）后重新申请",
        ),
    )


def expired(expires_ms: int) -> Missing:
    """The grant has ended by its term."""
    return Missing(
        "expired",
        Text(f"the grant ended at {_day(expires_ms)}", f"授权已于 {_day(expires_ms)} 到期"),
        Text("renew it", "请续期"),
    )


def period(grant: Grant) -> Missing:
    """What is sealed now is not granted."""
    first, last = _day(grant.from_ms), _day(grant.to_ms)
    return Missing(
        "period",
        Text(f"data of now is outside {first} to {last}", f"当前数据不在 {first} 至 {last} 之内"),
        Text("apply for the later period", "请就其后时段提出申请"),
    )


def contract() -> Missing:
    """The dataset has another contract since."""
    return Missing(
        "contract",
        Text("the grant is for an earlier contract", "授权针对的是较早的合约"),
        Text("apply again: fields may mean other things now", "请重新申请：字段含义可能已变"),
    )


def purpose(granted: str) -> Missing:
    """Granted for something else."""
    return Missing(
        "purpose",
        Text(f"it is granted for {granted}", f"授权用途为 {granted}"),
        Text(
            "use it for that, or apply for the other purpose",
            "请按授权用途使用，或就其他用途申请",
        ),
    )


def uncovered(fields: list[str]) -> Missing:
    """Fields that the grant leaves out."""
    names = ", ".join(fields)
    return Missing(
        "fields",
        Text(f"it does not cover {names}", f"授权不含字段 {names}"),
        Text("apply for these, with the duty that needs them", "请就这些字段申请，并写明所需职责"),
    )


def outside(regions: list[str]) -> Missing:
    """Regions that the grant leaves out."""
    en = ", ".join(region or "the whole country" for region in regions)
    zh = "、".join(region or "全国" for region in regions)
    return Missing(
        "regions",
        Text(f"it does not cover {en}", f"授权不含区划 {zh}"),
        Text("apply for that region", "请就该区划申请"),
    )


def no_grant(member: str, dataset: str) -> Missing:
    """Nothing was ever granted."""
    return Missing(
        "grant",
        Text(
            f"{member} has no grant for {dataset}",
            f"{member} 没有 {dataset} 的授权",
        ),
        Text("see below", "见下"),
    )


def pending(request: Request) -> Missing:
    """An application waits for its answer."""
    short = request.id.hex()[:12]
    return Missing(
        "answer",
        Text(
            f"application {short} (entry {request.opened}) is not answered yet",
            f"申请 {short}（账本条目 {request.opened}）尚未答复",
        ),
        Text(
            "the provider answers; silence never permits, an overdue answer escalates",
            "由提供方答复；沉默不构成许可，逾期可升级",
        ),
    )


_PARTS: Final = {
    "scenario": Text("the scenario", "使用场景"),
    "manner": Text("the manner of provision", "提供方式"),
    "fields": Text("the fields", "字段"),
    "regions": Text("the regions", "区划"),
    "time-limit": Text("the time limit", "使用时限"),
}
"""What an application can leave out (exchange/registry/requests.py)."""


def returned(request: Request) -> Missing:
    """An application waits for its applicant (REQ-01)."""
    short = request.id.hex()[:12]
    lacks = [_PARTS[part] for part in request.missing]
    en, zh = ", ".join(part.en for part in lacks), "、".join(part.zh for part in lacks)
    return Missing(
        "completion",
        Text(
            f"application {short} (entry {request.opened}) was returned; it lacks {en}",
            f"申请 {short}（账本条目 {request.opened}）已一次性告知补正，缺少{zh}",
        ),
        Text(
            f"its applicant completes it: exchange request complete {short}",
            f"由申请方补全：exchange request complete {short}",
        ),
    )


def refused(request: Request) -> Missing:
    """An application was refused."""
    short = request.id.hex()[:12]
    return Missing(
        "refused",
        Text(
            f"application {short} was refused: {request.basis}",
            f"申请 {short} 已被拒绝：{request.basis}",
        ),
        Text("apply anew, or escalate", "请重新申请，或申请升级处理"),
    )


def apply(dataset: Dataset) -> Missing:
    """Nobody applied, and the rules would let them."""
    at_once = dataset.sharing == "unconditional"
    return Missing(
        "application",
        Text("nobody applied for it", "尚未申请"),
        Text(
            f"exchange request new {dataset.id}: it is granted at once"
            if at_once
            else f"exchange request new {dataset.id}: its provider answers",
            f"exchange request new {dataset.id}：当即授权"
            if at_once
            else f"exchange request new {dataset.id}：由提供方答复",
        ),
    )


def forbidden(rule: Rule) -> Missing:
    """Nobody applied, and this rule would forbid it as it is wanted."""
    return Missing(
        _BY_RULE.get(rule.id, "rule"),
        Text(f"{rule.id}: {rule.condition[0]}", f"{rule.id}：{rule.condition[1]}"),
        Text(*rule.needed),
    )


_BY_RULE: Final = {
    "CLASS-01": "class",
    "DUTY-01": "duty",
    "PI-02": "assessment",
    "PURPOSE-01": "purpose",
    "SCOPE-01": "scope",
}
"""What a rule asks for, in a word that programs know."""


def _day(time_ms: int) -> str:
    return day_of(time_ms).isoformat()
