"""The tree obeys the house rules of ARCHITECTURE.md.

The rules themselves are in ``houserules`` and ``importrules``; ``test_tidy_catches`` plants a
breach of each. A file counts as soon as it exists and git would track it.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import importrules
from tests.houserules import RULES, Finding, Rule, Source

TOP = Path(__file__).parents[1]


def tracked() -> Iterator[Path]:
    """Every file of the project, those about to be committed included."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=TOP,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = {TOP / name for name in listing.stdout.split("\0") if name}
    return (path for path in sorted(paths) if path.is_file())


def readable(path: Path) -> Source | None:
    """The file as text; None for binary data."""
    try:
        return Source(path.relative_to(TOP).as_posix(), path.read_text("utf-8"))
    except UnicodeDecodeError:
        return None


@pytest.fixture(scope="module")
def sources() -> tuple[Source, ...]:
    """Every text file of the project."""
    return tuple(source for source in map(readable, tracked()) if source)


@pytest.fixture(scope="module")
def dependencies() -> frozenset[str]:
    """Normalised names of what pyproject.toml installs for users."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["project"]
    return frozenset(re.split(r"[^A-Za-z0-9-]", line)[0] for line in project["dependencies"])


def nothing(findings: Iterator[Finding]) -> None:
    """Fails with one line for each finding."""
    if found := "\n".join(str(finding) for finding in findings):
        pytest.fail(found, pytrace=False)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_every_file_obeys(rule: Rule, sources: tuple[Source, ...]) -> None:
    nothing(finding for source in sources for finding in rule(source))


@pytest.mark.parametrize("rule", importrules.RULES, ids=lambda rule: rule.__name__)
def test_imports_obey(rule: Rule, sources: tuple[Source, ...]) -> None:
    nothing(finding for source in sources for finding in rule(source))


def test_the_product_imports_only_what_it_declares(
    sources: tuple[Source, ...], dependencies: frozenset[str]
) -> None:
    nothing(
        finding
        for source in sources
        for finding in importrules.declared(source, dependencies, sys.stdlib_module_names)
    )


def test_names_are_imported_from_where_they_are_defined(sources: tuple[Source, ...]) -> None:
    modules = {source.module: source for source in sources if source.is_python}
    nothing(finding for source in sources for finding in importrules.defining(source, modules))


def test_the_lock_names_a_hash_for_every_package(sources: tuple[Source, ...]) -> None:
    lock = next(source for source in sources if source.path == "requirements.lock")
    entries = re.split(r"\n(?=[a-z0-9])", lock.text.partition("\naio")[2])
    assert len(entries) > 50
    assert all("--hash=sha256:" in entry for entry in entries)


def test_every_package_of_the_product_has_a_layer() -> None:
    packages = {path.parent.name for path in (TOP / "exchange").glob("*/__init__.py")}
    assert {f"exchange.{name}" for name in packages} <= set(importrules.RANKS)
