"""Commits into a sink, one after another, each under way while the next bundles are opened.

The order is that of `start`: the next commit begins only when the one before it has returned, so a
sink never sees a position ahead of the one it holds. At most one is under way.
"""

import asyncio
from collections.abc import Callable, Sequence

from exchange import metrics
from exchange.envelope.open import VerifiedHeader
from exchange.flow.ports import Delivery, Sink

Opened = tuple[VerifiedHeader, Delivery]


class Commits:
    """See the module. ``committed`` is called with what a commit holds when it has returned."""

    def __init__(self, sink: Sink, committed: Callable[[Sequence[Opened]], None]) -> None:
        self._sink = sink
        self._committed = committed
        self._under_way: tuple[asyncio.Future[None], Sequence[Opened]] | None = None

    async def start(self, opened: Sequence[Opened]) -> None:
        """Begin to commit ``opened`` together; raises what the commit before it raised."""
        await self.done()
        loop = asyncio.get_running_loop()
        self._under_way = loop.run_in_executor(None, self._commit, opened), opened

    async def done(self) -> None:
        """Return when nothing is under way; raises what the last commit raised, once."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            returned, opened = under_way
            await returned
            self._committed(opened)

    def _commit(self, opened: Sequence[Opened]) -> None:
        with metrics.DELIVER_COMMIT.time():
            self._sink.commit_many([delivery for _, delivery in opened])
