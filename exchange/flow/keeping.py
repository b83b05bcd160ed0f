"""Sealed bundles into the spool, then to the brokers: durable first, whatever else goes on.

While one transaction of the spool is being written, in a thread, the next bundles are sealed;
those that are ready when it returns share the next one. So a disk costs a bulk load no time, and a
single record waits for one write. A bundle is handed to the sender only after the transaction that
holds it has returned.

A spool that cannot be written ends its publisher: what was sealed since the last transaction never
existed, so every later call raises what the spool said, and the caller, whose `flush` has not
returned, pushes those records again with a fresh publisher.
"""

import asyncio
from collections.abc import Sequence
from typing import Final

from exchange import metrics
from exchange.bus.outbox import Kept, Line, Outbox
from exchange.flow.send import Sender

KEEP_BYTES: Final = 4 << 20
"""Bundles that wait for the spool, and bundles in one transaction of it: at most about so large."""

Sealed = tuple[Line, Kept]


class Keeping:
    """See the module. One task at a time may call it."""

    def __init__(self, outbox: Outbox, sender: Sender) -> None:
        self._outbox = outbox
        self._sender = sender
        self._waiting: list[Sealed] = []
        self._bytes = 0
        self._writing: asyncio.Task[None] | None = None

    async def add(self, sealed: Sequence[Sealed]) -> None:
        """Take in bundles, each stream in order; waits only while `KEEP_BYTES` wait already.

        Raises DiskFull.
        """
        if self._is_idle():
            self._writing = asyncio.create_task(self._write())
        self._waiting.extend(sealed)
        self._bytes += sum(len(kept.raw) for _, kept in sealed)
        await asyncio.sleep(0)  # lets what was kept before go on to the brokers
        if self._bytes > KEEP_BYTES:
            await self.done()

    async def done(self) -> None:
        """Return when everything taken in is durable and on its way. Raises DiskFull."""
        await self.close()
        self._is_idle()

    async def close(self) -> None:
        """The same, but leave it to `add` and `done` to say that the spool failed."""
        if self._writing is not None:
            await asyncio.wait({self._writing})

    def _is_idle(self) -> bool:
        """Whether nothing is being written; raises, every time, what the last writing raised."""
        if self._writing is not None and self._writing.done():
            self._writing.result()
            self._writing = None
        return self._writing is None

    async def _write(self) -> None:
        """Keep and send what waits until nothing does."""
        while self._waiting:
            ready, self._waiting, self._bytes = self._waiting, [], 0
            await asyncio.to_thread(self._outbox.keep, [kept for _, kept in ready])
            for line, kept in ready:
                metrics.PUBLISH_BUNDLES.labels(dataset=line.dataset).inc()
                metrics.PUBLISH_BUNDLE_BYTES.observe(len(kept.raw))
                await self._sender.send(line, kept)
