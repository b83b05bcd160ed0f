"""``exchange init | up | down | status | logs | whoami``: a home and what runs in it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from exchange.cli.joining import join_home
from exchange.cli.logpurge import purge
from exchange.cli.member import whoami
from exchange.cli.problems import EXIT_UNAVAILABLE
from exchange.cli.screen import Grid, Screen
from exchange.cli.session import Session, session_of
from exchange.cli.work import home_of, passphrase_of
from exchange.errors import NotFound, UsageError
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.wiring.homeinit import Founding

_MADE: Final = Text(
    "made a home in {home}: authority {authority}, hub {hub}, keys, CA, the ledger's first entry",
    "已在 {home} 建立主目录：主管部门 {authority}，枢纽 {hub}，密钥、CA 与账本首条记录",
)
_PIN: Final = Text(
    "pin of this ledger, for every other participant: {pin}",
    "本账本的创世哈希（供各方固定）：{pin}",
)
_PASSPHRASE_MADE: Final = Text(
    "made a random passphrase in {file} (mode 0600). Whoever reads that file opens every key of"
    " this home: for anything but one machine, set EXCHANGE_PASSPHRASE_FILE before 'init'",
    "已生成随机口令并保存在 {file}（权限 0600）。能读取该文件者即可打开本主目录的全部密钥；"
    "除单机试用外，请在 init 之前设置 EXCHANGE_PASSPHRASE_FILE",
)
_RECOVERY: Final = Text(
    "take {file} off this machine: the recovery key replaces the authority's if that is lost",
    "请将 {file} 移出本机保存：主管部门密钥遗失时以此恢复",
)
_NEXT: Final = Text("next: exchange up", "下一步：exchange up")
_STARTED: Final = Text(
    "adapters run: {count}; hub {hub}, Kafka {kafka} answer",
    "已运行适配器 {count} 个；枢纽 {hub}、Kafka {kafka} 可用",
)
_UP: Final = Text("ready: hub {hub}, Kafka {kafka}", "已就绪：枢纽 {hub}，Kafka {kafka}")
_NOTHING: Final = Text("nothing was running", "没有正在运行的进程")
_STATUS: Final = Text("Status", "状态")
_COLUMNS: Final = (
    Text("step", "环节"),
    Text("state", "状态"),
    Text("found", "情况"),
    Text("what to do", "处理办法"),
)
_GOOD: Final = Text("ok", "正常")
_MISSING: Final = Text("missing", "缺失")
_FETCHING: Final = Text("Kafka: {what} ({here} of {needed})", "Kafka：{what}（{here}/{needed}）")


def register(root: typer.Typer) -> None:
    """Add the commands to the root."""
    for name, function in (
        ("init", init),
        ("up", up),
        ("down", down),
        ("status", status),
        ("logs", logs),
        ("whoami", whoami),
    ):
        root.command(name)(function)


def init(  # noqa: PLR0913, PLR0917 - one argument an option
    context: typer.Context,
    origin: Annotated[
        str, typer.Option("--origin", help="Name of the ledger, for ever.")
    ] = "exchange.local/1",
    authority: Annotated[
        str, typer.Option("--authority", help="Member id of the authority.")
    ] = "data-bureau",
    name_zh: Annotated[
        str, typer.Option("--name-zh", help="Its official name in Chinese; default: 数据局.")
    ] = "",
    name_en: Annotated[
        str, typer.Option("--name-en", help="Its name in English; default: Data Bureau.")
    ] = "",
    credit_code: Annotated[
        str, typer.Option("--credit-code", help="Its unified social credit code.")
    ] = "",
    region: Annotated[str, typer.Option("--region", help="GB/T 2260 code it acts for.")] = "",
    hub: Annotated[str, typer.Option("--hub", help="Id of the hub.")] = "hub-1",
    host: Annotated[
        str, typer.Option("--host", help="Name or address under which members reach the hub.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="The hub's port.")] = 8443,
    kafka: Annotated[
        str, typer.Option("--kafka", help="host:port of a Kafka; default: an embedded one.")
    ] = "",
    topic: Annotated[
        str, typer.Option("--topic", help="Kafka topic of the ledger.")
    ] = "exchange.ledger",
    file: Annotated[
        Path | None,
        typer.Option("--join", help="Join the ledger of this connection file; needs --member."),
    ] = None,
    member: Annotated[str, typer.Option("--member", help="Member id to ask for; to join.")] = "",
    kind: Annotated[
        str,
        typer.Option("--kind", help="department, authorised, auditor, enterprise or person."),
    ] = "department",
) -> None:
    """Make a home: authority, hub and a new ledger, or with --join a member of one that stands."""
    from exchange.wiring.homeinit import Founding
    from exchange.wiring.newcomer import Newcomer

    session = session_of(context)
    if file is not None:
        newcomer = Newcomer(member, kind, name_zh, name_en, credit_code, region)
        if (passphrase_file := join_home(context, file, newcomer, kafka)) is not None:
            session.screen.note(_PASSPHRASE_MADE, file=passphrase_file)
        return
    if member:
        raise _without_join()
    said = Founding(
        origin,
        authority,
        name_zh or "数据局",
        name_en or "Data Bureau",
        credit_code,
        region,
        hub,
        host,
        port,
        kafka,
        topic,
    )
    _found(session, said)


def _found(session: Session, said: "Founding") -> None:
    from exchange.wiring.home import own_directory
    from exchange.wiring.homeinit import initialise
    from exchange.wiring.homekeys import make_passphrase

    screen, path = session.screen, session.home
    own_directory(path)
    passphrase = session.settings.passphrase()
    made = passphrase is None
    if made and not (path / "passphrase").exists():  # else of an attempt that was interrupted
        passphrase = make_passphrase(path)
    pin = initialise(path, said, passphrase or passphrase_of(session))
    screen.say(_MADE, home=path, authority=said.authority, hub=said.hub)
    screen.say(_PIN, pin=pin)
    if made:
        screen.note(_PASSPHRASE_MADE, file=path / "passphrase")
    screen.note(_RECOVERY, file=path / "recovery")
    screen.note(_NEXT)
    screen.answer(
        {"home": str(path), "pin": pin, "origin": said.origin, "authority": said.authority}
    )


def _without_join() -> UsageError:
    return UsageError(
        "--member needs --join: a connection file of the ledger that it is to join",
        "--member 须与 --join 同用：请给出所加入账本的接入文件",
        remedy=(
            "the authority makes one: exchange member invite",
            "由主管部门生成：exchange member invite",
        ),
        failure="option",
    )


def up(context: typer.Context) -> None:
    """Start Kafka, the hub and the adapters of this home, those it has; safe to repeat."""
    from exchange.wiring import upkeep
    from exchange.wiring.alone import alone
    from exchange.wiring.homekafka import bootstrap_of

    session = session_of(context)
    home = home_of(session)
    passphrase = passphrase_of(session)
    with alone(home, session.screen.note):
        upkeep.start(
            home,
            session.settings,
            passphrase,
            tell=session.screen.note,
            fetching=fetching(session.screen),
        )
    kafka = bootstrap_of(home, session.settings)
    hub = session.settings.hub or home.hub_address
    if home.table.hub.local:
        session.screen.say(_UP, hub=hub, kafka=kafka)
    else:
        count = len(upkeep.adapter_configurations(home))
        session.screen.say(_STARTED, count=count, hub=hub, kafka=kafka)
    session.screen.answer({"hub": hub, "kafka": kafka, "ready": True})


def down(context: typer.Context) -> None:
    """Stop the adapters, the hub and the embedded Kafka of this home."""
    from exchange.wiring import upkeep
    from exchange.wiring.alone import alone

    session = session_of(context)
    home = home_of(session)
    with alone(home, session.screen.note):
        stopped = upkeep.stop(home, tell=session.screen.say)
    if not stopped:
        session.screen.say(_NOTHING)
    session.screen.answer({"stopped": stopped})


def status(context: typer.Context) -> int:
    """Say what works and name the first step that is missing (exit 3 then)."""
    from exchange.wiring import upkeep

    session = session_of(context)
    screen = session.screen
    steps = asyncio.run(upkeep.look(home_of(session), session.settings))
    rows = [
        [
            screen.word(step.title),
            screen.word(_GOOD if step.good else _MISSING),
            screen.word(step.found),
            screen.word(step.remedy),
        ]
        for step in steps
    ]
    screen.grid(Grid(_STATUS, _COLUMNS, rows))
    missing = upkeep.missing(steps)
    screen.answer(
        {
            "ready": missing is None,
            "missing": missing.name if missing else None,
            "steps": [
                {"step": one.name, "ok": one.good, "found": one.found, "remedy": one.remedy}
                for one in steps
            ],
        }
    )
    return 0 if missing is None else EXIT_UNAVAILABLE


def logs(
    context: typer.Context,
    process: Annotated[str, typer.Argument(help="hub, kafka, or the name of an adapter.")] = "hub",
    lines: Annotated[int, typer.Option("--lines", min=1, help="How many.")] = 40,
    purge_before: Annotated[
        str,
        typer.Option(
            "--purge-before", help="Delete log files older than this day, on the record (LOG-01)."
        ),
    ] = "",
) -> None:
    """Show the end of a process's log, or delete old logs."""
    session = session_of(context)
    if purge_before:
        purge(session, purge_before)
        return
    file = _log_file(session, process)
    if not file.is_file():
        raise _no_log(session, process)
    with file.open("rb") as log:
        log.seek(max(0, file.stat().st_size - 1000 * lines))
        shown = log.read().decode("utf-8", "replace").splitlines()[-lines:]
    for line in shown:
        session.screen.say(Text(line, line))
    session.screen.answer({"file": str(file), "lines": shown})


def fetching(screen: Screen) -> Callable[[str, int, int], None]:
    """Tells how Kafka comes onto this machine."""

    def tell(what: str, here: int, needed: int) -> None:
        screen.note(_FETCHING, what=what, here=here, needed=needed)

    return tell


def _no_log(session: Session, process: str) -> NotFound:
    names = sorted(file.stem for file in (home_of(session).path / "log").glob("*.log"))
    there = ", ".join([*names, "kafka"])
    return NotFound(
        f"there is no log of {process[:60]!r} in this home",
        f"本主目录没有 {process[:60]!r} 的日志",
        remedy=(f"name one of: {there}", f"可用：{there}")
        if names
        else ("nothing has run here yet: exchange up", "尚未启动任何进程，请先执行：exchange up"),
        failure="no-log",
    )


def _log_file(session: Session, process: str) -> Path:
    home = home_of(session)
    if process == "kafka":
        from exchange.wiring.homekafka import embedded

        return embedded(home).log
    names = {file.stem: file for file in (home.path / "log").glob("*.log")}
    return names.get(process, home.path / "log" / "none")
