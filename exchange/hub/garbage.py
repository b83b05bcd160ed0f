"""The garbage collector in a process that answers requests: often a little, seldom everything.

A collection stops every request. Python collects everything whenever the state has grown by a
quarter, which in a hub that was just started is every few seconds and takes a twentieth of a
second, and more the longer the ledger. Here what was there when the ledger had been read is never
looked at again, young objects are looked at in small lots, and the rest every `FULL_S`: what a
closed connection leaves in a cycle stays that long and no longer.

::

    async with spared() as spare:
        await run_hub(..., caught_up=spare)
"""

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Callable
from typing import Final

YOUNG: Final = 2_000
"""So many new objects are looked at together; a fifth of a millisecond."""
LOTS: Final = 10
"""After so many lots their survivors are looked at once more."""
FULL_S: Final = 600.0
"""Seconds between two full collections."""
_NEVER_BY_COUNT: Final = 1 << 30


def spare_garbage() -> None:
    """Let the collector leave alone what is there now: program and ledger state stay."""
    gc.collect()
    gc.freeze()


@contextlib.asynccontextmanager
async def spared(*, full_s: float = FULL_S) -> AsyncIterator[Callable[[], None]]:
    """Collect as the module says until the block ends; gives `spare_garbage`."""
    usual = gc.get_threshold()
    gc.set_threshold(YOUNG, LOTS, _NEVER_BY_COUNT)
    collecting = asyncio.create_task(_collect_all(full_s))
    try:
        yield spare_garbage
    finally:
        collecting.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await collecting
        gc.set_threshold(*usual)
        gc.unfreeze()


async def _collect_all(full_s: float) -> None:
    while True:
        await asyncio.sleep(full_s)
        gc.collect()
