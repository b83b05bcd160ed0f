"""One connection to a hub: it must bring requests, and one address gets its share of connections.

The server waits for ever for the head of a request, and what is not a request yet passes no door
that could refuse it. So a connection that has brought nothing for `HEAD_SECONDS_MAX` is cut, and
nobody can hold all connections at no cost.
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

HEAD_SECONDS_MAX: Final = 30.0
"""From connecting, or from the last answer, to a whole head; twice that at most."""
ADDRESS_CONNECTIONS_MAX: Final = 256
"""A member's processes open 16 each (exchange/wiring/remote.py); several may share an address."""


class Connection(H11Protocol):
    """uvicorn's protocol with both bounds."""

    _seen: RequestResponseCycle | None = None
    _due: asyncio.TimerHandle | None = None

    def connection_made(  # type: ignore[override] # as uvicorn has it
        self, transport: asyncio.Transport
    ) -> None:
        """Let it in, unless its address has enough."""
        super().connection_made(transport)
        host = self.client[0] if self.client else ""
        held = sum(1 for one in self.connections if _host(one) == host)
        if held > ADDRESS_CONNECTIONS_MAX:
            transport.abort()
            return
        self._due = self.loop.call_later(HEAD_SECONDS_MAX, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is due any more."""
        if self._due is not None:
            self._due.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        """Cut the connection if it brought no request since the last look and none is answered."""
        newest: RequestResponseCycle | None = self.cycle
        under_way = newest is not None and not newest.response_complete
        if not under_way and newest is self._seen:
            self.transport.abort()
            return
        self._seen = newest
        self._due = self.loop.call_later(HEAD_SECONDS_MAX, self._look)


def _host(connection: object) -> str:
    client = getattr(connection, "client", None)
    return client[0] if client else ""
