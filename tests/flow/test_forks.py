"""Two histories of one stream: found, proven on the ledger, and read by nobody."""

from pathlib import Path

import pytest

from exchange.bus.outbox import Outbox
from exchange.errors import HubUnavailable
from exchange.flow.ports import Admitted
from exchange.flow.report import Halt, Report
from exchange.ledger.verdict import Folded
from exchange.model.acts import RetireInstance
from tests.flow.stage import HANGZHOU, Hub, ListSink, Stage, villages

PLACE = ("data.villages", sum(HANGZHOU.encode()) % 4)


@pytest.fixture
async def stage(tmp_path: Path) -> Stage:
    return await Stage(tmp_path).start()


async def two_branches(stage: Stage, *, report: bool = False) -> tuple[Outbox, Outbox]:
    """A machine and its clone: bundle 0 in common, then each seals a bundle 1 of its own."""
    await stage.push(villages(10))
    clone = stage.folder / "clone.db"
    clone.write_bytes((stage.folder / "spool.db").read_bytes())
    first, second = stage.outbox(), Outbox(clone)
    publishers = [await stage.publisher(first), await stage.publisher(second)]
    for number, publisher in enumerate(publishers):
        await publisher.push(villages(5, first=10 + 5 * number))
        await publisher.flush()
    if report:
        await publishers[0].report()
    return first, second


def only(report: Report) -> Halt:
    (halt,) = report.halted.values()
    return halt


def filed(stage: Stage) -> list[Folded]:
    """Proofs of forks that come to stand on the ledger from now on."""
    found: list[Folded] = []

    def note(folded: Folded) -> None:
        if folded.act is not None and folded.act.kind == "stream.fork":
            found.append(folded)

    stage.hub.follower.listen(note)
    return found


def close(*outboxes: Outbox) -> None:
    for outbox in outboxes:
        outbox.close()


async def test_a_fork_is_filed_once_and_every_reader_halts_there(stage: Stage) -> None:
    proofs, grant, other = filed(stage), await stage.grant(), await stage.grant("health")
    close(*await two_branches(stage))
    assert only(await stage.pull(grant, ListSink())).failure == "equivocation"
    (proof,) = proofs
    assert (proof.permit, proof.act and proof.act.member) == (True, "human-resources")
    sink = ListSink()
    report = await stage.pull(other, sink, member="health")
    assert only(report) == Halt("equivocation", 1, ("STREAM-02",), proof.index)
    assert len(sink.records) == 10
    assert only(await stage.pull(grant, ListSink())).entry == proof.index
    assert proofs == [proof]


async def test_a_reader_beyond_the_fork_halts_once_it_is_proven(stage: Stage) -> None:
    """The broker's owner showed it one branch only."""
    grant, other = await stage.grant(), await stage.grant("health")
    close(*await two_branches(stage))
    hidden = stage.cluster.messages(*PLACE)[2].value
    stage.cluster.rewrite(*PLACE, 2, b"")
    sink = ListSink()
    assert (await stage.pull(grant, sink)).whole
    stage.cluster.rewrite(*PLACE, 2, hidden)
    await stage.pull(other, ListSink(), member="health")
    assert only(await stage.pull(grant, sink)).rules == ("STREAM-02",)


async def test_a_reader_of_another_branch_than_the_anchored_one_halts(stage: Stage) -> None:
    """The anchor is the provider's other word, whichever bundles the broker shows."""
    grant, sink = await stage.grant(), ListSink()
    close(*await two_branches(stage, report=True))
    stage.cluster.rewrite(*PLACE, 1, b"")
    halt = only(await stage.pull(grant, sink))
    assert (halt.failure, halt.sequence, halt.rules) == ("equivocation", 1, ("STREAM-02",))
    assert len(sink.records) == 10


async def test_an_anchor_learnt_later_halts_a_reader_that_went_the_other_way(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    first, second = await two_branches(stage)
    stage.cluster.rewrite(*PLACE, 1, b"")
    assert (await stage.pull(grant, sink)).whole
    publisher = await stage.publisher(first)
    await publisher.report()
    assert only(await stage.pull(grant, sink)).sequence == 1
    close(first, second)


async def test_without_the_other_bundle_nothing_is_filed(stage: Stage) -> None:
    proofs, grant, sink = filed(stage), await stage.grant(), ListSink()
    close(*await two_branches(stage))
    held = stage.cluster.messages(*PLACE)
    stage.cluster.rewrite(*PLACE, 2, b"")
    await stage.pull(grant, sink)
    stage.cluster.rewrite(*PLACE, 1, b"")
    stage.cluster.rewrite(*PLACE, 2, held[2].value)
    assert only(await stage.pull(grant, sink)).failure == "equivocation"
    assert proofs == []


class Away:
    """A hub that cannot be reached for acts until it is called back."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.ask = hub.ask
        self.away = 2

    async def submit(self, act: bytes) -> Admitted:
        if self.away:
            self.away -= 1
            raise HubUnavailable("away", "离线")
        return await self._hub.submit(act)


async def test_a_proof_waits_for_a_hub_that_is_away(stage: Stage) -> None:
    proofs, grant = filed(stage), await stage.grant()
    close(*await two_branches(stage))
    subscriber = await stage.subscriber(grant, ListSink(), hub=Away(stage.hub))
    with pytest.raises(HubUnavailable):  # the receipt, at the end
        await subscriber.run(follow=False)
    assert proofs == []
    await subscriber.run(follow=False)
    assert len(proofs) == 1


async def test_a_provider_opens_a_successor_of_a_forked_stream(stage: Stage) -> None:
    first, second = await two_branches(stage)
    running = await stage.publisher(first)
    await stage.pull(await stage.grant(), ListSink())
    await running.push(villages(5, "3302"))  # opens a stream, so its view of the ledger is new
    await running.flush()
    await running.push(villages(5, first=30))
    await running.flush()
    streams = list(stage.hub.fold.registry.streams.values())
    assert [stream.predecessor for stream in streams] == [None, None, streams[0].id]
    started = await stage.publisher(second)
    await started.push(villages(5, first=40))
    await started.flush()
    streams = list(stage.hub.fold.registry.streams.values())
    assert streams[3].predecessor == streams[0].id
    close(first, second)


async def test_the_stolen_key_of_a_stopped_instance_halts_nobody(stage: Stage) -> None:
    proofs, grant, sink = filed(stage), await stage.grant(), ListSink()
    first, second = await two_branches(stage, report=True)
    stolen = stage.cluster.messages(*PLACE)[2].value
    stage.cluster.rewrite(*PLACE, 2, b"")
    assert (await stage.pull(grant, sink)).whole
    retire = RetireInstance(member="civil", instance="main")
    assert (await stage.say("civil", retire)).permit
    stage.cluster.rewrite(*PLACE, 2, stolen)
    report = await stage.pull(grant, sink)
    assert report.whole
    assert report.ignored == {"unproven": 1}
    assert proofs == []
    close(first, second)


async def test_new_keys_under_an_old_name_open_a_stream_of_their_own(stage: Stage) -> None:
    """Headers verify under the registration that opened their stream: nobody would read others."""
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(10))
    retire = RetireInstance(member="civil", instance="main")
    assert (await stage.say("civil", retire)).permit
    assert (await stage.say("civil", stage.world.registration("civil", fresh=True))).permit
    await stage.push(villages(10, first=10))
    report = await stage.pull(grant, sink)
    assert report.whole
    assert len(sink.records) == 20
