"""Replays: the state of every other fold, and each lie, race and foreign message counted."""

from collections.abc import Iterator, Sequence

import pytest

from exchange.audit.replay import Replay
from exchange.bus.ports import Message
from exchange.errors import CheckFailed, LedgerBroken
from exchange.ledger.ahead import BATCH
from exchange.model import acts
from exchange.registry.fold import RegistryFold
from exchange.registry.footprint import footprint
from exchange.registry.statehash import state_hash
from keys.verifiers import Verifiers
from tests.ledger.drafts import HOUR_MS, engine
from tests.ledger.world import World, exchange_world


def messages(values: Sequence[bytes | None]) -> list[Message]:
    return [Message("", 0, at, value, (), 0) for at, value in enumerate(values)]


def replayed(
    world: World,
    values: Sequence[bytes | None] | None = None,
    *,
    verifiers: Verifiers | None = None,
    strict: bool = False,
    portion: int = 7,
) -> Replay:
    raws = [entry.raw for entry in world.entries] if values is None else values
    with verifiers or Verifiers(0) as checked:
        replay = Replay(world.pin, RegistryFold([engine()]), checked, strict=strict)
        read = messages(raws)
        for first in range(0, len(read), portion):
            replay.take(read[first : first + portion])
        replay.finish()
    return replay


def busy(world: World, rounds: int = 12) -> World:
    """Permits, denials, refused items, new keys in the middle."""
    stream = world.stream("civil")
    grant = world.granted("human-resources")
    for number in range(rounds):
        world.put(world.ask(grant, world.item(stream)), by="human-resources/main")
        world.put(world.application(duty=""), by="health")
        world.put(acts.ReportProgress(anchors=(world.anchor(stream, number),)), by="civil/main")
        world.advance(1_000)
    world.join("newcomer")
    world.put(world.application(), by="newcomer")
    return world


@pytest.fixture(scope="module")
def world() -> World:
    return busy(exchange_world())


@pytest.fixture(scope="module")
def processes() -> Iterator[Verifiers]:
    with Verifiers(2) as verifiers:
        yield verifiers


@pytest.mark.parametrize("portion", [1, 7, BATCH, 10_000])
def test_a_replay_has_the_state_of_every_other_fold(world: World, portion: int) -> None:
    found = replayed(world, portion=portion).result()
    assert found.state == state_hash(world.registry)
    assert found.entries == len(world.entries)
    assert (found.disputed, found.overtaken, found.void, found.junk) == (0, 0, {}, {})
    assert found.denials == 12
    assert not found.differences


def test_other_processes_find_the_same(world: World) -> None:
    raws: list[bytes | None] = [entry.raw for entry in world.entries]
    raws[20:20] = [None, b"junk", raws[5][:-1] + b"x"]  # type: ignore[index]
    alone = replayed(world, raws).result()
    assert replayed(world, raws, verifiers=Verifiers(2), portion=10_000).result() == alone
    assert alone.junk == {"null": 1, "truncated": 1, "signature": 1}
    assert alone.state == state_hash(world.registry)


def test_an_act_whose_signature_does_not_hold_is_void_here_too(world: World) -> None:
    fresh = busy(exchange_world(seed=1), rounds=1)
    act = bytearray(fresh.sign(fresh.application(), by="health"))
    act[-1] ^= 1
    entry = fresh.entry(bytes(act), permit=True, rules=("OPEN-01",))
    fresh.take(entry)
    found = replayed(fresh).result()
    assert found.void == {"signature": 1}
    assert found.state == state_hash(fresh.registry)


def test_a_lie_is_named_with_what_was_recorded_and_what_the_rules_say() -> None:
    world = exchange_world(hubs=("hub-1", "hub-2"))
    raw = world.sign(world.application(duty=""), by="health")
    act = world.fold.authenticate(raw, world.now_ms)
    read = footprint(act, world.registry)
    lie = world.entry(raw, hub="hub-2", permit=True, rules=("OPEN-01",), footprint=read)
    assert world.take(lie).permit
    found = replayed(world).result()
    assert (found.disputed, found.overtaken) == (1, 0)
    (difference,) = found.differences
    assert (difference.index, difference.hub, difference.why) == (
        len(world.entries) - 1,
        "hub-2",
        "disputed",
    )
    assert (difference.recorded.permit, difference.recorded.rules) == (True, ("OPEN-01",))
    assert (difference.decided.permit, difference.decided.rules) == (False, ("DUTY-01",))


def test_a_verdict_that_was_overtaken_is_a_difference_and_no_lie() -> None:
    world = exchange_world()
    stream = world.stream("civil")
    grant = world.granted("human-resources")
    late = world.entry(world.sign(world.ask(grant, world.item(stream)), by="human-resources/main"))
    world.put(acts.RevokeGrant(grant=grant, reason="over"), by="civil")
    assert not world.take(late).permit
    found = replayed(world).result()
    assert (found.disputed, found.overtaken, found.rejudged) == (0, 1, 1)
    assert found.differences[0].decided.refused_items == ((0, ("REV-01",)),)


def test_a_strict_source_may_hold_nothing_but_entries(world: World) -> None:
    raws: list[bytes | None] = [entry.raw for entry in world.entries]
    assert replayed(world, raws, strict=True).result().entries == len(raws)
    raws[9] = b"\x00" + (raws[9] or b"")
    with pytest.raises(CheckFailed) as caught:
        replayed(world, raws, strict=True)
    assert caught.value.failure == "entry"
    assert "entry 9" in caught.value.text.en


def test_another_ledger_is_not_the_pinned_one(world: World) -> None:
    other = World(seed=99)
    with pytest.raises(LedgerBroken) as caught:
        replayed(world, [other.genesis])
    assert caught.value.failure == "wrong-genesis"


def test_memory_does_not_grow_with_differences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exchange.audit.replay.SHOWN_MAX", 2)
    world = exchange_world()
    for _ in range(4):
        raw = world.sign(world.application(duty=""), by="health")
        read = footprint(world.fold.authenticate(raw, world.now_ms), world.registry)
        world.take(world.entry(raw, permit=True, rules=("OPEN-01",), footprint=read))
        world.advance(HOUR_MS // 60)
    found = replayed(world).result()
    assert found.disputed == 4
    assert len(found.differences) == 2
