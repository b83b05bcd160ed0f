"""Commits follow one another, one under way at a time, and what fails is heard."""

import threading
from collections.abc import Sequence

import pytest

from exchange.flow.commits import Commits, Opened
from exchange.flow.ports import Delivery


class Sluggish:
    """A sink whose commits wait until they are let go."""

    def __init__(self) -> None:
        self.go = threading.Semaphore(0)
        self.begun: list[int] = []
        self.at_once = 0
        self.fails = False

    def positions(self) -> dict[str, tuple[int, str]]:
        return {}

    def mark(self, marks: Sequence[tuple[int, str, int]]) -> None:
        """Keep the marks."""
        self.marks = list(marks)

    def commit_many(self, deliveries: Sequence[Delivery]) -> None:
        self.at_once += 1
        assert self.at_once == 1
        self.begun.append(len(deliveries))
        self.go.acquire()
        self.at_once -= 1
        if self.fails:
            raise OSError("the disk")

    def close(self) -> None: ...


async def test_a_commit_is_under_way_while_the_caller_goes_on() -> None:
    sink, told = Sluggish(), list[Sequence[Opened]]()
    commits = Commits(sink, told.append)
    await commits.start([])
    assert told == []
    sink.go.release()
    await commits.done()
    assert told == [[]]


async def test_the_next_commit_begins_when_the_last_has_returned() -> None:
    sink, told = Sluggish(), list[Sequence[Opened]]()
    commits = Commits(sink, told.append)
    for _ in range(3):
        sink.go.release()
        await commits.start([])
    await commits.done()
    assert (sink.begun, len(told)) == ([0, 0, 0], 3)


async def test_a_failure_is_heard_once_and_told_as_nothing() -> None:
    sink, told = Sluggish(), list[Sequence[Opened]]()
    sink.fails = True
    commits = Commits(sink, told.append)
    await commits.start([])
    sink.go.release()
    with pytest.raises(OSError, match="the disk"):
        await commits.start([])
    await commits.done()
    assert (sink.begun, told) == ([0], [])
