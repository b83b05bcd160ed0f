"""What readers dispute is marked in their sinks, from the ledger alone."""

from pathlib import Path

import pytest

from exchange.flow.marks import disputed
from exchange.model.dutyacts import AnswerObjection, NewObjection
from exchange.wiring.marks import newest_version
from tests.flow.stage import ListSink, Stage, villages


@pytest.fixture
async def stage(tmp_path: Path) -> Stage:
    return await Stage(tmp_path).start()


async def test_a_disputed_record_is_marked_until_it_is_settled(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(3))
    report = await stage.pull(grant, sink)
    assert (sink.marks, report.disputed) == ([], 0)
    version = sorted(version for version, _ in sink.rows.values())[1]
    body = NewObjection(grant=grant, versions=(version,), fields=("name",), reason="wrong")
    filed = await stage.say("human-resources", body)
    assert filed.permit
    report = await stage.pull(grant, sink)
    assert [(mark[0], mark[1]) for mark in sink.marks] == [(version, filed.act.hex())]
    assert report.disputed == 1
    other = ListSink()  # whoever begins anew, under another grant too, is told the same
    await stage.pull(grant, other)
    assert other.marks == sink.marks
    await stage.push(villages(3))
    newest = newest_version(stage.hub.fold.registry, "villages")
    corrected = AnswerObjection(objection=filed.act, outcome="corrected", version=newest)
    assert (await stage.say("civil", corrected)).permit
    report = await stage.pull(grant, sink)
    assert (sink.marks, report.disputed) == ([], 0)


async def test_nothing_is_disputed_in_a_dataset_without_objections(stage: Stage) -> None:
    assert disputed(stage.hub.fold.registry, "villages") == ()
    assert newest_version(stage.hub.fold.registry, "villages") == 0
