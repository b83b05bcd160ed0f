"""Go on by itself: repeat work that something outside has stopped, until told to end."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from adapters.errors import AdapterError
from exchange.errors import ExchangeError

RETRY_S: Final = 5.0
"""Between two tries: Kafka and the hub need about as long to come back."""

_LOG = structlog.get_logger(__name__)


async def again(
    work: Callable[[], Awaitable[None]],
    stop: asyncio.Event,
    *,
    waiting: Callable[[ExchangeError | AdapterError], None] = lambda _: None,
) -> None:
    """Repeat ``work`` while what stops it may pass; return when it ends or ``stop`` is set.

    ``waiting`` is told each time. Raises what cannot get better by waiting: errors that are not
    retriable.
    """
    while not stop.is_set():
        try:
            await work()
        except (ExchangeError, AdapterError) as error:
            if not error.retriable:
                raise
            _LOG.warning("waiting", category=error.category, failure=error.failure)
            waiting(error)
            await pause(stop, RETRY_S)
        else:
            return


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Wait, but no longer than until ``stop`` is set."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
