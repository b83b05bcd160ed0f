"""``exchange request answer`` and ``withdraw``: how an application ends."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from exchange.cli.requestnew import KIND, Expires, Fields, Levels, Regions, chosen, regions_of
from exchange.cli.session import session_of
from exchange.cli.times import moment_ms
from exchange.cli.work import at_work, find_id, short
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.flow.ports import Admitted
    from exchange.wiring.office import Office

_APPROVED: Final = Text("grant {grant} (entry {index})", "授权 {grant}（账本条目 {index}）")
_ANSWERED: Final = Text("answered (entry {index})", "已答复（账本条目 {index}）")
_TAKEN_BACK: Final = Text("withdrawn (entry {index})", "已撤回（账本条目 {index}）")

RequestId = Annotated[str, typer.Argument(help="Id of an application, may be cut.")]


def register(app: typer.Typer) -> None:
    """Put the commands under ``app``."""
    app.command("answer")(answer)
    app.command("withdraw")(withdraw)


def answer(  # noqa: PLR0913, PLR0917 - one argument an option
    context: typer.Context,
    request: RequestId,
    approve: Annotated[
        bool, typer.Option("--approve/--refuse", help="Grant it, or refuse it with a basis.")
    ],
    fields: Fields = "",
    levels: Levels = "",
    regions: Regions = "",
    expires: Expires = "",
    condition: Annotated[
        list[str] | None,
        typer.Option("--condition", help="A condition of the catalogue; may be repeated (CON-02)."),
    ] = None,
    price: Annotated[
        str, typer.Option("--price", help="A charge. Anything but nothing is refused (FEE-01).")
    ] = "",
    basis: Annotated[str, typer.Option("--basis", help="Legal basis of a refusal (OBL-01).")] = "",
    reason: Annotated[
        str,
        typer.Option(
            "--reason",
            help="Why it is refused: law-forbids, not-held, outside-scope, outside-use, no-duty or"
            " wider (REF-01).",
        ),
    ] = "",
) -> None:
    """Answer an application: approve at most what was asked, or refuse with a basis."""
    from exchange.wiring import applications
    from exchange.wiring.clock import now_ms

    session = session_of(context)

    async def work(office: "Office") -> "tuple[Admitted, bytes | None]":
        registry = await office.registry()
        row = registry.requests[find_id(KIND, registry.requests, request)]
        if not approve:
            return await applications.refuse(office, row, basis=basis, reason=reason), None
        wanted = applications.Wanted(
            fields=await chosen(office, row.dataset, fields, levels),
            regions=regions_of(regions),
            from_ms=0,
            to_ms=0,
            expires_ms=moment_ms(expires, now_ms=now_ms()) if expires else 0,
        )
        admitted = await applications.approve(
            office, row, wanted, price=price, conditions=condition or ()
        )
        return admitted, applications.grant_of(office.view.registry, row.id)

    admitted, grant = at_work(session, work)
    said = _ANSWERED if grant is None else _APPROVED
    session.screen.say(said, grant=short(grant), index=admitted.index)
    session.screen.answer({"entry": admitted.index, "grant": grant, "rules": admitted.rules})


def withdraw(context: typer.Context, request: RequestId) -> None:
    """Take an open or returned application back."""
    from exchange.wiring import applications

    session = session_of(context)

    async def work(office: "Office") -> "Admitted":
        registry = await office.registry()
        row = registry.requests[find_id(KIND, registry.requests, request)]
        return await applications.withdraw(office, row)

    admitted = at_work(session, work)
    session.screen.say(_TAKEN_BACK, index=admitted.index)
    session.screen.answer({"entry": admitted.index})
