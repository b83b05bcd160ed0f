"""Streams: where they open, how anchors move, and what a stopped instance leaves behind."""

import pytest

from exchange.errors import NotFound
from exchange.model import acts
from exchange.registry.tracks import ANCHORS_KEPT
from tests.ledger.drafts import contract
from tests.ledger.world import World, permitted


def progress(world: World, *anchors: acts.Anchor) -> tuple[bool, tuple[str, ...]]:
    folded = world.put(acts.ReportProgress(anchors=anchors), by="civil/main")
    return folded.permit, folded.rules


def test_a_stream_opens_where_the_catalogue_says(world: World) -> None:
    stream = world.stream("civil")
    row = world.registry.streams[stream]
    assert (row.dataset, row.member, row.instance, row.region) == (
        "villages",
        "civil",
        "main",
        "3301",
    )
    assert world.registry.streams_of("villages") == (row,)
    assert world.registry.stream_public(stream) == world.public("adapter/civil/main")
    for changed in (
        {"topic": "data.other"},
        {"partition": 4},
        {"partition": -1},
        {"region": "33"},
        {"region": "330102"},
        {"region": ""},
        {"predecessor": bytes(32)},
    ):
        folded = world.put(world.opening(**changed), by="civil/main")
        assert folded.rules == ("STREAM-01",), changed
    assert world.put(world.opening("nothing"), by="civil/main").rules == ("STATE-01",)


def test_a_dataset_that_does_not_split_has_streams_of_the_whole_country(world: World) -> None:
    world.publish("civil", "schools", contract=contract("schools", split=False).encoded)
    assert world.registry.streams[world.stream("civil", "schools", "")].region == ""
    assert world.put(world.opening("schools", "33"), by="civil/main").rules == ("STREAM-01",)


def test_a_stream_follows_one_of_its_own_line(world: World) -> None:
    first = world.stream("civil")
    second = world.stream("civil", predecessor=first)
    assert world.registry.streams[second].predecessor == first
    folded = world.put(world.opening(region="3302", predecessor=first), by="civil/main")
    assert folded.rules == ("STREAM-01",)


def test_only_the_provider_opens_streams_of_its_dataset(world: World) -> None:
    assert not world.put(world.opening(), by="health/main").permit


def test_anchors_only_move_forward(world: World) -> None:
    stream = world.stream("civil")
    assert world.registry.newest_anchor(stream) is None
    assert progress(world, world.anchor(stream, 4)) == (True, ("OWN-01",))
    assert progress(world, world.anchor(stream, 3)) == (False, ("STREAM-01",))
    assert progress(world, world.anchor(stream, 5, version=1)) == (False, ("STREAM-01",))
    assert progress(world, world.anchor(stream, 5, records=-1)) == (False, ("STREAM-01",))
    assert progress(world, world.anchor(stream, 4)) == (True, ("OWN-01",))
    assert progress(world, world.anchor(bytes(32), 4)) == (False, ("STATE-01",))
    assert progress(world) == (False, ("STATE-01",))
    newest = world.registry.newest_anchor(stream)
    assert newest is not None
    assert (newest.sequence, newest.index) == (4, world.registry.size - 3)


def test_two_heads_for_one_sequence_are_a_fork(world: World) -> None:
    stream = world.stream("civil")
    progress(world, world.anchor(stream, 4))
    assert progress(world, world.anchor(stream, 4, head=bytes(32))) == (False, ("STREAM-02",))
    within = (world.anchor(stream, 5), world.anchor(stream, 5, head=bytes(32)))
    assert progress(world, *within) == (False, ("STREAM-02",))


def test_one_act_anchors_streams_of_several_datasets(world: World) -> None:
    world.publish("civil", "schools", contract=contract("schools", split=False).encoded)
    streams = (world.stream("civil"), world.stream("civil", "schools", ""))
    anchors = tuple(world.anchor(stream, 0) for stream in streams)
    assert progress(world, *anchors) == (True, ("OWN-01",))


def test_nobody_anchors_anothers_streams(world: World) -> None:
    stream = world.stream("civil")
    body = acts.ReportProgress(anchors=(world.anchor(stream, 1),))
    assert not world.put(body, by="health/main").permit
    permitted(world.put(world.registration("civil", "second"), by="civil"))
    assert not world.put(body, by="civil/second").permit


def test_the_state_keeps_the_newest_anchors(world: World) -> None:
    stream = world.stream("civil")
    for sequence in range(0, 2 * ANCHORS_KEPT, 8):
        anchors = tuple(world.anchor(stream, sequence + step) for step in range(8))
        assert progress(world, *anchors)[0]
    kept = world.registry.tracks[stream].anchors
    assert [row.sequence for row in kept] == list(range(ANCHORS_KEPT, 2 * ANCHORS_KEPT))


def test_a_gap_is_declared_once_and_contradicts_no_anchor(world: World) -> None:
    stream = world.stream("civil")
    progress(world, world.anchor(stream, 9))
    head = world.anchor(stream, 9).head

    def declare(first: int, last: int, head: bytes) -> tuple[str, ...]:
        body = acts.DeclareGap(stream=stream, first=first, last=last, head=head, reason="disk")
        return world.put(body, by="civil/main").rules

    assert declare(5, 4, head) == ("STREAM-01",)
    assert declare(-1, 4, head) == ("STREAM-01",)
    assert declare(5, 9, bytes(32)) == ("STREAM-02",)
    assert declare(5, 9, head) == ("OWN-01",)
    assert declare(9, 12, head) == ("STREAM-01",)
    (gap,) = world.registry.gaps_of(stream)
    assert (gap.first, gap.last, gap.head) == (5, 9, head)
    body = acts.DeclareGap(stream=bytes(32), first=0, last=1, head=head, reason="")
    assert world.put(body, by="civil/main").rules == ("STATE-01",)


def test_a_running_instance_has_no_frontier_and_a_stopped_one_its_newest_anchor(
    world: World,
) -> None:
    """Attack 11: what a stolen key signs after the end is beyond the frontier."""
    anchored, bare = world.stream("civil"), world.stream("civil", region="3302")
    progress(world, world.anchor(anchored, 7))
    assert world.registry.frontier(anchored) is None
    permitted(world.put(acts.RetireInstance(member="civil", instance="main"), by="civil"))
    assert world.registry.frontier(anchored) == 7
    assert world.registry.frontier(bare) == -1
    grant = world.granted("health", regions=("3301", "3302"))
    folded = world.put(
        world.ask(
            grant,
            world.item(anchored, sequence=7),
            world.item(anchored, sequence=8),
            world.item(bare, sequence=0),
        ),
        by="health/main",
    )
    assert folded.permit
    assert folded.refused_items == ((1, ("STREAM-01",)), (2, ("STREAM-01",)))


def test_new_keys_under_the_old_name_do_not_lift_the_frontier(world: World) -> None:
    stream = world.stream("civil")
    permitted(world.put(acts.RetireInstance(member="civil", instance="main"), by="civil"))
    permitted(world.put(world.registration("civil", fresh=True), by="civil"))
    assert world.registry.frontier(stream) == -1
    assert not progress(world, world.anchor(stream, 1))[0]


def test_a_suspended_provider_has_frontiers_too(world: World) -> None:
    stream = world.stream("civil")
    progress(world, world.anchor(stream, 7))
    permitted(world.put(acts.SuspendMember(member="civil", reason="")))
    assert world.registry.frontier(stream) == 7


def test_unknown_streams_have_no_key_no_frontier_and_no_gaps(world: World) -> None:
    for ask in (world.registry.frontier, world.registry.stream_public):
        with pytest.raises(NotFound):
            ask(bytes(32))
    assert world.registry.gaps_of(bytes(32)) == ()
    assert world.registry.streams_of("nothing") == ()
