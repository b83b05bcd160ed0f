"""Work done one piece at a time: in whose order, and what happens to those who go meanwhile."""

import asyncio

import pytest

from exchange.flow.turns import Turns


async def pause() -> None:
    """Let everybody else come as far as they can."""
    for _ in range(5):
        await asyncio.sleep(0)


class Work:
    """Pieces that take until somebody says `done`."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.begun: list[str] = []
        self.done = asyncio.Semaphore(0)

    async def piece(self, name: str) -> None:
        async with self.turns.of(name[:-1]):
            self.begun.append(name)
            await self.done.acquire()

    async def begin(self, *names: str) -> list[asyncio.Task[None]]:
        tasks = [asyncio.create_task(self.piece(name)) for name in names]
        await pause()
        return tasks

    async def end(self, tasks: list[asyncio.Task[None]]) -> list[str]:
        for _ in tasks:
            self.done.release()
        await asyncio.gather(*tasks, return_exceptions=True)
        return self.begun


async def test_one_at_a_time_and_who_brings_much_waits_for_everybody_else() -> None:
    work = Work()
    tasks = await work.begin("health1", "health2", "health3", "health4", "tax1", "tax2", "police1")
    assert work.begun == ["health1"]
    order = ["health1", "health2", "tax1", "police1", "health3", "tax2", "health4"]
    assert await work.end(tasks) == order
    assert await work.end(await work.begin("tax3")) == [*order, "tax3"]


async def test_who_goes_while_waiting_is_passed_by() -> None:
    work = Work()
    first, second, third = await work.begin("health1", "health2", "tax1")
    second.cancel()
    assert await work.end([first, third]) == ["health1", "tax1"]
    with pytest.raises(asyncio.CancelledError):
        await second


async def test_who_goes_as_the_turn_comes_passes_it_on() -> None:
    work = Work()
    async with work.turns.of("health"):
        second, third = await work.begin("tax1", "police1")
    second.cancel()  # the turn is its own by now, and it does not know yet
    assert await work.end([second, third]) == ["police1"]
    assert second.cancelled()
    assert await work.end(await work.begin("health1")) == ["police1", "health1"]


async def test_what_fails_passes_the_turn_on() -> None:
    work = Work()
    first, second = await work.begin("health1", "tax1")
    first.cancel()
    assert await work.end([second]) == ["health1", "tax1"]
