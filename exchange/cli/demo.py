"""``exchange demo``: the whole story on this machine, checked step by step, then a summary.

Every run has a fresh home, ``HOME/demo/home``; what an earlier run left running is stopped first.
Whatever happens, Ctrl-C included, what this run started is stopped again, unless ``--keep`` was
given and the story came to its end.
"""

import asyncio
import shutil
import signal
import time
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.cli import demotexts as texts
from exchange.cli.session import Session, session_of
from exchange.cli.work import keep_log

if TYPE_CHECKING:
    from exchange.cli.demostage import Stage
    from exchange.wiring.home import Home
    from exchange.wiring.office import Office
    from exchange.wiring.passphrase import Passphrase

RECORDS: Final = 20_000


def register(root: typer.Typer) -> None:
    """Add the command to the root."""
    root.command("demo")(demo)


def demo(
    context: typer.Context,
    records: Annotated[
        int,
        typer.Option("--records", min=1_000, max=1_000_000, help="How many exam results."),
    ] = RECORDS,
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave everything running at the end.")
    ] = False,
) -> None:
    """Play the whole story on this machine: five organisations, two datasets, one ledger."""
    from exchange.cli.demosummary import tell_summary, write_summary
    from exchange.wiring import upkeep

    began = time.monotonic()
    session = session_of(context)
    folder = session.home / "demo"
    home, passphrase = _fresh_home(folder, session)
    told = False
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        summary = _play(session, home, passphrase, records, began)
        file = write_summary(folder, summary)
        tell_summary(session.screen, summary, file)
        told = True
    finally:
        signal.signal(signal.SIGTERM, previous)
        if keep and told:
            session.screen.note(texts.LEFT_RUNNING, home=home.path)
        else:
            session.screen.note(texts.STOPPING)
            upkeep.stop(home, tell=lambda _: None)


def _fresh_home(folder: Path, session: Session) -> "tuple[Home, Passphrase]":
    """A new home with a new ledger; what stood there before is stopped and removed."""
    from exchange.bus.nodeprocess import free_port
    from exchange.cli.demostage import AUTHORITY, CREDIT_CODES, NAMES
    from exchange.wiring import upkeep
    from exchange.wiring.home import CONFIGURATION, open_home
    from exchange.wiring.homeinit import Founding, initialise
    from exchange.wiring.homekeys import make_passphrase

    path = folder / "home"
    if (path / CONFIGURATION).is_file():
        upkeep.stop(open_home(path), tell=lambda _: None)
    shutil.rmtree(path, ignore_errors=True)
    (folder / "summary.json").unlink(missing_ok=True)
    session.screen.heading(texts.TITLE)
    session.screen.say(texts.GENERATED)
    path.mkdir(parents=True, mode=0o700)
    passphrase = make_passphrase(path)
    stamp = int(time.time())
    said = Founding(
        origin=f"demo.exchange.local/{stamp}",
        authority=AUTHORITY,
        name_zh=NAMES[AUTHORITY].zh,
        name_en=NAMES[AUTHORITY].en,
        credit_code=CREDIT_CODES[AUTHORITY],
        region="33",
        hub="hub-1",
        host="127.0.0.1",
        port=free_port(),
        topic=f"exchange.demo.{stamp}",
    )
    initialise(path, said, passphrase)
    return open_home(path), passphrase


def _play(
    session: Session, home: "Home", passphrase: "Passphrase", records: int, began: float
) -> dict[str, Any]:
    from exchange.cli.demodata.exams import exam_results
    from exchange.cli.demostage import Stage
    from exchange.cli.home import fetching
    from exchange.wiring import upkeep

    keep_log(session, home)
    stage = Stage(home=home, screen=session.screen, records=records)
    stage.open_scene(texts.STARTING)
    upkeep.start(
        home,
        session.settings,
        passphrase,
        tell=session.screen.note,
        fetching=fetching(session.screen),
    )
    kafka = _kafka_version(session, home)
    pin = home.table.log.genesis[:16]
    stage.tell(texts.STARTED, kafka=kafka, pin=pin)
    stage.exam_columns = exam_results(records)
    summary = asyncio.run(_perform(session, stage, passphrase))
    return {"kafka": kafka} | summary | {"seconds": round(time.monotonic() - began, 1)}


async def _perform(session: Session, stage: "Stage", passphrase: "Passphrase") -> dict[str, Any]:
    from exchange.cli import demoaudit, demoduty, demoexplain, demolife, demostory
    from exchange.cli.auditreads import tell_reads
    from exchange.cli.auditverify import tell_examined
    from exchange.cli.demostage import AUDITOR
    from exchange.cli.demosummary import summarise
    from exchange.wiring.office import open_office

    async with AsyncExitStack() as stack:

        async def enter(member: str) -> None:
            office = open_office(stage.home, session.settings, member, passphrase)
            stage.offices[member] = await stack.enter_async_context(office)

        await demostory.enrol(stage, passphrase, session.settings, enter)
        await demolife.catalogue(stage)
        await demostory.publish_register(stage)
        await demostory.receive_register(stage)
        await demostory.publish_results(stage)
        await demolife.ask_without_duty(stage)
        await demolife.apply_properly(stage)
        await demostory.receive_exactly(stage)
        await demostory.revoke_and_try(stage)
        await demoexplain.explain_access(stage)
        await demostory.tamper(stage)
        await demoduty.dispute_and_insist(stage)
        record, reads, found = await demostory.audit(stage)
        tell_reads(session.screen, reads, stage.offices[AUDITOR].view.registry)
        tell_examined(session.screen, found)

        def fresh() -> "AbstractAsyncContextManager[Office]":
            return open_office(stage.home, session.settings, AUDITOR, passphrase)

        evidence = {
            "proof": await demoaudit.prove_release(stage, reads, fresh),
            "reconciled": await demoaudit.reconcile_cleanly(stage, fresh),
            "withheld": await demoaudit.withhold_a_receipt(stage, fresh),
            "report": await demoaudit.report(stage, fresh),
        }
        return summarise(stage, record, found) | {"evidence": evidence}


def _kafka_version(session: Session, home: "Home") -> str:
    from exchange.wiring.homekafka import embedded, is_embedded

    running = embedded(home).running() if is_embedded(home, session.settings) else None
    return "external" if running is None else running.version


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    """SIGTERM ends the demo the way Ctrl-C does: by cleaning up."""
    raise KeyboardInterrupt
