"""Crashes, faults and time: nothing acknowledged is lost, nothing is doubled, nothing recurs."""

import asyncio
import random
from pathlib import Path

import pytest

from exchange.bus.outbox import Outbox
from exchange.envelope.header import Header
from exchange.envelope.open import parse_bundle
from exchange.errors import BusUnavailable, HubUnavailable, InUse, NotFound, RuleRefused, UsageError
from exchange.flow.publish import Publisher
from exchange.flow.subscription import subscription
from exchange.limits import EPOCH_MS_MAX
from exchange.model.acts import PublishDataset, RevokeGrant, WithdrawDataset
from exchange.model.contract import Contract
from exchange.model.lifeacts import ReviewDataset
from keys.suite import SUITE_1
from tests.flow.stage import HANGZHOU, ListSink, Stage, villages
from tests.ledger.drafts import DAY_MS, START_MS, VILLAGES, contract

TOPIC = "data.villages"


@pytest.fixture
async def stage(tmp_path: Path) -> Stage:
    return await Stage(tmp_path).start()


def headers(stage: Stage) -> list[Header]:
    """Every header that stands on the topic of Hangzhou's stream."""
    messages = stage.cluster.messages(TOPIC, sum(HANGZHOU.encode()) % 4)
    return [parse_bundle(message.value or b"").header for message in messages]


async def killed_push(stage: Stage, count: int, **faults: float) -> None:
    """A push whose process dies: nothing is closed, reported or settled."""
    await stage.push(villages(1))
    outbox = stage.outbox()
    publisher = await stage.publisher(outbox, bundle_records_max=5)
    stage.faults(**faults)
    await publisher.push(villages(count, first=1))
    await publisher._keeping.done()
    await asyncio.sleep(0.01)
    outbox._db.close()
    stage.cluster.calm()


async def test_a_push_killed_before_it_sends_is_sent_by_the_next(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await killed_push(stage, 20, refused=1.0)
    assert len(headers(stage)) == 1
    await stage.push(villages(1, first=21))
    await stage.pull(grant, sink)
    assert len(sink.records) == 22


async def test_a_push_killed_after_it_sent_doubles_nothing(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await killed_push(stage, 20, lost_acks=1.0)
    on_topic = len(headers(stage)) - 1
    assert on_topic >= 1
    await stage.push(villages(1, first=21))
    report = await stage.pull(grant, sink)
    assert (report.records, len(sink.records)) == (22, 22)
    assert report.duplicates == on_topic


async def test_kafka_down_loses_nothing_and_says_what_to_do(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(5))
    outbox = stage.outbox()
    publisher = await stage.publisher(outbox)
    stage.cluster.down = True
    await publisher.push(villages(5, first=5))
    with pytest.raises(BusUnavailable) as caught:
        await publisher.flush()
    assert "nothing is lost" in caught.value.remedy.en
    stage.cluster.down = False
    outbox.close()
    await stage.push(villages(5, first=10))
    await stage.pull(grant, sink)
    assert len(sink.records) == 15


@pytest.mark.parametrize("seed", range(12))
async def test_when_faults_stop_the_sink_equals_the_source(tmp_path: Path, seed: int) -> None:
    stage = await Stage(tmp_path, seed=seed).start()
    chance = random.Random(seed)
    grant, sink = await stage.grant(), ListSink()
    pushed = 0
    for _ in range(6):
        stage.faults(
            refused=chance.choice([0, 0.2]),
            lost_acks=chance.choice([0, 0.3]),
            late_appends=chance.choice([0, 0.2]),
            lost_sends=chance.choice([0, 0.2]),
            redeliveries=chance.choice([0, 0.3]),
            reordering=chance.choice([0, 0.5]),
        )
        count = chance.randint(1, 12)
        try:
            await stage.push(villages(count, first=pushed), bundle_records_max=3)
        except (BusUnavailable, HubUnavailable):
            stage.cluster.calm()
            await stage.push(villages(count, first=pushed), bundle_records_max=3)
        pushed += count
        stage.advance(1_000)
        stage.cluster.calm()
        report = await stage.pull(grant, sink)
        assert not report.halted, report
    stage.cluster.settle()
    report = await stage.pull(grant, sink)
    assert report.whole, report
    assert set(sink.records) == set(villages(pushed)["code"])
    found: dict[tuple[bytes, int], bytes] = {}
    for header in headers(stage):
        said = found.setdefault((header.stream, header.sequence), header.salt)
        assert said == header.salt, "two bundles for one sequence number"


async def test_a_sink_that_fails_half_way_is_served_again(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(30), bundle_records_max=10)

    def fail() -> None:
        raise OSError("the database went away")

    sink.fail = fail
    with pytest.raises(OSError, match="went away"):
        await stage.pull(grant, sink)
    assert sink.records == {}
    sink.fail = lambda: None
    assert (await stage.pull(grant, sink)).records == 30


async def test_a_record_that_moves_city_is_not_lost_to_a_late_delete(stage: Stage) -> None:
    grant, sink = await stage.grant(regions=("33",)), ListSink("name")
    outbox = stage.outbox()
    publisher = await stage.publisher(outbox, held=contract())
    before, after = villages(1), villages(1, "3302")
    await publisher.push(before)
    await publisher.push(before, operations=[1])
    await publisher.push(after)
    await publisher.flush()
    await publisher.close()
    outbox.close()
    await stage.pull(grant, sink)
    assert [record["code"] for record in sink.records.values()] == after["code"]


async def test_an_epoch_ends_with_time_and_with_a_revocation(stage: Stage) -> None:
    other = await stage.grant("health")
    outbox = stage.outbox()
    publisher = await stage.publisher(outbox)

    async def push_one(number: int) -> None:
        await publisher.push(villages(1, first=number))
        await publisher.flush()

    await push_one(0)
    await push_one(1)
    stage.advance(EPOCH_MS_MAX)
    await push_one(2)
    await stage.say("civil", RevokeGrant(grant=other, reason="ended"))
    await publisher._lines._view.catch_up()
    await push_one(3)
    outbox.close()
    epochs = [header.epoch for header in headers(stage)]
    assert epochs[0] == epochs[1]
    assert len(set(epochs)) == 3


async def test_records_outside_the_granted_period_move_the_position_only(stage: Stage) -> None:
    await stage.push(villages(3))
    stage.advance(2 * DAY_MS)
    await stage.push(villages(3, first=3))
    grant = await stage.grant(from_ms=START_MS + DAY_MS, to_ms=START_MS + 90 * DAY_MS)
    sink = ListSink()
    report = await stage.pull(grant, sink)
    assert (report.records, report.outside_period) == (3, 1)
    assert set(sink.records) == set(villages(3, first=3)["code"])
    assert report.whole


async def test_a_provider_that_wraps_junk_is_named_in_the_denial(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant, sink = await stage.grant(), ListSink()
    wrap = type(SUITE_1).wrap

    def junk(self: object, public: bytes, secret: bytes, info: bytes) -> bytes:
        return wrap(SUITE_1, public, bytes(32), info)

    monkeypatch.setattr(type(SUITE_1), "wrap", junk)
    await stage.push(villages(3))
    monkeypatch.undo()
    report = await stage.pull(grant, sink)
    (halt,) = report.halted.values()
    assert (halt.failure, halt.rules) == ("denied", ("PROVIDER-01",))
    assert sink.records == {}


async def test_a_revised_contract_needs_a_new_grant(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(3))
    text = VILLAGES.replace("retention_days: 365", "retention_days: 30")
    revised = Contract.from_yaml(text.encode())
    proposal = await stage.say("civil", stage.world.proposal(contract=revised.encoded))
    review = ReviewDataset(dataset="villages", proposal=proposal.act, approve=True)
    assert (await stage.say("authority", review)).permit
    publish = PublishDataset(dataset="villages", proposal=proposal.act)
    assert (await stage.say("authority", publish)).permit
    with pytest.raises(UsageError) as caught:
        await stage.push(villages(1, first=3))
    assert caught.value.failure == "contract-hash"
    await stage.push(villages(1, first=3), held=revised)
    report = await stage.pull(grant, sink)
    assert len(sink.records) == 3
    (halt,) = report.halted.values()
    assert halt.rules == ("PUR-01",)


async def test_a_withdrawn_or_unknown_dataset_is_not_published_to(stage: Stage) -> None:
    await stage.say("authority", WithdrawDataset(dataset="villages", reason="law"))
    with pytest.raises(NotFound):
        await stage.push(villages(1))


async def test_nobody_publishes_another_members_dataset(stage: Stage) -> None:
    outbox = stage.outbox()
    publisher = await stage.publisher(outbox)
    publisher._lines._signs = stage.signs("health")
    with pytest.raises(RuleRefused) as caught:
        await publisher.start()
    assert caught.value.rules == ("OWN-01",)
    outbox.close()


async def test_two_processes_cannot_share_a_spool(stage: Stage) -> None:
    outbox = stage.outbox()
    with pytest.raises(InUse):
        Outbox(stage.folder / "spool.db")
    outbox.close()


async def test_bad_records_are_named_and_the_rest_goes_on(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    outbox = stage.outbox()
    publisher: Publisher = await stage.publisher(outbox)
    columns = villages(5)
    columns["code"][2] = "not a code"
    pushed = await publisher.push(columns, first_line=2)
    await publisher.flush()
    await publisher.close()
    outbox.close()
    (rejected,) = pushed.rejected
    assert (pushed.accepted, rejected.line, rejected.field) == (4, 4, "code")
    assert (await stage.pull(grant, sink)).records == 4


async def test_a_stranger_has_no_subscription(stage: Stage) -> None:
    grant = await stage.grant()
    view = stage.view("health")
    await view.catch_up()
    with pytest.raises(NotFound):
        subscription(view.registry, grant, "health")
    with pytest.raises(NotFound):
        subscription(view.registry, bytes(32), "health")


async def test_records_that_suddenly_grow_are_split_over_more_bundles(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    chance = random.Random(3)
    columns = villages(60)
    columns["head"] = [chance.randbytes(120_000).hex() for _ in range(60)]
    await stage.push(columns, bundle_records_max=60)
    await stage.pull(grant, sink)
    assert [record["head"] for record in sink.records.values()] == columns["head"]
    assert len(headers(stage)) > 1
