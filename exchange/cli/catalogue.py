"""``exchange catalogue``: what may be shared, by whom, under which conditions."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.cli.cataloguepropose import register as register_propose
from exchange.cli.cataloguereview import register as register_review
from exchange.cli.contract import show_fields
from exchange.cli.requestpurposes import purpose_shown
from exchange.cli.screen import Grid, Screen
from exchange.cli.session import session_of
from exchange.cli.work import as_authority, as_reader, short
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.registry.rows import Dataset, Proposal
    from exchange.registry.state import Registry
    from exchange.wiring.office import Office

app = typer.Typer(no_args_is_help=True, help="What may be shared, by whom, on which conditions.")

SHARING: Final = {
    "unconditional": Text("unconditional", "无条件共享"),
    "conditional": Text("conditional", "有条件共享"),
    "refused": Text("refused", "不予共享"),
}
STATUS: Final = {
    "published": Text("published", "已发布"),
    "withdrawn": Text("withdrawn", "已撤回"),
    "open": Text("waits for review", "待审核"),
    "reviewed": Text("reviewed, waits for publication", "已审核，待发布"),
    "returned": Text("returned to its provider", "已退回提供方"),
    "replaced": Text("replaced", "已被替换"),
}
_WAITING: Final = frozenset({"open", "reviewed", "returned"})
_TITLE: Final = Text("Catalogue", "资源目录")
_COLUMNS: Final = (
    Text("dataset", "数据集"),
    Text("provider", "提供方"),
    Text("sharing", "共享类型"),
    Text("status", "状态"),
    Text("contract", "合约"),
    Text("topic", "主题"),
)
_REVISION: Final = Text("its revision: {status} {wanting}", "变更申报：{status} {wanting}")
_WITHDRAWN: Final = Text(
    "{dataset} is taken out of the catalogue (entry {index})",
    "{dataset} 已从目录撤回（账本条目 {index}）",
)

ELEMENTS: Final = {
    "classification": Text("classification", "信息资源分类"),
    "name": Text("name", "信息资源名称"),
    "code": Text("code", "信息资源代码"),
    "provider": Text("provider", "信息资源提供方"),
    "provider_code": Text("provider code", "信息资源提供方代码"),
    "abstract": Text("abstract", "信息资源摘要"),
    "format": Text("format", "信息资源格式"),
    "items": Text("items", "信息项信息"),
    "sharing": Text("sharing", "共享属性"),
    "openness": Text("openness", "开放属性"),
    "cycle": Text("update cycle", "更新周期"),
    "published_on": Text("published on", "发布日期"),
    "related": Text("related codes", "关联资源代码"),
    "mode": Text("mode of exchange", "共享方式"),
}
"""The core elements as the national guide names them; reviews may name what is wanting by these."""
_PARTICULARS: Final = {
    "status": Text("status", "状态"),
    "wanting": Text("wanting", "须补正"),
    "basis": Text("basis", "依据"),
    "basis_kind": Text("kind of basis", "依据类别"),
    "conditions": Text("conditions", "共享条件"),
    "scope": Text("scope", "共享范围"),
    "uses": Text("use", "使用用途"),
    "library": Text("base library", "基础信息资源库"),
    "core_item": Text("core item", "核心项"),
    "sources": Text("authoritative source of", "权威来源信息项"),
    "derived_from": Text("derived from", "派生自"),
    "reflow": Text("flows back to places", "可回流"),
}

DatasetArgument = Annotated[str, typer.Argument(help="Id of a dataset.")]

register_propose(app)
register_review(app)


@app.command("withdraw")
def withdraw(
    context: typer.Context,
    dataset: DatasetArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why; stands on the ledger.")],
) -> None:
    """Take a dataset out of the catalogue: nothing more is published or released."""
    session = session_of(context)

    async def work(office: "Office") -> int:
        from exchange.model.acts import WithdrawDataset

        find_dataset(await office.registry(), dataset)
        body = WithdrawDataset(dataset=dataset, reason=reason)
        return (await office.submit(body, Text("withdraw a dataset", "撤回数据集"))).index

    index = as_authority(session, work)
    session.screen.say(_WITHDRAWN, dataset=dataset, index=index)
    session.screen.answer({"dataset": dataset, "entry": index})


@app.command("list")
def list_datasets(
    context: typer.Context,
    proposed: Annotated[
        bool, typer.Option("--proposed", help="Only proposals that wait for publication.")
    ] = False,
) -> None:
    """List the catalogue."""
    session = session_of(context)
    screen = session.screen
    registry = as_reader(session, lambda office: office.registry())
    waiting = [row for row in registry.proposals.values() if row.status in _WAITING]
    listed: list[Dataset | Proposal] = [*([] if proposed else registry.datasets.values()), *waiting]
    rows = [
        [
            _name(row),
            row.provider,
            screen.word(SHARING[row.sharing]),
            _standing(row, screen),
            short(row.contract_hash),
            row.topic,
        ]
        for row in listed
    ]
    screen.grid(Grid(_TITLE, _COLUMNS, rows))
    screen.answer({"datasets": [dataset_data(row) for row in listed]})


@app.command("show")
def show(
    context: typer.Context,
    dataset: DatasetArgument,
    contract: Annotated[
        Path | None, typer.Option("--contract", help="Write the encoded contract here (CBOR).")
    ] = None,
) -> None:
    """Show a dataset, or a proposal for one: core elements, conditions, status, contract."""
    from exchange.model.contract import Contract
    from exchange.registry.proposals import elements_of

    session = session_of(context)
    screen = session.screen
    registry = as_reader(session, lambda office: office.registry())
    row = _find(registry, dataset)
    encoded = registry.contracts[row.contract_hash]
    elements = elements_of(row.elements).model_dump()
    data = dataset_data(row)
    words = {
        "status": screen.word(STATUS[row.status]),
        "wanting": wanting_shown(data["wanting"], screen),
        "uses": [purpose_shown(registry, use, screen) for use in row.said.uses],
    }
    shown = data | words
    for labels, values in ((ELEMENTS, elements), (_PARTICULARS, shown)):
        for name, label in labels.items():
            value = values[name]
            if value not in ("", False, [], ()) or name in ELEMENTS:
                screen.pair(screen.word(label), value)
    _tell_revision(screen, registry, row)
    show_fields(screen, Contract.decode(encoded))
    if contract is not None:
        contract.write_bytes(encoded)
    screen.answer(data | {"elements": elements})


def _standing(row: "Dataset | Proposal", screen: Screen) -> str:
    """How it stands, and what it wants if it went back."""
    wanting = wanting_shown(getattr(row, "wanting", ()), screen)
    status = screen.word(STATUS[row.status])
    return screen.word(Text(f"{status}: {wanting}", f"{status}：{wanting}")) if wanting else status


def wanting_shown(wanting: Sequence[str], screen: Screen) -> str:
    """What a review found wanting: core elements by their titles, all else as it was written."""
    return ", ".join(screen.word(ELEMENTS[one]) if one in ELEMENTS else one for one in wanting)


def _tell_revision(screen: Screen, registry: "Registry", row: "Dataset | Proposal") -> None:
    """How a newer proposal for a published dataset stands."""
    newest = registry.proposals[registry.proposed[_name(row)]]
    if newest.status in _WAITING and newest.id not in {row.id, getattr(row, "proposal", b"")}:
        wanting = wanting_shown(newest.wanting, screen)
        screen.say(_REVISION, status=screen.word(STATUS[newest.status]), wanting=wanting)


def _find(registry: "Registry", dataset: str) -> "Dataset | Proposal":
    """The dataset, or the newest proposal for one that is not published yet."""
    newest = registry.proposed.get(dataset)
    if dataset not in registry.datasets and newest is not None:
        return registry.proposals[newest]
    return find_dataset(registry, dataset)


def find_dataset(registry: "Registry", dataset: str) -> "Dataset":
    """The dataset's row, or `NotFound`."""
    from exchange.errors import NotFound

    row = registry.datasets.get(dataset)
    if row is None:
        raise NotFound(
            f"there is no dataset {dataset[:80]!r} in the catalogue",
            f"目录中没有数据集 {dataset[:80]!r}",
            remedy=("see: exchange catalogue list", "请查看：exchange catalogue list"),
            failure="no-dataset",
        )
    return row


def _name(row: "Dataset | Proposal") -> str:
    from exchange.registry.rows import Proposal

    return row.dataset if isinstance(row, Proposal) else row.id


def dataset_data(row: "Dataset | Proposal") -> dict[str, Any]:
    """A dataset, or a proposal for one, for programs."""
    return {
        "dataset": _name(row),
        "provider": row.provider,
        "sharing": row.sharing,
        "secrecy": row.secrecy,
        "status": row.status,
        "basis": row.basis,
        "contract": row.contract_hash.hex(),
        "topic": row.topic,
        "partitions": row.partitions,
        "price": row.price,
        "conditions": list(row.conditions),
        "basis_kind": row.said.basis_kind,
        "scope": list(row.said.scope),
        "uses": list(row.said.uses),
        "library": row.said.library,
        "core_item": row.said.core_item,
        "sources": list(row.said.sources),
        "derived_from": list(row.said.derived_from),
        "reflow": row.said.reflow,
        "wanting": list(getattr(row, "wanting", ())),
    }
