"""An event loop whose clock runs only when everybody waits: simulated hours pass in no time.

With it nothing depends on how fast the machine is, so a failing simulation is repeated by its seed.
"""

import asyncio
import selectors
from collections.abc import Coroutine, Mapping
from typing import Any, TypeVar

T = TypeVar("T")
Events = list[tuple[selectors.SelectorKey, int]]


class _Selector(selectors.DefaultSelector):
    """Instead of sleeping, moves its loop's clock to when the sleep would have ended."""

    now_s = 0.0

    def select(self, timeout: float | None = None) -> Events:
        if timeout is not None and timeout > 0:
            self.now_s += timeout
            timeout = 0
        return super().select(timeout)


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop on virtual time; no threads, no sockets."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now_s


def simulate(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run ``coroutine`` to its end on virtual time."""
    loop = VirtualLoop()
    loop.set_exception_handler(_raise)
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def _raise(_loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
    raise AssertionError(context.get("message"))
