"""Help exists in both languages; JSON is one object whatever happens."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from exchange.cli.app import build
from exchange.cli.chinese import help_in_chinese
from tests.cli.conftest import Terminal


def sentences(command: Any) -> Iterator[str]:  # noqa: ANN401 - a private class
    for attribute in ("help", "epilog"):
        if sentence := getattr(command, attribute, None):
            yield sentence
    for parameter in command.params:
        if sentence := getattr(parameter, "help", None):
            yield sentence
    for child in getattr(command, "commands", {}).values():
        yield from sentences(child)


def test_every_help_sentence_has_a_chinese_one() -> None:
    missing = set(sentences(build("en"))) - help_in_chinese().keys()
    assert not missing


def test_no_chinese_sentence_is_left_over() -> None:
    given_by_the_parser = {"Show this message and exit."}
    unused = help_in_chinese().keys() - set(sentences(build("en"))) - given_by_the_parser
    assert not unused


def test_chinese_help_is_chinese() -> None:
    english, chinese = set(sentences(build("en"))), set(sentences(build("zh")))
    assert not english & chinese


@pytest.mark.parametrize(
    "line",
    [
        "rules list",
        "rules show SEC-01",
        "rules show NOTHING-00",
        "nonsense",
        "contract check nowhere.yaml",
        "status",
        "whoami",
        "push a b",
        "pull a --grant 00",
        "hub run",
        "adapter run nowhere.toml",
        "keys restore nowhere",
        "audit verify",
    ],
)
def test_json_is_one_object_and_nothing_else(
    line: str, terminal: Terminal, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("none")
    code = terminal("--json", "--home", str(home), *line.split())
    told = json.loads(terminal.out)
    assert not terminal.err
    assert (code == 0) == ("error" not in told)
    if code:
        assert told["error"]["exit_code"] == code
        assert told["error"]["message"]["en"]
        assert told["error"]["message"]["zh"]
