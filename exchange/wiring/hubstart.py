"""What is looked at before a hub is started in the background, where a person can still be told.

A background process that cannot start leaves its reason in a file, in English. So what most often
stops a hub is found here first: a passphrase that opens nothing, and a port that is taken, unless
it is this very hub that listens there, started by a supervisor with ``exchange hub run``.
"""

import asyncio
import errno
import socket

from exchange.errors import ExchangeError, PortBusy
from exchange.model.logstate import LogState
from exchange.model.problem import Problem
from exchange.wiring.clock import now_ms
from exchange.wiring.home import Home
from exchange.wiring.hubkeys import CUSTODY_FILE
from exchange.wiring.passphrase import Passphrase
from exchange.wiring.pinnedca import pinned_context
from exchange.wiring.remote import RemoteHub
from keys.custody import FileCustody


def check_passphrase(home: Home, passphrase: Passphrase) -> None:
    """Return if ``passphrase`` opens the hub's key file; `WrongPassphrase`, `TornFile`."""
    FileCustody.open(home.hub_directory / CUSTODY_FILE, passphrase.reveal())


def runs_already(home: Home) -> bool:
    """Whether the hub of this home listens on its port, ready or not; `PortBusy` if another does.

    A program is taken for the hub when it shows a certificate of the pinned CA for the address.
    """
    table = home.table.hub
    if not taken(table.host, table.port):
        return False
    try:
        asyncio.run(readiness(home, home.hub_address))
    except ExchangeError:
        raise _port_busy(table.host, table.port) from None
    return True


def hub_elsewhere(home: Home) -> bool:
    """The same where nothing is to be started: another program on the port does not matter."""
    try:
        return runs_already(home)
    except PortBusy:
        return False


async def readiness(home: Home, address: str) -> tuple[Problem | None, LogState | None]:
    """What the hub at ``address`` lacks and how far its log is published; raises if none answers.

    Raises `HubUnavailable`, and `CheckFailed` for a certificate of another CA.
    """
    root = home.root()
    hub = RemoteHub(
        address,
        tls=pinned_context(home.ca_file, root.ca),
        origin=root.origin,
        entry_keys=lambda: tuple(hub.entry for hub in root.hubs),
        clock=now_ms,
    )
    try:
        return await hub.readiness()
    finally:
        await hub.close()


def taken(host: str, port: int) -> bool:
    """Whether a program listens on ``port`` of ``host``, one of this machine's addresses."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def _port_busy(host: str, port: int) -> PortBusy:
    return PortBusy(
        f"port {port} of {host} is in use by another program, so the hub cannot listen on it",
        f"{host} 的端口 {port} 已被其他程序占用，枢纽无法监听",
        remedy=(
            f"end that program (`ss -ltnp 'sport = :{port}'` names it), or set another [hub] port"
            " in exchange.toml; then: exchange up",
            f"请结束该程序（可用 `ss -ltnp 'sport = :{port}'` 查看），或在 exchange.toml 的 [hub]"
            " 中改用其他端口，再执行：exchange up",
        ),
    )
