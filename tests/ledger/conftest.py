"""What tests of the ledger share."""

import pytest

from tests.ledger.hubs import begin
from tests.ledger.scene import Scene


@pytest.fixture
async def scene() -> Scene:
    made = Scene()
    await begin(made.world, made.cluster)
    return made
