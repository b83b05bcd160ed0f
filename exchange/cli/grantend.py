"""``exchange grant confirm-deletion`` and ``notify``: what a reader owes under its grant."""

from typing import TYPE_CHECKING, Annotated, Final

import typer

from exchange.cli.grant import KIND, GrantId
from exchange.cli.session import session_of
from exchange.cli.work import at_work, find_id
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.flow.ports import Admitted
    from exchange.wiring.office import Office

_DELETED: Final = Text(
    "the deletion is confirmed on the ledger (entry {index})",
    "删除已在账本上确认（账本条目 {index}）",
)
_TOLD: Final = Text("stated on the ledger (entry {index})", "已记入账本（账本条目 {index}）")


def register(app: typer.Typer) -> None:
    """Add the commands to ``exchange grant``."""
    app.command("confirm-deletion")(confirm_deletion)
    app.command("notify")(notify)


def confirm_deletion(
    context: typer.Context,
    grant: GrantId,
    reference: Annotated[
        str, typer.Option("--reference", help="Number of the record of deletion.")
    ],
) -> None:
    """Confirm that the copies under a grant that has ended are deleted (PI-04)."""
    from exchange.model.dutyacts import ConfirmDeletion
    from exchange.wiring.matters import file

    session = session_of(context)

    async def work(office: "Office") -> "Admitted":
        registry = await office.registry()
        found = find_id(KIND, registry.grants, grant)
        return await file(office, ConfirmDeletion, grant=found, reference=reference)

    admitted = at_work(session, work)
    session.screen.say(_DELETED, index=admitted.index)
    session.screen.answer({"entry": admitted.index})


def notify(
    context: typer.Context,
    grant: GrantId,
    manner: Annotated[str, typer.Option("--manner", help="How the persons were told.")],
    exception: Annotated[
        str, typer.Option("--exception", help="The provision that excepts it instead.")
    ] = "",
) -> None:
    """State how the persons whose data was read were told, or why not (PI-03)."""
    from exchange.model.dutyacts import NotifyPersons
    from exchange.wiring.matters import file

    session = session_of(context)

    async def work(office: "Office") -> "Admitted":
        registry = await office.registry()
        found = find_id(KIND, registry.grants, grant)
        return await file(office, NotifyPersons, grant=found, manner=manner, exception=exception)

    admitted = at_work(session, work)
    session.screen.say(_TOLD, index=admitted.index)
    session.screen.answer({"entry": admitted.index})
