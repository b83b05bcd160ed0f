"""A delimiter is one character, and a tab can be typed."""

from pathlib import Path

import pytest

from exchange.daemon.configuration import read_configuration
from exchange.errors import ConfigurationInvalid, InputUnreadable, UsageError
from exchange.wiring.delimiter import delimiter_of
from exchange.wiring.sources import open_source

CONFIGURATION = """\
[adapter]
kind = "source"
member = "civil-affairs"
[source]
dataset = "village-register"
folder = "outbox"
delimiter = "{sign}"
"""


@pytest.mark.parametrize(
    ("said", "sign"),
    [(",", ","), ("|", "|"), (" ", " "), ("\t", "\t"), ("\\t", "\t"), ("tab", "\t")],
)
def test_a_character_means_itself_and_a_tab_has_names(said: str, sign: str) -> None:
    assert delimiter_of(said) == sign


@pytest.mark.parametrize("said", ["", "ab", '"', "\\", "\n", "\r", "\0", "a", "1", "，"])
def test_what_cannot_separate_values_is_refused_everywhere(tmp_path: Path, said: str) -> None:
    assert delimiter_of(said) is None
    file = tmp_path / "rows.csv"
    file.write_text("a,b\n1,2\n", "utf-8")
    with pytest.raises(UsageError, match="--delimiter"):
        open_source(str(file), None, delimiter=said)
    path = tmp_path / "source.toml"
    path.write_text(CONFIGURATION.format(sign=said.encode("unicode_escape").decode()), "utf-8")
    with pytest.raises(ConfigurationInvalid):
        read_configuration(path)


def test_a_configuration_may_say_tab(tmp_path: Path) -> None:
    path = tmp_path / "source.toml"
    path.write_text(CONFIGURATION.format(sign="tab"), "utf-8")
    source = read_configuration(path).source
    assert source is not None
    assert source.delimiter == "\t"


def test_a_folder_and_an_unknown_format_are_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(InputUnreadable, match="is a folder"):
        open_source(str(tmp_path), None)
    with pytest.raises(UsageError, match="csv or jsonl"):
        open_source(str(tmp_path), None, form="xls")


def test_a_tab_is_proposed_as_it_can_be_typed(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("a\tb\n1\t2\n", "utf-8")
    with pytest.raises(Exception, match="tab") as refused:
        next(iter(open_source(str(file), ("a", "b")).batches(10)))
    assert "--delimiter tab" in refused.value.remedy[0]  # type: ignore[attr-defined]
