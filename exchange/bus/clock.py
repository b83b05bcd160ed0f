"""Reads the broker's clock: append a probe, read its append time back.

A hub whose own clock is wrong must not append (design 5 and 6), so the time has to come from
somewhere else. The probe is random, so a probe of another hub is never taken for ours; the round
trip is the error of the reading.
"""

import asyncio
import secrets
from typing import Final

from exchange.bus.ports import (
    CLOCK_CONFIG,
    CLOCK_TOPIC,
    Bus,
    Consumer,
    Outcome,
    Producer,
    TopicSpec,
)
from exchange.errors import OffsetGone

PROBE_BYTES: Final = 16
WAIT_MS: Final = 200
WAITS: Final = 25


class BrokerClock:
    """The clock of the brokers behind ``bus``; opens what it needs at the first reading."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._alone = asyncio.Lock()
        self._ends: tuple[Producer, Consumer] | None = None

    async def now_ms(self, replicas: int) -> int | None:
        """Append time of a fresh probe; None when it did not come back within 5 s.

        ``replicas`` is for the probe topic, should it have to be created.
        """
        async with self._alone:
            ends = self._ends or await self._open(replicas)
            self._ends = None  # unless the probe comes back: the topic may have been deleted
            read_ms = await _probe(*ends)
            if read_ms is None:
                for end in ends:
                    await end.close()
            else:
                self._ends = ends
            return read_ms

    async def _open(self, replicas: int) -> tuple[Producer, Consumer]:
        await self._bus.ensure_topic(TopicSpec(CLOCK_TOPIC, 1, replicas, CLOCK_CONFIG))
        _, following = await self._bus.bounds(CLOCK_TOPIC, 0)
        consumer = await self._bus.consumer({(CLOCK_TOPIC, 0): following}, live=True)
        return await self._bus.producer(), consumer


async def _probe(producer: Producer, consumer: Consumer) -> int | None:
    probe = secrets.token_bytes(PROBE_BYTES)
    produced = await producer.produce(CLOCK_TOPIC, 0, probe)
    if produced.outcome is Outcome.NOT_WRITTEN:
        return None
    try:
        for _ in range(WAITS):
            for message in await consumer.fetch(messages_max=1_000, wait_ms=WAIT_MS):
                if message.value == probe:
                    return message.timestamp_ms
    except OffsetGone:
        return None
    return None
