"""``exchange member role``: which of a member's people administer, audit and operate."""

from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import typer

from exchange.cli.screen import Grid
from exchange.cli.session import Session, session_of
from exchange.cli.work import acting, as_authority, as_reader, at_work, home_of
from exchange.errors import UsageError
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.flow.ports import Admitted
    from exchange.model.lawacts import Role
    from exchange.registry.state import Registry
    from exchange.wiring.office import Office

app = typer.Typer(
    no_args_is_help=True,
    help="Who administers, audits and operates, by code; one person never two of these.",
)

ROLES: Final = {
    "admin": Text("administers", "管理"),
    "audit": Text("audits", "审计"),
    "operate": Text("operates", "操作"),
}
_TITLE: Final = Text("Roles", "角色")
_COLUMNS: Final = (
    Text("holder", "人员代码"),
    Text("role", "角色"),
    Text("member", "成员"),
    Text("entry", "账本条目"),
)
_ASSIGNED: Final = Text(
    "{holder} {role} for {member} (entry {index})",
    "{holder} 在 {member} 任{role}（账本条目 {index}）",
)
_ENDED: Final = Text(
    "{holder} no longer {role} for {member} (entry {index})",
    "{holder} 不再任 {member} 的{role}（账本条目 {index}）",
)

Holder = Annotated[
    str, typer.Argument(help="Code of a person in the member's own list; never a name.")
]
RoleName = Annotated[str, typer.Argument(help="admin, audit or operate.")]
Elsewhere = Annotated[
    str, typer.Option("--member", help="The member whose role it is; default: the one that acts.")
]


@app.command("assign")
def assign(context: typer.Context, holder: Holder, role: RoleName) -> None:
    """Give one of the member's people a role (SOD-01: nobody holds two, anywhere)."""
    session = session_of(context)
    member = acting(session, home_of(session))

    async def work(office: "Office") -> "Admitted":
        from exchange.wiring import lawmaking

        return await lawmaking.assign_role(office, member, holder, _role(role))

    _said(session, _ASSIGNED, at_work(session, work), member, holder, role)


@app.command("end")
def end(context: typer.Context, holder: Holder, role: RoleName, member: Elsewhere = "") -> None:
    """End a role, as its member or as the authority."""
    session = session_of(context)
    owner = member or acting(session, home_of(session))
    elsewhere = bool(member) and session.member is None

    async def work(office: "Office") -> "Admitted":
        from exchange.wiring import lawmaking

        return await lawmaking.end_role(office, owner, holder, _role(role))

    admitted = (as_authority if elsewhere else at_work)(session, work)
    _said(session, _ENDED, admitted, owner, holder, role)


@app.command("list")
def list_roles(context: typer.Context) -> None:
    """List the roles that people hold now."""
    session = session_of(context)
    screen = session.screen
    registry = as_reader(session, lambda office: office.registry())
    held = _standing(registry)
    rows = [
        [one["holder"], screen.word(ROLES[one["role"]]), one["member"], one["entry"]]
        for one in held
    ]
    screen.grid(Grid(_TITLE, _COLUMNS, rows))
    screen.answer({"roles": held})


def _standing(registry: "Registry") -> list[dict[str, Any]]:
    return [
        {"holder": row.code, "role": one.role, "member": one.member, "entry": one.index}
        for row in registry.holders.values()
        for one in row.standing
    ]


def _role(text: str) -> "Role":
    if text not in ROLES:
        raise UsageError(
            f"there is no role {text[:40]!r}",
            f"没有角色 {text[:40]!r}",
            remedy=("say admin, audit or operate", "请用 admin、audit 或 operate"),
            failure="role",
        )
    return cast("Role", text)


def _said(
    session: Session, text: Text, admitted: "Admitted", member: str, holder: str, role: str
) -> None:
    screen = session.screen
    word = screen.word(ROLES[role])
    screen.say(text, holder=holder, role=word, member=member, index=admitted.index)
    screen.answer({"member": member, "holder": holder, "role": role, "entry": admitted.index})
