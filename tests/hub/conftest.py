"""A scripted hub with members, and a client in front of its doors."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.hub.doors import Scripted, reach


@pytest.fixture
def scripted() -> Scripted:
    hub = Scripted()
    for member in ("audit-office", "data-bureau", "stranger"):
        hub.enrol(member)
    hub.enrol("audit-office", "reader")
    hub.enrol("data-bureau", "machine")
    return hub


@pytest.fixture
async def doors(scripted: Scripted) -> AsyncIterator[httpx.AsyncClient]:
    async with reach(scripted) as client:
        yield client
