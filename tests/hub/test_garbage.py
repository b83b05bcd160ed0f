"""A hub collects garbage in small lots, leaves its state alone, and drops cycles in the end."""

import asyncio
import gc
import weakref

from exchange.hub.garbage import YOUNG, spared


class Cycle:
    """What a closed connection leaves behind."""

    def __init__(self) -> None:
        self.me = self


async def test_what_is_there_is_spared_and_comes_back_when_the_hub_ends() -> None:
    before = gc.get_threshold()
    async with spared() as spare:
        spare()
        assert gc.get_freeze_count() > 10_000
        assert gc.get_threshold()[0] == YOUNG
    assert gc.get_freeze_count() == 0
    assert gc.get_threshold() == before


async def test_the_state_may_grow_without_a_full_collection() -> None:
    async with spared() as spare:
        spare()
        full = gc.get_stats()[2]["collections"]
        kept = [[number] for number in range(50 * YOUNG)]
        assert gc.get_stats()[2]["collections"] == full
        assert len(kept) == 50 * YOUNG


async def test_an_old_cycle_is_dropped_by_the_next_full_collection() -> None:
    dropped = asyncio.Event()
    async with spared(full_s=0.05):
        cycle = Cycle()
        gone = weakref.ref(cycle, lambda _: dropped.set())
        gc.collect(1)  # it is old now
        del cycle
        gc.collect(1)
        assert gone() is not None, "only a full collection looks at old objects"
        async with asyncio.timeout(60):
            await dropped.wait()
