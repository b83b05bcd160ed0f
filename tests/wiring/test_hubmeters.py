"""A hub exports how the duties of its ledger stand, for the alert rules that ship."""

import asyncio
from contextlib import suppress

import pytest

from exchange import metrics
from exchange.registry.fold import RegistryFold
from exchange.wiring import hubmeters
from exchange.wiring.hubmeters import count_duties, meter_duties
from tests.duties.stage import DutyStage, at_noon
from tests.ledger.hubs import until


def value(state: str, rule: str) -> float | None:
    return metrics.REGISTRY.get_sample_value("exchange_duties", {"state": state, "rule": rule})


def waiting() -> float | None:
    return metrics.REGISTRY.get_sample_value("exchange_duties_awaiting_calendar")


async def test_duties_are_exported_by_state_and_rule() -> None:
    stage = DutyStage("2026-12-20")
    stage.on("2026-12-21").apply()
    stage.answer(approve=True)
    stage.on("2026-12-25").apply()
    fold = stage.world.fold
    await count_duties(fold, at_noon("2026-12-28"))
    assert value("done", "SLA-02") == 1.0
    assert value("awaiting-calendar", "SLA-02") == 1.0
    assert waiting() == 2.0  # the answer, and the first provision of the grant
    stage.on("2026-12-29").adopt(2027, [20270101])
    await count_duties(fold, at_noon("2027-01-20"))
    assert waiting() == 0.0
    assert value("awaiting-calendar", "SLA-02") is None
    assert value("breached", "SLA-02") == 1.0


async def test_a_program_that_lacks_the_rules_in_force_exports_nothing_new() -> None:
    stage = DutyStage("2026-07-01")
    metrics.DUTIES.clear()
    stranger = RegistryFold([])
    stranger.begin(stage.world.root)
    await count_duties(stranger, at_noon("2026-07-02"))
    assert value("due", "SLA-02") is None


async def test_they_are_counted_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubmeters, "DUTIES_S", 0.01)
    monkeypatch.setattr(hubmeters, "_AT_ONCE", 1)
    stage = DutyStage("2026-07-01")
    metrics.DUTIES.clear()
    task = asyncio.create_task(meter_duties(stage.world.fold, lambda: at_noon("2026-07-02")))
    stage.on("2026-07-02").apply()
    await until(lambda: value("due", "SLA-02") == 1.0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
