"""A county reads its own rows of a provincial dataset, end to end, without a grant on more."""

from pathlib import Path

import pytest

from exchange.bus.ports import TopicSpec
from exchange.model.contract import Contract
from tests.flow.stage import ListSink, Stage
from tests.ledger.drafts import VILLAGES
from tests.ledger.world import permitted

COUNTIES = VILLAGES.replace("level: city}", "level: county}")
XIHU, SHANGCHENG, HAISHU = "330106", "330102", "330203"


def rows(county: str, count: int) -> dict[str, list[str]]:
    codes = [f"{county}001{number:03d}" for number in range(count)]
    return {
        "code": codes,
        "name": [f"村{code}" for code in codes],
        "head": [f"head-{code}" for code in codes],
        "phone": [f"phone-{code}" for code in codes],
    }


@pytest.fixture
async def stage(tmp_path: Path) -> Stage:
    """Conditional data of the province, split by county, that flows back; two lower members."""
    stage = Stage(tmp_path)
    world = stage.world
    held = Contract.from_yaml(COUNTIES.encode())
    world.publish("civil", sharing="conditional", reflow=True, contract=held.encoded)
    for member, region in (("xihu", XIHU), ("hangzhou", "3301"), ("xihu-town", XIHU + "001")):
        permitted(world.put(world.enrolment(member, region=region)))
        permitted(world.put(world.registration(member), by=member))
    await stage.start()
    await stage.cluster.bus("setup").ensure_topic(TopicSpec("data.villages", 4, 1, {}))
    parts = [rows(county, count) for county, count in ((XIHU, 3), (SHANGCHENG, 4), (HAISHU, 5))]
    joined = {name: [value for part in parts for value in part[name]] for name in parts[0]}
    await stage.push(joined, held=held)
    return stage


async def received(stage: Stage, member: str, *regions: str) -> set[str]:
    """The counties whose rows ``member`` gets under a grant on ``regions``."""
    grant = await stage.grant(member, regions=regions)
    sink = ListSink()
    report = await stage.pull(grant, sink, member=member)
    assert not report.halted
    return {code[:6] for code in sink.records}


async def test_a_county_opens_exactly_its_own_streams(stage: Stage) -> None:
    assert await received(stage, "xihu", XIHU) == {XIHU}


async def test_a_city_gets_all_its_counties(stage: Stage) -> None:
    assert await received(stage, "hangzhou", "3301") == {XIHU, SHANGCHENG}


async def test_a_city_may_take_one_of_them(stage: Stage) -> None:
    assert await received(stage, "hangzhou", SHANGCHENG) == {SHANGCHENG}


async def test_what_is_not_its_own_is_not_granted_at_once(stage: Stage) -> None:
    for member, regions in (
        ("xihu", (SHANGCHENG,)),
        ("xihu", ("3301",)),
        ("xihu", (XIHU, SHANGCHENG)),
        ("hangzhou", ("33",)),
        ("human-resources", (XIHU,)),
    ):
        body = stage.world.application(regions=regions)
        admitted = await stage.say(member, body)
        assert admitted.rules == ("APPLY-01",), (member, regions)
        assert stage.hub.fold.registry.requests[admitted.act].status == "open"


async def test_a_town_has_no_stream_of_its_own_in_data_split_by_county(stage: Stage) -> None:
    """A grant finer than the split opens nothing, rather than the rows of the neighbours."""
    assert await received(stage, "xihu-town", XIHU + "001") == set()
