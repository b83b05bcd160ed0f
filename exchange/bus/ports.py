"""The seam to the bus: topics, partitions, opaque bytes, and what each call promises.

Everything above this seam knows these types only. Two implementations stand below it and pass one
set of tests: `exchange.bus.kafka` (Apache Kafka) and `exchange.bus.memory` (a seeded twin).

The bus never looks into a value and never logs one. It promises order within a partition and
nothing across partitions; it may deliver a message again after a consumer starts anew. Who needs
"once" compares what a message says of itself (stream and sequence, act id).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Protocol

from exchange.limits import BUNDLE_BYTES_MAX

MESSAGE_BYTES_MAX: Final = BUNDLE_BYTES_MAX + (16 << 10)
"""Largest message `Producer.produce` accepts: a bundle, its headers and Kafka's own framing."""
TOPIC_BYTES_MAX: Final = MESSAGE_BYTES_MAX + (16 << 10)
"""``max.message.bytes`` a topic should have. Kafka applies it to batches of messages, not to one
message, so a topic of small messages needs at least `BATCH_BYTES` too."""
BATCH_BYTES: Final = 1 << 20
"""Small messages of one partition travel together up to about this size."""

Place = tuple[str, int]
"""(topic, partition)."""

Header = tuple[str, bytes]
"""A Kafka header. Headers route (CloudEvents names); nothing trusts them."""


class Outcome(Enum):
    """What is known about a message after `Producer.produce`."""

    WRITTEN = "written"
    """It is on the partition, on all in-sync replicas, and readers can see it."""
    NOT_WRITTEN = "not-written"
    """It is not on the partition and never will be. Produce it again when the reason is gone."""
    UNKNOWN = "unknown"
    """It may be on the partition, or may still land there a little later, or never. Read the
    partition, or produce the *same bytes* again; never make a new message in its place."""


@dataclass(frozen=True, slots=True)
class Produced:
    """An outcome and why; never an offset.

    Offsets come from followers only: a broker that recognises a repeated batch confirms it
    without one.
    """

    outcome: Outcome
    reason: str
    """Empty when written; else a short English phrase for logs, without any record value."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it stands on a partition, whoever wrote it and whatever it holds."""

    topic: str
    partition: int
    offset: int
    value: bytes | None = field(repr=False)
    headers: tuple[Header, ...] = field(repr=False)
    timestamp_ms: int
    """The broker's clock at append, on topics with ``message.timestamp.type=LogAppendTime``."""


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """A topic as it must be. ``config`` holds Kafka's own keys and values, as text."""

    name: str
    partitions: int
    replicas: int
    config: Mapping[str, str]


class Producer(Protocol):
    """Appends to partitions, in the order of the calls."""

    async def produce(
        self, topic: str, partition: int, value: bytes | None, headers: Sequence[Header] = ()
    ) -> Produced:
        """Append one message; returns within the delivery deadline, never raises for the bus.

        Durable when it returns WRITTEN: the message survives kill -9 of the broker, and (with
        the topic's replicas or ``flush.messages=1``) its loss of power.

        Order: the order of calls is the order on the partition. Calls need not wait for one
        another; many in flight share round trips. When one does not end WRITTEN, calls that were
        already waiting behind it on that partition may end NOT_WRITTEN, so that nothing jumps
        ahead of it; produce them again, in order.

        Cancelling the call does not take the message back: it counts as UNKNOWN.
        """
        ...

    async def close(self) -> None:
        """Wait for what is in flight, no longer than the delivery deadline; then refuse calls."""
        ...


class Consumer(Protocol):
    """Reads partitions it was given, from offsets it was given. One caller at a time."""

    async def fetch(self, *, messages_max: int, wait_ms: int) -> list[Message]:
        """The next messages; an empty list when none came within ``wait_ms``.

        Offsets of one partition grow but need not be adjacent: transaction markers and removed
        messages leave gaps, which are no error. Null, oversized or garbage values are delivered
        as they stand.

        Raises `OffsetGone` when the wanted offset is no longer (or not any more) on the
        partition, `BusUnavailable` when the broker stays away. Both may be followed by another
        call; nothing is skipped.
        """
        ...

    def positions(self) -> dict[Place, int]:
        """For each place the offset after the last one handed out or passed over.

        A partition is read to its end when this has reached the second value of `Bus.bounds`.
        """
        ...

    async def close(self) -> None:
        """Stop reading. Positions are the caller's to keep; the bus stores none."""
        ...


class Bus(Protocol):
    """A connection to the brokers, for one process."""

    async def ready(self) -> int:
        """How many brokers answer; raises `BusUnavailable` within a bounded time.

        A topic has at most as many replicas.
        """
        ...

    async def producer(self) -> Producer:
        """A producer of its own. Raises `BusUnavailable`."""
        ...

    async def consumer(self, start: Mapping[Place, int], *, live: bool) -> Consumer:
        """A reader of exactly these partitions from these offsets; no groups, no rebalancing.

        ``live`` readers get a message within about 20 ms of its append; the others get bigger
        bites. Raises `OffsetGone` when an offset lies outside the partition, `NotFound` when
        there is no such partition, `BusUnavailable`.
        """
        ...

    async def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """The first offset kept and the next one to be written.

        Raises `NotFound` and `BusUnavailable`.
        """
        ...

    async def ensure_topic(self, spec: TopicSpec) -> None:
        """Create the topic or check the one that exists; never changes an existing topic.

        Raises `TopicMisconfigured`, naming the first key that differs, and `BusUnavailable`.
        """
        ...

    async def broker_time_ms(self) -> int:
        """The broker's clock now, from a probe message appended to `CLOCK_TOPIC`.

        Hubs compare it with their own before they append. Raises `BusUnavailable`.
        """
        ...

    async def close(self) -> None:
        """Close what this bus opened, producers and consumers included."""
        ...


CLOCK_TOPIC: Final = "exchange.clock"
"""Holds nothing but probes of `Bus.broker_time_ms`; may be deleted at any time."""
CLOCK_CONFIG: Final[Mapping[str, str]] = {
    "cleanup.policy": "delete",
    "message.timestamp.type": "LogAppendTime",
    "retention.ms": "600000",
    "segment.bytes": "1048576",
}
