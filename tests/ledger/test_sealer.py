"""The task that keeps the published log a moment behind the ledger."""

import asyncio
import contextlib
import functools
import itertools
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from exchange.errors import BusUnavailable, LedgerBroken
from exchange.ledger import sealer as module
from exchange.ledger.cosignature import HeadSigner, SignedHead, log_keys, verify_head
from exchange.ledger.logfiles import MemoryLog
from exchange.ledger.logreader import LogReader
from exchange.ledger.merkle import Tree
from exchange.ledger.note import SignatureLine
from exchange.ledger.sealer import Sealer
from exchange.ledger.sealing import Draft, Sealing
from exchange.ledger.tiles import CHECKPOINT
from tests.ledger.drafts import ORIGIN
from tests.ledger.hubs import Hub, until
from tests.ledger.logs import PublishedLog, Served
from tests.ledger.scene import Scene
from tests.ledger.world import World

PAUSE_S = 0.01


def signers(world: World) -> list[HeadSigner]:
    keys = log_keys(ORIGIN, [("hub-1", *publics(world))]).vkeys
    return [
        HeadSigner(keys[0], world.signer("checkpoint/hub-1")),
        HeadSigner(keys[1], world.custody.mldsa_signer("checkpoint-mldsa/hub-1")),
    ]


def publics(world: World) -> tuple[bytes, bytes]:
    return world.public("checkpoint/hub-1"), world.public("checkpoint-mldsa/hub-1")


class Sealed:
    """A hub that folds, and its sealer over a log in memory."""

    def __init__(self, scene: Scene, log: MemoryLog | None = None) -> None:
        self.scene = scene
        self.log = log or MemoryLog()
        self.hub = Hub(scene.world, scene.cluster, "hub-1")
        self.sealing = Sealing(self.log, origin=ORIGIN, hub="hub-1", signers=signers(scene.world))

    def sealer(self, witnesses: module.Cosigns | None = None) -> Sealer:
        return Sealer(
            self.hub.follower,
            self.sealing,
            now_ms=self.hub.clock.now_ms,
            witnesses=witnesses,
            pause_s=PAUSE_S,
        )

    async def checked(self) -> SignedHead:
        """The checkpoint that is served, with every entry under it."""
        keys = log_keys(ORIGIN, [("hub-1", *publics(self.scene.world))])
        head = verify_head(self.log.files[CHECKPOINT], keys)
        reader, size = LogReader(Served(self.log.files)), head.checkpoint.size
        entries = [entry async for some in reader.bundles(0, size) for entry in some]
        assert entries == await self.hub.follower.entries(0, count_max=size, bytes_max=1 << 30)
        assert await reader.root(size) == head.checkpoint.root
        return head


@contextlib.asynccontextmanager
async def running(sealed: Sealed, sealer: Sealer) -> AsyncIterator["asyncio.Task[None]"]:
    sealed.hub.run()
    task = asyncio.create_task(sealer.run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await sealed.hub.stop()


async def test_everything_that_is_folded_is_sealed(scene: Scene) -> None:
    sealed = Sealed(scene)
    sealer = sealed.sealer()
    await sealed.hub.follower.catch_up()
    sealer.begin()
    async with running(sealed, sealer):
        await until(lambda: sealer.published_size == len(scene.world.entries))
        await sealed.hub.append(scene.ask())
        await until(lambda: sealer.published_size == len(scene.world.entries) + 1)
    assert (await sealed.checked()).checkpoint.size == sealer.size
    assert sealer.cosignatures_missing == 0


async def test_under_load_heads_keep_their_distance(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = Sealed(scene)
    sealer = sealed.sealer()
    loop, draft = asyncio.get_running_loop(), sealed.sealing.draft
    at_s: list[float] = []

    def noted(tree: Tree, entries: Sequence[bytes]) -> Draft:
        at_s.append(loop.time())
        return draft(tree, entries)

    monkeypatch.setattr(sealed.sealing, "draft", noted)
    await sealed.hub.follower.catch_up()
    sealer.begin()
    async with running(sealed, sealer):
        while len(at_s) < 4:
            await sealed.hub.append(scene.ask())
            await asyncio.sleep(0.001)
        await until(lambda: sealer.published_size == sealed.hub.follower.size)
    apart = [later - earlier for earlier, later in itertools.pairwise(at_s)]
    assert min(apart) >= module.SPACED * PAUSE_S - 0.002
    await sealed.checked()


async def test_a_log_that_starts_late_is_read_from_the_topic_in_portions(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ENTRIES_MAX", 3)
    monkeypatch.setattr(module, "RECENT_BYTES_MAX", 1)
    sealed = Sealed(scene)
    sealer = sealed.sealer()
    await sealed.hub.follower.catch_up()
    sealer.begin()
    async with running(sealed, sealer):
        await until(lambda: sealer.published_size == len(scene.world.entries))
    await sealed.checked()


async def test_a_restart_goes_on_and_seals_nothing_twice(scene: Scene) -> None:
    log = MemoryLog()
    heads = []
    for _ in range(2):
        sealed = Sealed(scene, log)
        sealer = sealed.sealer()
        await sealed.hub.follower.catch_up()
        sealer.begin()
        async with running(sealed, sealer):
            await until(functools.partial(all_sealed, sealer, scene))
        heads.append(log.kept_head)
    assert heads[0] == heads[1]


def all_sealed(sealer: Sealer, scene: Scene) -> bool:
    return sealer.published_size == len(scene.world.entries)


class Full(MemoryLog):
    """A disk that is full for a while; ``at`` names what fails."""

    full = True

    def write(self, files: dict[str, bytes]) -> None:  # type: ignore[override]
        if self.full and CHECKPOINT in files:
            raise OSError(28, "No space left on device")
        super().write(files)


async def test_a_full_disk_is_told_and_waited_out(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    disk = Full()
    sealed = Sealed(scene, disk)
    sealer = sealed.sealer()
    await sealed.hub.follower.catch_up()
    sealer.begin()
    async with running(sealed, sealer):
        await until(lambda: sealer.trouble is not None)
        assert sealer.trouble is not None
        assert sealer.trouble.failure == "disk"
        assert (sealer.size, sealer.published_size) == (len(scene.world.entries), 0)
        disk.full = False
        await until(lambda: sealer.published_size == len(scene.world.entries))
        await until(lambda: sealer.trouble is None)
    await sealed.checked()


async def test_kafka_gone_is_waited_out(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    monkeypatch.setattr(module, "RECENT_BYTES_MAX", 1)
    sealed = Sealed(scene)
    sealer = sealed.sealer()
    await sealed.hub.follower.catch_up()
    sealer.begin()
    entries = sealed.hub.follower.entries
    asked = 0

    async def once_gone(first: int, *, count_max: int, bytes_max: int) -> list[bytes]:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise BusUnavailable("gone", "不可用", failure="down")
        return await entries(first, count_max=count_max, bytes_max=1 << 20)

    monkeypatch.setattr(sealed.hub.follower, "entries", once_gone)
    async with running(sealed, sealer):
        await until(lambda: sealer.published_size == len(scene.world.entries))
    assert asked > 1


async def test_a_contradiction_stops_the_whole_hub(scene: Scene) -> None:
    sealed = Sealed(scene)
    sealer = sealed.sealer()
    await sealed.hub.follower.catch_up()
    sealer.begin()
    other = PublishedLog(seed=1).grow(2)
    other.custody = scene.world.custody
    async with running(sealed, sealer) as task:
        await until(lambda: sealer.published_size == len(scene.world.entries))
        sealed.log.keep_head(b"another process was here")
        with pytest.raises(LedgerBroken):
            await sealed.hub.append(scene.ask())
            await task
        with pytest.raises(LedgerBroken) as broken:
            await task
    assert broken.value.failure == "head-changed"
    assert sealed.hub.follower.broken is broken.value


async def test_a_start_on_another_history_stops_the_hub(scene: Scene, tmp_path: Path) -> None:
    sealed = Sealed(scene)
    sealed.log.keep_head(tmp_path.name.encode())
    await sealed.hub.follower.catch_up()
    with pytest.raises(LedgerBroken) as broken:
        sealed.sealer().begin()
    assert broken.value.failure == "head-unreadable"
    with pytest.raises(LedgerBroken):
        await sealed.hub.append(scene.ask())


class Late:
    """A witness that signs at the second time of asking."""

    def __init__(self, log: PublishedLog) -> None:
        self.log = log
        self.asked = 0

    @property
    def missing(self) -> int:
        return 1 if self.asked < 2 else 0

    async def collect(self, head: SignedHead, tree: Tree) -> Sequence[SignatureLine]:
        assert tree.size >= head.checkpoint.size
        self.asked += 1
        return () if self.asked < 2 else self.log.cosigned(head.checkpoint)


async def test_a_late_witness_is_asked_again_and_its_line_published(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AGAIN_S", 0.05)
    sealed = Sealed(scene)
    late = Late(PublishedLog())
    sealer = sealed.sealer(late)
    await sealed.hub.follower.catch_up()
    sealer.begin()
    async with running(sealed, sealer):
        await until(lambda: late.asked >= 2)
        await until(lambda: sealed.log.files.get(CHECKPOINT, b"").count("—".encode()) == 4)
    await sealed.checked()
    assert sealer.cosignatures_missing == 0
