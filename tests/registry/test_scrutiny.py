"""What an auditor's fold sees and no other: a hub that carries a verdict the rules do not give."""

import pytest

from exchange.audit.record import Record
from exchange.audit.verify import Survey, examine
from exchange.bus.memory import MemoryCluster
from exchange.errors import CheckFailed
from exchange.ledger.follower import Follower
from exchange.model import acts
from exchange.registry.fold import RegistryFold
from exchange.registry.footprint import footprint
from exchange.registry.statehash import state_hash
from tests.ledger.drafts import DAY_MS, HOUR_MS, engine
from tests.ledger.world import World, exchange_world


def scrutinised(world: World) -> tuple[RegistryFold, Record, Survey]:
    fold, record, survey = RegistryFold([engine()]), Record(), Survey()
    fold.scrutinises = True
    for number, entry in enumerate(world.entries):
        folded = fold.fold(entry) if number else fold.begin(world.root)
        record.take(folded)
        survey.take(folded)
    return fold, record, survey


def busy(world: World) -> World:
    """Permits, denials, refused items, and time that passes."""
    stream = world.stream("civil")
    grant = world.granted("human-resources", expires_ms=world.now_ms + 2 * HOUR_MS)
    for _ in range(4):
        inside, outside = world.item(stream), world.item(stream, to_ms=world.now_ms + 99 * DAY_MS)
        world.put(world.ask(grant, inside, outside), by="human-resources/main")
        world.put(world.ask(grant, inside, purpose="other"), by="human-resources/main")
        world.put(world.application(duty=""), by="health")
        world.advance(HOUR_MS)
    return world


def test_nothing_that_an_honest_hub_says_is_disputed() -> None:
    world = busy(exchange_world())
    fold, record, survey = scrutinised(world)
    assert not any(row.disputed for row in record.rows)
    assert survey.lied is None
    assert survey.denials == len(list(record.refusals()))
    assert survey.rejudged == sum(not row.carried for row in record.rows if row.verdict != "void")
    assert state_hash(fold.registry) == state_hash(world.registry)


def lying(world: World, body: acts.RevokeGrant | acts.Apply, *, permit: bool) -> int:
    """An entry of a hub that turns the verdict round and states the footprint truly."""
    raw = world.sign(body, by="health")
    act = world.fold.authenticate(raw, world.now_ms)
    entry = world.entry(
        raw,
        permit=permit,
        rules=("OPEN-01",) if permit else ("BASIS-01",),
        footprint=footprint(act, world.registry),
    )
    folded = world.take(entry)
    assert (folded.permit, folded.carried, folded.disputed) == (permit, True, False)
    return folded.index


@pytest.mark.parametrize("permit", [True, False])
async def test_a_hub_that_lies_is_believed_by_folds_and_named_by_an_auditor(
    *, permit: bool
) -> None:
    world = exchange_world(hubs=("hub-1", "hub-2"))
    duty = "" if permit else "社会保险法 第七条"  # without a duty the rules refuse it
    index = lying(world, world.application(duty=duty), permit=permit)
    fold, record, survey = scrutinised(world)
    assert [row.index for row in record.rows if row.disputed] == [index]
    assert survey.lied == ("hub-1", index)
    assert state_hash(fold.registry) == state_hash(world.registry)
    follower = Follower(MemoryCluster().bus("auditor"), "ledger", world.pin, fold)
    with pytest.raises(CheckFailed) as caught:
        examine(follower, survey, fold.registry, hub=None)
    assert caught.value.failure == "verdict"
    assert f"hub-1 gave entry {index}" in caught.value.text.en
