"""Province, city, county, town, village: a grant opens what lies in its regions, by prefix."""

import pytest

from exchange.model.contract import REGION_DIGITS, Contract, RegionLevel
from tests.ledger.drafts import VILLAGES
from tests.ledger.world import World

PLACE = "330106001002"
NEIGHBOUR = {2: "34", 4: "3302", 6: "330102", 9: "330106002", 12: "330106001003"}


@pytest.mark.parametrize("level", REGION_DIGITS)
def test_each_level_is_held_by_the_levels_above_it(world: World, level: RegionLevel) -> None:
    digits = REGION_DIGITS[level]
    text = VILLAGES.replace("level: city}", f"level: {level}}}")
    world.publish("civil", contract=Contract.from_yaml(text.encode()).encoded)
    stream = world.stream("civil", region=PLACE[:digits])
    for length in (0, *NEIGHBOUR):
        grant = world.granted("health", regions=(PLACE[:length],))
        folded = world.put(world.ask(grant, world.item(stream)), by="health/main")
        assert folded.permit == (length <= digits), length
        if not folded.permit:
            assert folded.rules == ("PUR-01",)
    for other in NEIGHBOUR.values():
        grant = world.granted("health", regions=(other,))
        folded = world.put(world.ask(grant, world.item(stream)), by="health/main")
        assert folded.rules == ("PUR-01",), other
