"""The examples in docstrings do what they show."""

import doctest
import importlib
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
SHOWN = sorted(
    path.relative_to(TOP).with_suffix("").as_posix().replace("/", ".")
    for package in ("exchange", "keys", "policies", "adapters")
    for path in (TOP / package).rglob("*.py")
    if ">>> " in path.read_text("utf-8")
)


@pytest.mark.parametrize("module", SHOWN)
def test_an_example_does_what_it_shows(module: str) -> None:
    tried = doctest.testmod(importlib.import_module(module), optionflags=doctest.FAIL_FAST)
    assert tried.attempted > 0
    assert tried.failed == 0
