"""Whoever owns the broker, a provider or a grant that ended: what they get is counted refusals."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exchange.bus.outbox import Outbox
from exchange.envelope.header import DOMAIN
from exchange.envelope.open import parse_bundle
from exchange.flow import reader
from exchange.flow.report import Halt
from exchange.model.acts import DeclareGap, RetireInstance
from keys import cbor
from keys.cose import content_id, sign1
from tests.flow.stage import HANGZHOU, ListSink, Stage, villages

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
