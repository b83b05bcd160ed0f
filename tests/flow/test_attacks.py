"""Whoever owns the broker, a provider or a grant that ended: what they get is counted refusals."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exchange.bus.outbox import Outbox
from exchange.envelope.header import DOMAIN
from exchange.envelope.open import parse_bundle
from exchange.errors import ActRefused, RateLimited, ReleaseRefused
from exchange.flow import reader
from exchange.flow.ports import Admitted, KeysAnswered
from exchange.flow.report import Halt
from exchange.flow.sealedkeys import Envelope, open_keys
from exchange.ledger.fairness import Pace
from exchange.model.acts import AskItem, AskKeys, DeclareGap, RetireInstance
from keys import cbor
from keys.cose import content_id, sign1
from tests.flow.stage import HANGZHOU, Hub, ListSink, Stage, joined, villages

TOPIC = "data.villages"


@pytest.fixture
async def stage(tmp_path: Path) -> Stage:
    return await Stage(tmp_path).start()


def place(stage: Stage) -> tuple[str, int]:
    """Where the stream of Hangzhou lies."""
    return TOPIC, sum(HANGZHOU.encode()) % 4


def bundles(stage: Stage) -> list[bytes]:
    """What stands in that place."""
    return [message.value or b"" for message in stage.cluster.messages(*place(stage))]


async def write(stage: Stage, *values: bytes | None) -> None:
    """The broker's owner appends."""
    producer = await stage.cluster.bus("mallory").producer()
    for value in values:
        await producer.produce(*place(stage), value)


def only(halted: dict[str, Halt]) -> Halt:
    (halt,) = halted.values()
    return halt


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("origin", "exchange.example/other"),
        ("dataset", "exams"),
        ("provider", "health/main"),
        ("region", "3302"),
    ],
)
async def test_a_provider_cannot_put_other_names_on_a_bundle_of_its_stream(
    stage: Stage, part: str, said: str
) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(3))
    parsed = parse_bundle(bundles(stage)[0])
    head = content_id(parsed.statement, DOMAIN)
    renamed: dict[str, Any] = {part: said, "sequence": 1, "previous": head}
    header = replace(parsed.header, **renamed)
    signed = sign1(header.encode(), DOMAIN, stage.signs("civil").signer)
    await write(stage, cbor.encode([signed, list(parsed.ciphertexts)]))
    report = await stage.pull(grant, sink)
    assert (report.bundles, report.ignored) == (1, {f"expected-{part}": 1})


async def test_broker_junk_neither_blocks_nor_advances_a_reader(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(3))
    await write(stage, None, b"", b"\x00" * 70_000, b"garbage", bundles(stage)[0][:-1])
    await stage.push(villages(3, first=3))
    report = await stage.pull(grant, sink)
    assert len(sink.records) == 6
    assert sum(report.ignored.values()) == 5
    assert report.whole


async def test_a_flipped_byte_is_refused_wherever_it_is(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(3))
    good = bundles(stage)[0]
    for at in range(0, len(good), 997):
        bad = bytearray(good)
        bad[at] ^= 1
        await write(stage, bytes(bad))
    report = await stage.pull(grant, sink)
    assert len(sink.records) == 3
    assert sum(report.ignored.values()) == len(range(0, len(good), 997))


async def test_swapped_sections_are_refused(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(3))
    match cbor.decode(bundles(stage)[0], bytes_max=1 << 22):
        case [bytes(header), [first, second, third]]:
            await write(stage, cbor.encode([header, [second, first, third]]))
    report = await stage.pull(grant, sink)
    assert report.ignored == {"section-hash": 1}


async def test_replayed_bundles_are_counted_and_dropped(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(3))
    await write(stage, *bundles(stage))
    report = await stage.pull(grant, sink)
    assert (report.records, report.duplicates) == (3, 1)


async def test_reordered_bundles_arrive_in_order_all_the_same(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(30), bundle_records_max=10)
    held = bundles(stage)
    stage.cluster.expire(*place(stage), first=3)
    await write(stage, held[2], held[0], held[1])
    report = await stage.pull(grant, sink)
    assert len(sink.records) == 30
    assert report.whole


async def test_a_missing_bundle_halts_and_is_named(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(30), bundle_records_max=10)
    held = bundles(stage)
    stage.cluster.expire(*place(stage), first=3)
    await write(stage, held[0], held[2])
    report = await stage.pull(grant, sink)
    assert len(sink.records) == 10
    assert list(report.missing.values()) == [1]
    assert not report.whole
    await write(stage, held[1])
    assert (await stage.pull(grant, sink)).whole
    assert len(sink.records) == 30


async def test_what_is_remembered_behind_a_hole_has_a_bound(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reader, "EARLY_KEPT", 2)
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(70), bundle_records_max=10)
    held = bundles(stage)
    stage.cluster.expire(*place(stage), first=7)
    await write(stage, held[0], *held[2:], held[1])
    report = await stage.pull(grant, sink)
    assert report.whole
    assert len(sink.records) == 70


async def test_a_declared_gap_lets_the_reader_go_on(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(30), bundle_records_max=10)
    held = bundles(stage)
    stage.cluster.expire(*place(stage), first=3)
    await write(stage, held[0], held[2])
    lost = parse_bundle(held[1]).header
    following = parse_bundle(held[2]).header
    gap = DeclareGap(stream=lost.stream, first=1, last=1, head=following.previous, reason="disk")
    assert (await stage.hub.submit(stage.signs("civil").sign(gap))).permit
    report = await stage.pull(grant, sink)
    assert len(sink.records) == 20
    assert list(report.gaps.values()) == [1]
    assert report.whole


async def test_a_withheld_tail_is_reported_with_stream_and_sequence(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(30), bundle_records_max=10)
    stage.cluster.truncate(*place(stage), following=2)
    report = await stage.pull(grant, sink)
    assert len(sink.records) == 20
    assert list(report.withheld.values()) == [2]
    assert not report.whole


async def test_a_restored_spool_opens_a_new_stream(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(10))
    spool, backup = stage.folder / "spool.db", stage.folder / "backup"
    backup.write_bytes(spool.read_bytes())
    await stage.push(villages(10, first=10))
    for leftover in stage.folder.glob("spool.db*"):
        leftover.unlink()
    spool.write_bytes(backup.read_bytes())
    await stage.push(villages(10, first=20))
    report = await stage.pull(grant, sink)
    assert len(sink.records) == 30
    assert report.whole
    streams = list(stage.hub.fold.registry.streams.values())
    assert [stream.predecessor for stream in streams] == [None, streams[0].id]


async def test_a_spool_restored_before_any_anchor_opens_a_new_stream(stage: Stage) -> None:
    """The ledger knows nothing yet; the topic does."""
    await stage.grant()
    outbox = stage.outbox()
    publisher = await stage.publisher(outbox)
    await publisher.push(villages(10))
    await publisher.flush()
    await publisher.close()
    outbox.close()
    spool = stage.folder / "spool.db"
    backup = spool.read_bytes()
    await stage.push(villages(10, first=10))
    for leftover in stage.folder.glob("spool.db*"):
        leftover.unlink()
    spool.write_bytes(backup)
    stage.hub.fold.registry.tracks.clear()
    await stage.push(villages(10, first=20))
    headers = [parse_bundle(raw).header for raw in bundles(stage)]
    assert len({(header.stream, header.sequence) for header in headers}) == len(headers)


async def test_two_clones_that_seal_on_are_found_out(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(10))
    clone = stage.folder / "clone.db"
    clone.write_bytes((stage.folder / "spool.db").read_bytes())
    first, second = stage.outbox(), Outbox(clone)
    publishers = [await stage.publisher(first), await stage.publisher(second)]
    for number, publisher in enumerate(publishers):
        await publisher.push(villages(5, first=10 + 5 * number))
        await publisher.flush()
    report = await stage.pull(grant, sink)
    assert only(report.halted).failure == "equivocation"
    first.close()
    second.close()


async def test_only_the_proven_chain_of_a_retired_instance_is_read(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(30), bundle_records_max=10)
    retire = RetireInstance(member="civil", instance="main")
    outbox = stage.outbox()
    publisher = await stage.publisher(outbox)
    assert (await stage.say("civil", retire)).permit
    await publisher.push(villages(10, first=30))  # the stolen machine goes on sealing
    await publisher.flush()
    outbox.close()
    report = await stage.pull(grant, sink)
    assert len(sink.records) == 30
    assert report.ignored == {"beyond-frontier": 1}


class Counting:
    """A hub that counts what it is asked."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.asked = 0

    async def submit(self, act: bytes) -> Admitted:
        return await self._hub.submit(act)

    async def ask(self, act: bytes, headers: Sequence[bytes]) -> KeysAnswered:
        self.asked += 1
        return await self._hub.ask(act, headers)


async def one_ask(stage: Stage) -> tuple[AskItem, bytes, bytes]:
    """A well-formed item, its header, and the grant."""
    grant = await stage.grant()
    await stage.push(joined(villages(3), villages(3, "3302")))
    parsed = parse_bundle(bundles(stage)[0])
    said = parsed.header
    item = AskItem(
        stream=said.stream,
        epoch=said.epoch,
        header=content_id(parsed.statement, DOMAIN),
        contract=said.contract,
        from_ms=said.epoch_from_ms,
        to_ms=said.epoch_to_ms,
        levels=(1, 2),
        sequence=said.sequence,
    )
    return item, parsed.statement.raw, grant


@pytest.mark.parametrize(
    "changed",
    [
        {"epoch": bytes(16)},
        {"contract": bytes(32)},
        {"header": bytes(32)},
        {"sequence": 7},
        {"from_ms": 1},
        {"to_ms": 1_800_000_000_000},
        {"stream": bytes(32)},
    ],
)
async def test_an_item_that_says_other_than_its_header_is_refused_on_the_record(
    stage: Stage, changed: dict[str, object]
) -> None:
    item, header, grant = await one_ask(stage)
    body = AskKeys(grant=grant, purpose="业务协同", items=(item.model_copy(update=changed),))
    answered = await stage.hub.ask(stage.signs("human-resources").sign(body), [header])
    assert not answered.admitted.permit
    assert answered.sealed == b""
    assert stage.hub.follower.size == answered.admitted.index + 1


async def test_a_level_that_the_header_lacks_is_no_evidence_against_the_provider(
    stage: Stage,
) -> None:
    """Whoever asks for it would put PROVIDER-01 on the ledger against somebody else."""
    item, header, grant = await one_ask(stage)
    body = AskKeys(
        grant=grant, purpose="业务协同", items=(item.model_copy(update={"levels": (1, 4)}),)
    )
    answered = await stage.hub.ask(stage.signs("human-resources").sign(body), [header])
    assert answered.refused[0] == ("HEADER-01",)


async def test_key_requests_are_paced_before_a_header_is_looked_at(stage: Stage) -> None:
    """A member without any grant could otherwise keep a hub busy with 256 items an act."""
    item, header, grant = await one_ask(stage)
    body = AskKeys(grant=grant, purpose="业务协同", items=(item,) * 256)
    took = Pace(per_s=1.0, burst=300, wait_ms_max=0)
    stage.hub.ledger._fairness.items = took  # type: ignore[misc] # Final
    signs = stage.signs("health")
    await stage.hub.ask(signs.sign(body), [header] * 256)
    with pytest.raises(RateLimited):
        await stage.hub.ask(signs.sign(body), [b"never looked at"] * 256)


async def test_another_citys_header_under_this_citys_label_is_refused(stage: Stage) -> None:
    item, _, grant = await one_ask(stage)
    other = stage.cluster.messages(TOPIC, sum(b"3302") % 4)[0].value
    assert other is not None
    body = AskKeys(grant=grant, purpose="业务协同", items=(item,))
    raw = stage.signs("human-resources").sign(body)
    answered = await stage.hub.ask(raw, [parse_bundle(other).statement.raw])
    assert answered.refused[0] == ("HEADER-01",)


async def test_the_same_request_again_yields_no_keys(stage: Stage) -> None:
    item, header, grant = await one_ask(stage)
    raw = stage.signs("human-resources").sign(
        AskKeys(grant=grant, purpose="业务协同", items=(item,))
    )
    assert (await stage.hub.ask(raw, [header])).sealed
    with pytest.raises(ActRefused) as caught:
        await stage.hub.ask(raw, [header])
    assert caught.value.failure == "seen-before"


async def test_a_request_without_its_headers_is_refused(stage: Stage) -> None:
    item, _, grant = await one_ask(stage)
    raw = stage.signs("human-resources").sign(
        AskKeys(grant=grant, purpose="业务协同", items=(item,))
    )
    with pytest.raises(ReleaseRefused):
        await stage.hub.ask(raw, [])
    with pytest.raises(ReleaseRefused):
        await stage.hub.submit(raw)


async def test_an_answer_opens_for_nothing_but_its_own_request(stage: Stage) -> None:
    item, header, grant = await one_ask(stage)
    body = AskKeys(grant=grant, purpose="业务协同", items=(item,))
    signs = stage.signs("human-resources")
    answered = await stage.hub.ask(signs.sign(body), [header])
    registry = stage.hub.fold.registry
    envelope = Envelope(
        origin=registry.origin,
        consumer="human-resources/main",
        kid=registry.instances["human-resources", "main"].kem_kid,
        act=answered.admitted.act,
        index=answered.admitted.index,
        entry_hash=answered.admitted.entry_hash,
        sections={0: (1, 2)},
    )
    unwrap = stage.world.custody.unwrap
    opened = open_keys(answered.sealed, unwrap=unwrap, envelope=envelope)[0]
    assert set(opened) == {1, 2}
    assert repr(opened) == "{1: <secret, 32 bytes>, 2: <secret, 32 bytes>}"
    spliced = [
        replace(envelope, origin="other"),
        replace(envelope, consumer="health/main"),
        replace(envelope, kid=registry.instances["health", "main"].kem_kid),
        replace(envelope, act=bytes(32)),
        replace(envelope, index=envelope.index + 1),
        replace(envelope, entry_hash=bytes(32)),
        replace(envelope, sections={0: (1, 2, 3)}),
        replace(envelope, sections={1: (1, 2)}),
    ]
    for other in spliced:
        with pytest.raises(ReleaseRefused) as caught:
            open_keys(answered.sealed, unwrap=unwrap, envelope=other)
        assert caught.value.failure == "answer-sealed"
    for cut in (b"", answered.sealed[:-1], answered.sealed[:1000], answered.sealed + b"x"):
        with pytest.raises(ReleaseRefused):
            open_keys(cut, unwrap=unwrap, envelope=envelope)


async def test_a_keyring_asks_once_for_an_epoch(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(50), bundle_records_max=10)
    counting = Counting(stage.hub)
    await stage.pull(grant, sink, hub=counting)
    assert counting.asked == 1
