"""From a provider's columns to a consumer's sink, through a hub that logs before it releases."""

from pathlib import Path

import pytest

from exchange.model.acts import RevokeGrant
from tests.flow.stage import ListSink, Stage, joined, villages


@pytest.fixture
async def stage(tmp_path: Path) -> Stage:
    return await Stage(tmp_path).start()


async def test_exactly_the_granted_fields_and_regions_arrive(stage: Stage) -> None:
    grant = await stage.grant()
    await stage.push(joined(villages(250), villages(40, "3302")))
    sink = ListSink()
    report = await stage.pull(grant, sink)
    expected = villages(250)
    assert sink.records == {
        code: {"code": code, "name": name, "head": head}
        for code, name, head in zip(
            expected["code"], expected["name"], expected["head"], strict=True
        )
    }
    assert report.records == 250
    assert report.whole


async def test_a_second_pull_delivers_only_what_is_new(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(30))
    await stage.pull(grant, sink)
    await stage.push(villages(5, first=30))
    report = await stage.pull(grant, sink)
    assert (report.records, len(sink.records)) == (5, 35)


async def test_the_same_records_twice_make_no_doubles(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(30))
    await stage.push(villages(30))
    report = await stage.pull(grant, sink)
    assert (report.records, len(sink.records)) == (60, 30)


async def test_a_bundle_sealed_after_its_revocation_does_not_open(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(30))
    await stage.pull(grant, sink)
    assert (await stage.say("civil", RevokeGrant(grant=grant, reason="ended"))).permit
    await stage.push(villages(7, first=30))
    report = await stage.pull(grant, sink)
    assert len(sink.records) == 30
    (halt,) = report.halted.values()
    assert (halt.failure, halt.rules) == ("denied", ("REV-01",))
