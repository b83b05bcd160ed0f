"""No record value reaches a log, whatever the code that logs does."""

import io
import json
import logging
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog

from exchange.errors import BundleRefused
from exchange.wiring import logs
from exchange.wiring.logs import configure

VALUE = "330102199003072316"


@dataclass(frozen=True, slots=True)
class Logged:
    """A configured log: what went to the file, and what to the terminal."""

    file: Path
    terminal: io.StringIO

    def lines(self) -> list[dict[str, Any]]:
        """The JSON lines so far."""
        return [json.loads(line) for line in self.file.read_text("utf-8").splitlines()]

    def everything(self) -> str:
        """All that was written anywhere."""
        return self.file.read_text("utf-8") + self.terminal.getvalue()


@pytest.fixture
def logged(tmp_path: Path) -> Iterator[Logged]:
    """Logging to a file and a terminal for one test."""
    root = logging.getLogger()
    level, raising = root.level, logging.raiseExceptions
    there = Logged(tmp_path / "log" / "hub.log", io.StringIO())
    configure(level="info", file=there.file, terminal=there.terminal)
    yield there
    configure(level="info")
    structlog.reset_defaults()
    root.setLevel(level)
    logging.raiseExceptions = raising


def test_a_line_is_json_with_time_level_and_logger(logged: Logged) -> None:
    structlog.get_logger("exchange.flow.publish").info("bundle sealed", sequence=7, stream=b"\xab")
    (line,) = logged.lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "bundle sealed",
        "level": "info",
        "logger": "exchange.flow.publish",
        "sequence": 7,
        "stream": "ab",
    }
    assert "bundle sealed" in logged.terminal.getvalue()


def test_a_key_that_is_not_listed_is_dropped_and_named(logged: Logged) -> None:
    structlog.get_logger("x").info("validated", value=VALUE, row={"id": VALUE}, records=1)
    (line,) = logged.lines()
    assert line["dropped"] == ["row", "value"]
    assert line["records"] == 1
    assert VALUE not in logged.everything()


def test_a_value_that_is_no_plain_scalar_is_named_by_its_type(logged: Logged) -> None:
    structlog.get_logger("x").info(
        "seen",
        reason={"id": VALUE},
        field=(VALUE.encode() * 9, b"\x01"),
        file=Path("/a"),
        step=None,
    )
    (line,) = logged.lines()
    assert (line["reason"], line["field"]) == ("<dict>", ["<bytes>", "01"])
    assert (line["file"], line["step"]) == ("/a", None)
    assert VALUE not in logged.everything()


def test_long_text_is_cut_and_cannot_forge_a_line_or_repaint_the_screen(logged: Logged) -> None:
    structlog.get_logger("x").warning("a\n{}", reason="\x1b[2J" + "x" * 999)
    (line,) = logged.lines()
    assert line["event"] == "a\N{REPLACEMENT CHARACTER}{}"
    assert len(line["reason"]) == 200
    assert "\x1b" not in logged.everything()


def test_an_exception_is_its_class_and_place_without_its_message(logged: Logged) -> None:
    try:
        try:
            int(VALUE + "x")
        except ValueError as error:
            raise KeyError(VALUE) from error
    except KeyError:
        structlog.get_logger("x").exception("failed")
    (line,) = logged.lines()
    assert line["raised"][:2] == ["builtins.KeyError", "builtins.ValueError"]
    assert line["raised"][2].startswith("test_logs.py:")
    assert VALUE not in logged.everything()


def test_an_error_of_ours_gives_its_category_and_failure(logged: Logged) -> None:
    error = BundleRefused(VALUE, VALUE, failure="chain-broken")
    structlog.get_logger("x").error("refused", exc_info=error)
    (line,) = logged.lines()
    assert (line["category"], line["failure"]) == ("bundle-refused", "chain-broken")
    assert VALUE not in logged.everything()


def test_a_library_is_quoted_only_about_connections(logged: Logged) -> None:
    logging.getLogger("aiokafka.conn").warning("unable to connect to %s", "127.0.0.1:9")
    try:
        raise ValueError(VALUE)
    except ValueError:
        logging.getLogger("psycopg.pool").exception("Key (id)=(%s) already exists", VALUE)
    first, second = logged.lines()
    assert first["event"] == "unable to connect to 127.0.0.1:9"
    assert "withheld" in second["event"]
    assert second["logger"] == "psycopg.pool"
    assert second["raised"][0] == "builtins.ValueError"
    assert VALUE not in logged.everything()


def test_a_library_that_prints_values_at_debug_stays_above_it(logged: Logged) -> None:
    configure(level="debug", file=logged.file)
    logging.getLogger("aiokafka.producer").debug("sending %s", VALUE)
    structlog.get_logger("x").debug("looked", count=1)
    assert [line["event"] for line in logged.lines()] == ["looked"]


def test_lines_below_the_level_are_not_written(logged: Logged) -> None:
    structlog.get_logger("x").debug("looked", count=1)
    assert logged.lines() == []


def test_the_file_is_private_and_so_is_every_one_it_rotates_to(
    logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "FILE_BYTES_MAX", 300)
    configure(level="info", file=logged.file)
    for count in range(20):
        structlog.get_logger("x").info("counted", count=count)
    files = sorted(logged.file.parent.iterdir())
    assert len(files) == 1 + logs.FILES_KEPT
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(logged.file.parent.stat().st_mode) == 0o700


def test_configuring_again_replaces_and_does_not_double(logged: Logged) -> None:
    configure(level="info", file=logged.file)
    structlog.get_logger("x").info("once")
    assert len(logged.lines()) == 1


def test_a_library_says_the_same_thing_once_in_a_while_and_we_as_often_as_we_like(
    logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    library, ours = logging.getLogger("aiokafka.client"), logging.getLogger("exchange.bus")
    for _ in range(50):
        library.error("Unable connect to node with id %s", 1)
        ours.error("ledger unreachable")
    library.error("Unable connect to node with id %s", 2)
    told = [(line["logger"], line["event"]) for line in logged.lines()]
    assert told.count(("aiokafka.client", "Unable connect to node with id 1")) == 1
    assert told.count(("aiokafka.client", "Unable connect to node with id 2")) == 1
    assert len(told) == 52
    monkeypatch.setattr(logs, "REPEAT_S", 0.0)
    library.error("Unable connect to node with id %s", 1)
    assert len(logged.lines()) == 53


def test_what_is_remembered_of_a_library_is_bounded(
    logged: Logged, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "_SAID_MAX", 2)
    for node in (1, 2, 3, 1):
        logging.getLogger("aiokafka").error("node %s", node)
    assert [line["event"] for line in logged.lines()] == ["node 1", "node 2", "node 3", "node 1"]
