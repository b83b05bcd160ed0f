"""``exchange grant``: who may read what, and the end of it."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.cli.requestpurposes import purpose_shown
from exchange.cli.screen import Grid, Screen
from exchange.cli.session import session_of
from exchange.cli.times import moment_ms, shown
from exchange.cli.work import as_reader, at_work, find_id, short
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.flow.ports import Admitted
    from exchange.registry.rows import Grant
    from exchange.registry.state import Registry
    from exchange.wiring.office import Office

app = typer.Typer(no_args_is_help=True, help="Grants: who may read what, for which purpose.")

KIND: Final = Text("grant", "授权")
_TITLE: Final = Text("Grants", "授权")
_COLUMNS: Final = (
    Text("grant", "授权编号"),
    Text("consumer", "使用方"),
    Text("dataset", "数据集"),
    Text("fields", "字段"),
    Text("regions", "区划"),
    Text("purpose", "用途"),
    Text("duty", "法定职责"),
    Text("expires", "到期"),
    Text("status", "状态"),
)
_STANDS: Final = Text("in force", "有效")
_REVOKED: Final = Text("revoked (entry {index})", "已撤销（账本条目 {index}）")
_EXPIRED: Final = Text("expired", "已到期")
_EVERYWHERE: Final = Text("everywhere", "全部")
_DONE: Final = Text(
    "grant {grant} is revoked from entry {index} on. The next key is refused; what was opened"
    " before cannot be recalled, and bundles of the running epoch (15 minutes at most) may still"
    " open",
    "授权 {grant} 自账本条目 {index} 起撤销。此后的密钥请求一律拒绝；此前已解密的数据无法收回，"
    "当前周期（至多 15 分钟）的数据包仍可能被解密",
)

_RENEWED: Final = Text(
    "grant {grant} runs until {until} (entry {index})",
    "授权 {grant} 续期至 {until}（账本条目 {index}）",
)

GrantId = Annotated[str, typer.Argument(help="Id of a grant, may be cut.")]


@app.command("list")
def list_grants(context: typer.Context) -> None:
    """List the grants on the ledger."""
    session = session_of(context)
    screen = session.screen
    registry = as_reader(session, lambda office: office.registry())
    rows = [
        [
            short(row.id),
            row.consumer,
            row.dataset,
            row.fields,
            [region or screen.word(_EVERYWHERE) for region in row.regions],
            purpose_shown(registry, row.purpose, screen),
            row.duty,
            shown(row.expires_ms),
            _standing(row, registry, screen),
        ]
        for row in registry.grants.values()
    ]
    screen.grid(Grid(_TITLE, _COLUMNS, rows))
    screen.answer({"grants": [grant_data(row) for row in registry.grants.values()]})


@app.command("show")
def show(context: typer.Context, grant: GrantId) -> None:
    """Show one grant."""
    session = session_of(context)
    registry = as_reader(session, lambda office: office.registry())
    data = grant_data(registry.grants[find_id(KIND, registry.grants, grant)])
    for name, value in data.items():
        session.screen.pair(name, value)
    session.screen.answer(data)


@app.command("renew")
def renew(
    context: typer.Context,
    grant: GrantId,
    expires: Annotated[
        str, typer.Option("--expires", help="Its new end, for instance +366d.")
    ] = "+366d",
) -> None:
    """Renew a grant on the same terms: its consumer, or for conditional data its provider."""
    from exchange.wiring import applications
    from exchange.wiring.clock import now_ms

    session = session_of(context)
    expires_ms = moment_ms(expires, now_ms=now_ms())

    async def work(office: "Office") -> "tuple[bytes, Admitted]":
        registry = await office.registry()
        found = find_id(KIND, registry.grants, grant)
        return found, await applications.renew(office, found, expires_ms=expires_ms)

    found, admitted = at_work(session, work)
    until = shown(expires_ms)
    session.screen.say(_RENEWED, grant=short(found), until=until, index=admitted.index)
    session.screen.answer({"grant": found, "expires": until, "entry": admitted.index})


@app.command("revoke")
def revoke(
    context: typer.Context,
    grant: GrantId,
    reason: Annotated[str, typer.Option("--reason", help="Why; stands on the ledger.")],
) -> None:
    """Revoke a grant, as its provider, its consumer or the authority."""
    from exchange.wiring import applications

    session = session_of(context)

    async def work(office: "Office") -> "tuple[bytes, Admitted]":
        registry = await office.registry()
        found = find_id(KIND, registry.grants, grant)
        return found, await applications.revoke(office, found, reason=reason)

    found, admitted = at_work(session, work)
    session.screen.say(_DONE, grant=short(found), index=admitted.index)
    session.screen.answer({"grant": found, "entry": admitted.index})


def _standing(row: "Grant", registry: "Registry", screen: Screen) -> str:
    if row.revoked is not None:
        return screen.word(_REVOKED).format(index=row.revoked)
    return screen.word(_EXPIRED if registry.time_ms >= row.expires_ms else _STANDS)


def grant_data(row: "Grant") -> dict[str, Any]:
    """One grant for programs."""
    return {
        "grant": row.id.hex(),
        "request": row.request.hex(),
        "consumer": row.consumer,
        "dataset": row.dataset,
        "fields": list(row.fields),
        "regions": list(row.regions),
        "purpose": row.purpose,
        "duty": row.duty,
        "from": shown(row.from_ms),
        "to": shown(row.to_ms),
        "expires": shown(row.expires_ms),
        "conditions": list(row.conditions),
        "entry": row.granted,
        "renewed_at_entries": list(row.renewed),
        "revoked_at_entry": row.revoked,
    }
