"""Run a command's work inside the office of the member it acts for, and find rows by short ids."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, Final, TypeVar

from exchange.cli.session import Session
from exchange.errors import ConfigurationInvalid, NotFound, UsageError
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.wiring.home import Home
    from exchange.wiring.office import Office
    from exchange.wiring.passphrase import Passphrase

T = TypeVar("T")
Work = Callable[["Office"], Awaitable[T]]

ID_DIGITS_MIN: Final = 6
_HEX: Final = re.compile(r"[0-9a-f]{6,64}")
_WARNING: Final = Text("warning: {rule} {badge} {title}", "提示：{rule} {badge} {title}")
_PASSPHRASE: Final = Text("Passphrase of this home", "本主目录的口令")


def home_of(session: Session) -> "Home":
    """The initialised home of this call."""
    from exchange.wiring.home import open_home

    return open_home(session.home)


def passphrase_of(session: Session) -> "Passphrase":
    """From the environment, the home, or the person at the terminal."""
    from exchange.wiring.homekeys import find_passphrase

    return find_passphrase(session.home, session.settings, _asker(session))


def at_work(session: Session, work: Work[T], *, member: str | None = None) -> T:
    """Run ``work`` in the office of ``member``, or of whom ``--as`` names."""
    from exchange.wiring.office import open_office

    home = home_of(session)
    name = member or acting(session, home)
    passphrase = passphrase_of(session)
    keep_log(session, home)

    async def run() -> T:
        async with open_office(home, session.settings, name, passphrase) as office:
            done = await work(office)
            _tell_warnings(session, office)
            return done

    return asyncio.run(run())


def _tell_warnings(session: Session, office: "Office") -> None:
    """Name the prohibitions that the acts of this command met and the rule set only tells of."""
    from exchange.wiring.lawbook import warnings_of

    for row in warnings_of(office.hub.permitted_by, office.view):
        title = session.screen.word(Text(row.title_en, row.title_zh))
        session.screen.note(_WARNING, rule=row.id, badge=row.badge, title=title)


def keep_log(session: Session, home: "Home") -> None:
    """Send log lines of this command to the home's log of commands, none to the screen."""
    from exchange.wiring.logs import configure

    configure(level=session.settings.log_level, file=home.log_file("commands"))


def as_authority(session: Session, work: Work[T]) -> T:
    """The same as the authority, unless ``--as`` names somebody else."""
    home = home_of(session)
    return at_work(session, work, member=session.member or home.table.log.authority)


def as_reader(session: Session, work: Work[T]) -> T:
    """The same for what anybody may see: as the authority where its keys are, else as oneself."""
    home = home_of(session)
    held = home.members()
    authority = home.table.log.authority
    return at_work(
        session, work, member=session.member or (authority if authority in held else None)
    )


def acting(session: Session, home: "Home") -> str:
    """The member that ``--as`` names; without it the only one whose keys this home holds."""
    if session.member is not None:
        return session.member
    held = home.members()
    if len(held) == 1:
        return held[0]
    names = ", ".join(held)
    raise ConfigurationInvalid(
        "this home holds the keys of several members; it is not clear who acts",
        "本主目录有多个成员的密钥，无法确定以谁的身份操作",
        remedy=(f"say --as MEMBER, one of: {names}", f"请加 --as 成员，可用：{names}"),
        failure="no-member",
    )


def find_id(kind: Text, ids: Iterable[bytes], text: str) -> bytes:
    """The one id that starts with the hex digits ``text``; `NotFound` or `UsageError`."""
    short = text.lower().removesuffix("…")
    found = [one for one in ids if one.hex().startswith(short)] if _HEX.fullmatch(short) else []
    if len(found) == 1:
        return found[0]
    shown = text[:70]
    if found:
        raise UsageError(
            f"several {kind.en}s begin with {shown}",
            f"以 {shown} 开头的{kind.zh}不止一个",
            remedy=("write more digits of the id", "请写出更多位编号"),
            failure="ambiguous",
        )
    raise NotFound(
        f"there is no {kind.en} {shown!r}",
        f"没有{kind.zh} {shown!r}",
        remedy=(
            f"write at least {ID_DIGITS_MIN} hex digits of an id that the list command shows",
            f"请写出列表命令所示编号的至少 {ID_DIGITS_MIN} 位",
        ),
        failure="no-such-id",
    )


def short(identifier: bytes | None) -> str:
    """An id as tables show it: enough digits to type back."""
    return "" if identifier is None else identifier.hex()[:12]


def _asker(session: Session) -> Callable[[], str] | None:
    import getpass
    import sys

    if session.screen.as_json or not sys.stdin.isatty():
        return None
    return lambda: getpass.getpass(session.screen.word(_PASSPHRASE) + ": ")
