"""Subscribers of one office, put together and taken apart again."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from exchange.flow.deliver import Subscriber
from exchange.flow.forks import Forks
from exchange.flow.keyring import Keyring
from exchange.flow.ports import Hub, Sink
from exchange.flow.receipts import Receipts
from exchange.flow.resume import ResumeFile
from exchange.flow.subscription import Subscription, subscription
from exchange.wiring.adapters import Target, open_sink
from exchange.wiring.clock import now_ms
from exchange.wiring.home import DEFAULT_INSTANCE
from exchange.wiring.librarypages import give_back_library_pages
from exchange.wiring.office import Office


async def find_subscription(office: Office, grant: bytes) -> Subscription:
    """What ``grant`` entitles this member to, by the ledger as it is now."""
    return subscription(await office.registry(), grant, office.member)


@asynccontextmanager
async def open_subscriber(
    office: Office, entitled: Subscription, target: Target, *, instance: str = DEFAULT_INSTANCE
) -> AsyncIterator[Subscriber]:
    """A subscriber that delivers what ``entitled`` covers into ``target``."""
    sink = open_sink(target, entitled)
    try:
        yield await subscriber_into(
            office, entitled, sink, sink_name=target.sink, instance=instance
        )
    finally:
        sink.close()


async def subscriber_into(
    office: Office,
    entitled: Subscription,
    sink: Sink,
    *,
    sink_name: str,
    instance: str = DEFAULT_INSTANCE,
    hub: Hub | None = None,
) -> Subscriber:
    """A subscriber into a ``sink`` that the caller opened and closes; receipts call it so.

    ``hub`` is whom it talks to, if that is not the office's own.
    """
    give_back_library_pages()
    signs, row = await office.instance(instance)
    hub = hub or office.hub
    return Subscriber(
        subscription=entitled,
        view=office.view,
        bus=office.bus,
        keyring=Keyring(
            hub=hub,
            signs=signs,
            kid=row.kem_kid,
            unwrap=office.custody.unwrap,
            subscription=entitled,
        ),
        sink=sink,
        receipts=Receipts(
            hub=hub,
            signs=signs,
            subscription=entitled,
            sink=sink_name,
            clock=now_ms,
            filed=partial(office.receipted.upto, entitled.grant.id, sink_name),
        ),
        forks=Forks(bus=office.bus, view=office.view, hub=hub, signs=signs),
        clock=now_ms,
        resume=ResumeFile(office.resume(instance, entitled.grant.id)),
    )
