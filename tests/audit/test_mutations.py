"""Whatever is done to a copy of the ledger is found, and what is told names the entry.

A reader folds a copy (the topic, a published log, an archive), verifies all it can by itself, and
compares its tree with the log that a hub signed. The copies here were changed by whoever owns the
brokers, and in some cases by whoever holds the hub's entry key, too.
"""

import io
import re
from collections.abc import Callable
from copy import copy
from pathlib import Path

import pytest

from exchange.audit.archive import ArchiveReader, ArchiveWriter, Header
from exchange.audit.published import agree, check_checkpoint, old_checkpoint
from exchange.audit.replay import Replay
from exchange.bus.memory import MemoryCluster
from exchange.errors import CheckFailed, LedgerBroken
from exchange.ledger.cosignature import LogKeys, log_keys, verify_head
from exchange.ledger.entry import leaf_hash, parse_entry, sign_entry, verify_entry
from exchange.ledger.genesis import check_genesis
from exchange.ledger.logreader import LogReader
from exchange.ledger.mark import Mark, MarkFile
from exchange.ledger.merkle import Tree
from exchange.ledger.tiles import CHECKPOINT, ENTRIES, HEIGHT, encode_bundle, tiles_between
from exchange.ledger.topic import begin_ledger, ledger_topic
from exchange.ledger.verdict import Folded
from exchange.registry.fold import RegistryFold
from exchange.wiring.replaying import (
    archive_messages,
    check_mark,
    log_messages,
    topic_messages,
)
from keys.verifiers import Verifiers
from tests.audit.lined import Lined
from tests.audit.reported import busy, signed_head, tree_of
from tests.ledger.drafts import DAY_MS, ORIGIN, engine
from tests.ledger.hubs import TOPIC
from tests.ledger.logs import Served
from tests.ledger.world import World

Raws = list[bytes]


@pytest.fixture(scope="module")
def world() -> World:
    return busy().world


def release(world: World) -> int:
    """The entry that is tampered with: a release of keys, with some ten entries after it."""
    return max(
        one.index
        for one in world.folded[: len(world.folded) - 5]
        if one.permit and one.act is not None and one.act.kind == "keys.ask"
    )


@pytest.fixture
def raws(world: World) -> Raws:
    return [entry.raw for entry in world.entries]


def keys_of(world: World) -> LogKeys:
    hubs = check_genesis(world.genesis, world.pin).hubs
    return log_keys(ORIGIN, [(one.hub, one.checkpoint, one.checkpoint_mldsa) for one in hubs])


def files_of(leaves: list[bytes], raws: Raws) -> dict[str, bytes]:
    """The tiles and bundles of these entries."""
    tree, files = Tree(), {}
    for leaf in leaves:
        tree.append(leaf)
    for tile in tiles_between(0, tree.size):
        end = tile.first + tile.width
        if tile.level == ENTRIES:
            files[tile.path] = encode_bundle(raws[tile.first : end])
        else:
            files[tile.path] = tree.row(HEIGHT * tile.level, tile.first, end)
    return files


def published(world: World) -> dict[str, bytes]:
    """The log of the world's ledger, as its hub serves it."""
    leaves = [entry.leaf_hash for entry in world.entries]
    files = files_of(leaves, [entry.raw for entry in world.entries])
    return files | {CHECKPOINT: signed_head(world).render()}


def replay_of(world: World, *, strict: bool, listen: Callable[[Folded], None] | None) -> Replay:
    fold = RegistryFold([engine()])
    return Replay(world.pin, fold, Verifiers(0), strict=strict, listen=listen)


async def from_topic(
    world: World, raws: Raws, listen: Callable[[Folded], None] | None = None
) -> Replay:
    """Whoever owns the brokers puts ``raws`` on the topic."""
    cluster = MemoryCluster(now_ms=world.now_ms)
    bus = cluster.bus("broker")
    await begin_ledger(bus, ledger_topic(TOPIC, nodes=1), raws[0])
    producer = await bus.producer()
    for raw in raws[1:]:
        await producer.produce(TOPIC, 0, raw)
    replay = replay_of(world, strict=False, listen=listen)
    async for messages in topic_messages(cluster.bus("auditor"), TOPIC):
        replay.take(messages)
    replay.finish()
    return replay


async def from_log(world: World, raws: Raws) -> Replay:
    """A copy of the published log, its tiles made anew to fit."""
    source = LogReader(Served(files_of([leaf_hash(raw) for raw in raws], raws)))
    replay = replay_of(world, strict=True, listen=None)
    async for messages in log_messages(source, len(raws)):
        replay.take(messages)
    replay.finish()
    return replay


async def from_archive(world: World, raws: Raws) -> Replay:
    """An archive that somebody wrote anew after the change, so that it fits itself."""
    file = io.BytesIO()
    writer = ArchiveWriter(file, Header(ORIGIN, world.pin, 0))
    for raw in raws:
        writer.add(raw)
    writer.close()
    file.seek(0)
    replay = replay_of(world, strict=True, listen=None)
    for messages in archive_messages(ArchiveReader(file)):
        replay.take(messages)
    replay.finish()
    return replay


SOURCES = {"topic": from_topic, "tiles": from_log, "archive": from_archive}


def signed_anew(world: World, raw: bytes, *, by: str = "hub/hub-1", **changed: object) -> bytes:
    """The entry with other contents, under a hub's key or somebody else's."""
    said = parse_entry(raw).statement._replace(**changed)  # type: ignore[arg-type]
    return sign_entry(said, world.signer(by))


def delete(world: World, raws: Raws) -> Raws:
    at = release(world)
    return raws[:at] + raws[at + 1 :]


def insert(world: World, raws: Raws) -> Raws:
    at = release(world)
    act = world.sign(world.application(), by="human-resources")
    extra = signed_anew(world, raws[at], act=act, refused_items=())
    return [*raws[:at], extra, *raws[at:]]


def swap(world: World, raws: Raws) -> Raws:
    at = release(world)
    return [*raws[:at], raws[at + 1], raws[at], *raws[at + 2 :]]


def duplicate(world: World, raws: Raws) -> Raws:
    """A copy of the entry before: it is void, and all later ones move."""
    at = release(world)
    return [*raws[:at], raws[at - 1], *raws[at:]]


def other_content(world: World, raws: Raws) -> Raws:
    """The hub says that it refused what it released."""
    at = release(world)
    refused = ((0, ("REV-01",)),)
    changed = signed_anew(
        world, raws[at], permit=False, rules=("REV-01",), refused_items=refused, valid_until_ms=None
    )
    return [*raws[:at], changed, *raws[at + 1 :]]


def earlier_time(world: World, raws: Raws) -> Raws:
    at = release(world)
    said = parse_entry(raws[at]).statement
    changed = signed_anew(world, raws[at], time_ms=said.time_ms - DAY_MS)
    return [*raws[:at], changed, *raws[at + 1 :]]


def wrong_key(world: World, raws: Raws) -> Raws:
    at = release(world)
    changed = signed_anew(world, raws[at], by="office/health")
    return [*raws[:at], changed, *raws[at + 1 :]]


MUTATIONS = [delete, insert, swap, duplicate, other_content, earlier_time, wrong_key]


def names(text: str, index: int) -> bool:
    """Whether a sentence names the entry."""
    return re.search(rf"entry {index}\b", text) is not None


@pytest.mark.parametrize("source", SOURCES)
async def test_the_untouched_ledger_agrees_with_the_published_log(
    world: World, raws: Raws, source: str
) -> None:
    replay = await SOURCES[source](world, raws)
    agreed = await agree(LogReader(Served(published(world))), keys_of(world), replay.leaves.tree)
    assert agreed.head.checkpoint.size == replay.leaves.size == len(raws)
    assert replay.result().disputed == 0


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
@pytest.mark.parametrize("source", SOURCES)
async def test_a_changed_copy_is_found_and_the_entry_named(
    world: World, raws: Raws, source: str, mutation: Callable[[World, Raws], Raws]
) -> None:
    at = release(world)
    changed = mutation(world, raws)
    with pytest.raises(CheckFailed) as caught:
        replay = await SOURCES[source](world, changed)
        await agree(LogReader(Served(published(world))), keys_of(world), replay.leaves.tree)
    expected = "entry" if mutation is wrong_key and source != "topic" else "checkpoint-fork"
    assert caught.value.failure == expected
    assert names(caught.value.text.en, at)


async def test_a_message_signed_by_a_wrong_key_is_counted_as_junk(world: World, raws: Raws) -> None:
    replay = await from_topic(world, wrong_key(world, raws))
    assert replay.result().junk == {"unknown-hub": 1}


async def test_a_verdict_the_rules_do_not_give_names_its_entry_without_any_log(
    world: World, raws: Raws
) -> None:
    """A hub that signs another verdict before anybody saw the first one."""
    at = release(world)
    found = (await from_topic(world, other_content(world, raws))).result()
    (first, *_) = found.differences
    assert (found.disputed, first.index, first.why, first.hub) == (1, at, "disputed", "hub-1")
    assert (first.recorded.permit, first.decided.permit) == (False, True)


async def test_time_that_is_rolled_back_moves_no_clock(world: World, raws: Raws) -> None:
    """Nor does it give a grant back its life: ledger time is the greatest so far."""
    times: list[int] = []
    replay = await from_topic(
        world, earlier_time(world, raws), lambda one: times.append(one.time_ms)
    )
    assert times == sorted(times)
    assert replay.result().time_ms == world.registry.time_ms


async def test_a_copy_at_the_end_is_void_and_named(world: World, raws: Raws) -> None:
    folded: list[Folded] = []
    replay = await from_topic(world, [*raws, raws[-1]], folded.append)
    assert (folded[-1].index, folded[-1].reason) == (len(raws), "seen-before")
    assert replay.result().void == {"seen-before": 1}
    agreed = await agree(LogReader(Served(published(world))), keys_of(world), replay.leaves.tree)
    assert agreed.head.checkpoint.size == len(raws)


async def test_a_truncated_copy_falls_short_of_a_head_that_was_kept(
    world: World, raws: Raws, tmp_path: Path
) -> None:
    at = release(world)
    kept = signed_head(world).render()
    for source in SOURCES.values():
        replay = await source(world, raws[:at])
        with pytest.raises(CheckFailed) as caught:
            check_checkpoint(kept, keys_of(world), replay.leaves.tree)
        assert caught.value.failure == "checkpoint-ahead"
        assert names(caught.value.text.en, at)
    mark = MarkFile(tmp_path / "mark")
    mark.save(Mark(len(raws), tree_of(world).root(), len(raws) - 1))
    with pytest.raises(LedgerBroken) as broken:
        check_mark(mark, await from_topic(world, raws[:at]))
    assert (broken.value.failure, str(at) in broken.value.text.en) == ("truncated", True)


async def test_a_truncated_archive_says_where_it_ends(world: World, raws: Raws) -> None:
    file = io.BytesIO()
    writer = ArchiveWriter(file, Header(ORIGIN, world.pin, 0))
    for raw in raws:
        writer.add(raw)
    writer._flush()
    file.seek(0)
    with pytest.raises(CheckFailed) as caught:
        list(archive_messages(ArchiveReader(file)))
    assert names(caught.value.text.en, len(raws))


async def test_an_archive_changed_in_place_names_the_entry(world: World, raws: Raws) -> None:
    at = release(world)
    file = io.BytesIO()
    writer = ArchiveWriter(file, Header(ORIGIN, world.pin, 0))
    for raw in raws:
        writer.add(raw)
    writer._entries[at] = raws[at + 1]
    writer.close()
    file.seek(0)
    with pytest.raises(CheckFailed) as caught:
        list(archive_messages(ArchiveReader(file)))
    assert caught.value.failure == "archive-entry"
    assert names(caught.value.text.en, at)


async def test_an_old_checkpoint_is_told_by_the_entry_it_ends_before(world: World) -> None:
    """A hub serves the head of some time ago while the ledger has gone on."""
    older = Lined().world
    head = verify_head(signed_head(older).render(), keys_of(older))
    size = len(world.entries)
    assert check_checkpoint(head.raw, keys_of(world), tree_of(world)).checkpoint.size < size
    error = old_checkpoint(head, size)
    assert error.failure == "checkpoint-old"
    assert names(error.text.en, len(older.entries))


async def test_a_fork_to_two_readers_is_found_by_either(world: World, raws: Raws) -> None:
    """One hub signs two heads of one size: each reader finds the other's log to differ there."""
    at = release(world)
    other = copy(world)
    changed = parse_entry(other_content(world, raws)[at])
    other.entries = list(world.entries)
    other.entries[at] = verify_entry(changed, world.public("hub/hub-1"))
    mine = signed_head(world).render(), tree_of(world)
    theirs = signed_head(other).render(), tree_of(other)
    assert verify_head(mine[0], keys_of(world)).checkpoint.size == len(raws)
    for tree, shown in ((mine[1], published(other)), (theirs[1], published(world))):
        with pytest.raises(CheckFailed) as caught:
            await agree(LogReader(Served(shown)), keys_of(world), tree)
        assert caught.value.failure == "checkpoint-fork"
        assert names(caught.value.text.en, at)
    with pytest.raises(CheckFailed, match="two histories"):
        check_checkpoint(theirs[0], keys_of(world), mine[1])
