"""A store of each kind."""

from pathlib import Path

import pytest

from tests.adapters.stores import Store


@pytest.fixture(params=["sqlite", "jsonl", pytest.param("postgres", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A new store; tests that take it run once for each kind."""
    if request.param == "postgres":
        return Store("postgres", request.getfixturevalue("postgres"))
    return Store(request.param, str(tmp_path))
