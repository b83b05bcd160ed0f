"""A hub's doors over TLS 1.3 on a real port, in the test's own process."""

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from exchange.hub.app import hub_app
from exchange.hub.serve import listen, serve
from exchange.wiring.hubtls import TlsIdentity
from exchange.wiring.pinnedca import ca_hash, pinned_context
from exchange.wiring.remote import Reader, RemoteHub
from keys.custody import MemoryCustody
from tests.hub.doors import ORIGIN, Scripted

HOST = "127.0.0.1"


@dataclass
class Live:
    """A hub that serves; ``stop`` ends it in order."""

    scripted: Scripted
    port: int
    ca_file: Path
    ca: bytes
    stop: asyncio.Event
    serving: "asyncio.Task[None]"

    @property
    def address(self) -> str:
        return f"https://{HOST}:{self.port}"

    def context(self) -> ssl.SSLContext:
        return pinned_context(self.ca_file, self.ca)

    @contextlib.asynccontextmanager
    async def remote(
        self, *, port: int | None = None, member: str = "audit-office"
    ) -> AsyncIterator[RemoteHub]:
        """The hub as ``member`` sees it."""
        hub = RemoteHub(
            f"https://{HOST}:{port or self.port}",
            tls=self.context(),
            origin=ORIGIN,
            entry_keys=lambda: [self.scripted.entry_key.raw],
            clock=lambda: self.scripted.now_ms,
            reader=Reader(member, "", self.scripted.custody.signer(f"{member}/")),
        )
        try:
            yield hub
        finally:
            await hub.close()


def identity_in(directory: Path, custody: MemoryCustody) -> tuple[TlsIdentity, str]:
    """TLS files of a hub on the loopback interface, and its CA's PEM."""
    now_ms = time.time_ns() // 1_000_000
    ca = custody.issue_ca("ca", "Test CA", now_ms=now_ms, days=2).decode()
    issued = custody.issue_tls("tls", [HOST, "localhost"], ca="ca", now_ms=now_ms, days=1)
    certificate, key = directory / "tls.pem", directory / "tls.key"
    certificate.write_bytes(issued.certificate)
    key.write_bytes(issued.encrypted_key)
    return TlsIdentity(certificate, key, custody.tls_passphrase("tls")), ca


@contextlib.asynccontextmanager
async def live_hub(directory: Path, scripted: Scripted) -> AsyncIterator[Live]:
    """``scripted`` behind a real port until the block ends."""
    identity, ca = identity_in(directory, scripted.custody)
    ca_file = directory / "ca.pem"
    ca_file.write_text(ca)
    bound = listen(HOST, 0)
    stop, started = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(
        serve(hub_app(scripted.parts()), bound, identity, stop=stop, started=started.set)
    )
    await started.wait()
    live = Live(scripted, bound.getsockname()[1], ca_file, ca_hash(ca), stop, serving)
    try:
        yield live
    finally:
        stop.set()
        await serving


class Line:
    """A line to a hub that a test can cut."""

    def __init__(self, port_behind: int) -> None:
        self.port = 0
        self._port_behind = port_behind
        self._ends: list[asyncio.StreamWriter] = []

    def cut(self) -> None:
        """Break every connection that is open now, without a word."""
        for end in self._ends:
            end.transport.abort()
        self._ends.clear()

    async def forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        there, back = await asyncio.open_connection(HOST, self._port_behind)
        self._ends += [writer, back]
        await asyncio.gather(_pump(reader, back), _pump(there, writer))


@contextlib.asynccontextmanager
async def line_to(port: int) -> AsyncIterator[Line]:
    """A line to ``port`` until the block ends."""
    line = Line(port)
    server = await asyncio.start_server(line.forward, HOST, 0)
    line.port = server.sockets[0].getsockname()[1]
    yield line
    server.close()
    line.cut()
    await server.wait_closed()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while chunk := await reader.read(1 << 16):
            writer.write(chunk)
            await writer.drain()
    writer.close()


@contextlib.contextmanager
def plain_socket(port: int) -> Iterator[socket.socket]:
    """A TCP connection to the hub."""
    with socket.create_connection((HOST, port), timeout=5) as connected:
        yield connected
