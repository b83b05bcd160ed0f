"""A long-running adapter: a folder that is published, or a grant that is delivered, until SIGTERM.

Safe to kill at any moment. A source file is moved to ``done/`` only after Kafka has acknowledged
all of it, so a crash publishes it once more, which a sink does not see. A sink goes on behind its
own position. When Kafka or the hub are away, the adapter waits and goes on by itself.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable

import structlog
from prometheus_client import start_http_server

from exchange import metrics
from exchange.daemon.again import again
from exchange.daemon.configuration import AdapterTable
from exchange.daemon.warned import warned
from exchange.wiring.home import Home
from exchange.wiring.office import Office, open_office
from exchange.wiring.passphrase import Passphrase
from exchange.wiring.settings import Settings

Job = Callable[[Office, asyncio.Event], Awaitable[None]]
"""Works for an office until the event is set: `exchange.daemon.outgoing` or ``incoming``."""

_LOG = structlog.get_logger(__name__)


async def run_adapter(
    home: Home, settings: Settings, passphrase: Passphrase, given: AdapterTable, job: Job
) -> None:
    """Do ``job`` until SIGTERM or SIGINT; what is under way is finished first.

    Raises what cannot get better by waiting (`ExchangeError` with ``retriable`` False).
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    if given.metrics_port:
        start_http_server(given.metrics_port, addr="127.0.0.1", registry=metrics.REGISTRY)
    _LOG.info("adapter started", member=given.member, instance=given.instance)

    async def work() -> None:
        async with open_office(home, settings, given.member, passphrase) as office:
            office.view.start()
            async with warned(office):
                await job(office, stop)

    await again(work, stop)
    _LOG.info("adapter stopped", member=given.member, instance=given.instance)
