"""Serve the hub's doors: TLS 1.3 only, one process, an orderly stop.

`serve` returns after a stop was asked for and what was under way has been answered, or after the
bound on that has passed; the caller then closes bus and custody. A kill at any moment is safe too.
"""

import asyncio
import contextlib
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from exchange.errors import PortBusy
from exchange.hub.connection import Connection
from exchange.limits import SHUTDOWN_SECONDS_MAX
from exchange.wiring.hubtls import TlsIdentity

BACKLOG: Final = 512
KEEP_ALIVE_SECONDS: Final = 30
CONNECTIONS_MAX: Final = 2_048
"""Idle ones included; exchange/hub/connection.py bounds them for each address, and
exchange/hub/front.py the requests among them."""
GOODBYE_SECONDS: Final = 0.2
REQUEST_HEAD_BYTES_MAX: Final = 16_384


def server_context(identity: TlsIdentity) -> ssl.SSLContext:
    """TLS 1.3 and nothing older; members are known by what they sign, so no client certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(
        identity.certificate, identity.encrypted_key, password=bytes(identity.passphrase)
    )
    context.set_alpn_protocols(["http/1.1"])
    return context


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; `PortBusy` names the port. Port 0 takes a free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named because asyncio turns Nagle's algorithm off only where it reads "TCP":
    # without that every answer waits 40 ms for the client's delayed acknowledgement.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, port))
        bound.listen(BACKLOG)  # two sockets may be bound to one port, but only one listens
    except OSError as error:
        bound.close()
        raise PortBusy(
            f"{host}:{port} cannot be listened on: {error.strerror}",
            f"无法监听 {host}:{port}：{error.strerror}",
            remedy=(
                "stop what uses it, or set another [hub] port in exchange.toml",
                "请停止占用该端口的程序，或在 exchange.toml 的 [hub] 中改用其他端口",
            ),
        ) from error
    bound.setblocking(False)
    return bound


async def serve(
    app: ASGIApp,
    bound: socket.socket,
    identity: TlsIdentity,
    *,
    stop: asyncio.Event,
    started: Callable[[], None] = lambda: None,
) -> None:
    """Serve until ``stop`` is set or SIGTERM or SIGINT arrives; ``started`` is told once."""
    server = _Server(_configuration(app, identity), started)
    with _signals(stop):
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        server.should_exit = True
        stopping.cancel()
        await serving


class _Server(uvicorn.Server):
    """Leaves signals to `serve`, so that bus and custody are closed after the doors."""

    def __init__(self, config: uvicorn.Config, tell: Callable[[], None]) -> None:
        super().__init__(config)
        self._tell = tell

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, then tell."""
        await super().startup(sockets)
        self._tell()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, answer what is under way, then hang up."""
        hanging_up = asyncio.create_task(self._hang_up())
        await super().shutdown(sockets)
        hanging_up.cancel()

    async def _hang_up(self) -> None:
        """Idle TLS clients do not answer a goodbye; waiting for one would take all of the bound."""
        await asyncio.sleep(GOODBYE_SECONDS)
        while self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks)
        await asyncio.sleep(GOODBYE_SECONDS)
        for connection in list(self.server_state.connections):
            connection.transport.abort()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing: see `_signals`."""
        yield


def _configuration(app: ASGIApp, identity: TlsIdentity) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        loop="asyncio",
        http=Connection,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,  # exchange/wiring/logs.py owns logging
        access_log=False,  # exchange/hub/front.py logs routes, never paths
        proxy_headers=False,  # an address is what the socket says
        forwarded_allow_ips="",
        server_header=False,
        date_header=True,
        limit_concurrency=CONNECTIONS_MAX,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS_MAX,
        ssl_context_factory=lambda _config, _default: server_context(identity),
        h11_max_incomplete_event_size=REQUEST_HEAD_BYTES_MAX,
    )


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    wanted = (signal.SIGTERM, signal.SIGINT)
    for number in wanted:
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in wanted:
            loop.remove_signal_handler(number)
