"""One engine for all tests of the rules: it is immutable, and loading it takes a while."""

import pytest

from policies.engine import Engine
from policies.register import Register


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine.load()


@pytest.fixture(scope="session")
def register(engine: Engine) -> Register:
    return engine.register
