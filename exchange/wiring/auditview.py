"""An auditor's search view: where it is kept, how it is opened, how it follows the ledger.

Beside the member's keys in SQLite, or in the PostgreSQL that ``EXCHANGE_DATABASE_URL`` names; one
definition of the tables serves both. It can be thrown away: `View.clear`, then a replay.
"""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TextIO

import sqlalchemy
from sqlalchemy import create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError, ProgrammingError
from sqlalchemy.pool import NullPool

from exchange.audit.view import View
from exchange.errors import CheckFailed, InUse, ViewUnavailable
from exchange.wiring.home import Home
from exchange.wiring.settings import Settings

FILE: Final = "audit-view.db"
LOCK: Final = "audit-view.lock"
LOOKS: Final = 5
LOOK_S: Final = 0.02
BUSY_MS: Final = 5_000


@contextmanager
def opened_view(
    home: Home, settings: Settings, member: str, *, anew: bool = False
) -> Iterator[View]:
    """The view of ``member``; with ``anew`` an empty one, whatever there was.

    `ViewUnavailable` when its database does not answer, `CheckFailed` when it is damaged.
    """
    if anew and settings.database is None:
        for end in ("", "-wal", "-shm"):
            (home.member_directory(member) / f"{FILE}{end}").unlink(missing_ok=True)
    engine = _engine(home, settings, member)
    try:
        view = View(engine, home.pin)
        if anew:
            view.clear()
        yield view
    except (OperationalError, ProgrammingError):
        raise ViewUnavailable(
            "the database of the search view does not answer, or refuses",
            "检索视图的数据库无响应或拒绝访问",
            remedy=(
                "look at EXCHANGE_DATABASE_URL, or unset it to keep the view in this home",
                "请检查 EXCHANGE_DATABASE_URL，或取消该变量以在本主目录保存视图",
            ),
        ) from None
    except DatabaseError:
        raise CheckFailed(
            "the search view is damaged",
            "检索视图已损坏",
            remedy=(
                "build it anew: exchange audit view --rebuild",
                "请重建：exchange audit view --rebuild",
            ),
            failure="view-damaged",
        ) from None
    finally:
        engine.dispose()


@contextmanager
def following(home: Home, member: str) -> Iterator[Callable[[str], None]]:
    """Whoever runs the block keeps the view of ``member`` current, and no other process does.

    What is yielded notes the kind of the member, for `followed`. `InUse` if another process does.
    """
    with _lock_file(home, member).open("a+", encoding="utf-8") as opened:
        if not _locked(opened):
            raise InUse(
                "another process keeps this search view current already",
                "已有其他进程在持续更新该检索视图",
                remedy=("search: it is current", "可直接检索：视图为最新"),
                failure="view-followed",
            )

        def note(kind: str) -> None:
            opened.seek(0)
            opened.truncate()
            opened.write(kind)
            opened.flush()

        note("")
        yield note


def _locked(opened: TextIO) -> bool:
    """Whether the lock is this process's now. A search that looks has it for a moment as well."""
    for tries_left in reversed(range(LOOKS)):
        try:
            fcntl.flock(opened, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if tries_left:
                time.sleep(LOOK_S)
        else:
            return True
    return False


def followed(home: Home, member: str) -> str:
    """The kind of ``member`` if a process keeps its view current, and has read so far; or ""."""
    try:
        with _lock_file(home, member).open(encoding="utf-8") as opened:
            try:
                fcntl.flock(opened, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return opened.read(64)
    except FileNotFoundError:
        pass
    return ""


def _lock_file(home: Home, member: str) -> Path:
    folder = home.member_directory(member)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return folder / LOCK


def _engine(home: Home, settings: Settings, member: str) -> sqlalchemy.Engine:
    if settings.database is not None:
        url = settings.database.replace("postgres://", "postgresql://", 1)
        return create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    folder = home.member_directory(member)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = create_engine(f"sqlite:///{folder / FILE}", poolclass=NullPool)
    event.listen(engine, "connect", prepare)
    return engine


def prepare(connection: Any, _record: object) -> None:  # noqa: ANN401 - of whatever driver
    """Readers do not wait for the writer; what a crash takes is folded again."""
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={BUSY_MS}"):
        connection.execute(f"PRAGMA {pragma}").close()
