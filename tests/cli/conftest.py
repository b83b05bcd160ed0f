"""A home on the session's Kafka, with a hub that runs, for tests that need one."""

import io
import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from exchange.cli.main import run
from tests.fixtures.kafka import KafkaServer
from tests.fixtures.ports import free_port

PASSPHRASE = "correct horse battery"
WHOLE = (
    *("--purpose", "verification", "--duty", "条例", "--scenario", "核对", "--manner", "table"),
    *("--fields", "all", "--regions", "all", "--expires", "+366d"),
)
"""An application for all of a dataset that lacks nothing."""


class Terminal:
    """Runs command lines in this process and keeps what they said."""

    def __init__(self) -> None:
        self.out = ""
        self.err = ""

    def __call__(self, *words: str) -> int:
        """Run ``exchange words…``; the exit code."""
        out, err = io.StringIO(), io.StringIO()
        code = run(words, out=out, err=err)
        self.out, self.err = out.getvalue(), err.getvalue()
        return code

    def json(self, *words: str, code: int = 0) -> Any:  # noqa: ANN401 - JSON
        """Run it with --json; the one object that came."""
        got = self(*words, "--json")
        assert got == code, self.out + self.err
        assert not self.err
        return json.loads(self.out)

    def problem(self, *words: str, code: int) -> Any:  # noqa: ANN401 - JSON
        """The error object of a command that must fail with ``code``."""
        return self.json(*words, code=code)["error"]


def adopt_years(terminal: Terminal, folder: Path) -> None:
    """Let the authority of this home adopt the years that terms of today may reach."""
    known = terminal.json("rules", "calendar", "show")["years"]
    this = datetime.now(UTC).year
    for year in {this, this + 1} - set(known):
        first = date(year, 1, 1)
        day = next(d for d in (first + timedelta(days=n) for n in range(3)) if d.weekday() < 5)
        file = folder / f"calendar-{year}.csv"
        file.write_text(f"day,kind\n{day.isoformat()},off\n", "utf-8")
        adopted = terminal("rules", "calendar", "adopt", str(file), "--reference", str(year))
        assert adopted == 0, terminal.err


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """A terminal whose environment names nothing of the machine it runs on."""
    for name in ("EXCHANGE_HOME", "EXCHANGE_KAFKA", "EXCHANGE_HUB", "LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("EXCHANGE_LANG", "en")
    monkeypatch.setenv("EXCHANGE_PASSPHRASE", PASSPHRASE)
    return Terminal()


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts text into standard input."""

    def put(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    return put


@pytest.fixture(scope="module")
def live_home(kafka: KafkaServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A fresh ledger on the session's Kafka and a hub that is ready."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXCHANGE_PASSPHRASE", PASSPHRASE)
        patch.delenv("EXCHANGE_KAFKA", raising=False)
        home = tmp_path_factory.mktemp("live")
        terminal = Terminal()
        place = ("--home", str(home))
        topic = f"test.ledger.{uuid4().hex}"
        port = str(free_port())
        options = ("--kafka", kafka.bootstrap, "--port", port, "--topic", topic)
        assert terminal(*place, "init", *options) == 0, terminal.err
        assert terminal(*place, "up") == 0, terminal.err
        yield home
        assert terminal(*place, "down") == 0, terminal.err
