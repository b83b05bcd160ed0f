"""Adapters tell of prohibitions that the rule set only warns of, each once a run."""

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest
from structlog.testing import capture_logs

from exchange.daemon import warned as module
from exchange.daemon.warned import warned
from exchange.wiring.lawbook import warnings_of
from exchange.wiring.office import Office
from tests.ledger.hubs import until
from tests.ledger.world import World


def office_of(world: World) -> SimpleNamespace:
    """An office whose acts nobody has met with a rule yet."""
    view = SimpleNamespace(registry=world.registry, engine=world.fold.engine)
    return SimpleNamespace(hub=SimpleNamespace(permitted_by=set()), view=view)


def test_each_warning_is_told_once_with_its_badge_and_also_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    office = office_of(World())

    async def run() -> None:
        async with warned(cast(Office, office)):
            office.hub.permitted_by |= {"OWN-01", "CRY-01", "GONE-99"}
            await until(lambda: bool(logged))
            office.hub.permitted_by.add("REF-01")

    with capture_logs() as logged:
        asyncio.run(run())
    assert [(one["log_level"], one["rule"]) for one in logged] == [
        ("warning", "CRY-01 待核"),
        ("warning", "REF-01 待核"),
    ]
    assert "National cryptography" in logged[0]["reason"]


def test_before_anything_was_read_the_programs_own_register_names_them() -> None:
    office = office_of(World())
    office.view.registry.rules = b""
    assert [row.id for row in warnings_of({"CRY-01", "OWN-01"}, office.view)] == ["CRY-01"]
    assert warnings_of(set(), office.view) == []
