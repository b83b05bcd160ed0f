"""The ledger as one member follows it: read from Kafka, from the pinned genesis on, folded here.

No hub is asked. Every entry is verified under the keys that the ledger itself names, every verdict
is checked or decided anew, and the tree's root is computed along the way. A small mark beside the
member's keys remembers how far it had read, so a ledger that was cut or rewritten since is noticed.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from exchange.bus.ports import Bus
from exchange.errors import LedgerBroken
from exchange.ledger.follower import Follower
from exchange.ledger.genesis import parse_pin
from exchange.ledger.mark import MarkFile
from exchange.ledger.verdict import Folded
from exchange.registry.lawbook import Decides
from exchange.registry.state import Registry
from exchange.wiring.lawbook import follow_rules


class FollowedLedger:
    """A `LedgerView`. Reads when asked; after `start` it also follows by itself."""

    def __init__(self, bus: Bus, *, topic: str, pin: str, mark: Path | None = None) -> None:
        self._fold = follow_rules()
        self.follower = Follower(
            bus,
            topic,
            parse_pin(pin),
            self._fold,
            mark=MarkFile(mark) if mark is not None else None,
        )
        self._following: asyncio.Task[None] | None = None

    @property
    def registry(self) -> Registry:
        """State at the position reached."""
        return self._fold.registry

    @property
    def engine(self) -> Decides:
        """The rules in force at the position reached; `LedgerBroken` if they are unknown here."""
        return self._fold.engine

    def listen(self, listener: Callable[[Folded], None]) -> None:
        """Hand every leaf to ``listener``, in order; call it before anything is read."""
        self.follower.listen(listener)

    async def catch_up(self) -> None:
        """See `LedgerView`."""
        await self.follower.catch_up()

    async def wait_for(self, act: bytes) -> None:
        """See `LedgerView`."""
        await self.follower.wait_for(act)

    def scrutinise(self) -> None:
        """Ask the rules about every verdict that a hub carried; call it before anything is read."""
        self._fold.scrutinises = True

    def start(self) -> None:
        """Follow in the background until `close`."""
        if self._following is None:
            self._following = asyncio.create_task(self.follower.run())

    async def close(self) -> None:
        """Stop following."""
        if self._following is not None:
            self._following.cancel()
            with suppress(asyncio.CancelledError, LedgerBroken):
                await self._following
            self._following = None
        await self.follower.close()
