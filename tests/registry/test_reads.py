"""Who read what, and which keys no receipt answers."""

from exchange.audit.reads import Read, reads
from exchange.audit.record import Record
from exchange.model import acts
from exchange.registry.fold import RegistryFold
from tests.ledger.drafts import HOUR_MS, engine
from tests.ledger.world import World, exchange_world


def read_of(world: World, *, from_ms: int = 0, to_ms: int = 1 << 62) -> Read:
    fold, record = RegistryFold([engine()]), Record()
    record.take(fold.begin(world.root))
    for entry in world.entries[1:]:
        record.take(fold.fold(entry))
    (read,) = reads(record.rows, fold.registry, from_ms=from_ms, to_ms=to_ms)
    return read


def receipt(world: World, grant: bytes, item: acts.AskItem) -> int:
    run = acts.ReceiptItem(
        stream=item.stream,
        first=item.sequence,
        last=item.sequence,
        head=bytes(32),
        records=5,
        levels=item.levels,
    )
    body = acts.FileReceipt(grant=grant, purpose="collaboration", sink="sqlite", items=(run,))
    folded = world.put(body, by="health/main")
    assert folded.permit
    return folded.index


def test_a_later_key_without_a_receipt_does_not_hide_behind_an_earlier_receipt() -> None:
    world = exchange_world()
    item, grant = world.item(world.stream("civil")), world.granted("health")
    first = world.put(world.ask(grant, item), by="health/main").index
    assert read_of(world).unreceipted == [first]
    answered = receipt(world, grant, item)
    assert read_of(world).unreceipted == []
    again = world.put(world.ask(grant, item), by="health/main").index
    read = read_of(world)
    assert (read.keys, read.receipts, read.unreceipted) == ([first, again], [answered], [again])


def test_a_search_by_time_leaves_out_other_reads_but_not_their_late_receipts() -> None:
    world = exchange_world()
    item, grant = world.item(world.stream("civil")), world.granted("health")
    asked_ms = world.put(world.ask(grant, item), by="health/main").time_ms
    world.advance(HOUR_MS)
    late = receipt(world, grant, item)
    inside = read_of(world, from_ms=asked_ms, to_ms=asked_ms)
    assert (inside.receipts, inside.records, inside.unreceipted) == ([late], 5, [])
    assert (inside.first_ms, inside.last_ms) == (asked_ms, asked_ms)
    assert not read_of(world, to_ms=asked_ms - 1).used
    assert read_of(world, from_ms=asked_ms + 1).keys == []
