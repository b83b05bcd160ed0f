"""Who waits for which leaf, and what became of the acts folded last."""

import asyncio
from collections import OrderedDict
from typing import Final

from exchange.errors import LedgerBroken
from exchange.ledger.verdict import Folded

RECENT: Final = 8_192
RECENT_BYTES: Final = 32 << 20
"""Acts whose outcome is still known after they were folded, and the bytes of their entries: a
member that files the largest acts there are fills the second long before the first."""

Outcome = asyncio.Future[Folded]


class Waits:
    """Futures by leaf hash and by act id; each is resolved once, by the first leaf that fits."""

    def __init__(self) -> None:
        self._waiting: dict[bytes, list[Outcome]] = {}
        self._recent: OrderedDict[bytes, Folded] = OrderedDict()
        self._recent_bytes = 0

    def recall(self, act_id: bytes) -> Folded | None:
        """Where an act took effect or was denied, if that was not long ago."""
        return self._recent.get(act_id)

    def wait(self, name: bytes) -> Outcome:
        """A future for the leaf of that hash, or for the act of that id (both 32 bytes)."""
        future: Outcome = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(name, []).append(future)
        return future

    def drop(self, name: bytes, future: Outcome) -> None:
        """Nobody waits on ``future`` any more."""
        left = [other for other in self._waiting.pop(name, []) if other is not future]
        if left:
            self._waiting[name] = left

    def resolve(self, folded: Folded) -> None:
        """Tell whoever waits for this leaf, and for its act if it is fresh."""
        self._tell(folded.entry.leaf_hash, folded)
        if folded.fresh and folded.act_id is not None:
            self._recent[folded.act_id] = folded
            self._recent_bytes += len(folded.entry.raw)
            while len(self._recent) > RECENT or self._recent_bytes > RECENT_BYTES:
                _, oldest = self._recent.popitem(last=False)
                self._recent_bytes -= len(oldest.entry.raw)
            self._tell(folded.act_id, folded)

    def fail(self, error: LedgerBroken) -> None:
        """Tell everybody that nothing more will come."""
        for future in [future for some in self._waiting.values() for future in some]:
            if not future.done():
                future.set_exception(error)
                future.exception()  # marks it as seen: a waiter that has left is no bug
        self._waiting.clear()

    def _tell(self, name: bytes, folded: Folded) -> None:
        for future in self._waiting.pop(name, ()):
            if not future.done():
                future.set_result(folded)
