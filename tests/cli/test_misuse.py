"""A line that cannot be run, and Ctrl-C: one sentence in each language, never a traceback."""

import io
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from exchange.cli import __main__ as start
from exchange.cli.newfile import write_new
from exchange.errors import UsageError
from tests.cli.conftest import Terminal
from tests.cli.test_bad_input import files_of_at_most


@pytest.mark.parametrize(
    ("line", "en", "zh"),
    [
        ("", "Missing command.", "缺少命令"),
        ("rules calendar", "Missing command.", "缺少命令"),
        ("bogus", "No such command 'bogus'", "没有这个命令：bogus"),
        ("push", "Missing argument 'dataset'", "缺少参数：dataset"),
        ("up now", "extra argument", "多余的参数：now"),
        ("logs --lines x", "'--lines'", "参数不合规：--lines"),
        ("logs --lines 0", "'--lines'", "参数不合规：--lines"),
        ("logs --bogus", "No such option", "没有这个选项：--bogus"),
    ],
)
def test_misuse_is_named_in_both_languages(terminal: Terminal, line: str, en: str, zh: str) -> None:
    message = terminal.problem(*line.split(), code=2)["message"]
    assert en in message["en"]
    assert message["zh"] == zh


def test_a_noun_alone_shows_its_commands_and_says_what_is_missing(terminal: Terminal) -> None:
    assert terminal("member") == 2
    assert "Error: a command is missing" in terminal.err


def test_ctrl_c_says_that_it_interrupted(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(_home: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("exchange.wiring.home.open_home", pressed)
    problem = terminal.problem("status", code=130)
    assert problem["category"] == "interrupted"
    assert problem["remedy"]["zh"]
    assert terminal("status") == 130
    assert terminal.err.startswith("Error: interrupted\n")


def test_ctrl_c_before_the_commands_are_loaded_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def pressed() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("exchange.cli.main.main", pressed)
    with pytest.raises(SystemExit) as ended:
        start.main()
    assert ended.value.code == 130
    assert capsys.readouterr() == ("", "interrupted / 已中断\n")


def test_the_console_script_listens_before_it_loads_anything() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))
    module, _, name = project["project"]["scripts"]["exchange"].partition(":")
    script = f"import sys; from {module} import {name}; print('typer' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_a_new_file_is_whole_or_not_there(tmp_path: Path) -> None:
    out = tmp_path / "contract.yaml"
    with files_of_at_most(100), pytest.raises(OSError, match="too large") as full:
        write_new(out, "x" * 1_000)
    assert full.value.filename == str(out)
    write_new(out, "as it was")
    write_new(out, "as it was")
    with pytest.raises(UsageError):
        write_new(out, "something else")
    assert out.read_text("utf-8") == "as it was"


def test_rejected_records_are_looked_for_under_names_of_datasets_only(terminal: Terminal) -> None:
    for name in ("../../etc", "*", "x" * 300):
        problem = terminal.problem("adapter", "rejected", name, "--as", "civil-affairs", code=2)
        assert problem["failure"] in {"name", "no-home"}


def test_a_configuration_is_not_written_over_another(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "source.toml"
    file.write_text("mine", "utf-8")
    problem = terminal.problem("adapter", "init", str(file), code=2)
    assert problem["failure"] == "exists"
    assert file.read_text("utf-8") == "mine"


def test_a_home_without_logs_says_what_makes_some(terminal: Terminal, tmp_path: Path) -> None:
    home = ("--home", str(tmp_path / "home"))
    assert terminal(*home, "init") == 0
    assert "exchange up" in terminal.problem(*home, "logs", "hub", code=2)["remedy"]["en"]
    (tmp_path / "home" / "log").mkdir()
    (tmp_path / "home" / "log" / "hub.log").write_text("a line\n", "utf-8")
    assert "hub, kafka" in terminal.problem(*home, "logs", "hubb", code=2)["remedy"]["en"]


def test_an_attempt_to_make_a_home_on_a_full_disk_can_be_repeated(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EXCHANGE_PASSPHRASE", raising=False)
    home = ("--home", str(tmp_path / "home"))
    with files_of_at_most(0):
        assert terminal.problem(*home, "init", code=3)["category"] == "disk-full"
    assert terminal(*home, "init") == 0, terminal.err
    assert "made a random passphrase" in terminal.err
    assert io.StringIO((tmp_path / "home" / "passphrase").read_text("ascii")).readline().strip()
