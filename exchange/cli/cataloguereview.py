"""``exchange catalogue review``, ``publish``, ``consent``: who decides what stands in it."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from exchange.cli.session import session_of
from exchange.cli.work import as_authority, at_work
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.flow.ports import Admitted
    from exchange.wiring.office import Office

_REVIEWED: Final = Text(
    "{dataset} is found fit to be published (entry {index})",
    "{dataset} 审核通过，可以发布（账本条目 {index}）",
)
_RETURNED: Final = Text(
    "{dataset} goes back to its provider (entry {index}), wanting: {wanting}",
    "{dataset} 已退回提供方（账本条目 {index}），须补正：{wanting}",
)
_PUBLISHED: Final = Text(
    "{dataset} is in the catalogue (entry {index}) and has a key to seal to",
    "{dataset} 已进入目录（账本条目 {index}），并已登记数据集密钥",
)
_STANDS: Final = Text(
    "{dataset} was in the catalogue already; its key and its topic are in place",
    "{dataset} 已在目录中，其密钥与主题均已就绪",
)
_CONSENTED: Final = Text(
    "{member} may pass {dataset} on as part of its own data (entry {index})",
    "{member} 可以转供 {dataset}（账本条目 {index}）",
)
_NO_MORE: Final = Text(
    "{member} may no longer publish what is derived from {dataset} (entry {index})",
    "{member} 不得再发布由 {dataset} 派生的数据（账本条目 {index}）",
)

DatasetArgument = Annotated[str, typer.Argument(help="Id of a dataset.")]


def register(app: typer.Typer) -> None:
    """Put the commands under ``app``."""
    app.command("review")(review)
    app.command("publish")(publish)
    app.command("consent")(consent)


def review(
    context: typer.Context,
    dataset: DatasetArgument,
    approve: Annotated[
        bool, typer.Option("--approve/--return", help="Find it fit, or return it with a list.")
    ],
    wanting: Annotated[
        list[str] | None,
        typer.Option("--wanting", help="What is missing or wrong; repeat it for the full list."),
    ] = None,
) -> None:
    """Review the newest proposal for a dataset, as the authority; publishing comes after."""
    from exchange.errors import UsageError
    from exchange.wiring import publication

    session = session_of(context)
    wants = tuple(wanting or ())
    if approve == bool(wants):
        raise UsageError(
            "a return lists what is wanting, an approval nothing",
            "退回须列明应补正的内容，通过则不列",
            remedy=(
                "write --approve, or --return --wanting WHAT (repeated)",
                "请写 --approve，或 --return --wanting 内容（可重复）",
            ),
            failure="wanting",
        )
    admitted = as_authority(session, lambda office: publication.review(office, dataset, wants))
    from exchange.cli.catalogue import wanting_shown

    said = _RETURNED if wants else _REVIEWED
    wanting_said = wanting_shown(wants, session.screen)
    session.screen.say(said, dataset=dataset, index=admitted.index, wanting=wanting_said)
    session.screen.answer(
        {"dataset": dataset, "entry": admitted.index, "approved": not wants, "wanting": wants}
    )


def publish(context: typer.Context, dataset: DatasetArgument) -> None:
    """Publish a reviewed proposal, and put a key on record that adapters seal to."""
    from exchange.wiring import publication

    session = session_of(context)
    admitted = as_authority(session, lambda office: publication.publish(office, dataset))
    if admitted is None:
        session.screen.say(_STANDS, dataset=dataset)
    else:
        session.screen.say(_PUBLISHED, dataset=dataset, index=admitted.index)
    session.screen.answer({"dataset": dataset, "entry": admitted.index if admitted else None})


def consent(
    context: typer.Context,
    dataset: DatasetArgument,
    member: Annotated[str, typer.Option("--to", help="Member that may pass it on.")],
    given: Annotated[
        bool, typer.Option("--given/--withdrawn", help="Give the consent, or take it back.")
    ] = True,
) -> None:
    """Let another member pass a dataset on as part of its own, as its provider (TP-01)."""
    from exchange.wiring import publication

    session = session_of(context)

    async def work(office: "Office") -> "Admitted":
        return await publication.consent(office, dataset, member, given=given)

    admitted = at_work(session, work)
    said = _CONSENTED if given else _NO_MORE
    session.screen.say(said, dataset=dataset, member=member, index=admitted.index)
    session.screen.answer({"dataset": dataset, "member": member, "entry": admitted.index})
