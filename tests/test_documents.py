"""What the documents say is so: help, tests, files, targets and settings that they name exist."""

import ast
import re
from pathlib import Path

import pytest

from exchange.wiring import settings
from tests.readme import README, block, help_text

TOP = Path(__file__).parents[1]
ARCHITECTURE = (TOP / "ARCHITECTURE.md").read_text("utf-8")
THREATS = re.findall(r"^\| (\d+)\. (.*?) \| (.*?) \| (.*?) ?\|$", ARCHITECTURE, re.MULTILINE)


def test_the_help_in_the_readme_is_the_help_of_the_program() -> None:
    assert block(README.read_text("utf-8"))[0] == help_text(), "run `make readme`"


def test_a_readme_without_the_block_is_noticed() -> None:
    with pytest.raises(ValueError, match="exchange --help"):
        block("# Exchange\n")


def test_every_threat_of_the_table_has_a_control() -> None:
    assert [int(number) for number, *_ in THREATS] == list(range(1, 23))
    assert all(control for _, _, control, _ in THREATS)


@pytest.mark.parametrize("threat", THREATS, ids=lambda threat: f"threat-{threat[0]}")
def test_every_threat_names_tests_that_exist(threat: tuple[str, str, str, str]) -> None:
    named = re.findall(r"`([^`]+)`", threat[3])
    assert named, f"no test is named for: {threat[1]}"
    for name in named:
        file, _, function = name.partition("::")
        path = TOP / file
        assert path.exists(), f"{file} does not exist"
        if function:
            assert function in functions(path), f"{file} has no {function}"


def functions(path: Path) -> set[str]:
    """The names of the functions in a test file."""
    tree = ast.parse(path.read_text("utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


@pytest.mark.parametrize("document", ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"])
def test_links_between_the_documents_lead_somewhere(document: str) -> None:
    text = (TOP / document).read_text("utf-8")
    for link in re.findall(r"\]\((?!https?:|#)([^)#]+)\)", text):
        assert (TOP / link).exists(), link


@pytest.mark.parametrize("document", ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"])
def test_paths_that_the_documents_name_exist(document: str) -> None:
    text = (TOP / document).read_text("utf-8")
    packages = "exchange|keys|policies|adapters|deploy|tests|bench"
    for path in re.findall(rf"`((?:{packages})/[A-Za-z0-9_./-]+)`", text):
        assert (TOP / path).exists() or path == "exchange/_deploy", path


def test_targets_that_the_readme_names_are_in_the_makefile() -> None:
    makefile = (TOP / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"\bmake ([a-z-]+)", README.read_text("utf-8")))
    assert {"setup", "demo", "up", "test", "check", "bench", "clean", "help"} <= targets
    assert named <= targets


def test_settings_that_the_readme_names_are_read() -> None:
    assert settings.__doc__ is not None
    for name in re.findall(r"\bEXCHANGE_[A-Z_]+\b", README.read_text("utf-8")):
        assert f"``{name}``" in settings.__doc__
