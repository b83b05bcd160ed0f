"""``exchange logs --purge-before DATE``: old process logs go, once the ledger permits it."""

from typing import TYPE_CHECKING, Final

from exchange.cli.session import Session
from exchange.cli.times import moment_ms
from exchange.cli.work import as_authority, as_reader, home_of
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.flow.ports import Admitted
    from exchange.wiring.office import Office

_PURGED: Final = Text(
    "{count} log files older than {day} are deleted (entry {index}); the ledger itself stays",
    "已删除 {day} 之前的 {count} 个日志文件（账本条目 {index}）；账本本身不受影响",
)


def purge(session: Session, before: str) -> None:
    """State it on the ledger; only what the rules permit there is deleted here."""
    from exchange.wiring.clock import now_ms
    from exchange.wiring.lawmaking import declare_purge
    from exchange.wiring.logpurge import delete_logs, old_logs

    before_ms = moment_ms(before, now_ms=now_ms())
    home = home_of(session)

    async def work(office: "Office") -> "Admitted":
        return await declare_purge(office, "network", before_ms)

    founded = home.joined is None
    admitted = as_authority(session, work) if founded else as_reader(session, work)
    files = old_logs(home, before_ms)
    delete_logs(files)
    session.screen.say(_PURGED, count=len(files), day=before, index=admitted.index)
    session.screen.answer(
        {"entry": admitted.index, "deleted": [file.name for file in files], "before": before}
    )
