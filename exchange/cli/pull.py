"""``exchange pull``: what a grant covers, opened and written to a file or a database."""

import asyncio
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.cli.grant import KIND
from exchange.cli.problems import EXIT_INTERRUPTED, EXIT_REFUSED
from exchange.cli.rules import tell_rules
from exchange.cli.screen import Advance, Grid, Screen
from exchange.cli.session import session_of
from exchange.cli.work import at_work, find_id, short
from exchange.model.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.errors import AdapterError
    from exchange.errors import ExchangeError
    from exchange.flow.report import Halt, Report
    from exchange.flow.subscription import Subscription
    from exchange.wiring.adapters import Target
    from exchange.wiring.office import Office

_OPENING: Final = Text("receiving and opening", "接收并解密")
_PROGRESS_S: Final = 0.2
"""How often the bar of a terminal is moved."""
_WAITING: Final = Text("{why}; it goes on by itself", "{why}；恢复后自动继续")
_DONE: Final = Text(
    "{dataset}: {records} records in {bundles} bundles delivered to {place}",
    "{dataset}：{bundles} 个数据包、{records} 条记录已写入 {place}",
)
_EXPORTED: Final = Text("{count} records stand in {file}", "{file} 现有 {count} 条记录")
_HALTED: Final = Text("Streams not read further", "停止读取的数据流")
_HALT_COLUMNS: Final = (
    Text("stream", "数据流"),
    Text("bundle", "序号"),
    Text("why", "原因"),
    Text("rules", "规则"),
    Text("entry", "账本条目"),
)
_IGNORED: Final = Text(
    "{count} messages refused: {what}. They are not bundles of a registered provider and changed"
    " nothing",
    "拒绝 {count} 条消息：{what}。它们不是已登记提供方的数据包，未产生任何影响",
)
_STOPPED: Final = Text(
    "stopped before the end; the same command goes on from here",
    "在接收完成前停止；重复同一命令即可继续",
)
_MISSING: Final = Text(
    "stream {stream}: bundle {sequence} is missing; the provider pushes again to re-send it",
    "数据流 {stream}：缺少第 {sequence} 个数据包，请提供方重新推送",
)
_WITHHELD: Final = Text(
    "stream {stream}: the provider states bundle {sequence} on the ledger, Kafka does not hold it",
    "数据流 {stream}：账本载明已到第 {sequence} 个数据包，但 Kafka 中没有",
)
_DUPLICATES: Final = Text("{count} repeated bundles ignored", "忽略重复数据包 {count} 个")
_DISPUTED: Final = Text(
    "{count} records of {dataset} are disputed until their provider has answered; {where} shows"
    " those held here (COR-02 {badge}: service goes on where a valid proof is shown)",
    "{dataset} 有 {count} 条记录存在未办结异议；本处持有的见 {where}"
    "（COR-02 {badge}：持有效证明的照常办理）",
)
_OUTSIDE: Final = Text(
    "{count} bundles lie outside the period of the grant", "{count} 个数据包不在授权的时间范围内"
)


def register(root: typer.Typer) -> None:
    """Add the command to the root."""
    root.command("pull")(pull)


def pull(
    context: typer.Context,
    dataset: Annotated[str, typer.Argument(help="Id of a dataset.")],
    grant: Annotated[str, typer.Option("--grant", help="Id of a grant, may be cut.")],
    out: Annotated[
        str,
        typer.Option(
            "--out",
            help="FILE.csv, FILE.jsonl, a folder, sqlite:PATH or postgresql://…;"
            " default: a database in the home.",
        ),
    ] = "",
    follow: Annotated[
        bool, typer.Option("--follow", help="Go on until Ctrl-C instead of stopping at the end.")
    ] = False,
    instance: Annotated[str, typer.Option("--instance", help="Which adapter instance.")] = "main",
) -> int:
    """Receive what a grant covers: keys asked for, bundles opened, records written once.

    Exit 0 when everything was delivered, 1 when something was refused or is missing.
    """
    session = session_of(context)
    screen = session.screen

    async def work(office: "Office") -> "tuple[Report, Target, Subscription, int | None]":
        with screen.progress(_OPENING, total=None) as advance:
            return await pull_grant(
                office,
                dataset,
                grant,
                out=out,
                follow=follow,
                instance=instance,
                waiting=lambda error: screen.note(_WAITING, why=screen.word(Text(*error.text))),
                advance=advance,
            )

    report, target, entitled, exported = at_work(session, work)
    tell(screen, report, target, entitled, exported)
    if report.stopped:
        return EXIT_INTERRUPTED
    return 0 if report.whole else EXIT_REFUSED


async def pull_grant(
    office: "Office",
    dataset: str,
    grant: str,
    *,
    out: str = "",
    follow: bool = False,
    instance: str = "main",
    waiting: "Callable[[ExchangeError | AdapterError], None]" = lambda _: None,
    advance: Advance = lambda _: None,
) -> "tuple[Report, Target, Subscription, int | None]":
    """Deliver into ``out``; the report, where it went, and how many rows an export now has.

    With ``follow`` it goes on by itself when Kafka, the hub or the sink come back; ``waiting`` is
    told why it does not go on for the moment.
    """
    from exchange.cli.catalogue import find_dataset
    from exchange.daemon.again import again
    from exchange.errors import UsageError
    from exchange.flow.report import Report
    from exchange.wiring import adapters, transfer

    registry = await office.registry()
    find_dataset(registry, dataset)
    found = find_id(KIND, registry.grants, grant)
    entitled = await transfer.find_subscription(office, found)
    if entitled.grant.dataset != dataset:
        raise UsageError(
            f"grant {short(found)} is for {entitled.grant.dataset}, not for {dataset}",
            f"授权 {short(found)} 针对 {entitled.grant.dataset}，而非 {dataset}",
            remedy=(f"pull {entitled.grant.dataset}", f"请接收 {entitled.grant.dataset}"),
            failure="grant-dataset",
        )
    received = office.home.member_directory(office.member) / "received"
    target = adapters.target_of(out, received / f"{dataset}-{short(found)}.db")
    stop, report = asyncio.Event(), Report()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)

    async def deliver() -> None:
        async with transfer.open_subscriber(office, entitled, target, instance=instance) as reader:
            stopping = asyncio.create_task(stop.wait())
            stopping.add_done_callback(lambda _: reader.stop())
            showing = asyncio.create_task(_show(reader.report, advance))
            try:
                await reader.run(follow=follow)
            finally:
                report.go_on(reader.report)
                stopping.cancel()
                showing.cancel()

    await (again(deliver, stop, waiting=waiting) if follow else deliver())
    exported = (
        None
        if target.export is None
        else adapters.export(Path(target.place), target.export, dataset)
    )
    return report, target, entitled, exported


async def _show(report: "Report", advance: Advance) -> None:
    """Advance by the records delivered since the last look, until cancelled."""
    shown = 0
    try:
        while True:
            advance(report.records - shown)
            shown = report.records
            await asyncio.sleep(_PROGRESS_S)
    finally:
        advance(report.records - shown)


def tell(
    screen: Screen,
    report: "Report",
    target: "Target",
    entitled: "Subscription",
    exported: int | None,
) -> None:
    """What arrived and everything that did not, by class."""
    screen.say(
        _DONE,
        dataset=entitled.grant.dataset,
        records=report.records,
        bundles=report.bundles,
        place=target.shown,
    )
    if exported is not None:
        screen.say(_EXPORTED, count=exported, file=target.shown)
    if report.duplicates:
        screen.say(_DUPLICATES, count=report.duplicates)
    if report.outside_period:
        screen.say(_OUTSIDE, count=report.outside_period)
    if report.disputed:
        from policies.register import Register

        where = disputed_place(target, entitled.grant.dataset)
        badge = Register.load().rule("COR-02").badge
        screen.say(
            _DISPUTED,
            count=report.disputed,
            dataset=entitled.grant.dataset,
            where=where,
            badge=badge,
        )
    if report.ignored:
        what = ", ".join(f"{failure} {count}" for failure, count in report.ignored.items())
        screen.say(_IGNORED, count=sum(report.ignored.values()), what=what)
    if report.stopped:
        screen.say(_STOPPED)
    _tell_halts(screen, report.halted)
    for stream, sequence in report.missing.items():
        screen.say(_MISSING, stream=stream[:12], sequence=sequence)
    for stream, sequence in report.withheld.items():
        screen.say(_WITHHELD, stream=stream[:12], sequence=sequence)
    screen.answer(report_data(report, entitled) | {"out": target.shown, "exported": exported})


def disputed_place(target: "Target", dataset: str) -> str:
    """Where a reader finds the disputed records it holds."""
    if target.sink == "jsonl":
        return f"{target.place}/{dataset}/disputed.json"
    view = f"{dataset.replace('-', '_')}_disputed"
    return view if target.sink == "postgres" else f"{target.place}: {view}"


def _tell_halts(screen: Screen, halted: "dict[str, Halt]") -> None:
    if not halted:
        return
    rows = [
        [stream[:12], halt.sequence, halt.failure, halt.rules, halt.entry]
        for stream, halt in halted.items()
    ]
    screen.grid(Grid(_HALTED, _HALT_COLUMNS, rows))
    tell_rules(screen, sorted({rule for halt in halted.values() for rule in halt.rules}))


def report_data(report: "Report", entitled: "Subscription") -> dict[str, Any]:
    """A report for programs."""
    return {
        "dataset": entitled.grant.dataset,
        "grant": entitled.grant.id.hex(),
        "fields": list(entitled.fields),
        "records": report.records,
        "bundles": report.bundles,
        "duplicates": report.duplicates,
        "outside_period": report.outside_period,
        "ignored": report.ignored,
        "halted": {
            stream: {
                "failure": halt.failure,
                "sequence": halt.sequence,
                "rules": list(halt.rules),
                "entry": halt.entry,
            }
            for stream, halt in report.halted.items()
        },
        "missing": report.missing,
        "withheld": report.withheld,
        "disputed": report.disputed,
        "stopped": report.stopped,
        "whole": report.whole,
    }
