"""Every transcript that needs no running home."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Terminal
from tests.cli.transcript import play

HERE = Path(__file__).parent / "transcripts"


@pytest.mark.parametrize("name", ["rules", "usage", "contract", "adapter"])
def test_a_transcript_comes_out_as_written(
    name: str,
    terminal: Terminal,
    feed: Callable[[str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert terminal is not None
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EXCHANGE_HOME", str(tmp_path / "home"))
    for file in (HERE / "files").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    play(HERE / f"{name}.txt", feed)
