"""A reader over a client library that fetches ahead: drain at once, hand out in small portions.

The library fetches from each broker one request at a time and leaves a broker alone while any of
its partitions holds undelivered messages. So everything it has is taken at once; what is held here
is one response to a fetch, and the library holds at most another. And the library never tells a
reader that the brokers are gone: after some silence the bus is asked.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Protocol

from exchange import metrics
from exchange.bus.ports import Message, Place

SILENCE_S: Final = 3.0


class Fetching(Protocol):
    """One reader of the client library."""

    async def take(self, wait_s: float) -> list[Message]:
        """Everything fetched so far; waits for something, ``wait_s`` at most.

        Raises `OffsetGone` and `BusUnavailable`.
        """
        ...

    async def reached(self) -> dict[Place, int]:
        """For each partition the offset after all that `take` gave and passed over."""
        ...

    async def stop(self) -> None:
        """Disconnect."""
        ...


class DrainingConsumer:
    """`exchange.bus.ports.Consumer` over a library's reader.

    ``ready`` raises `BusUnavailable` when the brokers do not answer.
    """

    def __init__(
        self,
        fetching: Fetching,
        start: Mapping[Place, int],
        *,
        ready: Callable[[], Awaitable[object]],
        on_close: Callable[["DrainingConsumer"], None],
    ) -> None:
        self._fetching = fetching
        self._ready = ready
        self._on_close = on_close
        self._positions = dict(start)
        self._reached = dict(start)
        self._drained: deque[Message] = deque()
        self._loop = asyncio.get_running_loop()
        self._heard_s = self._loop.time()

    async def fetch(self, *, messages_max: int, wait_ms: int) -> list[Message]:
        """See `exchange.bus.ports.Consumer.fetch`."""
        until_s = self._loop.time() + wait_ms / 1000
        while not self._drained:
            left_s = until_s - self._loop.time()
            await self._drain(max(0.0, min(left_s, SILENCE_S)))
            if left_s <= 0:
                break
        taken = [self._drained.popleft() for _ in range(min(messages_max, len(self._drained)))]
        for message in taken:
            self._positions[message.topic, message.partition] = message.offset + 1
        if not self._drained:
            self._positions.update(self._reached)
        metrics.BUS_FETCHED.inc(len(taken))
        return taken

    async def _drain(self, wait_s: float) -> None:
        self._drained.extend(await self._fetching.take(wait_s))
        self._reached = await self._fetching.reached()
        if self._drained:
            self._heard_s = self._loop.time()
        elif self._loop.time() - self._heard_s >= SILENCE_S:
            await self._ready()
            self._heard_s = self._loop.time()

    def positions(self) -> dict[Place, int]:
        """See `exchange.bus.ports.Consumer.positions`."""
        return dict(self._positions)

    async def close(self) -> None:
        """See `exchange.bus.ports.Consumer.close`."""
        self._on_close(self)
        await self._fetching.stop()
