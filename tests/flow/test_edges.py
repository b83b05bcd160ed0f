"""The edges of the flow: following, stopping, splitting, and answers that say something else."""

import asyncio
from pathlib import Path

import pytest

from exchange.envelope.open import VerifiedHeader
from exchange.errors import BundleRefused, NotFound, ReleaseRefused, RuleRefused, UsageError
from exchange.flow import deliver
from exchange.flow.chain import HASHES_KEPT, Chain, Step
from exchange.flow.ports import Admitted
from exchange.flow.probation import Probation
from exchange.flow.receipts import Receipts
from exchange.flow.sealedkeys import Envelope, open_keys, seal_keys
from exchange.flow.send import Sender
from exchange.flow.split import concatenate, slices, split
from exchange.flow.subscription import subscription
from exchange.model.acts import DatasetKey
from exchange.model.batch import Batch
from exchange.registry.tracks import AnchorRow
from keys.cbor import encode
from keys.custody import MemoryCustody
from keys.suite import SUITE_1
from tests.flow.stage import ListSink, Stage, villages
from tests.ledger.drafts import START_MS, contract


@pytest.fixture
async def stage(tmp_path: Path) -> Stage:
    return await Stage(tmp_path).start()


async def test_a_follower_delivers_what_comes_later_and_stops_when_told(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(3))
    subscriber = await stage.subscriber(grant, sink)
    running = asyncio.create_task(subscriber.run(follow=True))
    await stage.push(villages(3, first=3))
    await asyncio.to_thread(sink.wait_for, 6)
    await asyncio.sleep(0.3)  # one idle round
    subscriber.stop()
    report = await running
    assert (report.records, report.whole) == (6, True)


async def test_a_reader_stopped_before_the_end_says_so_and_accuses_nobody(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(3))
    subscriber = await stage.subscriber(grant, sink)
    subscriber.stop()
    report = await subscriber.run(follow=False)
    assert (report.stopped, report.whole) == (True, False)
    assert (report.missing, report.withheld) == ({}, {})
    assert (await stage.pull(grant, sink)).whole


async def test_a_large_catch_up_is_committed_in_parts(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deliver, "COMMIT_RECORDS", 10)
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(40), bundle_records_max=5)
    await stage.pull(grant, sink)
    assert len(sink.records) == 40
    assert sink.commits >= 4


async def test_a_bundle_that_does_not_open_halts_its_stream(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(20), bundle_records_max=10)

    def refuse(*_: object) -> Batch:
        raise BundleRefused("it does not open", "无法打开", failure="aead")

    monkeypatch.setattr(deliver, "open_sections", refuse)
    report = await stage.pull(grant, sink)
    (halt,) = report.halted.values()
    assert (halt.failure, halt.sequence, sink.records) == ("aead", 0, {})


async def test_a_publisher_without_a_dataset_key_says_who_must_act(stage: Stage) -> None:
    stage.advance(366 * 86_400_000)
    await stage.hub.follower.catch_up()
    outbox = stage.outbox()
    publisher = await stage.publisher(outbox)
    publisher._epochs._view.registry.keys_of_dataset.clear()
    await publisher.push(villages(1))
    with pytest.raises(NotFound) as caught:
        await publisher.flush()
    assert "exchange keys init villages" in caught.value.remedy.en
    outbox.close()


async def test_a_progress_report_comes_once_for_each_advance(stage: Stage) -> None:
    outbox = stage.outbox()
    publisher = await stage.publisher(outbox)
    await publisher.push(villages(1))
    await publisher.flush()
    assert await publisher.report() == 1
    assert await publisher.report() == 0
    outbox.close()


def test_a_denied_act_is_an_error_that_names_its_rules(stage: Stage) -> None:
    denied = Admitted(bytes(32), 7, bytes(32), False, ("DUTY-01",))
    with pytest.raises(RuleRefused) as caught:
        stage.signs("health").permitted(denied, "apply", "申请")
    assert caught.value.rules == ("DUTY-01",)
    assert "7" in caught.value.remedy.zh


async def test_a_grant_without_the_key_fields_cannot_be_subscribed_to(stage: Stage) -> None:
    grant = await stage.grant()
    view = stage.view("human-resources")
    await view.catch_up()
    row = view.registry.grants[grant]
    view.registry.grants[grant] = type(row)(
        **{name: getattr(row, name) for name in row.__slots__} | {"fields": ("head",)}
    )
    with pytest.raises(UsageError) as caught:
        subscription(view.registry, grant, "human-resources")
    assert caught.value.failure == "key-section"
    view.registry.contracts.clear()
    with pytest.raises(NotFound):
        subscription(view.registry, grant, "human-resources")


async def test_receipts_of_runs_with_a_hole_are_separate(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(30), bundle_records_max=10)
    subscriber = await stage.subscriber(grant, sink)
    receipts: Receipts = subscriber._receipts
    seen: list[VerifiedHeader] = []
    kept = receipts.delivered

    def spy(header: VerifiedHeader) -> None:
        seen.append(header)
        kept(header)

    receipts.delivered = spy  # type: ignore[method-assign]
    await subscriber.run(follow=False)
    receipts.delivered = kept  # type: ignore[method-assign]
    receipts.delivered(seen[0])
    receipts.delivered(seen[2])
    assert len(receipts._runs) == 2
    early = receipts.due
    stage.advance(60_000)
    assert (early, receipts.due) == (False, True)
    await receipts.file()
    assert receipts._runs == []


async def test_a_hub_that_lacks_a_dataset_key_says_so(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(3))
    stage.hub.releases._custody = MemoryCustody()
    with pytest.raises(ReleaseRefused) as caught:
        await stage.pull(grant, sink)
    assert caught.value.failure == "custody"


async def test_a_header_under_a_key_of_another_ledger_is_refused(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(3))
    stage.hub.fold.registry.keys_of_dataset["villages"] = ()
    report = await stage.pull(grant, sink)
    (halt,) = report.halted.values()
    assert halt.rules == ("PROVIDER-01",)


def test_sealed_keys_of_another_shape_do_not_pass() -> None:
    custody = MemoryCustody()
    key = custody.generate_kem("reader")
    envelope = Envelope("o", "m/i", key.kid, bytes(32), 1, bytes(32), {0: (1,)})
    shapes: list[object] = [[], {}, [[0]], [[0, [[1]]]], [[0, [[1, b"short"]]]]]
    for plaintext in [*shapes, [[0, [[2, bytes(32)]]]]]:
        answer_key = bytes(32)
        wrapped = SUITE_1.wrap(key.raw, answer_key, envelope.info)
        sealed = wrapped + SUITE_1.seal_once(answer_key, encode(plaintext), envelope.info)
        with pytest.raises(ReleaseRefused) as caught:
            open_keys(sealed, unwrap=custody.unwrap, envelope=envelope)
        assert caught.value.failure == "answer-sections"
    sealed = seal_keys({0: {1: bytes(32)}}, public=key.raw, envelope=envelope)
    opened = open_keys(sealed, unwrap=custody.unwrap, envelope=envelope)
    assert {item: {1: bytes(keys[1])} for item, keys in opened.items()} == {0: {1: bytes(32)}}


def test_a_chain_forgets_old_hashes_and_keeps_its_head() -> None:
    chain = Chain.at_start(bytes(32))
    assert chain.judge(0, b"other", b"a") is Step.BROKEN
    for number in range(HASHES_KEPT + 5):
        chain.advance(number, bytes([number % 251]))
    assert chain.judge(0, b"", b"a") is Step.OLD
    assert chain.judge(HASHES_KEPT + 4, b"", chain.head) is Step.DUPLICATE
    assert chain.judge(HASHES_KEPT + 4, b"", b"else") is Step.FORK


def test_a_walk_that_misses_the_anchor_proves_nothing() -> None:
    stream = bytes(32)
    anchor = AnchorRow(bytes(16), 1, b"h1", 1, 1, 1, START_MS)
    for second in (b"h1", b"forged"):
        walk = Probation(Chain.at_start(stream), anchor)
        assert walk.walk(0, stream, b"h0", (("t", 0), 5)) is None
        found = walk.walk(1, b"h0", second, (("t", 0), 6))
        assert (found, walk.proven) == (((("t", 0), 5), True) if second == b"h1" else (None, False))
    assert Probation(Chain.at_start(stream), None).walk(0, stream, b"h0", (("t", 0), 5)) is None


def test_batches_are_split_and_joined_without_mixing_columns() -> None:
    batch = Batch({"code": ["330102001001", "330203001001", "330102001002"]}, [0, 1, 0], [5, 6, 7])
    parts = split(contract(), batch)
    assert parts["3302"] == Batch({"code": ["330203001001"]}, [1], [6])
    assert parts["3301"].versions == [5, 7]
    assert split(contract(split=False), batch) == {"": batch}
    both = concatenate([parts["3301"], Batch({"code": ["x"]}, None, [9])])
    assert (both.operations, both.versions) == ([0, 0, 0], [5, 7, 9])
    assert concatenate([batch]) is batch
    plain = Batch({"code": ["a", "b", "c"]}, None, [1, 2, 3])
    assert concatenate([plain, plain]).operations is None
    assert [part.records for part in slices(plain, 2)] == [2, 1]


def test_a_batch_whose_values_are_known_stays_known_in_all_its_parts() -> None:
    columns = {"code": ["330102001001", "330203001001", "330102001002"]}
    for known in (True, False):
        batch = Batch(columns, None, [5, 6, 7], scalars=known)
        parts = [*split(contract(), batch).values(), *slices(batch, 2)]
        assert {part.scalars for part in parts} == {known}
        assert concatenate(parts).scalars is known
        assert not concatenate([batch, Batch(columns, [0, 0, 0], [8, 9, 10])]).scalars


async def test_a_sender_waits_when_too_much_is_in_flight(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exchange.flow.send.IN_FLIGHT_BYTES_MAX", 1)
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(40), bundle_records_max=5)
    await stage.pull(grant, sink)
    assert len(sink.records) == 40


async def test_a_sender_without_brokers_keeps_everything(stage: Stage) -> None:
    await stage.push(villages(1))
    outbox = stage.outbox()
    publisher = await stage.publisher(outbox)
    sender: Sender = publisher._sender
    await sender._drop_producer()
    stage.cluster.down = True
    await publisher.push(villages(300, first=1))
    await publisher._keeping.done()
    assert sender._failed
    assert len(outbox.unsent(most=100)) == 3
    stage.cluster.down = False
    await publisher.flush()
    assert outbox.unsent() == []
    outbox.close()


async def test_a_key_rotation_starts_a_new_epoch(stage: Stage) -> None:
    outbox = stage.outbox()
    publisher = await stage.publisher(outbox)
    await publisher.push(villages(1))
    await publisher.flush()
    old = next(iter(publisher._epochs._current.values())).epoch.id
    key: DatasetKey = stage.world.dataset_key()
    assert (await stage.say("authority", key)).permit
    await publisher._lines._view.catch_up()
    await publisher.push(villages(1, first=1))
    await publisher.flush()
    assert next(iter(publisher._epochs._current.values())).epoch.id != old
    outbox.close()
