"""``exchange audit verify``: the whole ledger, read and checked here."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from exchange.cli.auditlog import check_log, compare
from exchange.cli.auditprove import PolicyOption, policy_of, verify_proof_file
from exchange.cli.auditreplay import tell_beyond, tell_head
from exchange.cli.auditsource import replay_archive
from exchange.cli.screen import Screen
from exchange.cli.session import Session, session_of
from exchange.cli.times import shown, stated
from exchange.cli.work import as_reader, home_of
from exchange.errors import UsageError
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.audit.published import Agreed
    from exchange.audit.verify import Examined
    from exchange.ledger.policy import Policy
    from exchange.wiring.office import Office

_WHOLE: Final = Text(
    "the ledger is whole: {entries} entries from the pinned genesis on, root {root}",
    "账本完整：自固定的创世条目起共 {entries} 条，根 {root}",
)
_FOUND: Final = Text(
    "every signature and every verdict was checked here; {denials} refusals, {rejudged} verdicts"
    " decided anew, {void} void acts, {junk} foreign messages skipped",
    "所有签名与裁决均在本机核验；拒绝 {denials} 项，重新裁决 {rejudged} 项，无效行为 {void} 项，"
    "跳过外来消息 {junk} 条",
)
_HUB_AGREES: Final = Text(
    "the hub states the same {size} entries and root", "枢纽给出的 {size} 条及其根与此一致"
)
_SAME: Final = Text(
    "{where} is of this ledger as well: no fork", "{where} 同样属于本账本：未见分叉"
)
_HUB_SILENT: Final = Text("no hub was asked", "未向枢纽核对")


def register(app: typer.Typer) -> None:
    """Put the command under ``app``."""
    app.command("verify")(verify)


def verify(
    context: typer.Context,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not compare with the hub's word.")
    ] = False,
    proof: Annotated[
        Path | None, typer.Option("--proof", help="Verify this tlog-proof text, with no network.")
    ] = None,
    entry: Annotated[
        Path | None, typer.Option("--entry", help="The proven entry, if the proof lacks it.")
    ] = None,
    policy: PolicyOption = None,
    against: Annotated[
        str,
        typer.Option("--against", help="Checkpoint, archive or copy of another reader's log."),
    ] = "",
    archive: Annotated[
        Path | None, typer.Option("--archive", help="A file made by 'audit export'; no network.")
    ] = None,
    pin: Annotated[
        str, typer.Option("--pin", help="Hash of the first entry, if there is no home here.")
    ] = "",
) -> None:
    """Read the whole ledger from Kafka, check every signature and verdict, compare with the hub."""
    session = session_of(context)
    screen = session.screen
    if archive is not None and (proof is not None or entry is not None or against):
        raise _alone()
    if archive is not None:
        verify_archive(session, archive, pin, policy)
        return
    if proof is not None:
        verify_proof_file(session, proof, entry, policy)
        return
    if entry is not None or (offline and policy is not None):
        raise _needs_proof()
    demanded = None if offline else policy_of(home_of(session), policy)

    async def work(office: "Office") -> "Examined":
        return await verify_ledger(office, offline=offline, policy=demanded, against=against)

    found = as_reader(session, work)
    tell_examined(screen, found)
    if against:
        screen.say(_SAME, where=against)
    screen.answer(
        {
            "verified": True,
            "entries": found.entries,
            "root": found.root,
            "time": shown(found.time_ms),
            "denials": found.denials,
            "rejudged": found.rejudged,
            "void": found.void,
            "junk": found.junk,
            "hub_size": found.hub_size,
            "checkpoint": None if found.published is None else _published(found.published),
        }
    )


def verify_archive(session: Session, archive: Path, pin: str, policy: Path | None) -> None:
    """Every signature and every verdict in an archive; `CheckFailed` for a verdict that is false.

    The same as to replay it, without the figures.
    """
    from exchange.audit.verify import disputed

    run = replay_archive(session, archive, pin=pin, policy=policy)
    found = run.found
    if found.disputed:
        first = next(one for one in found.differences if one.why == "disputed")
        raise disputed(first.hub, first.index)
    screen = session.screen
    screen.say(_WHOLE, entries=found.entries, root=found.root.hex())
    screen.say(
        _FOUND,
        denials=found.denials,
        rejudged=found.rejudged,
        void=sum(found.void.values()),
        junk=0,
    )
    tell_head(screen, run.head, run.witnessed)
    tell_beyond(screen, run)
    screen.answer(
        {
            "verified": True,
            "entries": found.entries,
            "root": found.root,
            "time": shown(found.time_ms),
            "denials": found.denials,
            "rejudged": found.rejudged,
            "void": sum(found.void.values()),
            "junk": {},
            "hub_size": -1,
            "checkpoint": None if run.head is None else run.head.checkpoint.size,
            "witnesses": [] if run.witnessed is None else sorted(run.witnessed.times),
        }
    )


async def verify_ledger(
    office: "Office",
    *,
    offline: bool = False,
    policy: "Policy | None" = None,
    against: str = "",
) -> "Examined":
    """Read everything from the pin on, then compare with what the hub says and serves."""
    from exchange.audit.verify import Survey, examine

    survey = Survey()
    office.view.scrutinise()
    office.view.listen(survey.take)
    head = None if offline else await office.hub.head()
    registry = await office.registry()
    hub = None if head is None else (head.size, head.root)
    found = examine(office.view.follower, survey, registry, hub=hub)
    if against:
        await compare(office, against)
    return found if offline else replace(found, published=await check_log(office, policy))


def tell_examined(screen: Screen, found: "Examined") -> None:
    """The findings in words."""
    screen.say(_WHOLE, entries=found.entries, root=found.root.hex())
    screen.say(
        _FOUND,
        denials=found.denials,
        rejudged=found.rejudged,
        void=found.void,
        junk=sum(found.junk.values()),
    )
    if found.hub_size < 0:
        screen.say(_HUB_SILENT)
    else:
        screen.say(_HUB_AGREES, size=found.hub_size)
    if found.published is not None:
        tell_head(screen, found.published.head, found.published.witnessed)


def _published(agreed: "Agreed") -> dict[str, object]:
    witnessed = agreed.witnessed
    return {
        "size": agreed.head.checkpoint.size,
        "root": agreed.head.checkpoint.root.hex(),
        "hub": agreed.head.hub,
        "signed": stated(agreed.head.time_s) if agreed.head.time_s else None,
        "witnesses": sorted(witnessed.times) if witnessed is not None else [],
    }


def _alone() -> UsageError:
    return UsageError(
        "--archive is verified by itself: --proof, --entry and --against do not go with it",
        "--archive 单独核验，不能与 --proof、--entry、--against 同用",
        remedy=(
            "compare it with your own ledger: exchange audit verify --against ARCHIVE",
            "与自己的账本比对：exchange audit verify --against 存档",
        ),
        failure="option",
    )


def _needs_proof() -> UsageError:
    return UsageError(
        "--entry goes with --proof, and --policy needs a hub or a proof",
        "--entry 须与 --proof 同用；--policy 需要枢纽或证明",
        remedy=("say --proof FILE, or leave --offline out", "请加 --proof 文件，或去掉 --offline"),
        failure="option",
    )
