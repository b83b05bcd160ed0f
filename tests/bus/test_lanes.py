"""Every way a wire can end, and the outcome that is told."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from exchange.bus.failures import bus_unavailable
from exchange.bus.lanes import REQUEST_BYTES, Batch, LaneProducer, WireFailed
from exchange.bus.ports import BATCH_BYTES, Header, Outcome
from tests.bus.reading import outcomes, produce_all

BATCH_MESSAGES = 3


@dataclass
class FakeBatch:
    """Holds three messages."""

    values: list[bytes | None] = field(default_factory=list)
    attempts: int = 0

    def append(self, value: bytes | None, headers: Sequence[Header]) -> bool:
        if len(self.values) == BATCH_MESSAGES:
            return False
        self.values.append(value)
        return True


@dataclass
class FakeWire:
    """Confirms everything, unless told how the next batches end."""

    endings: list[tuple[int, Exception | None]] = field(default_factory=list)
    handing_over: list[Exception] = field(default_factory=list)
    silent: bool = False
    sent: list[list[bytes | None]] = field(default_factory=list)
    pending: "list[asyncio.Future[None]]" = field(default_factory=list)
    discarded: bool = False

    def batch(self) -> FakeBatch:
        return FakeBatch()

    async def send(self, batch: Batch, topic: str, partition: int) -> "asyncio.Future[None]":
        assert not self.discarded
        assert isinstance(batch, FakeBatch)
        if self.handing_over:
            raise self.handing_over.pop(0)
        self.sent.append(batch.values)
        answer: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.silent:
            batch.attempts = 1
            self.pending.append(answer)
            return answer
        batch.attempts, error = self.endings.pop(0) if self.endings else (1, None)
        if error is None:
            answer.set_result(None)
        else:
            answer.set_exception(error)
        return answer

    async def discard(self) -> None:
        self.discarded = True


class Wires:
    """Hands out the wires it was made of, one after the other."""

    def __init__(self, *wires: FakeWire) -> None:
        self.left = list(wires)
        self.opened: list[FakeWire] = []
        self.failures = 0

    async def open(self) -> FakeWire:
        if self.failures:
            self.failures -= 1
            raise bus_unavailable("nowhere", "ConnectionRefusedError")
        self.opened.append(self.left.pop(0) if self.left else FakeWire())
        return self.opened[-1]

    def producer(self, delivery_ms: int = 2_000) -> LaneProducer:
        return LaneProducer(self.open, delivery_ms=delivery_ms, on_close=lambda _: None)


def refused() -> WireFailed:
    return WireFailed("MessageSizeTooLargeError", refused=True)


def lost() -> WireFailed:
    return WireFailed("KafkaConnectionError", refused=False)


@pytest.mark.parametrize(
    ("attempts", "error", "outcome"),
    [
        (1, None, Outcome.WRITTEN),
        (3, None, Outcome.WRITTEN),
        (1, refused(), Outcome.NOT_WRITTEN),
        (0, lost(), Outcome.NOT_WRITTEN),
        (2, refused(), Outcome.UNKNOWN),
        (1, lost(), Outcome.UNKNOWN),
        (1, ValueError("what the library did not foresee"), Outcome.UNKNOWN),
    ],
)
async def test_each_ending_has_its_outcome(
    attempts: int, error: Exception | None, outcome: Outcome
) -> None:
    wires = Wires(FakeWire(endings=[(attempts, error)]))
    produced = await wires.producer().produce("t", 0, b"x")
    assert produced.outcome is outcome
    assert bool(produced.reason) == (outcome is not Outcome.WRITTEN)


async def test_nothing_heard_until_the_deadline_is_unknown_and_ends_the_wire() -> None:
    wires = Wires(FakeWire(silent=True))
    producer = wires.producer(delivery_ms=100)
    produced = await producer.produce("t", 0, b"x")
    assert produced.outcome is Outcome.UNKNOWN
    await producer.close()
    assert wires.opened[0].discarded
    wires.opened[0].pending[0].set_exception(lost())  # a late answer disturbs nobody


async def test_what_waits_behind_a_failure_is_not_written_so_nothing_jumps_ahead() -> None:
    wires = Wires(FakeWire(endings=[(1, refused())]))
    produced = await produce_all(wires.producer(), "t", [b"%d" % n for n in range(12)])
    assert [one.outcome for one in produced[:3]] == [Outcome.NOT_WRITTEN] * 3
    assert outcomes(produced[6:]) == {Outcome.NOT_WRITTEN}
    assert "earlier message" in produced[-1].reason


async def test_after_a_failure_the_next_call_goes_over_a_fresh_wire() -> None:
    wires = Wires(FakeWire(endings=[(1, refused())]))
    producer = wires.producer()
    assert (await producer.produce("t", 0, b"bad")).outcome is Outcome.NOT_WRITTEN
    assert (await producer.produce("t", 0, b"good")).outcome is Outcome.WRITTEN
    await asyncio.sleep(0)
    assert [wire.discarded for wire in wires.opened] == [True, False]


async def test_a_wire_is_not_discarded_while_another_lane_waits_for_its_answer() -> None:
    silent = FakeWire(silent=True)
    wires = Wires(silent)
    producer = wires.producer()
    waiting = asyncio.create_task(producer.produce("slow", 0, b"x"))
    await asyncio.sleep(0.01)
    silent.silent, silent.endings = False, [(1, refused())]
    assert (await producer.produce("t", 0, b"bad")).outcome is Outcome.NOT_WRITTEN
    assert (await producer.produce("t", 0, b"good")).outcome is Outcome.WRITTEN
    assert not silent.discarded
    silent.pending[0].set_result(None)
    assert (await waiting).outcome is Outcome.WRITTEN
    await producer.close()
    assert silent.discarded


async def test_a_lane_moves_to_the_next_wire_only_with_nothing_left_on_the_last() -> None:
    first = FakeWire(silent=True)
    wires = Wires(first)
    producer = wires.producer()
    waiting = asyncio.create_task(producer.produce("slow", 0, b"1"))
    await asyncio.sleep(0.01)
    first.silent, first.endings = False, [(1, refused())]
    await producer.produce("t", 0, b"bad")
    behind = asyncio.create_task(producer.produce("slow", 0, b"2"))
    await asyncio.sleep(0.01)
    assert not behind.done()
    first.pending[0].set_result(None)
    assert (await waiting).outcome is Outcome.WRITTEN
    assert (await behind).outcome is Outcome.WRITTEN
    assert wires.opened[-1].sent == [[b"2"]]


async def test_a_wire_that_takes_nothing_over_has_written_nothing() -> None:
    wires = Wires(FakeWire(handing_over=[lost()]))
    produced = await wires.producer().produce("t", 0, b"x")
    assert produced.outcome is Outcome.NOT_WRITTEN


async def test_an_absent_bus_is_tried_until_the_deadline_and_no_longer() -> None:
    wires = Wires()
    wires.failures = 1
    assert (await wires.producer().produce("t", 0, b"x")).outcome is Outcome.WRITTEN
    wires.failures = 1_000
    produced = await wires.producer(delivery_ms=300).produce("t", 0, b"x")
    assert (produced.outcome, produced.reason) == (
        Outcome.NOT_WRITTEN,
        "it could not be sent before the deadline",
    )


async def test_bytes_on_one_wire_stay_below_what_a_broker_takes_in_one_request() -> None:
    silent = FakeWire(silent=True)
    producer = Wires(silent).producer()
    large = bytes(4 * BATCH_BYTES)
    lanes = 2 * REQUEST_BYTES // len(large)
    calls = [asyncio.create_task(producer.produce("t", lane, large)) for lane in range(lanes)]
    await asyncio.sleep(0.05)
    assert 1 < sum(len(batch) * len(large) for batch in silent.sent) / len(large) < lanes
    assert sum(len(batch) for batch in silent.sent) * len(large) <= REQUEST_BYTES
    silent.silent = False
    for answer in silent.pending:
        answer.set_result(None)
    assert outcomes(list(await asyncio.gather(*calls))) == {Outcome.WRITTEN}


async def test_small_messages_share_batches_and_keep_their_order() -> None:
    wire = FakeWire()
    await produce_all(Wires(wire).producer(), "t", [b"%d" % n for n in range(7)])
    assert [len(batch) for batch in wire.sent] == [3, 3, 1]
    assert [value for batch in wire.sent for value in batch] == [b"%d" % n for n in range(7)]


async def test_closing_waits_for_what_is_in_flight() -> None:
    wire = FakeWire(silent=True)
    producer = Wires(wire).producer()
    call = asyncio.create_task(producer.produce("t", 0, b"x"))
    await asyncio.sleep(0.01)
    closing = asyncio.create_task(producer.close())
    await asyncio.sleep(0.01)
    assert not closing.done()
    wire.pending[0].set_result(None)
    await closing
    assert (await call).outcome is Outcome.WRITTEN
    assert wire.discarded
