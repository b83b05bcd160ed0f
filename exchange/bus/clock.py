"""Reads the broker's clock: append a probe, read its append time back.

A hub whose own clock is wrong must not append (design 5 and 6), so the time has to come from
somewhere else. The probe is random, so a probe of another hub is never taken for ours; the round
trip is the error of the reading.
"""

import secrets
from typing import Final

from exchange.bus.ports import CLOCK_TOPIC, Consumer, Outcome, Producer

PROBE_BYTES: Final = 16
WAIT_MS: Final = 200
TRIES: Final = 25


async def probe_time_ms(producer: Producer, consumer: Consumer) -> int | None:
    """Append time of a fresh probe on `CLOCK_TOPIC`; None when it did not come back in 5 s.

    ``consumer`` is live and stands at the end of the topic or behind it.
    """
    probe = secrets.token_bytes(PROBE_BYTES)
    produced = await producer.produce(CLOCK_TOPIC, 0, probe)
    if produced.outcome is Outcome.NOT_WRITTEN:
        return None
    for _ in range(TRIES):
        for message in await consumer.fetch(messages_max=1_000, wait_ms=WAIT_MS):
            if message.value == probe:
                return message.timestamp_ms
    return None
