"""The sink of a long-running adapter: a grant, delivered into a database or a folder."""

import asyncio
from pathlib import Path

import structlog

from exchange.daemon.configuration import SinkTable
from exchange.errors import ConfigurationInvalid, NotFound
from exchange.wiring.adapters import Target, target_of
from exchange.wiring.office import Office
from exchange.wiring.transfer import find_subscription, open_subscriber

_LOG = structlog.get_logger(__name__)


async def deliver(office: Office, stop: asyncio.Event, *, instance: str, table: SinkTable) -> None:
    """Deliver under the grant of ``table`` until ``stop`` is set."""
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
