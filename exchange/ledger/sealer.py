"""Keeps the published log no more than a second behind the ledger; LOG-SPEC.md section 5.

A task beside the follower. It waits for entries, gathers for a moment what comes at once, and seals
all of it under one head; files and signatures are made in a thread, so that nobody waits for a
disk. A full disk is waited out (`trouble` says so); a tree that contradicts the last signed head
stops the follower, and with it everything this hub does.

::

    sealer = Sealer(follower, sealing, now_ms=clock.now_ms)
    sealer.begin()  # once the follower has caught up, before anybody appends
    await sealer.run()
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import structlog

from exchange import metrics
from exchange.errors import BusUnavailable, DiskFull, LedgerBroken
from exchange.ledger.cosignature import SignedHead
from exchange.ledger.follower import Follower
from exchange.ledger.merkle import Tree
from exchange.ledger.note import SignatureLine
from exchange.ledger.sealing import Sealing
from exchange.ledger.tiles import BUNDLE_BYTES_MAX
from exchange.ledger.verdict import Folded

PAUSE_S: Final = 0.25
"""Entries that come within it of the first share one head."""
SPACED: Final = 2
"""So many pauses lie between two heads: a hub's disk is for its entries first."""
RETRY_S: Final = 1.0
AGAIN_S: Final = 2.0
"""Silent witnesses are asked again so often while nothing new is sealed."""
ENTRIES_MAX: Final = 4_096
"""Under one head; more only where a hub publishes a ledger that it did not publish before."""
RECENT_BYTES_MAX: Final = 32 << 20
READ_BYTES_MAX: Final = 2 * BUNDLE_BYTES_MAX
"""At once from the topic; more than the open bundle can hold, so that there is always progress."""
_MS: Final = 1_000

_LOG = structlog.get_logger(__name__)


class Cosigns(Protocol):
    """The witnesses, as a sealer sees them."""

    @property
    def missing(self) -> int:
        """How many witnesses have not signed the head that was asked about last."""

    async def collect(self, head: SignedHead, tree: Tree) -> Sequence[SignatureLine]:
        """Their lines on ``head`` so far, after a bounded wait for a quorum; never raises."""


class Sealer:
    """Publishes what ``follower`` has folded."""

    def __init__(
        self,
        follower: Follower,
        sealing: Sealing,
        *,
        now_ms: Callable[[], int],
        witnesses: Cosigns | None = None,
        pause_s: float = PAUSE_S,
    ) -> None:
        self.trouble: DiskFull | BusUnavailable | None = None
        self.published_ms = 0
        """When the newest checkpoint was signed, as far as its lines say, or else published."""
        self._follower = follower
        self._sealing = sealing
        self._now_ms = now_ms
        self._witnesses = witnesses
        self._pause_s = pause_s
        self._sealed_s = -math.inf
        self._recent: deque[tuple[int, bytes]] = deque()
        self._recent_bytes = 0
        self._fresh = asyncio.Event()
        follower.listen(self._note)

    @property
    def size(self) -> int:
        """How many entries are under the last signed head."""
        return self._sealing.size

    @property
    def published_size(self) -> int:
        """How many entries are under the checkpoint that is served."""
        return self._sealing.published_size

    @property
    def signed(self) -> SignedHead | None:
        """The last signed head."""
        return self._sealing.signed

    @property
    def cosignatures_missing(self) -> int:
        """How many witnesses have not signed the newest head."""
        return 0 if self._witnesses is None else self._witnesses.missing

    def begin(self) -> None:
        """Take up the log where it was left. Raises `LedgerBroken`; OSError for a sick disk."""
        try:
            self._sealing.begin(self._follower.leaves.tree)
        except LedgerBroken as error:
            raise self._follower.stop(error) from None
        if self.signed is not None:
            self.published_ms = self.signed.time_s * _MS or self._now_ms()
        self._fresh.set()

    async def run(self) -> None:
        """Seal for ever. Returns by cancellation only; raises `LedgerBroken`."""
        while True:
            await self._woken()
            try:
                if self.size < self._follower.size:
                    await self.seal()
                else:
                    await self._cosign_again()
                if self.size < self._follower.size:
                    self._fresh.set()
                self.trouble = None
            except BusUnavailable as error:
                await self._wait(error)
            except OSError as error:
                await self._wait(_no_room(error))
            except LedgerBroken as error:
                raise self._follower.stop(error) from None

    async def seal(self) -> None:
        """Seal what has been folded, `ENTRIES_MAX` entries of it at most."""
        entries = await self._entries()
        self._sealed_s = _monotonic_s()
        with metrics.LOG_SEAL.time():
            draft = self._sealing.draft(self._follower.leaves.tree, entries)
            now_s = self._now_ms() // _MS
            head = await asyncio.to_thread(self._sealing.sign, draft, now_s=now_s)
        await self._cosign_and_publish(head)
        self.published_ms = self._now_ms()
        metrics.LOG_SIZE.set(head.checkpoint.size)
        metrics.LOG_SEALED_AT.set(self.published_ms / _MS)
        metrics.LOG_UNSEALED.set(self._follower.size - self.size)

    async def _woken(self) -> None:
        """Return when there are entries to seal, or cosignatures to ask for once more."""
        missing = self._witnesses is not None and self._witnesses.missing and self.size
        try:
            async with asyncio.timeout(AGAIN_S if missing else None):
                await self._fresh.wait()
        except TimeoutError:
            return
        if self._follower.size - self.size < ENTRIES_MAX:
            again_s = self._sealed_s + SPACED * self._pause_s - _monotonic_s()
            await asyncio.sleep(max(self._pause_s, again_s))
        self._fresh.clear()

    async def _cosign_again(self) -> None:
        """Ask the witnesses that were silent; publish what could not be written before."""
        missing = self._witnesses is not None and self._witnesses.missing
        if self.signed is not None and (missing or self._sealing.unpublished):
            await self._cosign_and_publish(self.signed)

    async def _cosign_and_publish(self, head: SignedHead) -> None:
        lines: Sequence[SignatureLine] = ()
        if self._witnesses is not None:
            lines = await self._witnesses.collect(head, self._follower.leaves.tree)
        await asyncio.to_thread(self._publish, head, lines)

    def _publish(self, head: SignedHead, lines: Sequence[SignatureLine]) -> None:
        self._sealing.publish(head, lines)
        self._sealing.sweep()

    async def _entries(self) -> list[bytes]:
        """The entries that the next draft needs: from memory, or read from the topic again."""
        first, end = self._sealing.next_first, min(self._follower.size, self.size + ENTRIES_MAX)
        if self._recent and self._recent[0][0] <= first:
            return [raw for index, raw in self._recent if first <= index < end]
        return await self._follower.entries(first, count_max=end - first, bytes_max=READ_BYTES_MAX)

    def _note(self, folded: Folded) -> None:
        """Remember a leaf that was just folded, and forget what is sealed or too much."""
        raw = folded.entry.raw
        self._recent.append((folded.index, raw))
        self._recent_bytes += len(raw)
        first = self._sealing.next_first
        while self._recent and (
            self._recent[0][0] < first or self._recent_bytes > RECENT_BYTES_MAX
        ):
            self._recent_bytes -= len(self._recent.popleft()[1])
        metrics.LOG_UNSEALED.set(folded.index + 1 - self.size)
        self._fresh.set()

    async def _wait(self, trouble: DiskFull | BusUnavailable) -> None:
        self.trouble = trouble
        _LOG.warning("log not sealed", failure=trouble.failure, checkpoint=self.size)
        self._fresh.set()
        await asyncio.sleep(RETRY_S)


def _monotonic_s() -> float:
    return asyncio.get_running_loop().time()


def _no_room(error: OSError) -> DiskFull:
    return DiskFull(
        f"the log cannot be written: {error.strerror}",
        f"无法写入日志文件：{error.strerror}",
        remedy=("make room on its disk, and check its rights", "请清理磁盘空间并检查权限"),
        failure="disk",
    )
