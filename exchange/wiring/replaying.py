"""Where an auditor takes a ledger from, and the fold and the processes that replay it.

::

    with verifiers(processes) as checked:
        replay = Replay(home.pin, auditing_fold(), checked)
        async for messages in topic_messages(bus, topic):
            replay.take(messages)
        replay.finish()
"""

import gc
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from exchange.audit.archive import ArchiveReader
from exchange.audit.replay import Replay
from exchange.bus.ports import Bus, Message
from exchange.errors import LedgerBroken, NotFound
from exchange.ledger.leaves import rewritten, truncated
from exchange.ledger.logreader import LogReader
from exchange.ledger.mark import Mark, MarkFile
from exchange.ledger.topic import PARTITION
from exchange.registry.fold import RegistryFold
from exchange.wiring.lawbook import follow_rules
from keys.verifiers import Verifiers

FETCH_MESSAGES: Final = 2_000
FETCH_MS: Final = 1_000
WORTHWHILE: Final = 4_000
"""Entries below which starting other processes takes longer than they save."""
PROCESSES_MAX: Final = 8
"""More find nothing to do: folding has an order, and one process does it."""


def auditing_fold() -> RegistryFold:
    """A fold from nothing that follows every adoption of rules."""
    return follow_rules()


@contextmanager
def verifiers(processes: int | None, expected: int | None) -> Iterator[Verifiers]:
    """So many processes; by default one for every core but this one's, if there is work for them.

    ``expected`` is the number of entries to come, None if nobody knows.
    """
    with _verifiers(processes, expected) as checked, seldom_collected():
        yield checked


@contextmanager
def seldom_collected() -> Iterator[None]:
    """Look for garbage seldom while a ledger is folded: there is next to none, and much to look at.

    What entries leave behind holds no cycles and is freed at once; the state only grows. With
    Python's usual thresholds a sixth of a replay's time goes into looking.
    """
    usual = gc.get_threshold()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*usual)


def _verifiers(processes: int | None, expected: int | None) -> Verifiers:
    if processes is None:
        spare = len(os.sched_getaffinity(0)) - 1
        few = expected is not None and expected < WORTHWHILE
        processes = 0 if few else min(PROCESSES_MAX, spare)
    return Verifiers(processes)


async def topic_messages(
    bus: Bus, topic: str, tell: Callable[[int], None] = lambda _: None, *, follow: bool = False
) -> AsyncIterator[list[Message]]:
    """Everything that stands on the ledger's topic now; ``tell`` hears how many came.

    With ``follow`` also what comes later, without end; an empty list when nothing came for a while.
    """
    first, end = await topic_bounds(bus, topic)
    consumer = await bus.consumer({(topic, PARTITION): first}, live=False)
    try:
        while (at := consumer.positions()[topic, PARTITION]) < end or follow:
            messages = await consumer.fetch(messages_max=FETCH_MESSAGES, wait_ms=FETCH_MS)
            yield [message for message in messages if follow or message.offset < end]
            tell(consumer.positions()[topic, PARTITION] - at)
    finally:
        await consumer.close()


async def topic_bounds(bus: Bus, topic: str) -> tuple[int, int]:
    """First and end offset of the ledger's topic; `LedgerBroken` if there is none."""
    try:
        return await bus.bounds(topic, PARTITION)
    except NotFound:
        raise LedgerBroken(
            f"topic {topic} holds no ledger",
            f"主题 {topic} 上没有账本",
            remedy=("check the address of Kafka", "请核对 Kafka 地址"),
            failure="no-genesis",
        ) from None


async def log_messages(
    log: LogReader, size: int, tell: Callable[[int], None] = lambda _: None
) -> AsyncIterator[list[Message]]:
    """The first ``size`` entries of a published log, bundle by bundle. Who reads verifies them."""
    at = 0
    async for entries in log.bundles(0, size):
        yield as_messages(entries, at)
        at += len(entries)
        tell(len(entries))


def archive_messages(reader: ArchiveReader) -> Iterator[list[Message]]:
    """The entries of an archive."""
    for entries in reader.blocks():
        yield as_messages(entries, reader.size - len(entries))


def as_messages(entries: Sequence[bytes], first: int) -> list[Message]:
    """Entries from index ``first`` on in the form in which the topic delivers them."""
    return [Message("", PARTITION, first + at, raw, (), 0) for at, raw in enumerate(entries)]


def check_mark(file: MarkFile, replay: Replay, *, of_topic: bool = True) -> None:
    """Compare with how far this machine had read before; of a topic, note how far it has read now.

    `LedgerBroken` if the ledger is shorter than it was, or has another past.
    """
    tree, mark = replay.leaves.tree, file.load()
    if mark is not None and tree.size < mark.size:
        raise truncated(mark.size, tree.size, "leaves")
    if mark is not None and tree.root(mark.size) != mark.root:
        raise rewritten(mark.size - 1)
    if of_topic and tree.size and (mark is None or mark.size < tree.size):
        file.save(Mark(tree.size, tree.root(), replay.leaves.offset_of(tree.size - 1)))
