"""``exchange catalogue propose`` and ``revise``: what a provider says of a dataset."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.cli.session import Session, session_of
from exchange.cli.work import at_work, short
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.flow.ports import Admitted
    from exchange.model.contract import Contract
    from exchange.wiring.office import Office

_PROPOSED: Final = Text(
    "{dataset} is proposed (entry {index}, proposal {act}); the authority reviews and publishes it",
    "{dataset} 已申报（账本条目 {index}，申报编号 {act}），待主管部门审核发布",
)

Sharing = Annotated[str, typer.Option("--sharing", help="unconditional, conditional or refused.")]
Classification = Annotated[
    str, typer.Option("--classification", help="Classification of the resource (信息资源分类).")
]
Code = Annotated[
    str, typer.Option("--code", help="Code of the resource (信息资源代码), e.g. 307001/000001.")
]
Abstract = Annotated[str, typer.Option("--abstract", help="What it holds (信息资源摘要).")]
Basis = Annotated[str, typer.Option("--basis", help="Legal basis of the sharing class.")]
BasisKind = Annotated[
    str,
    typer.Option(
        "--basis-kind",
        help="What the basis is: law, regulation, state-council, local, rule or other (NEG-01).",
    ),
]
Secrecy = Annotated[
    str, typer.Option("--secrecy", help="none, work (工作秘密) or state (国家秘密).")
]
Openness = Annotated[
    str, typer.Option("--openness", help="Whether it is open to society (开放属性).")
]
Form = Annotated[str, typer.Option("--format", help="Format (信息资源格式).")]
Mode = Annotated[
    str,
    typer.Option("--mode", help="table, api or file; default: what the format allows (CAT-03)."),
]
Conditions = Annotated[
    list[str] | None, typer.Option("--condition", help="A condition of use; may be repeated.")
]
Scope = Annotated[
    str,
    typer.Option(
        "--scope",
        help="Whom conditional data is for: members, kinds or regions, comma-separated (CON-01).",
    ),
]
Uses = Annotated[
    str,
    typer.Option("--use", help="What conditional data is for: purposes, comma-separated (CON-01)."),
]
Library = Annotated[
    str,
    typer.Option(
        "--library",
        help="Base library: population, legal-persons, space, licences or credit (BASE-01).",
    ),
]
CoreItem = Annotated[
    bool | None,
    typer.Option("--core-item/--no-core-item", help="Whether it is a core item of its library."),
]
Sources = Annotated[
    str,
    typer.Option(
        "--source-of", help="Items it is the one source of: codes, comma-separated (SRC-01)."
    ),
]
Derived = Annotated[
    str,
    typer.Option(
        "--derived-from", help="Datasets of others it passes on, comma-separated (TP-01)."
    ),
]
Reflow = Annotated[
    bool | None,
    typer.Option("--reflow/--no-reflow", help="回流: places read back their own rows (REFLOW-01)."),
]
Price = Annotated[
    str, typer.Option("--price", help="A charge. Anything but nothing is refused (FEE-01).")
]
Topic = Annotated[str, typer.Option("--topic", help="Kafka topic; default: one of its own.")]
Partitions = Annotated[int, typer.Option("--partitions", help="Partitions of its topic.")]


def register(app: typer.Typer) -> None:
    """Put the commands under ``app``."""
    app.command("propose")(propose)
    app.command("revise")(revise)


def propose(  # noqa: PLR0913, PLR0917 - one argument an option
    context: typer.Context,
    contract: Annotated[Path, typer.Argument(help="The contract (YAML).")],
    sharing: Sharing,
    classification: Classification,
    code: Code,
    abstract: Abstract,
    basis: Basis = "",
    basis_kind: BasisKind = "",
    secrecy: Secrecy = "none",
    openness: Openness = "不开放",
    form: Form = "数据库",
    mode: Mode = "",
    condition: Conditions = None,
    scope: Scope = "",
    use: Uses = "",
    library: Library = "",
    core_item: CoreItem = None,
    source_of: Sources = "",
    derived_from: Derived = "",
    reflow: Reflow = None,
    price: Price = "",
    topic: Topic = "",
    partitions: Partitions = 4,
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
        basis_kind=basis_kind,
        classification=classification,
        code=code,
        abstract=abstract,
        openness=openness,
        format=form,
        mode=mode,
        price=price,
        conditions=tuple(condition or ()),
        scope=listed(scope),
        uses=listed(use),
        library=library,
        core_item=bool(core_item),
        sources=listed(source_of),
        derived_from=listed(derived_from),
        reflow=bool(reflow),
        topic=topic,
        partitions=partitions,
    )

    async def work(office: "Office") -> "Admitted":
        registry = await office.registry()
        uses = tuple(_purpose(registry, one) for one in said.uses)
        return await publication.propose(office, read, replace(said, uses=uses))

    _tell(session, read, at_work(session, work))


def revise(  # noqa: PLR0913, PLR0917 - one argument an option
    context: typer.Context,
    dataset: Annotated[str, typer.Argument(help="Id of a dataset.")],
    contract: Annotated[
        Path | None, typer.Option("--with-contract", help="Another contract (YAML).")
    ] = None,
    sharing: Sharing = "",
    classification: Classification = "",
    code: Code = "",
    abstract: Abstract = "",
    basis: Basis = "",
    basis_kind: BasisKind = "",
    openness: Openness = "",
    form: Form = "",
    mode: Mode = "",
    condition: Conditions = None,
    scope: Scope = "",
    use: Uses = "",
    library: Library = "",
    core_item: CoreItem = None,
    source_of: Sources = "",
    derived_from: Derived = "",
    reflow: Reflow = None,
) -> None:
    """Propose a published dataset anew: what is not stated stays as its entry has it."""
    from exchange.model.contract import Contract
    from exchange.wiring import publication

    session = session_of(context)
    given = {
        "sharing": sharing,
        "classification": classification,
        "code": code,
        "abstract": abstract,
        "basis": basis,
        "basis_kind": basis_kind,
        "openness": openness,
        "format": form,
        "mode": mode,
        "conditions": tuple(condition or ()),
        "scope": listed(scope),
        "library": library,
        "sources": listed(source_of),
        "derived_from": listed(derived_from),
    }
    changes: dict[str, Any] = {name: value for name, value in given.items() if value}
    changes |= {
        name: value
        for name, value in (("core_item", core_item), ("reflow", reflow))
        if value is not None
    }

    async def work(office: "Office") -> "tuple[Contract, Admitted]":
        from exchange.cli.catalogue import find_dataset

        registry = await office.registry()
        row = find_dataset(registry, dataset)
        known = registry.contracts[row.contract_hash]
        read = Contract.from_yaml(contract) if contract else Contract.decode(known)
        uses = tuple(_purpose(registry, one) for one in listed(use))
        known_uses: dict[str, Any] = {"uses": uses} if uses else {}
        said = replace(publication.described(row), **changes, **known_uses)
        return read, await publication.propose(office, read, said)

    _tell(session, *at_work(session, work))


def listed(text: str) -> tuple[str, ...]:
    """The parts of a comma-separated option."""
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _purpose(registry: Any, said: str) -> str:  # noqa: ANN401 - the state, known lazily
    from exchange.wiring.applications import purpose_of

    return purpose_of(registry, said)


def _tell(session: Session, read: "Contract", admitted: "Admitted") -> None:
    session.screen.say(
        _PROPOSED, dataset=read.dataset, index=admitted.index, act=short(admitted.act)
    )
    session.screen.answer(
        {"dataset": read.dataset, "proposal": admitted.act, "entry": admitted.index}
    )
