"""``exchange audit replay`` and ``export``: the whole ledger folded once more, and carried away."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.cli.auditground import newest_head
from exchange.cli.auditprove import PolicyOption, policy_of
from exchange.cli.auditsource import (
    Run,
    replay_archive,
    replay_ledger,
    replay_log,
    replay_office,
)
from exchange.cli.problems import EXIT_REFUSED
from exchange.cli.screen import Grid, Screen
from exchange.cli.session import session_of
from exchange.cli.times import shown, stated
from exchange.cli.work import as_reader, home_of
from exchange.errors import UsageError
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.audit.archive import End
    from exchange.audit.replay import Decision, Difference, Replay
    from exchange.ledger.cosignature import SignedHead
    from exchange.ledger.policy import Witnessed
    from exchange.ledger.verdict import Folded
    from exchange.wiring.office import Office

_REPLAYED: Final = Text(
    "{entries} entries replayed in {seconds} s: {rate} a second, {core} a second and core, in"
    " {processes} processes; every signature checked, every verdict decided again",
    "重放 {entries} 条，用时 {seconds} 秒：每秒 {rate} 条，每核每秒 {core} 条，"
    "进程 {processes} 个；所有签名均已核验，所有裁决均已重新作出",
)
_STANDS: Final = Text("root {root}", "根 {root}")
_STATE: Final = Text("state {state}", "状态 {state}")
_COUNTS: Final = Text(
    "{disputed} verdicts the rules do not give, {overtaken} overtaken and decided anew, {denials}"
    " refusals, {void} void acts, {junk} foreign messages skipped",
    "与规则不符的裁决 {disputed} 项，因状态变化重新裁决 {overtaken} 项，拒绝 {denials} 项，"
    "无效行为 {void} 项，跳过外来消息 {junk} 条",
)
_HUB: Final = Text("the hub's head of {size} entries agrees", "与枢纽给出的 {size} 条及其根一致")
_SEALED: Final = Text(
    "the checkpoint of {size} entries that hub {hub} signed at {time} is a head of this ledger",
    "枢纽 {hub} 于 {time} 签署的 {size} 条检查点属于本账本",
)
_UNSEALED: Final = Text(
    "there is no signed checkpoint: nothing here proves that later entries were not left out",
    "没有已签署的检查点：无法证明其后的条目未被略去",
)
_QUORUM: Final = Text(
    "its quorum of witnesses has cosigned it: {names}", "已达到见证人法定数：{names}"
)
_NOBODY: Final = Text(
    "the policy asks for no witness, and none of those it names has cosigned it",
    "策略不要求见证人，其所列见证人均未共签",
)
_BEYOND: Final = Text(
    "entries {first} to {last} are under no signed head: nothing here proves that none was left out"
    " after them, or that others were not shown others",
    "第 {first} 至 {last} 条不在任何已签署的检查点之下：无法证明其后无遗漏，亦无法证明他人所见相同",
)
_TILES: Final = Text(
    "all {tiles} tiles of hashes that are served are what the entries give",
    "所提供的 {tiles} 个散列瓦片均与条目一致",
)
_ARCHIVE: Final = Text(
    "the archive is whole: its {size} entries and its root are as it states",
    "存档完整：{size} 条及其根与所载一致",
)
_DIFFERENCES: Final = Text("Recorded and decided differently", "记录与重新裁决不一致")
_COLUMNS: Final = (
    Text("entry", "条目"),
    Text("hub", "枢纽"),
    Text("why", "原因"),
    Text("recorded", "记录"),
    Text("decided", "裁决"),
)
_WHY: Final = {
    "disputed": Text("the rules do not give it", "规则并不如此"),
    "overtaken": Text("overtaken, decided anew", "状态变化，重新裁决"),
}
_SAID: Final = {True: Text("permit", "许可"), False: Text("refused", "拒绝")}
_EXPORTED: Final = Text(
    "{file} holds {size} entries, root {root}; verify it anywhere with: exchange audit replay"
    " --archive {file} --pin {pin}",
    "{file} 载有 {size} 条，根 {root}；可在任何地方核验："
    "exchange audit replay --archive {file} --pin {pin}",
)


def register(app: typer.Typer) -> None:
    """Put the commands under ``app``."""
    app.command("replay")(replay)
    app.command("export")(export)


def replay(
    context: typer.Context,
    archive: Annotated[
        Path | None, typer.Option("--archive", help="A file made by 'audit export'; no network.")
    ] = None,
    hub: Annotated[
        bool, typer.Option("--hub", help="Take the entries from the log that the hub publishes.")
    ] = False,
    log: Annotated[
        str, typer.Option("--log", help="Folder or address of a copy of that log; no keys needed.")
    ] = "",
    pin: Annotated[
        str, typer.Option("--pin", help="Hash of the first entry, if there is no home here.")
    ] = "",
    processes: Annotated[
        int | None,
        typer.Option("--processes", min=0, help="Processes that check signatures beside this one."),
    ] = None,
    policy: PolicyOption = None,
) -> int:
    """Fold the ledger from entry 0: check every signature, decide every verdict again, compare.

    Exit 1 when a hub recorded a verdict that the rules in force there do not give.
    """
    session = session_of(context)
    if (archive is not None) + hub + bool(log) > 1:
        raise _two_sources()
    if log:
        run = replay_log(session, log, pin=pin, processes=processes, policy=policy)
    elif archive is not None:
        run = replay_archive(session, archive, pin=pin, processes=processes, policy=policy)
    else:
        demanded = policy_of(home_of(session), policy) if hub or policy is not None else None
        run = replay_ledger(session, from_hub=hub, processes=processes, policy=demanded)
    tell_run(session.screen, run)
    session.screen.answer(run_data(run))
    return EXIT_REFUSED if run.found.disputed else 0


def export(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="The new file.")],
    policy: PolicyOption = None,
) -> int:
    """Replay the ledger and write it to one file that verifies anywhere, with no network."""
    from exchange.audit.archive import ArchiveWriter, Header
    from exchange.wiring.clock import now_ms
    from exchange.wiring.home import open_home

    session = session_of(context)
    home = open_home(session.home)
    demanded = policy_of(home, policy)
    part = file.with_name(file.name + ".part")
    if file.exists():
        raise _exists(file)
    try:
        with part.open("wb") as target:
            writer = ArchiveWriter(target, Header(home.table.log.origin, home.pin, now_ms()))

            async def work(office: "Office") -> "tuple[Run, End]":
                # The head comes first: a ledger grows on, and all that is kept is to be under it.
                stood = (await office.hub.head()).size
                head, witnessed = await newest_head(office, demanded, covering=stood)
                size = head.checkpoint.size

                def note(folded: "Folded", _: "Replay") -> None:
                    if folded.index < size:
                        writer.add(folded.entry.raw)

                run = await replay_office(session, office, listen=note, held_to=(head, witnessed))
                return run, writer.close((head.raw,))

            run, end = as_reader(session, work)
        file.hardlink_to(part)  # never in place of a file that came meanwhile
    except FileExistsError:
        raise _exists(file) from None
    finally:
        part.unlink(missing_ok=True)
    tell_run(session.screen, run)
    session.screen.say(
        _EXPORTED,
        file=str(file),
        size=end.size,
        root=end.root.hex(),
        pin=home.pin.hex(),
    )
    held = {"file": str(file), "pin": home.pin.hex(), "archived": end.size}
    session.screen.answer(held | run_data(run))
    return EXIT_REFUSED if run.found.disputed else 0


def tell_run(screen: Screen, run: Run) -> None:
    """What a replay found, in words."""
    found, rate = run.found, run.rate
    screen.say(
        _REPLAYED,
        entries=found.entries,
        seconds=f"{rate.seconds:.1f}",
        rate=f"{found.entries / rate.seconds:,.0f}",
        core=f"{found.entries / rate.cpu_seconds:,.0f}",
        processes=rate.processes,
    )
    screen.say(_STANDS, root=found.root.hex())
    screen.say(_STATE, state=found.state.hex())
    screen.say(
        _COUNTS,
        disputed=found.disputed,
        overtaken=found.overtaken,
        denials=found.denials,
        void=sum(found.void.values()),
        junk=sum(found.junk.values()),
    )
    if run.stated is not None:
        screen.say(_HUB, size=run.stated)
    tell_head(screen, run.head, run.witnessed)
    if run.tiles is not None:
        screen.say(_TILES, tiles=run.tiles)
    if run.end is not None:
        screen.say(_ARCHIVE, size=run.end.size)
        tell_beyond(screen, run)
    if found.differences:
        rows = [_row(one, screen) for one in found.differences]
        screen.grid(Grid(_DIFFERENCES, _COLUMNS, rows))


def tell_head(screen: Screen, head: "SignedHead | None", witnessed: "Witnessed | None") -> None:
    """Which signed head lies on the ledger, if one does; who cosigned it, if a policy was given."""
    if head is not None:
        signed = stated(head.time_s)
        screen.say(_SEALED, size=head.checkpoint.size, hub=head.hub, time=signed)
    if witnessed is not None and witnessed.times:
        screen.say(_QUORUM, names=", ".join(witnessed.times))
    elif witnessed is not None:
        screen.say(_NOBODY)


def tell_beyond(screen: Screen, run: Run) -> None:
    """What of an archive no checkpoint in it covers."""
    signed = run.head.checkpoint.size if run.head is not None else 0
    if run.head is None:
        screen.say(_UNSEALED)
    elif signed < run.found.entries:
        screen.say(_BEYOND, first=signed, last=run.found.entries - 1)


def run_data(run: Run) -> dict[str, Any]:
    """The same for programs."""
    found, rate = run.found, run.rate
    return {
        "entries": found.entries,
        "root": found.root.hex(),
        "state": found.state.hex(),
        "time": shown(found.time_ms),
        "seconds": round(rate.seconds, 3),
        "cpu_seconds": round(rate.cpu_seconds, 3),
        "entries_per_s": round(found.entries / rate.seconds, 1),
        "entries_per_s_core": round(found.entries / rate.cpu_seconds, 1),
        "processes": rate.processes,
        "denials": found.denials,
        "disputed": found.disputed,
        "overtaken": found.overtaken,
        "rejudged": found.rejudged,
        "void": found.void,
        "junk": found.junk,
        "hub_size": run.stated,
        "checkpoint": None if run.head is None else run.head.checkpoint.size,
        "witnesses": [] if run.witnessed is None else sorted(run.witnessed.times),
        "tiles": run.tiles,
        "differences": [
            {
                "entry": one.index,
                "hub": one.hub,
                "why": one.why,
                "recorded": _decision(one.recorded),
                "decided": _decision(one.decided),
            }
            for one in found.differences
        ],
    }


def _decision(one: "Decision") -> dict[str, Any]:
    refused = {str(item): list(rules) for item, rules in one.refused_items}
    return {"permit": one.permit, "rules": list(one.rules), "refused_items": refused}


def _row(one: "Difference", screen: Screen) -> list[object]:
    return [
        one.index,
        one.hub,
        screen.word(_WHY[one.why]),
        _words(one.recorded, screen),
        _words(one.decided, screen),
    ]


def _words(one: "Decision", screen: Screen) -> str:
    items = f" ({len(one.refused_items)})" if one.refused_items else ""
    return f"{screen.word(_SAID[one.permit])}{items} {', '.join(one.rules)}".rstrip()


def _exists(file: Path) -> UsageError:
    return UsageError(
        f"{file} exists already",
        f"{file} 已存在",
        remedy=("choose another name, or remove it", "请换名或先删除"),
        failure="exists",
    )


def _two_sources() -> UsageError:
    return UsageError(
        "--archive, --hub and --log name different sources",
        "--archive、--hub、--log 指定了不同来源",
        remedy=("name one of them", "请只指定其一"),
        failure="usage",
    )
