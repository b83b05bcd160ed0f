"""What exactly a refused proposal or application gets wrong, for the person who sent it.

The ledger has the rule; which field, item or source it is about follows from the state, and is said
beside the remedy. Nothing here decides anything.
"""

from collections.abc import Mapping

from exchange.errors import RuleRefused
from exchange.model.acts import Apply, ProposeDataset
from exchange.model.guide import modes_of
from exchange.model.text import Text
from exchange.registry.proposals import proposal_row, stated
from exchange.registry.rows import Shape
from exchange.registry.state import Registry


def hinted(error: RuleRefused, hints: Mapping[str, Text]) -> RuleRefused:
    """``error`` with what is known about its rules in front of its remedy."""
    known = [hints[rule] for rule in error.rules if rule in hints]
    if not known:
        return error
    en = "; ".join([*(text.en for text in known), error.remedy.en])
    zh = "；".join([*(text.zh for text in known), error.remedy.zh])
    return RuleRefused(*error.text, rules=error.rules, remedy=(en, zh))


def about_proposal(body: ProposeDataset, member: str, registry: Registry) -> dict[str, Text]:
    """What each rule could mean of a proposal by ``member``."""
    unknown = [
        *(name for name in body.derived_from if name not in registry.datasets),
        *(name for name in body.uses if name not in registry.purposes),
    ]
    if unknown:
        names = ", ".join(unknown)
        return {"STATE-01": Text(f"not on the ledger: {names}", f"账本上没有：{names}")}
    told = stated(proposal_row(body, b"", member, 0), registry)
    missing, claimed, others = (
        _named(told[name]) for name in ("missing", "claimed", "unconsented")
    )
    modes = ", ".join(modes_of(body.elements.format))
    form = body.elements.format
    return {
        "CAT-01": Text(f"missing: {missing}", f"缺少：{missing}"),
        "CAT-02": Text(
            "a code looks like 307001/000001 (class 1, item 2, heading 3, …, sequence)",
            "代码形如 307001/000001（类1、项2、目3、细目、顺序码）",
        ),
        "CAT-03": Text(f"{form} is exchanged by: {modes}", f"{form} 的共享方式可为：{modes}"),
        "SRC-01": Text(f"another dataset has: {claimed}", f"已属其他数据集：{claimed}"),
        "TP-01": Text(f"no consent for: {others}", f"未获同意的来源：{others}"),
        "CON-01": Text("state --scope and --use", "请写明 --scope 和 --use"),
    }


def about_application(body: Apply, shape: Shape, registry: Registry) -> dict[str, Text]:
    """What each rule could mean of an application for a dataset of this shape."""
    personal = [name for name in shape.personal if name in body.fields]
    needless = _named(tuple(name for name in personal if name not in body.necessary))
    purposes = ", ".join(registry.purposes)
    return {
        "PI-01": Text(
            f"personal fields that are not stated as necessary: {needless} (--necessary)",
            f"未写明履职必需的个人信息字段：{needless}（--necessary）",
        ),
        "PI-02": Text(
            f"personal fields: {_named(tuple(personal))}; give --assessment",
            f"个人信息字段：{'、'.join(personal)}；请写明 --assessment",
        ),
        "PURPOSE-01": Text(f"purposes: {purposes}", f"可用用途：{purposes}"),
    }


def _named(names: object) -> str:
    return ", ".join(names) if isinstance(names, tuple) else ""
