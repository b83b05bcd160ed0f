"""A department on a machine of its own: the connection file, its home, its instance."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from exchange.cli.newfile import write_new
from exchange.cli.session import Session, session_of
from exchange.cli.work import at_work, home_of, passphrase_of
from exchange.errors import UsageError
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.wiring.newcomer import Newcomer
    from exchange.wiring.office import Office

_INVITED: Final = Text(
    "{file} says how to join {origin}: Kafka {kafka}, hub {hub}; nothing in it is secret",
    "{file} 载明如何接入 {origin}：Kafka {kafka}，枢纽 {hub}；其中没有秘密",
)
_LOOPBACK: Final = Text(
    "{address} reaches this machine only; for another one give 'init' --host, and here --kafka",
    "{address} 仅限本机访问；如供其他机器使用，请在 init 时指定 --host，并在此处指定 --kafka",
)
_COMPARE_PIN: Final = Text(
    "pin {pin}: the department compares it with what you publish",
    "创世哈希 {pin}：请对方与贵方公布的核对",
)
_JOINED: Final = Text(
    "made a home in {home} for {member} on {origin}",
    "已在 {home} 为 {member} 建立主目录，账本 {origin}",
)
_PIN: Final = Text(
    "pin {pin}: compare it with the one that the authority publishes",
    "创世哈希 {pin}：请与主管部门公布的核对",
)
_OFFICER: Final = Text(
    "officer key {kid}: tell it to the authority by another way, for instance by telephone",
    "机构密钥 {kid}：请通过电话等其他途径告知主管部门",
)
_NEXT: Final = Text(
    "next: hand {claim} to the authority, which runs: exchange member enrol --claim FILE;"
    " then: exchange status",
    "下一步：将 {claim} 交给主管部门，由其执行 exchange member enrol --claim 文件；"
    "然后执行：exchange status",
)
_REGISTERED: Final = Text(
    "{member}/{instance} is registered (entry {index})",
    "{member}/{instance} 已登记（账本条目 {index}）",
)
_ITS_OWN: Final = ("origin", "authority", "hub", "host", "port", "topic")
"""Options of `init` that a connection file answers."""


def invite(
    context: typer.Context,
    out: Annotated[Path, typer.Option("--out", help="A new file, for whoever is to join.")] = Path(
        "exchange-ledger.toml"
    ),
    kafka: Annotated[
        str,
        typer.Option("--kafka", help="host:port under which members reach Kafka; default: ours."),
    ] = "",
) -> None:
    """Write what another organisation's machine needs to join: addresses, pin, CA; no secret."""
    from exchange.wiring.connection import render_connection
    from exchange.wiring.homekafka import bootstrap_of
    from exchange.wiring.settings import check_bootstrap

    session = session_of(context)
    home = home_of(session)
    if kafka:
        check_bootstrap(kafka, "--kafka")
    place = kafka or bootstrap_of(home, session.settings)
    write_new(out, render_connection(home, place))
    screen, log = session.screen, home.table.log
    screen.say(_INVITED, file=out, origin=log.origin, kafka=place, hub=home.hub_address)
    screen.say(_COMPARE_PIN, pin=log.genesis)
    for address in (place, home.hub_address):
        if "127.0.0.1" in address or "localhost" in address:
            screen.note(_LOOPBACK, address=address)
    screen.answer({"file": str(out), "pin": log.genesis, "kafka": place, "hub": home.hub_address})


def register(
    context: typer.Context,
    instance: Annotated[str, typer.Option("--instance", help="Which adapter instance.")] = "main",
) -> None:
    """Put an adapter instance of this member on the ledger; push and pull do it by themselves."""
    session = session_of(context)

    async def work(office: "Office") -> tuple[str, int]:
        from exchange.wiring.enrol import register_instance

        await office.row()
        if office.view.registry.active(office.member, instance):
            raise UsageError(
                f"{office.member}/{instance} is registered already",
                f"{office.member}/{instance} 已登记",
                remedy=("see: exchange whoami", "请查看：exchange whoami"),
                failure="registered",
            )
        return office.member, (await register_instance(office, instance)).index

    member, index = at_work(session, work)
    session.screen.say(_REGISTERED, member=member, instance=instance, index=index)
    session.screen.answer({"member": member, "instance": instance, "entry": index})


def join_home(context: typer.Context, file: Path, newcomer: "Newcomer", kafka: str) -> Path | None:
    """Make or complete the home of ``newcomer``; the passphrase file if one was made for it."""
    from exchange.wiring.connection import read_connection
    from exchange.wiring.home import own_directory
    from exchange.wiring.homekeys import PASSPHRASE_FILE, make_passphrase
    from exchange.wiring.join import check_joinable, join

    session = session_of(context)
    _check_options(context)
    newcomer.checked()
    connection = read_connection(file, kafka)
    path = session.home
    check_joinable(path, connection, newcomer.member)
    own_directory(path)
    made = session.settings.passphrase() is None and not (path / PASSPHRASE_FILE).exists()
    passphrase = make_passphrase(path) if made else passphrase_of(session)
    joined = join(path, connection, newcomer, passphrase)
    log = joined.home.table.log
    screen = session.screen
    screen.say(_JOINED, home=path, member=newcomer.member, origin=log.origin)
    screen.say(_PIN, pin=log.genesis)
    screen.say(_OFFICER, kid=joined.officer_kid.hex())
    screen.note(_NEXT, claim=joined.claim)
    screen.answer(
        {
            "home": str(path),
            "member": newcomer.member,
            "origin": log.origin,
            "pin": log.genesis,
            "officer_key": joined.officer_kid,
            "claim": str(joined.claim),
        }
    )
    return path / PASSPHRASE_FILE if made else None


def only_authority(session: Session) -> None:
    """`UsageError` on a machine without the authority's keys, before any key is made there."""
    home = home_of(session)
    authority = home.table.log.authority
    if session.member is None and authority not in home.members():
        raise UsageError(
            f"{authority} enrols members; this home does not hold its keys",
            f"由 {authority} 接纳成员，本主目录没有其密钥",
            remedy=(
                "hand the claim to the authority; see: exchange status",
                "请将申请文件交给主管部门；请查看：exchange status",
            ),
            failure="not-authority",
        )


def _check_options(context: typer.Context) -> None:
    for name in _ITS_OWN:
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE":
            raise UsageError(
                f"--{name} does not go with --join: the connection file says it",
                f"--{name} 不能与 --join 同用：接入文件已载明",
                remedy=(f"leave out --{name}", f"请去掉 --{name}"),
                failure="option",
            )
