"""Publishers of one office, put together and taken apart again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from exchange.bus.outbox import Outbox
from exchange.errors import NotFound
from exchange.flow.epochs import Epochs
from exchange.flow.lines import Lines
from exchange.flow.publish import Publisher
from exchange.flow.send import Sender
from exchange.model.contract import Contract
from exchange.wiring.clock import now_ms
from exchange.wiring.home import DEFAULT_INSTANCE
from exchange.wiring.librarypages import give_back_library_pages
from exchange.wiring.office import Office
from exchange.wiring.publication import ensure_topic

SEND_DEADLINE_MS: Final = 30_000
"""How long a push waits for Kafka before it says so; what was sealed stays in the spool."""


async def contract_of(office: Office, dataset: str) -> Contract:
    """The contract of a published dataset, from the ledger; `NotFound`."""
    registry = await office.registry()
    row = registry.datasets.get(dataset)
    if row is None:
        known = ", ".join(sorted(registry.datasets)) or "-"
        raise NotFound(
            f"there is no dataset {dataset[:80]!r} in the catalogue, which has: {known}",
            f"目录中没有数据集 {dataset[:80]!r}；已有：{known}",
            remedy=("see: exchange catalogue list", "请查看：exchange catalogue list"),
            failure="no-dataset",
        )
    return Contract.decode(registry.contracts[row.contract_hash])


@asynccontextmanager
async def open_publisher(
    office: Office, contract: Contract, *, instance: str = DEFAULT_INSTANCE
) -> AsyncIterator[Publisher]:
    """A started publisher of ``contract``'s dataset; what an earlier run left is sent first.

    Raises `InUse` when another process publishes as this instance, `BusUnavailable` when Kafka
    does not take what is left.
    """
    give_back_library_pages()
    signs, row = await office.instance(instance)
    await ensure_topic(office, contract.dataset)
    spool = office.spool(instance)
    spool.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    outbox = Outbox(spool)
    try:
        publisher = Publisher(
            contract=contract,
            lines=Lines(
                contract=contract,
                view=office.view,
                hub=office.hub,
                bus=office.bus,
                outbox=outbox,
                signs=signs,
            ),
            epochs=Epochs(view=office.view, provider=row.id, clock=now_ms),
            outbox=outbox,
            sender=Sender(office.bus, outbox, clock=now_ms, deadline_ms=SEND_DEADLINE_MS),
            hub=office.hub,
            signs=signs,
            clock=now_ms,
        )
        try:
            await publisher.start()
            yield publisher
        finally:
            await publisher.close()
    finally:
        outbox.close()
