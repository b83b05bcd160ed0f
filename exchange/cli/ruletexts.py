"""Words about rules: effects, modes, terms, and the line that names one."""

from typing import TYPE_CHECKING, Final

from exchange.model.text import EMPTY, Text

if TYPE_CHECKING:
    from policies.rule import Rule

ENFORCED: Final = {
    "policy": Text("decides", "策略判定"),
    "engine": Text("decides (engine)", "引擎判定"),
    "duty": Text("duty with a term", "限期义务"),
    "later": Text("not enforced yet", "尚未执行"),
}
EFFECTS: Final = {
    "permit": Text("permit", "许可"),
    "forbid": Text("forbid", "禁止"),
    "oblige": Text("oblige", "义务"),
    "track": Text("track", "跟踪"),
    "escalate": Text("escalate", "升级"),
    "allow-service": Text("allow service", "保障办理"),
}
MODES: Final = {
    "enforce": Text("enforced", "执行"),
    "warn": Text("warns only", "仅提示"),
    "off": Text("off", "停用"),
}
_UNITS: Final = {
    "working-day": Text("working days", "个工作日"),
    "month": Text("months", "个月"),
    "year": Text("years", "年"),
}
"""By the unit of a term, in the plural."""


def term(rule: "Rule") -> Text:
    """A rule's deadline, or nothing."""
    stated = rule.deadline
    if stated is None:
        return EMPTY
    unit = _UNITS[stated.unit]
    one = stated.count == 1
    span = Text(
        f"{stated.count} {unit.en.removesuffix('s') if one else unit.en}",
        f"{stated.count}{unit.zh}",
    )
    if stated.kind == "keep":
        return Text(f"keep {span.en}", f"保存{span.zh}")
    more = f"{stated.extension}"
    if not stated.extension:
        return Text(f"within {span.en}", f"{span.zh}内")
    return Text(f"within {span.en} (+{more})", f"{span.zh}内（可延长{more}{unit.zh}）")


def heading(rule: "Rule") -> Text:
    """Id, title, effect, and 待核 on whatever nobody has verified."""
    badge = f" [{rule.badge}]" if rule.badge else ""
    return Text(
        f"{rule.id} {rule.title_en} ({EFFECTS[rule.effect].en}){badge}",
        f"{rule.id} {rule.title_zh}（{EFFECTS[rule.effect].zh}）{badge}",
    )
