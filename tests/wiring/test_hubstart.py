"""What keeps a hub from starting is found before a process is made for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from threading import Thread

import pytest

from exchange.errors import PortBusy
from exchange.wiring.home import Home, open_home
from exchange.wiring.homeinit import Founding, initialise
from exchange.wiring.hubstart import check_passphrase, hub_elsewhere, runs_already, taken
from exchange.wiring.passphrase import Passphrase
from keys.errors import WrongPassphrase
from tests.fixtures.ports import free_port

GOOD = Passphrase("correct horse battery")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    names = ("exchange.test/1", "data-bureau", "数据局", "Data Bureau", "", "", "hub-1")
    initialise(tmp_path, Founding(*names, "127.0.0.1", free_port()), GOOD)
    return open_home(tmp_path)


@contextmanager
def _speaking(port: int) -> Iterator[None]:
    """A web server that knows no TLS."""
    with HTTPServer(("127.0.0.1", port), SimpleHTTPRequestHandler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield
        server.shutdown()


def test_a_passphrase_that_opens_nothing_is_told_at_once(home: Home) -> None:
    check_passphrase(home, GOOD)
    with pytest.raises(WrongPassphrase):
        check_passphrase(home, Passphrase("another one entirely"))


def test_a_free_port_means_that_no_hub_runs(home: Home) -> None:
    assert not runs_already(home)
    assert not hub_elsewhere(home)


def test_another_program_on_the_port_is_told_with_both_ways_out(home: Home) -> None:
    port = home.table.hub.port
    with _speaking(port), pytest.raises(PortBusy) as busy:
        runs_already(home)
    assert str(port) in busy.value.text.en
    assert "ss -ltnp" in busy.value.remedy.en
    assert "exchange.toml" in busy.value.remedy.zh
    with _speaking(port):
        assert taken("127.0.0.1", port)
        assert not hub_elsewhere(home)


def test_an_address_of_another_machine_is_not_taken(home: Home) -> None:
    assert not taken("192.0.2.1", home.table.hub.port)
