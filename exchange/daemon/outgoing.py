"""The source of a long-running adapter: files of a folder, published and moved away.

A file is moved to ``done/`` only after Kafka has acknowledged all of it; one that cannot be read
goes to ``refused/`` and the next goes on.
"""

import asyncio
from pathlib import Path
from typing import Final

import structlog

from adapters.errors import AdapterError
from exchange.daemon.again import pause
from exchange.daemon.configuration import SourceTable
from exchange.daemon.pushing import Pushes
from exchange.errors import NotFound
from exchange.model.contract import Contract
from exchange.wiring.clock import now_ms
from exchange.wiring.office import Office
from exchange.wiring.publishers import contract_of, open_publisher
from exchange.wiring.sources import open_source

DONE: Final = "done"
REFUSED: Final = "refused"

_LOG = structlog.get_logger(__name__)


async def publish(
    office: Office, stop: asyncio.Event, *, instance: str, table: SourceTable
) -> None:
    """Publish what lies in the folder of ``table`` and what comes later, until ``stop`` is set."""
    folder = Path(table.folder)
    if not folder.is_dir():
        raise NotFound(
            f"[source] folder: {folder} is no folder",
            f"[source] folder：{folder} 不是目录",
            remedy=("make it, or correct the configuration", "请创建该目录或修改配置"),
            failure="folder",
        )
    contract = await contract_of(office, table.dataset)
    async with open_publisher(office, contract, instance=instance) as publisher:
        pushes = Pushes(publisher, office.quarantine(), table.dataset, clock=now_ms)
        while not stop.is_set():
            for file in sorted(folder.glob(table.pattern)):
                if stop.is_set():
                    return
                await _publish_file(pushes, contract, table, file)
            await pause(stop, table.every_s)


async def _publish_file(pushes: Pushes, contract: Contract, table: SourceTable, file: Path) -> None:
    """Push one file and move it away; an unreadable one is set apart, the next goes on."""
    try:
        source = open_source(
            str(file), contract.names, form=table.format, delimiter=table.delimiter
        )
        done = await pushes.push(source, file.name)
    except AdapterError as error:
        if error.retriable:
            raise
        _LOG.error("file refused", file=file.name, category=error.category, failure=error.failure)
        _move(file, REFUSED)
        return
    _LOG.info(
        "file published",
        file=file.name,
        dataset=table.dataset,
        records=done.accepted,
        rejected=done.rejected,
    )
    _move(file, DONE)


def _move(file: Path, where: str) -> None:
    folder = file.parent / where
    folder.mkdir(exist_ok=True)
    target = folder / file.name
    if target.exists():
        target = folder / f"{file.stem}-{now_ms()}{file.suffix}"
    file.rename(target)
