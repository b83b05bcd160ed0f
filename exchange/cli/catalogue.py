"""``exchange catalogue``: what may be shared, by whom, under which conditions."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.cli.contract import show_fields
from exchange.cli.screen import Grid
from exchange.cli.session import session_of
from exchange.cli.work import as_authority, as_reader, at_work, short
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
    "open": Text("waits for publication", "待发布"),
    "replaced": Text("replaced", "已被替换"),
}
_TITLE: Final = Text("Catalogue", "资源目录")
_COLUMNS: Final = (
    Text("dataset", "数据集"),
    Text("provider", "提供方"),
    Text("sharing", "共享类型"),
    Text("status", "状态"),
    Text("contract", "合约"),
    Text("topic", "主题"),
)
_PROPOSED: Final = Text(
    "{dataset} is proposed (entry {index}, proposal {act}); the authority publishes it",
    "{dataset} 已申报（账本条目 {index}，申报编号 {act}），待主管部门发布",
)
_PUBLISHED: Final = Text(
    "{dataset} is in the catalogue (entry {index}) and has a key to seal to",
    "{dataset} 已进入目录（账本条目 {index}），并已登记数据集密钥",
)
_STANDS: Final = Text(
    "{dataset} was in the catalogue already; its key and its topic are in place",
    "{dataset} 已在目录中，其密钥与主题均已就绪",
)
_WITHDRAWN: Final = Text(
    "{dataset} is taken out of the catalogue (entry {index})",
    "{dataset} 已从目录撤回（账本条目 {index}）",
)

DatasetArgument = Annotated[str, typer.Argument(help="Id of a dataset.")]


@app.command("propose")
def propose(  # noqa: PLR0913, PLR0917 - one argument an option
    context: typer.Context,
    contract: Annotated[Path, typer.Argument(help="The contract (YAML).")],
    sharing: Annotated[
        str, typer.Option("--sharing", help="unconditional, conditional or refused.")
    ],
    classification: Annotated[
        str, typer.Option("--classification", help="Classification of the resource (信息资源分类).")
    ],
    code: Annotated[str, typer.Option("--code", help="Code of the resource (信息资源代码).")],
    abstract: Annotated[str, typer.Option("--abstract", help="What it holds (信息资源摘要).")],
    basis: Annotated[str, typer.Option("--basis", help="Legal basis of the sharing class.")] = "",
    secrecy: Annotated[
        str, typer.Option("--secrecy", help="none, work (工作秘密) or state (国家秘密).")
    ] = "none",
    openness: Annotated[
        str, typer.Option("--openness", help="Whether it is open to society (开放属性).")
    ] = "不开放",
    form: Annotated[str, typer.Option("--format", help="Format (信息资源格式).")] = "数据库",
    condition: Annotated[
        list[str] | None, typer.Option("--condition", help="A condition of use; may be repeated.")
    ] = None,
    price: Annotated[
        str, typer.Option("--price", help="A charge. Anything but nothing is refused (FEE-01).")
    ] = "",
    topic: Annotated[
        str, typer.Option("--topic", help="Kafka topic; default: one of its own.")
    ] = "",
    partitions: Annotated[int, typer.Option("--partitions", help="Partitions of its topic.")] = 4,
) -> None:
    """Propose a dataset with its contract and the 13 core elements of the national guide."""
    from exchange.model.contract import Contract
    from exchange.wiring import publication

    session = session_of(context)
    read = Contract.from_yaml(contract)
    said = publication.Described(
        sharing=sharing,
        secrecy=secrecy,
        basis=basis,
        classification=classification,
        code=code,
        abstract=abstract,
        openness=openness,
        format=form,
        price=price,
        conditions=tuple(condition or ()),
        topic=topic,
        partitions=partitions,
    )
    admitted = at_work(session, lambda office: publication.propose(office, read, said))
    session.screen.say(
        _PROPOSED, dataset=read.dataset, index=admitted.index, act=short(admitted.act)
    )
    session.screen.answer(
        {"dataset": read.dataset, "proposal": admitted.act, "entry": admitted.index}
    )


@app.command("publish")
def publish(context: typer.Context, dataset: DatasetArgument) -> None:
    """Publish a proposal, and put a key on record that adapters seal to."""
    from exchange.wiring import publication

    session = session_of(context)
    admitted = as_authority(session, lambda office: publication.publish(office, dataset))
    if admitted is None:
        session.screen.say(_STANDS, dataset=dataset)
    else:
        session.screen.say(_PUBLISHED, dataset=dataset, index=admitted.index)
    session.screen.answer({"dataset": dataset, "entry": admitted.index if admitted else None})


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
    waiting = [row for row in registry.proposals.values() if row.status == "open"]
    listed: list[Dataset | Proposal] = [*([] if proposed else registry.datasets.values()), *waiting]
    rows = [
        [
            _name(row),
            row.provider,
            screen.word(SHARING[row.sharing]),
            screen.word(STATUS[row.status]),
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
    """Show a dataset: its sharing class, its basis, its core elements and its contract."""
    from exchange.model.acts import CoreElements
    from exchange.model.contract import Contract
    from keys import cbor

    session = session_of(context)
    screen = session.screen
    registry = as_reader(session, lambda office: office.registry())
    row = find_dataset(registry, dataset)
    encoded = registry.contracts[row.contract_hash]
    elements = CoreElements.from_map(cbor.decode(row.elements, bytes_max=len(row.elements)))
    for name, value in elements.model_dump().items():
        screen.say(Text("{name}: {value}", "{name}：{value}"), name=name, value=value)
    show_fields(screen, Contract.decode(encoded))
    if contract is not None:
        contract.write_bytes(encoded)
    screen.answer(dataset_data(row) | {"elements": elements.model_dump()})


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
    }
