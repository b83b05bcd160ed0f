"""``exchange audit view``: the search view, brought up to date, built anew, or kept current."""

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

from exchange.cli.auditsource import replay_office
from exchange.cli.screen import Screen
from exchange.cli.session import Session, session_of
from exchange.cli.times import shown
from exchange.cli.work import as_reader
from exchange.errors import UsageError
from exchange.model.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from exchange.audit.replay import Replay
    from exchange.audit.view import Standing, View
    from exchange.wiring.office import Office

_STANDS: Final = Text(
    "the search view stands at {size} entries, root {root}, {time}",
    "检索视图现有 {size} 条，根 {root}，{time}",
)
_SAME: Final = Text(
    "every row and every word of it is as the ledger says", "其每一行、每一检索词均与账本一致"
)
STANDS_ON: Final = Text(
    "this stands on the ledger of {size} entries, root {root}",
    "以上依据 {size} 条的账本，根 {root}",
)


def register(app: typer.Typer) -> None:
    """Put the command under ``app``."""
    app.command("view")(view)


def view(
    context: typer.Context,
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Throw the view away and build it from the ledger.")
    ] = False,
    check: Annotated[
        bool,
        typer.Option("--check", help="Compare the view with the ledger; exit 1 if it differs."),
    ] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Keep it current until Ctrl-C.")] = False,
) -> None:
    """Bring the search view up to date: in SQLite here, or in EXCHANGE_DATABASE_URL."""
    session = session_of(context)

    async def work(office: "Office") -> "Standing":
        from exchange.wiring.auditview import opened_view

        if follow:
            return await _kept_current(session, office, rebuild=rebuild)
        with opened_view(office.home, session.settings, office.member, anew=rebuild) as opened:
            if check:
                return await _compared(session, office, opened)
            return await refreshed(session, office, opened)

    if check and (rebuild or follow):
        raise _either()
    standing = as_reader(session, work)
    tell_view(session.screen, standing)
    if check:
        session.screen.say(_SAME)
    session.screen.answer(standing_data(standing))


async def _compared(session: Session, office: "Office", opened: "View") -> "Standing":
    """Replay the ledger beside the view, which is not changed."""
    from exchange.audit.viewcheck import ViewCheck

    comparison = ViewCheck(opened)

    async def finish(replay: "Replay", _: "Office") -> None:
        comparison.finish(replay)

    await replay_office(session, office, listen=comparison.take, finish=finish)
    return opened.standing()


async def refreshed(
    session: Session, office: "Office", opened: "View", *, offline: bool = False
) -> "Standing":
    """Replay the ledger into the view; nothing is written where the view stands already."""
    from exchange.audit.view import Feed

    feed = Feed(opened)

    async def finish(replay: "Replay", _: "Office") -> None:
        feed.finish(replay)

    await replay_office(session, office, offline=offline, listen=feed.take, finish=finish)
    return opened.head()


def _either() -> UsageError:
    return UsageError(
        "--check changes nothing: --rebuild and --follow do not go with it",
        "--check 不作改动，不能与 --rebuild、--follow 同用",
        remedy=("name one of them", "请只写其一"),
        failure="usage",
    )


def tell_view(screen: Screen, standing: "Standing") -> None:
    """How far the view has come."""
    screen.say(_STANDS, size=standing.size, root=standing.root.hex(), time=shown(standing.time_ms))


def standing_data(standing: "Standing") -> dict[str, Any]:
    """The same for programs."""
    return {
        "size": standing.size,
        "root": standing.root.hex(),
        "time": shown(standing.time_ms),
    }


async def _until_told(work: "Coroutine[Any, Any, NoReturn]") -> None:
    """Do ``work`` until SIGTERM or Ctrl-C, which is how it ends well."""
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


async def _kept_current(session: Session, office: "Office", *, rebuild: bool) -> "Standing":
    """Until the process is told to end; what another one keeps current is not emptied: `InUse`."""
    from exchange.wiring.auditview import following, opened_view

    with (
        following(office.home, office.member) as note,
        opened_view(office.home, session.settings, office.member, anew=rebuild) as opened,
    ):
        tell_view(session.screen, await refreshed(session, office, opened))
        await _until_told(_follow(office, opened, note))
        return opened.head()


async def _follow(office: "Office", opened: "View", note: "Callable[[str], None]") -> NoReturn:
    """Until it is cancelled; ``note`` hears what the member is, for who searches."""
    from exchange.audit.replay import Replay
    from exchange.audit.view import Feed
    from exchange.wiring import replaying

    feed = Feed(opened)
    topic = office.home.table.log.topic
    with replaying.verifiers(None, None) as checked:
        replay = Replay(
            office.home.pin,
            replaying.auditing_fold(),
            checked,
            listen=lambda folded: feed.take(folded, replay),
        )
        async for messages in replaying.topic_messages(office.bus, topic, follow=True):
            replay.take(messages)
            if len(messages) < replaying.FETCH_MESSAGES:
                replay.finish()
                feed.catch_up(replay)
                row = replay.fold.registry.members.get(office.member)
                note(row.kind if row is not None else "")
            await asyncio.sleep(0)
    raise AssertionError("the topic is followed without end")
