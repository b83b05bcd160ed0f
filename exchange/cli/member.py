"""``exchange member``: the organisations on the bus."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.cli.joining import invite, only_authority, register
from exchange.cli.roles import app as roles
from exchange.cli.screen import Grid
from exchange.cli.session import Session, session_of
from exchange.cli.work import as_authority, as_reader, at_work, passphrase_of
from exchange.errors import UsageError
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.flow.ports import Admitted
    from exchange.registry.rows import Member
    from exchange.registry.state import Registry
    from exchange.wiring.newcomer import Newcomer
    from exchange.wiring.office import Office

app = typer.Typer(no_args_is_help=True, help="The organisations on the bus.")
app.command("invite")(invite)
app.command("register")(register)
app.add_typer(roles, name="role")

KINDS: Final = {
    "department": Text("department", "政务部门"),
    "authorised": Text("authorised organisation", "法律授权组织"),
    "authority": Text("authority", "主管部门"),
    "auditor": Text("auditor", "审计机构"),
    "enterprise": Text("enterprise", "企业"),
    "person": Text("person", "个人"),
}
_ACTIVE: Final = Text("active", "有效")
_SUSPENDED: Final = Text("suspended", "已暂停")
_MEMBERS: Final = Text("Members", "成员")
_COLUMNS: Final = (
    Text("member", "成员"),
    Text("kind", "类别"),
    Text("name", "名称"),
    Text("credit code", "统一社会信用代码"),
    Text("region", "区划"),
    Text("status", "状态"),
)
_INSTANCES: Final = Text("Instances", "适配器实例")
_INSTANCE_COLUMNS: Final = (
    Text("instance", "实例"),
    Text("signing key", "签名密钥"),
    Text("agreement key", "协商密钥"),
    Text("entry", "账本条目"),
    Text("status", "状态"),
)
_ENROLLED: Final = Text(
    "{member} is enrolled (entry {index}); its keys are in {file}",
    "{member} 已加入（账本条目 {index}），密钥库：{file}",
)
_ENROLLED_CLAIM: Final = Text(
    "{member} is enrolled (entry {index}) with officer key {kid}; its keys stay on its own machine",
    "{member} 已加入（账本条目 {index}），机构密钥 {kid}；其密钥保存在其自有机器上",
)
_DONE_SUSPENDED: Final = Text(
    "{member} is suspended from entry {index} on: its keys no longer count",
    "{member} 自账本条目 {index} 起暂停，其密钥不再有效",
)

MemberArgument = Annotated[str, typer.Argument(help="Id of a member, for instance civil-affairs.")]


@app.command("enrol")
def enrol(
    context: typer.Context,
    member: Annotated[
        str, typer.Argument(help="Id of a member, for instance civil-affairs; a claim names it.")
    ] = "",
    claim: Annotated[
        Path | None,
        typer.Option("--claim", help="What 'init --join' made on the member's own machine."),
    ] = None,
    officer_key: Annotated[
        str,
        typer.Option("--officer-key", help="Key id the claim must have, as the member told you."),
    ] = "",
    name_zh: Annotated[str, typer.Option("--name-zh", help="Official name in Chinese.")] = "",
    name_en: Annotated[str, typer.Option("--name-en", help="Name in English.")] = "",
    credit_code: Annotated[
        str, typer.Option("--credit-code", help="Unified social credit code, 18 characters.")
    ] = "",
    kind: Annotated[
        str,
        typer.Option("--kind", help="department, authorised, auditor, enterprise or person."),
    ] = "department",
    region: Annotated[str, typer.Option("--region", help="GB/T 2260 code it acts for.")] = "",
) -> None:
    """Enrol an organisation: by its claim, or by keys made for it in this home."""
    from exchange.wiring.newcomer import Newcomer

    session = session_of(context)
    only_authority(session)
    newcomer = Newcomer(member, kind, name_zh, name_en, credit_code, region)
    if claim is None:
        _enrol_here(session, newcomer)
    else:
        _enrol_claim(session, claim, newcomer, officer_key)


def _enrol_here(session: Session, newcomer: "Newcomer") -> None:
    from exchange.wiring.enrol import enrol_member

    if not newcomer.member:
        raise UsageError(
            "it is not said whom to enrol",
            "未指明要接纳的机构",
            remedy=(
                "name a member, or give its claim with --claim",
                "请写明成员，或用 --claim 给出申请文件",
            ),
            failure="no-member",
        )
    newcomer.checked()
    passphrase = passphrase_of(session)
    admitted = as_authority(
        session, lambda office: enrol_member(office, newcomer, passphrase, session.settings)
    )
    member = newcomer.member
    file = session.home / "members" / member / "custody"
    session.screen.say(_ENROLLED, member=member, index=admitted.index, file=file)
    session.screen.answer({"member": member, "entry": admitted.index, "act": admitted.act})


def _enrol_claim(session: Session, file: Path, said: "Newcomer", officer_key: str) -> None:
    from exchange.wiring.claim import read_claim

    if said.name_zh or said.name_en or said.credit_code or said.region:
        raise UsageError(
            "a claim says the names, the credit code and the region itself, signed",
            "申请文件已载明名称、信用代码与区划并已签署",
            remedy=("leave those options out", "请去掉这些选项"),
            failure="option",
        )
    claim = read_claim(file)
    member, kid = claim.body.member, claim.officer_kid.hex()
    if said.member not in {"", member}:
        raise UsageError(
            f"the claim is of {member}, not of {said.member[:80]!r}",
            f"该申请文件属于 {member}，而非 {said.member[:80]!r}",
            remedy=("leave the argument out", "请去掉该参数"),
            failure="other-member",
        )
    if officer_key:
        claim.check_officer(officer_key)

    async def work(office: "Office") -> "Admitted":
        from exchange.wiring.enrol import enrol_claimed

        return await enrol_claimed(office, claim)

    admitted = as_authority(session, work)
    session.screen.say(_ENROLLED_CLAIM, member=member, index=admitted.index, kid=kid)
    session.screen.answer(
        {"member": member, "entry": admitted.index, "act": admitted.act, "officer_key": kid}
    )


@app.command("list")
def list_members(context: typer.Context) -> None:
    """List the members as the ledger has them."""
    session = session_of(context)
    screen = session.screen
    registry = as_reader(session, lambda office: office.registry())
    rows = [
        [
            row.id,
            screen.word(KINDS[row.kind]),
            screen.word(Text(row.name_en, row.name_zh)),
            row.credit_code,
            row.region,
            screen.word(_ACTIVE if row.active else _SUSPENDED),
        ]
        for row in registry.members.values()
    ]
    screen.grid(Grid(_MEMBERS, _COLUMNS, rows))
    members = [member_data(row, registry) for row in registry.members.values()]
    screen.answer({"members": members})


@app.command("show")
def show(context: typer.Context, member: MemberArgument) -> None:
    """Show one member, its keys and its instances."""
    session = session_of(context)
    screen = session.screen
    registry = as_reader(session, lambda office: office.registry())
    row = find_member(registry, member)
    screen.say(Text(f"{row.id}  {row.name_en}", f"{row.id}  {row.name_zh}"))
    screen.say(Text("officer key {kid}", "机构密钥 {kid}"), kid=row.officer_kid.hex())
    rows = [
        [
            adapter.name,
            adapter.signing_kid.hex(),
            adapter.kem_kid.hex(),
            adapter.registered,
            screen.word(_ACTIVE if registry.active(member, adapter.name) else _SUSPENDED),
        ]
        for (owner, _), adapter in registry.instances.items()
        if owner == member
    ]
    screen.grid(Grid(_INSTANCES, _INSTANCE_COLUMNS, rows))
    screen.answer(member_data(row, registry))


@app.command("suspend")
def suspend(
    context: typer.Context,
    member: MemberArgument,
    reason: Annotated[str, typer.Option("--reason", help="Why; stands on the ledger.")],
) -> None:
    """Suspend a member: its keys stop counting from this entry on."""
    session = session_of(context)

    async def work(office: "Office") -> int:
        from exchange.model.acts import SuspendMember

        find_member(await office.registry(), member)
        body = SuspendMember(member=member, reason=reason)
        admitted = await office.submit(body, Text("suspend a member", "暂停成员"))
        return admitted.index

    index = as_authority(session, work)
    session.screen.say(_DONE_SUSPENDED, member=member, index=index)
    session.screen.answer({"member": member, "entry": index})


def whoami(context: typer.Context) -> None:
    """Say which member this call acts for, and with which keys."""
    session = session_of(context)
    screen = session.screen

    async def work(office: "Office") -> dict[str, Any]:
        return member_data(await office.row(), office.view.registry)

    data = at_work(session, work)
    name = screen.word(Text(data["name"]["en"], data["name"]["zh"]))
    screen.say(Text("{id}  {name}", "{id}  {name}"), id=data["member"], name=name)
    screen.say(Text("officer key {kid}", "机构密钥 {kid}"), kid=data["officer_key"])
    for instance in data["instances"]:
        screen.say(
            Text("instance {i}: signs with {k}", "实例 {i}：签名密钥 {k}"),
            i=instance["instance"],
            k=instance["signing_key"],
        )
    screen.answer(data)


def find_member(registry: "Registry", member: str) -> "Member":
    """The member's row, or `NotFound`."""
    from exchange.errors import NotFound

    row = registry.members.get(member)
    if row is None:
        raise NotFound(
            f"there is no member {member[:80]!r} on the ledger",
            f"账本上没有成员 {member[:80]!r}",
            remedy=("see: exchange member list", "请查看：exchange member list"),
            failure="no-member",
        )
    return row


def member_data(row: "Member", registry: "Registry") -> dict[str, Any]:
    """One member for programs."""
    instances = [
        {
            "instance": adapter.name,
            "signing_key": adapter.signing_kid.hex(),
            "agreement_key": adapter.kem_kid.hex(),
            "entry": adapter.registered,
            "active": registry.active(row.id, adapter.name),
        }
        for (owner, _), adapter in registry.instances.items()
        if owner == row.id
    ]
    return {
        "member": row.id,
        "kind": row.kind,
        "name": {"zh": row.name_zh, "en": row.name_en},
        "credit_code": row.credit_code,
        "region": row.region,
        "officer_key": row.officer_kid.hex(),
        "active": row.active,
        "entry": row.enrolled,
        "instances": instances,
    }
