"""The deterministic twin of Kafka: one process, one seed, faults on demand.

It ships, because the simulation and everybody's tests run on it, and it passes the conformance
tests that `exchange.bus.kafka` passes. `MemoryCluster` is the brokers; any number of `MemoryBus`
objects are clients of one cluster. All chance comes from the cluster's seed and the order of
calls, so a failing run is repeated by its seed. Time is the cluster's own and moves only when told.

::

    cluster = MemoryCluster(seed=7, faults=Faults(lost_acks=0.1, late_appends=0.05))
    hub, provider = cluster.bus("hub"), cluster.bus("provider")
    ...
    cluster.settle()  # late appends land, or are lost, now
    cluster.calm()  # no new faults from here on

What a fault means is what Kafka does in the same case:

==================  =========================================================  ================
fault               what happens                                               the caller sees
==================  =========================================================  ================
``refused``         not written                                                NOT_WRITTEN
``lost_acks``       written, the answer is lost                                UNKNOWN
``late_appends``    written a few calls later, behind messages that came after UNKNOWN
``lost_sends``      never written, the request is lost                         UNKNOWN
``redeliveries``    a reader starts again a little earlier                     messages twice
``reordering``      partitions are interleaved at random and fetched in part   any order between
==================  =========================================================  ================
"""

import asyncio
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from exchange.bus.failures import bus_unavailable, offset_gone, partition_missing
from exchange.bus.lanes import message_bytes
from exchange.bus.ports import (
    MESSAGE_BYTES_MAX,
    TOPIC_BYTES_MAX,
    Header,
    Message,
    Outcome,
    Place,
    Produced,
    TopicSpec,
)
from exchange.bus.topics import FoundTopic, check_topic

START_MS: Final = 1_767_225_600_000
"""2026-01-01T00:00:00Z: where a cluster's clock starts unless told otherwise."""
LATE_CALLS_MAX: Final = 20
"""A late append lands within so many further calls on the cluster."""
REDELIVERED_MAX: Final = 5
_WRITTEN: Final = Produced(Outcome.WRITTEN, "")


@dataclass(frozen=True, slots=True)
class Faults:
    """Chances between 0 and 1, each drawn once a call. The default is a perfect bus."""

    refused: float = 0.0
    lost_acks: float = 0.0
    late_appends: float = 0.0
    lost_sends: float = 0.0
    redeliveries: float = 0.0
    reordering: float = 0.0


@dataclass(slots=True)
class _Partition:
    """Offsets ``first`` up to, not including, ``following``; a gap is an offset without message."""

    first: int = 0
    following: int = 0
    messages: dict[int, Message] = field(default_factory=dict)


@dataclass(slots=True)
class _Late:
    calls: int
    place: Place
    value: bytes | None
    headers: tuple[Header, ...]


class MemoryCluster:
    """The brokers: topics, their messages, a clock, and what goes wrong."""

    def __init__(
        self, *, seed: int = 0, faults: Faults | None = None, now_ms: int = START_MS
    ) -> None:
        self.faults = faults or Faults()
        self.now_ms = now_ms
        self.down = False
        """While true nothing answers, as when every broker is stopped."""
        self._random = random.Random(seed)
        self._topics: dict[str, TopicSpec] = {}
        self._partitions: dict[Place, _Partition] = {}
        self._late: list[_Late] = []
        self._appended = asyncio.Event()

    def bus(self, client_id: str) -> "MemoryBus":
        """One more client."""
        return MemoryBus(self, client_id)

    def advance(self, by_ms: int) -> None:
        """Let time pass; a negative number is a clock set back."""
        self.now_ms += by_ms

    def calm(self) -> None:
        """No new faults from here on; late appends still pending stay so until `settle`."""
        self.faults = Faults()

    def settle(self) -> None:
        """All late appends land now."""
        for late in self._late:
            self._append(late.place, late.value, late.headers)
        self._late.clear()

    def messages(self, topic: str, partition: int) -> tuple[Message, ...]:
        """What stands on a partition now."""
        return tuple(self._partition((topic, partition)).messages.values())

    def expire(self, topic: str, partition: int, first: int) -> None:
        """Retention: everything before offset ``first`` is gone."""
        log = self._partition((topic, partition))
        log.first = max(log.first, min(first, log.following))
        log.messages = {at: m for at, m in log.messages.items() if at >= log.first}

    def truncate(self, topic: str, partition: int, following: int) -> None:
        """An accident or an attack: everything from offset ``following`` on is gone."""
        log = self._partition((topic, partition))
        log.following = max(log.first, min(following, log.following))
        log.messages = {at: m for at, m in log.messages.items() if at < log.following}

    def rewrite(self, topic: str, partition: int, offset: int, value: bytes | None) -> None:
        """An attack by whoever owns the brokers: other bytes at an offset that was read already."""
        log = self._partition((topic, partition))
        log.messages[offset] = replace(log.messages[offset], value=value)

    def skip(self, topic: str, partition: int, offsets: int = 1) -> None:
        """Offsets without a message, as the markers of a transaction leave them."""
        self._partition((topic, partition)).following += offsets

    def _partition(self, place: Place) -> _Partition:
        log = self._partitions.get(place)
        if log is None:
            raise partition_missing(*place)
        return log

    def _answer(self) -> None:
        """Every call on the cluster passes here: late appends come due, or nothing answers."""
        if self.down:
            raise bus_unavailable("memory", "the cluster is down")
        for late in [late for late in self._late if late.calls <= 0]:
            self._late.remove(late)
            self._append(late.place, late.value, late.headers)
        for late in self._late:
            late.calls -= 1

    def _chance(self, of: float) -> bool:
        return of > 0 and self._random.random() < of

    def _append(self, place: Place, value: bytes | None, headers: tuple[Header, ...]) -> None:
        log = self._partition(place)
        message = Message(*place, log.following, value, headers, self.now_ms)
        log.messages[log.following] = message
        log.following += 1
        self._appended.set()
        self._appended = asyncio.Event()

    def _produce(self, place: Place, value: bytes | None, headers: tuple[Header, ...]) -> Produced:
        refused = self._refusal(place, value, headers)
        if refused or self._chance(self.faults.refused):
            return Produced(Outcome.NOT_WRITTEN, refused or "refused by chance")
        if self._chance(self.faults.lost_sends):
            return Produced(Outcome.UNKNOWN, "the request was lost")
        if self._chance(self.faults.late_appends):
            calls = self._random.randint(1, LATE_CALLS_MAX)
            self._late.append(_Late(calls, place, value, headers))
            return Produced(Outcome.UNKNOWN, "the request is late")
        self._append(place, value, headers)
        if self._chance(self.faults.lost_acks):
            return Produced(Outcome.UNKNOWN, "the answer was lost")
        return _WRITTEN

    def _refusal(self, place: Place, value: bytes | None, headers: tuple[Header, ...]) -> str:
        if place not in self._partitions:
            return f"there is no partition {place[1]} of {place[0]}"
        weight = message_bytes(value, headers)
        configured = self._topics[place[0]].config.get("max.message.bytes", str(TOPIC_BYTES_MAX))
        limit = min(MESSAGE_BYTES_MAX, int(configured))
        return f"{weight} bytes; the limit is {limit}" if weight > limit else ""


class MemoryProducer:
    """`exchange.bus.ports.Producer`: every call is answered before the next one runs."""

    def __init__(self, cluster: MemoryCluster) -> None:
        self._cluster = cluster
        self._closed = False

    async def produce(
        self, topic: str, partition: int, value: bytes | None, headers: Sequence[Header] = ()
    ) -> Produced:
        """See `exchange.bus.ports.Producer.produce`."""
        if self._closed:
            return Produced(Outcome.NOT_WRITTEN, "the producer is closed")
        if self._cluster.down:
            return Produced(Outcome.NOT_WRITTEN, "the bus is unavailable")
        self._cluster._answer()
        return self._cluster._produce((topic, partition), value, tuple(headers))

    async def close(self) -> None:
        """See `exchange.bus.ports.Producer.close`."""
        self._closed = True


class MemoryConsumer:
    """`exchange.bus.ports.Consumer` over the cluster's own lists."""

    def __init__(self, cluster: MemoryCluster, start: Mapping[Place, int]) -> None:
        self._cluster = cluster
        self._first = dict(start)
        self._positions = dict(start)

    async def fetch(self, *, messages_max: int, wait_ms: int) -> list[Message]:
        """See `exchange.bus.ports.Consumer.fetch`. Waits in real time, if it waits at all."""
        until_s = asyncio.get_running_loop().time() + wait_ms / 1000
        while True:
            appended = self._cluster._appended
            taken = self._take(messages_max)
            left_s = until_s - asyncio.get_running_loop().time()
            if taken or left_s <= 0:
                return taken
            try:
                async with asyncio.timeout(left_s):
                    await appended.wait()
            except TimeoutError:
                continue

    def positions(self) -> dict[Place, int]:
        """See `exchange.bus.ports.Consumer.positions`."""
        return dict(self._positions)

    async def close(self) -> None:
        """See `exchange.bus.ports.Consumer.close`."""

    def _take(self, messages_max: int) -> list[Message]:
        self._cluster._answer()
        faults, chance = self._cluster.faults, self._cluster._random
        if self._cluster._chance(faults.redeliveries):
            self._go_back()
        places = list(self._positions)
        shuffled = self._cluster._chance(faults.reordering)
        if shuffled:
            chance.shuffle(places)
            messages_max = chance.randint(1, messages_max)
        taken: list[Message] = []
        for place in places:
            taken += self._take_from(place, messages_max - len(taken))
        return _interleaved(taken, chance) if shuffled else taken

    def _take_from(self, place: Place, messages_max: int) -> list[Message]:
        log, position = self._cluster._partition(place), self._positions[place]
        if not log.first <= position <= log.following:
            raise offset_gone(*place, position, log.first, log.following)
        taken: list[Message] = []
        while position < log.following and len(taken) < messages_max:
            if position in log.messages:
                taken.append(log.messages[position])
            position += 1
        self._positions[place] = position
        return taken

    def _go_back(self) -> None:
        place = self._cluster._random.choice(list(self._positions))
        back = self._cluster._random.randint(1, REDELIVERED_MAX)
        earliest = max(self._first[place], self._cluster._partition(place).first)
        self._positions[place] = max(earliest, self._positions[place] - back)


def _interleaved(messages: list[Message], chance: random.Random) -> list[Message]:
    """A random merge of the partitions, each in its own order."""
    slots = [(message.topic, message.partition) for message in messages]
    chance.shuffle(slots)
    queues = {
        place: iter([m for m in messages if (m.topic, m.partition) == place]) for place in slots
    }
    return [next(queues[place]) for place in slots]


class MemoryBus:
    """`exchange.bus.ports.Bus`: one client of a `MemoryCluster`."""

    def __init__(self, cluster: MemoryCluster, client_id: str = "memory") -> None:
        self.cluster = cluster
        self.client_id = client_id

    async def ready(self) -> int:
        """See `exchange.bus.ports.Bus.ready`; the cluster is one broker."""
        self.cluster._answer()
        return 1

    async def producer(self) -> MemoryProducer:
        """See `exchange.bus.ports.Bus.producer`."""
        self.cluster._answer()
        return MemoryProducer(self.cluster)

    async def consumer(self, start: Mapping[Place, int], *, live: bool) -> MemoryConsumer:
        """See `exchange.bus.ports.Bus.consumer`; ``live`` makes no difference here."""
        for place, wanted in start.items():
            first, following = await self.bounds(*place)
            if not first <= wanted <= following:
                raise offset_gone(*place, wanted, first, following)
        return MemoryConsumer(self.cluster, start)

    async def bounds(self, topic: str, partition: int) -> tuple[int, int]:
        """See `exchange.bus.ports.Bus.bounds`."""
        self.cluster._answer()
        log = self.cluster._partition((topic, partition))
        return log.first, log.following

    async def ensure_topic(self, spec: TopicSpec) -> None:
        """See `exchange.bus.ports.Bus.ensure_topic`."""
        self.cluster._answer()
        found = self.cluster._topics.setdefault(spec.name, spec)
        check_topic(spec, FoundTopic(found.partitions, found.replicas, found.config))
        for partition in range(spec.partitions):
            self.cluster._partitions.setdefault((spec.name, partition), _Partition())

    async def broker_time_ms(self) -> int:
        """See `exchange.bus.ports.Bus.broker_time_ms`; leaves no probe behind."""
        self.cluster._answer()
        return self.cluster.now_ms

    async def close(self) -> None:
        """See `exchange.bus.ports.Bus.close`."""
