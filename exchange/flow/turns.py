"""One piece of work at a time, and members in turn: who brings much keeps only itself waiting.

    turns = Turns()
    async with turns.of(act.member):
        ...

Whoever comes while others wait is served after one piece of each of them at most, and after the one
under way; the pieces of one member keep their order.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Turns:
    """See the module."""

    def __init__(self) -> None:
        self._busy = False
        self._waiting: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()
        """Pieces by member; the member in front has the next turn."""

    @asynccontextmanager
    async def of(self, member: str) -> AsyncIterator[None]:
        """Run the block when it is the turn of ``member``."""
        if self._busy:
            await self._turn(member)
        self._busy = True
        try:
            yield
        finally:
            self._pass_on()

    async def _turn(self, member: str) -> None:
        mine = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(member, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if not mine.cancelled():  # the turn came in the same moment
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Give the next turn; whoever has gone meanwhile is passed by."""
        while self._waiting:
            member, pieces = self._waiting.popitem(last=False)
            mine = pieces.popleft()
            if pieces:
                self._waiting[member] = pieces  # behind everybody else
            if not mine.done():
                mine.set_result(None)
                return
        self._busy = False
