"""An auditor's search view: where it is kept, how it is opened, how it follows the ledger.

Beside the member's keys in SQLite, or in the PostgreSQL that ``EXCHANGE_DATABASE_URL`` names; one
definition of the tables serves both. It can be thrown away: `View.clear`, then a replay.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy
from sqlalchemy import create_engine, event
from sqlalchemy.exc import DatabaseError, OperationalError, ProgrammingError
from sqlalchemy.pool import NullPool

from exchange.audit.view import View
from exchange.errors import CheckFailed, ViewUnavailable
from exchange.wiring.home import Home
from exchange.wiring.settings import Settings

FILE: Final = "audit-view.db"
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
