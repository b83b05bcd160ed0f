"""What turns a client library's "sent", "failed" and silence into three honest outcomes.

A lane is the queue of one partition. Calls enter it in order; its task fills batches, hands them
to a wire (one idempotent producer of the client library) and settles each call:

========================================  ==============  =======================================
what the wire reports                     on the broker?  outcome
========================================  ==============  =======================================
confirmed, or recognised as a repetition  yes             WRITTEN
refused at the first attempt              no              NOT_WRITTEN
failed before any attempt                 no              NOT_WRITTEN
refused or failed after a second attempt  perhaps         UNKNOWN: the first may have been written
nothing until the delivery deadline       perhaps         UNKNOWN: the wire is still trying
caller cancelled                          perhaps         the message is sent all the same
========================================  ==============  =======================================

After anything but a confirmation the wire is retired: with idempotence, one batch that failed
leaves a hole in the wire's sequence numbers and every later batch of that partition would fail
too. A retired wire gets no new batches, finishes what it has, and is discarded, which also ends
its retries. A lane moves to the next wire only when it has nothing left on the last one, so that
messages keep their order.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from exchange import metrics
from exchange.bus.ports import MESSAGE_BYTES_MAX, Header, Outcome, Produced
from exchange.errors import BusUnavailable

REQUEST_BYTES: Final = 32 << 20
"""Handed to a wire and not yet answered, over all partitions. One request carries them all, and a
broker cuts the connection at 100 MiB (``socket.request.max.bytes``), for ever."""
LANE_BATCHES: Final = 2
"""Batches of one lane on the wire: one under way, one filled behind it."""
REOPEN_S: Final = 0.2
RECORD_OVERHEAD_BYTES: Final = 128
"""Kafka's framing of a batch and of one record in it, rounded up."""

WRITTEN: Final = Produced(Outcome.WRITTEN, "")


class WireFailed(Exception):
    """A batch was not confirmed. ``refused``: the broker looked at it and said no."""

    def __init__(self, reason: str, *, refused: bool) -> None:
        super().__init__(reason)
        self.reason = reason
        self.refused = refused


class Batch(Protocol):
    """Messages of one partition that travel together."""

    @property
    def attempts(self) -> int:
        """How often it was put into a request so far."""
        ...

    def append(self, value: bytes | None, headers: Sequence[Header]) -> bool:
        """Add a message; False when the batch is full (never for the first message)."""
        ...


class Wire(Protocol):
    """One idempotent producer of the client library."""

    def batch(self) -> Batch:
        """An empty batch."""
        ...

    async def send(self, batch: Batch, topic: str, partition: int) -> "asyncio.Future[None]":
        """Hand over; the future ends when confirmed or with `WireFailed`.

        Raises `WireFailed` when nothing was handed over; a cancelled call hands nothing over.
        """
        ...

    async def discard(self) -> None:
        """Stop retrying and disconnect; nothing is sent after this returns."""
        ...


@dataclass(slots=True)
class _Call:
    value: bytes | None
    headers: tuple[Header, ...]
    bytes: int
    deadline: float
    produced: "asyncio.Future[Produced]"

    def settle(self, produced: Produced) -> None:
        if not self.produced.done():
            self.produced.set_result(produced)


@dataclass(slots=True)
class _Flight:
    """A wire with what is on it."""

    wire: Wire
    batches: int = 0
    bytes: int = 0
    retired: bool = False


@dataclass(slots=True)
class _Lane:
    topic: str
    partition: int
    queue: "deque[_Call]" = field(default_factory=deque)
    task: "asyncio.Task[None] | None" = None
    flight: _Flight | None = None
    batches: int = 0


def message_bytes(value: bytes | None, headers: Sequence[Header]) -> int:
    """What a message weighs on the wire, rounded up."""
    named = sum(len(name.encode()) + len(content) + 20 for name, content in headers)
    return len(value or b"") + named + RECORD_OVERHEAD_BYTES


class LaneProducer:
    """`exchange.bus.ports.Producer` over wires.

    ``open_wire`` makes a wire or raises `BusUnavailable`; ``delivery_ms`` bounds every call.
    """

    def __init__(
        self,
        open_wire: Callable[[], Awaitable[Wire]],
        *,
        delivery_ms: int,
        on_close: Callable[["LaneProducer"], None],
    ) -> None:
        self._open_wire = open_wire
        self._on_close = on_close
        self._delivery_s = delivery_ms / 1000
        self._lanes: dict[tuple[str, int], _Lane] = {}
        self._flight: _Flight | None = None
        self._opening = asyncio.Lock()
        self._settled = asyncio.Condition()
        self._background: set[asyncio.Task[None]] = set()
        self._closed = False

    async def open(self) -> None:
        """Make the first wire now, so that an absent broker is reported at once."""
        await self._current()

    async def produce(
        self, topic: str, partition: int, value: bytes | None, headers: Sequence[Header] = ()
    ) -> Produced:
        """See `exchange.bus.ports.Producer.produce`."""
        with metrics.BUS_PRODUCE.time():
            produced = await self._queued(topic, partition, value, headers)
        metrics.BUS_PRODUCED.labels(outcome=produced.outcome.value).inc()
        return produced

    async def _queued(
        self, topic: str, partition: int, value: bytes | None, headers: Sequence[Header]
    ) -> Produced:
        weight = message_bytes(value, headers)
        if self._closed:
            return Produced(Outcome.NOT_WRITTEN, "the producer is closed")
        if weight > MESSAGE_BYTES_MAX:
            return Produced(
                Outcome.NOT_WRITTEN, f"{weight} bytes; the limit is {MESSAGE_BYTES_MAX}"
            )
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._delivery_s
        call = _Call(value, tuple(headers), weight, deadline, loop.create_future())
        lane = self._lanes.setdefault((topic, partition), _Lane(topic, partition))
        lane.queue.append(call)
        if lane.task is None:
            lane.task = self._spawn(self._drive(lane))
        return await asyncio.shield(call.produced)

    async def close(self) -> None:
        """See `exchange.bus.ports.Producer.close`."""
        self._closed = True
        self._on_close(self)
        while self._background:
            await asyncio.wait(set(self._background))
        if self._flight is not None:
            flight, self._flight = self._flight, None
            await flight.wire.discard()

    def _spawn(self, coroutine: Coroutine[None, None, None]) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(coroutine)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        return task

    async def _drive(self, lane: _Lane) -> None:
        """Empty the lane's queue, batch by batch, then end."""
        try:
            while lane.queue:
                async with asyncio.timeout_at(lane.queue[0].deadline):
                    flight = await self._place_on_wire(lane)
                if lane.queue:
                    await self._send_next(lane, flight)
        except TimeoutError:
            _refuse_queue(lane, "it could not be sent before the deadline")
        finally:
            lane.task = None

    async def _send_next(self, lane: _Lane, flight: _Flight) -> None:
        batch = flight.wire.batch()
        calls = _fill(batch, lane.queue)
        weight = sum(call.bytes for call in calls)
        self._count(lane, flight, 1, weight)
        try:
            async with asyncio.timeout_at(calls[0].deadline):
                sent = await flight.wire.send(batch, lane.topic, lane.partition)
        except (WireFailed, TimeoutError) as error:
            self._fail(lane, flight, calls, _produced(error, attempts=0))
            await self._release(lane, flight, weight)
            return
        self._spawn(self._settle(lane, flight, batch, calls, sent, weight))

    async def _settle(
        self,
        lane: _Lane,
        flight: _Flight,
        batch: Batch,
        calls: list[_Call],
        sent: "asyncio.Future[None]",
        weight: int,
    ) -> None:
        """Wait for the answer to one batch, no longer than its first call's deadline."""
        wait_s = calls[0].deadline - asyncio.get_running_loop().time()
        await asyncio.wait({sent}, timeout=max(0.0, wait_s))
        if not sent.done():
            sent.add_done_callback(_retrieve)
            self._fail(lane, flight, calls, Produced(Outcome.UNKNOWN, "no answer in time"))
        elif (error := sent.exception()) is None:
            for call in calls:
                call.settle(WRITTEN)
        else:
            self._fail(lane, flight, calls, _produced(error, batch.attempts))
        await self._release(lane, flight, weight)

    def _fail(self, lane: _Lane, flight: _Flight, calls: list[_Call], produced: Produced) -> None:
        for call in calls:
            call.settle(produced)
        _refuse_queue(lane, "an earlier message of this partition was not confirmed")
        if not flight.retired:
            flight.retired = True
            metrics.BUS_DISCARDS.inc()
            if self._flight is flight:
                self._flight = None

    def _count(self, lane: _Lane, flight: _Flight, batches: int, weight: int) -> None:
        lane.flight = flight
        lane.batches += batches
        flight.batches += batches
        flight.bytes += batches * weight

    async def _release(self, lane: _Lane, flight: _Flight, weight: int) -> None:
        self._count(lane, flight, -1, weight)
        async with self._settled:
            self._settled.notify_all()
        if flight.retired and flight.batches == 0:
            await flight.wire.discard()

    async def _place_on_wire(self, lane: _Lane) -> _Flight:
        """The wire for the lane's next batch, once there is one and it has room.

        Keeps trying while the brokers are away: the caller bounds it by the call's deadline.
        """
        while True:
            try:
                flight = await self._current()
            except BusUnavailable:
                await asyncio.sleep(REOPEN_S)
                continue
            async with self._settled:
                if self._fits(lane, flight):
                    return flight
                await self._settled.wait()
                if not lane.queue:
                    return flight

    def _fits(self, lane: _Lane, flight: _Flight) -> bool:
        moving = lane.batches > 0 and lane.flight is not flight
        full = flight.bytes > 0 and flight.bytes + lane.queue[0].bytes > REQUEST_BYTES
        return not (flight.retired or moving or full or lane.batches >= LANE_BATCHES)

    async def _current(self) -> _Flight:
        async with self._opening:
            if self._flight is None:
                self._flight = _Flight(await self._open_wire())
            return self._flight


def _fill(batch: Batch, queue: "deque[_Call]") -> list[_Call]:
    calls: list[_Call] = []
    while queue and batch.append(queue[0].value, queue[0].headers):
        calls.append(queue.popleft())
    return calls


def _produced(error: BaseException, attempts: int) -> Produced:
    """The outcome of a batch that ended with ``error`` after ``attempts``."""
    refused = isinstance(error, WireFailed) and error.refused
    reason = error.reason if isinstance(error, WireFailed) else type(error).__name__
    known = attempts == 0 or (refused and attempts == 1)
    return Produced(Outcome.NOT_WRITTEN if known else Outcome.UNKNOWN, reason)


def _refuse_queue(lane: _Lane, reason: str) -> None:
    while lane.queue:
        lane.queue.popleft().settle(Produced(Outcome.NOT_WRITTEN, reason))


def _retrieve(late: "asyncio.Future[None]") -> None:
    """Take the late answer's exception, so that the loop does not report it as forgotten."""
    if not late.cancelled():
        late.exception()
