"""A long-running adapter: a folder that is published, or a grant that is delivered, until SIGTERM.

Safe to kill at any moment. A source file is moved to ``done/`` only after Kafka has acknowledged
all of it, so a crash publishes it once more, which a sink does not see. A sink goes on behind its
own position. When Kafka or the hub are away, the adapter waits and goes on by itself.
"""

import asyncio
import signal
from pathlib import Path
from typing import Final

import structlog
from prometheus_client import start_http_server

from adapters.errors import AdapterError
from exchange import metrics
from exchange.daemon.again import again, pause
from exchange.daemon.configuration import AdapterConfiguration, SinkTable, SourceTable
from exchange.daemon.pushing import Pushes
from exchange.errors import ConfigurationInvalid, NotFound
from exchange.model.contract import Contract
from exchange.wiring.adapters import Target, open_source, target_of
from exchange.wiring.clock import now_ms
from exchange.wiring.home import Home
from exchange.wiring.office import Office, open_office
from exchange.wiring.passphrase import Passphrase
from exchange.wiring.settings import Settings
from exchange.wiring.transfer import contract_of, find_subscription, open_publisher, open_subscriber

DONE: Final = "done"
REFUSED: Final = "refused"

_LOG = structlog.get_logger(__name__)


async def run_adapter(
    home: Home, settings: Settings, passphrase: Passphrase, given: AdapterConfiguration
) -> None:
    """Run until SIGTERM or SIGINT; what is under way is finished first.

    Raises what cannot get better by waiting (`ExchangeError` with ``retriable`` False).
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if given.adapter.metrics_port:
        start_http_server(given.adapter.metrics_port, addr="127.0.0.1", registry=metrics.REGISTRY)
    _LOG.info("adapter started", member=given.adapter.member, instance=given.adapter.instance)

    async def work() -> None:
        member = given.adapter.member
        async with open_office(home, settings, member, passphrase) as office:
            office.view.start()
            if given.source is not None:
                await _publish(office, given.adapter.instance, given.source, stop)
            elif given.sink is not None:
                await _deliver(office, given.adapter.instance, given.sink, stop)

    await again(work, stop)
    _LOG.info("adapter stopped", member=given.adapter.member, instance=given.adapter.instance)


async def _publish(office: Office, instance: str, table: SourceTable, stop: asyncio.Event) -> None:
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


async def _deliver(office: Office, instance: str, table: SinkTable, stop: asyncio.Event) -> None:
    registry = await office.registry()
    wanted = table.grant.lower()
    found = [grant for grant in registry.grants if grant.hex().startswith(wanted)]
    if len(found) != 1:
        raise NotFound(
            f"[sink] grant: {len(found)} grants begin with {wanted[:64]}",
            f"[sink] grant：以 {wanted[:64]} 开头的授权有 {len(found)} 个",
            remedy=(
                "write the id that 'exchange grant list' shows",
                "请写明 exchange grant list 所示编号",
            ),
            failure="grant",
        )
    entitled = await find_subscription(office, found[0])
    target = _target(table, office)
    async with open_subscriber(office, entitled, target, instance=instance) as subscriber:
        waiting = asyncio.create_task(stop.wait())
        waiting.add_done_callback(lambda _: subscriber.stop())
        try:
            report = await subscriber.run(follow=True)
        finally:
            waiting.cancel()
    _LOG.info("delivered", grant=found[0], records=report.records, bundles=report.bundles)


def _target(table: SinkTable, office: Office) -> Target:
    if bool(table.out) == bool(table.dsn_file):
        raise ConfigurationInvalid(
            "[sink] needs either out or dsn_file",
            "[sink] 须填写 out 或 dsn_file 之一",
            remedy=("write one of them", "请只填写其中之一"),
            failure="sink",
        )
    place = table.out or Path(table.dsn_file).read_text("utf-8").strip()
    target = target_of(place, office.home.member_directory(office.member) / "received.db")
    if target.export is not None:
        raise ConfigurationInvalid(
            "[sink] out: a long-running adapter writes a database or a folder, not a CSV file",
            "[sink] out：长期运行的适配器只能写入数据库或目录，不能写 CSV 文件",
            remedy=(
                "use sqlite:PATH, a folder, or dsn_file",
                "请使用 sqlite:路径、目录或 dsn_file",
            ),
            failure="sink",
        )
    return target
