"""Run the hub of a home in this process until it is told to stop."""

import asyncio
from collections.abc import Callable

from exchange.hub.app import hub_app
from exchange.hub.datasetkeys import DatasetKeys
from exchange.hub.parts import Parts
from exchange.hub.serve import listen, serve
from exchange.hub.views import LedgerMembers, LedgerPages, PublishedLog, readiness_of
from exchange.wiring.home import Home
from exchange.wiring.hub import OpenHub, open_hub
from exchange.wiring.hubtls import renew_identity
from exchange.wiring.passphrase import Passphrase
from exchange.wiring.settings import Settings


async def run_hub(
    home: Home,
    settings: Settings,
    passphrase: Passphrase,
    *,
    started: Callable[[], None] = lambda: None,
    caught_up: Callable[[], None] = lambda: None,
) -> None:
    """Serve until SIGTERM or SIGINT; ``started`` is told when the doors are open.

    ``caught_up`` is told each time the whole ledger has been read (exchange/hub/garbage.py).

    Open doors do not mean a ready hub: `GET /health/ready` says that. Raises `PortBusy`, the errors
    of custody, and `ConfigurationInvalid`.
    """
    table = home.table.hub
    with listen(table.host, table.port) as bound:
        async with open_hub(home, settings, passphrase, caught_up=caught_up) as hub:
            identity = renew_identity(
                hub.custody, home.hub_directory, hub.id, table.host, now_ms=hub.clock.now_ms()
            )
            app = hub_app(parts_of(hub))
            await serve(app, bound, identity, stop=asyncio.Event(), started=started)


def parts_of(hub: OpenHub) -> Parts:
    """What the doors of ``hub`` stand in front of."""
    return Parts(
        origin=hub.origin,
        hub=hub.id,
        clock=hub.clock.now_ms,
        acts=hub.admissions,
        keys=hub.releases,
        ledger=LedgerPages(hub),
        members=LedgerMembers(hub),
        log=PublishedLog(hub),
        dataset_keys=DatasetKeys(
            origin=hub.origin,
            custody=hub.custody,
            signer=hub.signer,
            recorded=lambda dataset: {key.kid for key in hub.registry.dataset_keys(dataset)},
        ),
        readiness=readiness_of(hub),
        recall=hub.recall,
        check_clock=hub.appender.check_clock,
        check_open=hub.check_open,
    )
