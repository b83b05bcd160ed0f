"""Reads the ledger's topic and keeps the state current.

One follower a process. It reads from the beginning, hands every leaf to the fold, and stops for
good (`LedgerBroken`) when the topic is not the history it pinned or has read before. ``run`` keeps
reading; without it, `catch_up` and `wait_for` read as far as they need::

    follower = Follower(bus, "exchange.ledger", pin, fold)
    await follower.catch_up()
    folded = await follower.wait_for(act_id, timeout_ms=10_000)

Whoever cancels a call loses nothing: messages that were fetched and not yet folded are kept.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final, Protocol

import structlog

from exchange.bus.ports import Bus, Consumer, Message
from exchange.errors import BusUnavailable, LedgerBroken, NotFound, OffsetGone
from exchange.ledger.act import Act
from exchange.ledger.entry import Entry
from exchange.ledger.leaves import Junk, Leaves, rewritten, truncated
from exchange.ledger.mark import Mark
from exchange.ledger.topic import PARTITION, head_gone
from exchange.ledger.verdict import Fold, Folded
from exchange.ledger.waits import Outcome, Waits

FETCH_MESSAGES: Final = 500
FETCH_MS: Final = 250
SLICE: Final = 16
"""Entries folded before others on the event loop get a turn; about 5 ms."""
MARK_S: Final = 1.0
RECHECK_S: Final = 30.0
RETRY_S: Final = 0.5

_LOG = structlog.get_logger(__name__)


class KeepsMark(Protocol):
    """`exchange.ledger.mark.MarkFile`."""

    def load(self) -> Mark | None:
        """The mark, if there is one."""

    def save(self, mark: Mark) -> None:
        """Replace it durably."""


class Follower:
    """The ledger as this process has read it."""

    def __init__(
        self,
        bus: Bus,
        topic: str,
        pin: bytes,
        fold: Fold,
        *,
        mark: KeepsMark | None = None,
        on_junk: Callable[[Junk], None] | None = None,
    ) -> None:
        self.leaves = Leaves(pin, fold)
        self.broken: LedgerBroken | None = None
        self._bus = bus
        self._place = (topic, PARTITION)
        self._mark_file = mark
        self._mark = mark.load() if mark is not None else None
        self._on_junk = on_junk
        self._consumer: Consumer | None = None
        self._reading = asyncio.Lock()
        self._pending: deque[Message] = deque()
        self._running = False
        self._waits = Waits()
        self._listeners: list[Callable[[Folded], None]] = []

    @property
    def size(self) -> int:
        """How many leaves have been folded."""
        return self.leaves.size

    @property
    def read_before(self) -> int:
        """How many leaves the topic had when this process, or the one before it, last looked."""
        return self.size if self._mark is None else max(self.size, self._mark.size)

    def root(self) -> bytes:
        """The RFC 6962 root over them, 32 bytes."""
        return self.leaves.tree.root()

    def listen(self, listener: Callable[[Folded], None]) -> None:
        """Call ``listener`` with every leaf from now on, in order, right after it is folded."""
        self._listeners.append(listener)

    def recall(self, act_id: bytes) -> Folded | None:
        """Where an act took effect or was denied, if that was not long ago."""
        return self._waits.recall(act_id)

    async def catch_up(self) -> None:
        """Return when everything that stood on the topic at the call is folded.

        Raises `LedgerBroken`, `BusUnavailable`.
        """
        end = await self._end()
        while self.leaves.position < end:
            await self._advance(lambda: self.leaves.position >= end)
        if self.size == 0:
            raise self._break(_no_genesis(self._place[0]))
        if self._mark is not None:
            raise self._break(truncated(self._mark.size, self.size, "leaves"))

    async def run(self) -> None:
        """Follow for ever. Returns by cancellation only; raises `LedgerBroken`."""
        self._running = True
        marked_s = rechecked_s = _monotonic_s()
        try:
            while True:
                try:
                    await self._advance()
                    if _monotonic_s() - marked_s > MARK_S:
                        marked_s = _monotonic_s()
                        await self.save_mark()
                    if _monotonic_s() - rechecked_s > RECHECK_S:
                        rechecked_s = _monotonic_s()
                        await self.recheck()
                except BusUnavailable as error:
                    _LOG.warning(
                        "ledger unreachable", topic=self._place[0], category=error.category
                    )
                    await asyncio.sleep(RETRY_S)
        finally:
            self._running = False

    async def wait_for(self, act_id: bytes, *, timeout_ms: int = 30_000) -> Folded:
        """Where the act of this id came to be judged; `BusUnavailable` if it does not in time."""
        self._check_whole()
        known = self._waits.recall(act_id)
        if known is not None:
            return known
        future = self._waits.wait(act_id)
        try:
            return await self._outcome(future, timeout_ms)
        finally:
            self._waits.drop(act_id, future)

    def expect(self, entry: Entry, act: Act) -> Outcome:
        """What becomes of an entry of this process's own, to be awaited with `outcome`."""
        self._check_whole()
        self.leaves.know(entry, act)
        return self._waits.wait(entry.leaf_hash)

    def give_up(self, entry: Entry, future: Outcome) -> None:
        """Stop expecting ``entry``."""
        self.leaves.forget(entry)
        self._waits.drop(entry.leaf_hash, future)

    async def outcome(self, future: Outcome, timeout_ms: int) -> Folded | None:
        """What `expect` promised; None if the entry was not read back in time."""
        try:
            return await self._outcome(future, timeout_ms)
        except BusUnavailable:
            return None

    async def entries(self, first: int, *, count_max: int, bytes_max: int) -> list[bytes]:
        """Raw entries from index ``first`` on, read from the topic again; empty past the end.

        At least one if there is one, then no more than ``bytes_max`` in all. What is read is
        compared with the tree: `LedgerBroken` if it differs.
        """
        last = min(first + count_max, self.size) - 1
        if first < 0 or last < first:
            return []
        found: list[bytes] = []
        weight = 0
        place, end = self._place, self.leaves.offset_of(last)
        consumer = await self._consumer_at(self.leaves.offset_of(first))
        try:
            while consumer.positions()[place] <= end:
                for message in await self._fetch(consumer):
                    if self._is_leaf(message, first + len(found)) and message.value is not None:
                        weight += len(message.value)
                        if found and weight > bytes_max:
                            return found
                        found.append(message.value)
                        if first + len(found) > last:
                            return found
        finally:
            await consumer.close()
        raise self._break(truncated(last + 1, first + len(found), "leaves"))

    async def recheck(self) -> None:
        """Read the newest leaf once more; `LedgerBroken` if the topic no longer has it."""
        await self._end()
        if self.size:
            await self.entries(self.size - 1, count_max=1, bytes_max=0)

    def stop(self, error: LedgerBroken) -> LedgerBroken:
        """Stop for good, because of what somebody else found out; the reason it stopped first."""
        return self._break(error)

    async def save_mark(self) -> None:
        """Put on disk how far this has read, if there is a file for it."""
        if self._mark_file is not None and self._mark is None and self.size:
            mark = Mark(self.size, self.root(), self.leaves.offset_of(self.size - 1))
            await asyncio.to_thread(self._mark_file.save, mark)

    async def close(self) -> None:
        """Save the mark and stop reading."""
        await self.save_mark()
        if self._consumer is not None:
            await self._consumer.close()
            self._consumer = None

    async def _end(self) -> int:
        """The end of the topic, checked against what was read."""
        self._check_whole()
        try:
            first, end = await self._bus.bounds(*self._place)
        except NotFound:
            raise self._break(_no_genesis(self._place[0])) from None
        if end < self.leaves.position:
            raise self._break(truncated(self.leaves.position, end, "offsets"))
        if first > (self.leaves.offset_of(0) if self.size else 0):
            raise self._break(head_gone(self._place[0], first))
        return end

    async def _outcome(self, future: Outcome, timeout_ms: int) -> Folded:
        try:
            async with asyncio.timeout(timeout_ms / 1_000):
                while not (self._running or future.done()):
                    await self._advance(future.done)
                return await asyncio.shield(future)
        except TimeoutError:
            raise BusUnavailable(
                f"the ledger did not show the entry within {timeout_ms} ms",
                f"{timeout_ms} 毫秒内未在账本上读到该条目",
                remedy=("try again; look at Kafka if it stays so", "请重试；若持续请检查 Kafka"),
                failure="read-back",
            ) from None

    async def _advance(self, enough: Callable[[], bool] = lambda: False) -> None:
        """Fetch once and fold what came, unless it is ``enough`` when our turn has come."""
        async with self._reading:
            self._check_whole()
            if enough():
                return
            if self._consumer is None:
                self._consumer = await self._consumer_at(self.leaves.position)
            consumer = self._consumer
            if not self._pending:
                self._pending.extend(await self._fetch(consumer))
            while self._pending:
                self._take_slice()
                await asyncio.sleep(0)
            passed = consumer.positions()[self._place]
            self.leaves.position = max(self.leaves.position, passed)

    def _take_slice(self) -> None:
        for _ in range(min(SLICE, len(self._pending))):
            try:
                taken = self.leaves.take(self._pending[0])
            except LedgerBroken as error:
                raise self._break(error) from None
            self._pending.popleft()
            match taken:
                case Folded():
                    self._tell(taken)
                case Junk():
                    self._alarm(taken)

    def _tell(self, folded: Folded) -> None:
        self._check_mark()
        for listener in self._listeners:
            listener(folded)
        self._waits.resolve(folded)

    def _alarm(self, junk: Junk) -> None:
        _LOG.error("junk on the ledger topic", offset=junk.offset, failure=junk.failure)
        if self._on_junk is not None:
            self._on_junk(junk)

    def _check_mark(self) -> None:
        mark = self._mark
        if mark is None or self.size < mark.size:
            return
        if self.root() != mark.root:
            raise self._break(rewritten(mark.size - 1))
        self._mark = None

    async def _consumer_at(self, offset: int) -> Consumer:
        try:
            return await self._bus.consumer({self._place: offset}, live=True)
        except OffsetGone:
            raise await self._gone() from None

    async def _fetch(self, consumer: Consumer) -> list[Message]:
        try:
            return await consumer.fetch(messages_max=FETCH_MESSAGES, wait_ms=FETCH_MS)
        except OffsetGone:
            raise await self._gone() from None

    async def _gone(self) -> LedgerBroken:
        """Why an offset that was there is there no longer."""
        try:
            await self._end()
        except LedgerBroken as error:
            return error
        return self._break(truncated(self.leaves.position, 0, "offsets"))

    def _is_leaf(self, message: Message, index: int) -> bool:
        if message.offset < self.leaves.offset_of(index):
            return False
        try:
            self.leaves.check_again(message)
        except LedgerBroken as error:
            raise self._break(error) from None
        return message.offset == self.leaves.offset_of(index)

    def _check_whole(self) -> None:
        if self.broken is not None:
            raise self.broken

    def _break(self, error: LedgerBroken) -> LedgerBroken:
        """Stop for good: everybody who waits, now or later, gets ``error``."""
        if self.broken is None:
            self.broken = error
            _LOG.critical("ledger broken", topic=self._place[0], failure=error.failure)
            self._waits.fail(error)
        return self.broken


def _monotonic_s() -> float:
    return asyncio.get_running_loop().time()


def _no_genesis(topic: str) -> LedgerBroken:
    return LedgerBroken(
        f"topic {topic} holds no ledger with the pinned genesis",
        f"主题 {topic} 上没有所固定创世条目的账本",
        remedy=(
            "check the address of Kafka and the pin; a new ledger begins with: exchange init",
            "请核对 Kafka 地址与创世哈希；新账本由 exchange init 建立",
        ),
        failure="no-genesis",
    )
