"""Bring kept bundles to the broker: the same bytes again until an acknowledgement comes.

A produce has three outcomes (exchange/bus/ports.py). Written: settled. Not written or unknown: the
bundle stays in the spool, and everything of the spool is sent again, each stream in its order,
until all is acknowledged or the deadline passes. A bundle that arrives twice is a duplicate that
readers count and drop; a second bundle for one sequence number is never made.
"""

import asyncio
from typing import Final, Protocol

from exchange import metrics
from exchange.bus.outbox import Kept, Line, Outbox, Unsent
from exchange.bus.ports import Header, Outcome, Producer
from exchange.errors import BusUnavailable
from exchange.flow.ports import Clock

IN_FLIGHT_BYTES_MAX: Final = 8 << 20
"""Sealed bundles in memory that wait for an acknowledgement."""
PAUSE_MS: Final = 250
"""Between two rounds of sending again."""


class Opens(Protocol):
    """Makes producers; a producer that failed is thrown away."""

    async def producer(self) -> Producer:
        """A fresh producer. Raises BusUnavailable."""
        ...


class Sender:
    """Sends bundles of one spool; many in flight, each stream in order."""

    def __init__(self, bus: Opens, outbox: Outbox, *, clock: Clock, deadline_ms: int) -> None:
        self._bus = bus
        self._outbox = outbox
        self._clock = clock
        self._deadline_ms = deadline_ms
        self._producer: Producer | None = None
        self._flying: dict[asyncio.Task[bool], int] = {}
        self._failed = False

    async def send(self, line: Line, kept: Kept) -> None:
        """Start sending ``kept``; waits only while too many bytes are in flight."""
        while sum(self._flying.values()) + len(kept.raw) > IN_FLIGHT_BYTES_MAX and self._flying:
            await asyncio.wait(self._flying, return_when=asyncio.FIRST_COMPLETED)
        if self._failed:
            return  # `settle` sends it, in order, behind the one that failed
        unsent = Unsent(line.topic, line.partition, kept.stream, kept.sequence, kept.raw)
        producer = await self._open()
        if producer is None:
            return
        task = asyncio.create_task(self._produce(producer, unsent))
        self._flying[task] = len(kept.raw)
        task.add_done_callback(self._landed)
        await asyncio.sleep(0)  # lets the produce join the queue before the next one

    async def settle(self) -> None:
        """Return when every bundle of the spool is acknowledged.

        Raises BusUnavailable after the deadline; the bundles stay in the spool and the next run
        sends them.
        """
        deadline = self._clock() + self._deadline_ms
        await self._land()
        while self._failed or self._outbox.pending():
            self._failed = False
            await self._send_all_again()
            if not self._failed:
                continue
            if self._clock() >= deadline:
                raise _stuck()
            await asyncio.sleep(PAUSE_MS / 1000)

    async def close(self) -> None:
        """Wait for what is in flight and close."""
        await self._land()
        await self._drop_producer()
        self._outbox.save()

    async def _land(self) -> None:
        if self._flying:
            await asyncio.wait(self._flying)

    def _landed(self, task: asyncio.Task[bool]) -> None:
        del self._flying[task]
        self._failed = self._failed or task.cancelled() or not task.result()

    async def _send_all_again(self) -> None:
        await self._drop_producer()
        producer = await self._open()
        after = (b"", -1)
        while producer is not None and (page := self._outbox.unsent(after)):
            for unsent in page:
                metrics.PUBLISH_RESENT.inc()
                if not await self._produce(producer, unsent):
                    self._failed = True
                    return
            after = (page[-1].stream, page[-1].sequence)

    async def _open(self) -> Producer | None:
        if self._producer is None:
            try:
                self._producer = await self._bus.producer()
            except BusUnavailable:
                self._failed = True
        return self._producer

    async def _drop_producer(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.close()

    async def _produce(self, producer: Producer, unsent: Unsent) -> bool:
        produced = await producer.produce(
            unsent.topic, unsent.partition, unsent.raw, routing_headers(unsent)
        )
        if produced.outcome is not Outcome.WRITTEN:
            return False
        self._outbox.settle([(unsent.stream, unsent.sequence)])
        return True


def routing_headers(unsent: Unsent) -> tuple[Header, ...]:
    """CloudEvents names for routers and people; nothing trusts them."""
    return (
        ("ce_specversion", b"1.0"),
        ("ce_type", b"exchange.bundle.v1"),
        ("ce_source", unsent.stream.hex().encode()),
        ("ce_id", str(unsent.sequence).encode()),
        ("content-type", b"application/cbor"),
    )


def _stuck() -> BusUnavailable:
    return BusUnavailable(
        "Kafka did not acknowledge; sealed bundles wait in the spool",
        "Kafka 未确认；已加密的数据包保留在缓冲文件中",
        remedy=(
            "nothing is lost: start Kafka and run the same command again",
            "数据没有丢失：请启动 Kafka 后重新执行同一命令",
        ),
    )
