"""The world that most tests of the registry begin with."""

import pytest

from tests.ledger.world import World, exchange_world


@pytest.fixture
def world() -> World:
    """Civil affairs provides villages; human resources, health and an auditor are members."""
    return exchange_world()
