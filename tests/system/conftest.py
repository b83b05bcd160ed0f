"""One home with its own Kafka and hub for the whole area, and datasets on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.installation import Installation, enrol, installed
from tests.system.records import Dataset, publish


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for what users bring along: contracts, sources, sinks."""
    return tmp_path_factory.mktemp("users")


@pytest.fixture(scope="session")
def shared_installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """A home that is up, with a provider and a consumer."""
    with installed(tmp_path_factory.mktemp("system") / "home") as installation:
        installation.run("up")
        enrol(installation)
        yield installation


@pytest.fixture
def installation(shared_installation: Installation) -> Installation:
    """The home, everything of it up: what an earlier test took down is started again."""
    shared_installation.repair()
    return shared_installation


@pytest.fixture(scope="session")
def subsidies(shared_installation: Installation, place: Path) -> Dataset:
    """A dataset for bulk pushes and pulls."""
    return publish(shared_installation, place, "subsidies")
