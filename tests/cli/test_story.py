"""The commands of a whole story, on a real Kafka, with a hub that runs."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from tests.cli.conftest import Terminal, adopt_years
from tests.cli.transcript import play

HERE = Path(__file__).parent / "transcripts"

pytestmark = pytest.mark.kafka


def test_the_story_comes_out_as_written(
    live_home: Path,
    terminal: Terminal,
    feed: Callable[[str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert terminal is not None
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EXCHANGE_HOME", str(live_home))
    for file in (HERE / "files").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    log = live_home / "hub" / "log"
    play(HERE / "story.txt", feed, {"TOPIC": f"test.data.{uuid4().hex}", "LOG": str(log)})


def test_duties_come_out_as_written(
    live_home: Path,
    terminal: Terminal,
    feed: Callable[[str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After the story, in the same home: its dataset and its provider are there."""
    assert terminal is not None
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EXCHANGE_HOME", str(live_home))
    for file in (HERE / "files").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    adopt_years(terminal, tmp_path)
    play(HERE / "duties.txt", feed)
