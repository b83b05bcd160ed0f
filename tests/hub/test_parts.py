"""What stands behind the doors, without a network: following, recalling, reading, keys."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.bus.memory import MemoryCluster
from exchange.errors import BusUnavailable, HubUnavailable, LedgerBroken, RuleRefused
from exchange.flow.answer import verify_answer
from exchange.hub.datasetkeys import DatasetKeys, label
from exchange.hub.views import LedgerMembers, readiness_of
from exchange.ledger.clock import SystemClock
from exchange.ledger.topic import begin_ledger, ledger_topic
from exchange.model.acts import RevokeGrant
from exchange.wiring import hub as wiring
from exchange.wiring.hub import OpenHub, assemble_hub
from exchange.wiring.hubkeys import CUSTODY_FILE
from keys.custody import MemoryCustody, PublicKey
from keys.errors import KeyExists
from tests.hub.ground import CONSUMER, Ground, ground, signers_of, wall_ms
from tests.ledger.drafts import ORIGIN
from tests.ledger.world import act_id

TOPIC = "ledger"


@pytest.fixture
def laid(tmp_path: Path) -> Ground:
    return ground(tmp_path, TOPIC, wall_ms())


async def put_on(laid: Ground, cluster: MemoryCluster) -> None:
    bus = cluster.bus("setup")
    await begin_ledger(bus, ledger_topic(TOPIC, nodes=1), laid.world.genesis)
    producer = await bus.producer()
    for entry in laid.world.entries[1:]:
        await producer.produce(TOPIC, 0, entry.raw)


def assembled(laid: Ground, cluster: MemoryCluster) -> OpenHub:
    signers = signers_of(laid.world, "hub-1")
    bus = cluster.bus("hub")
    return assemble_hub(laid.home, "hub-1", bus, laid.world.custody, signers, SystemClock())


@contextlib.asynccontextmanager
async def following(hub: OpenHub) -> AsyncIterator[OpenHub]:
    task = asyncio.create_task(hub.follow())
    try:
        yield hub
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def until(true: Callable[[], bool]) -> None:
    for _ in range(3_000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


def cluster_now() -> MemoryCluster:
    return MemoryCluster(now_ms=wall_ms())


async def test_a_hub_on_an_empty_topic_begins_the_ledger(laid: Ground) -> None:
    hub = assembled(laid, cluster_now())
    with pytest.raises(HubUnavailable) as early:
        hub.check_open()
    assert early.value.failure == "starting"
    async with following(hub):
        await until(lambda: hub.trouble is None)
        hub.check_open()
    assert hub.follower.size == 1


async def test_a_hub_tells_when_it_has_caught_up_and_serves_only_then(laid: Ground) -> None:
    hub = assembled(laid, cluster_now())
    told: list[tuple[int, bool]] = []
    hub.caught_up = lambda: told.append((hub.follower.size, hub.trouble is None))
    async with following(hub):
        await until(lambda: hub.trouble is None)
    assert told == [(1, False)]


async def test_a_hub_waits_for_kafka_and_says_so(
    laid: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wiring, "RETRY_S", 0.01)
    hub = assembled(laid, cluster_now())
    ready = hub.bus.ready
    asked = 0

    async def down_twice() -> int:
        nonlocal asked
        asked += 1
        if asked <= 2:
            raise BusUnavailable("does not answer", "无响应", failure="down")
        return await ready()

    monkeypatch.setattr(hub.bus, "ready", down_twice)
    async with following(hub):
        await until(lambda: hub.trouble is not None and hub.trouble.failure == "down")
        with pytest.raises(BusUnavailable):
            hub.check_open()
        await until(lambda: hub.trouble is None)


async def test_a_full_disk_is_named(laid: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = assembled(laid, cluster_now())

    async def full() -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(hub.follower, "run", full)
    async with following(hub):
        await until(lambda: hub.trouble is not None and hub.trouble.failure == "disk")
    assert hub.trouble is not None
    assert "No space left" in hub.trouble.text.en


async def test_another_ledger_on_the_topic_stops_the_hub_for_good(laid: Ground) -> None:
    cluster = cluster_now()
    bus = cluster.bus("attacker")
    await bus.ensure_topic(ledger_topic(TOPIC, nodes=1))
    await (await bus.producer()).produce(TOPIC, 0, b"something else")
    hub = assembled(laid, cluster)
    async with following(hub):
        await until(lambda: isinstance(hub.trouble, LedgerBroken))
        with pytest.raises(LedgerBroken):
            hub.check_open()
        answer = await readiness_of(hub).ask()
    assert answer.missing == "ledger"


async def test_a_hub_does_not_begin_again_a_ledger_that_was_deleted_while_it_was_off(
    laid: Ground,
) -> None:
    cluster = cluster_now()
    before = assembled(laid, cluster)
    async with following(before):
        await until(lambda: before.trouble is None)
    await before.follower.close()
    emptied = cluster_now()
    hub = assembled(laid, emptied)
    async with following(hub):
        await until(lambda: isinstance(hub.trouble, LedgerBroken))
    assert hub.trouble is not None
    assert hub.trouble.failure == "truncated"
    assert emptied.messages(TOPIC, 0) == ()


async def test_a_repeated_act_is_answered_from_the_ledger(
    laid: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = cluster_now()
    await put_on(laid, cluster)
    hub = assembled(laid, cluster)
    signed = laid.world.sign(RevokeGrant(grant=laid.grant, reason="over"), by=CONSUMER)
    async with following(hub):
        await until(lambda: hub.trouble is None)
        early = asyncio.create_task(hub.recall(signed))  # waits for the act that is under way
        first = await hub.admissions.answer(signed)
        for recalled in (await early, await hub.recall(signed)):
            assert recalled is not None
            said = verify_answer(
                recalled,
                origin=ORIGIN,
                act=act_id(signed),
                entry_keys=[laid.world.public("hub/hub-1")],
            )
            assert (
                said.admitted
                == verify_answer(
                    first,
                    origin=ORIGIN,
                    act=act_id(signed),
                    entry_keys=[laid.world.public("hub/hub-1")],
                ).admitted
            )
        monkeypatch.setattr(hub.follower, "recall", lambda _: None)  # long ago
        assert await hub.recall(signed) is None


async def test_the_rules_keep_enterprises_from_the_ledger(laid: Ground) -> None:
    cluster = cluster_now()
    await put_on(laid, cluster)
    hub = assembled(laid, cluster)
    members = LedgerMembers(hub)
    async with following(hub):
        await until(lambda: hub.trouble is None)
        members.check_may_read("audit-office", wall_ms())
        rows = hub.registry.members
        rows["audit-office"] = replace(rows["audit-office"], kind="enterprise")
        with pytest.raises(RuleRefused) as refused:
            members.check_may_read("audit-office", wall_ms())
    assert refused.value.rules == ("BASIS-01",)
    assert members.is_authority("authority")
    assert members.signing_key("civil", "main") == laid.world.public("adapter/civil/main")
    assert members.signing_key("nobody", "") is None


async def test_a_key_file_that_is_gone_is_named_while_the_hub_still_runs(laid: Ground) -> None:
    (laid.home.hub_directory / CUSTODY_FILE).unlink()
    answer = await readiness_of(assembled(laid, cluster_now())).ask()
    assert (answer.missing, answer.held) == ("custody", ())


async def test_a_hub_that_does_not_have_the_law_in_force_is_not_ready(laid: Ground) -> None:
    cluster = cluster_now()
    await put_on(laid, cluster)
    hub = assembled(laid, cluster)
    async with following(hub):
        await until(lambda: hub.trouble is None)
        await hub.follower.catch_up()
        hub.registry.rules = bytes(32)
        answer = await readiness_of(hub).ask()
    assert (answer.missing, answer.held[-1]) == ("rules", "ledger")
    assert "install the version" in answer.remedy.en


class Raced(MemoryCustody):
    """Another hub on the same key file makes the key first."""

    def generate_kem(self, label: str) -> PublicKey:
        super().generate_kem(label)
        raise KeyExists("taken", "已存在")


def test_two_hubs_on_one_key_file_prepare_one_key() -> None:
    custody = Raced()
    custody.generate_signing("entry")
    keys = DatasetKeys(
        origin=ORIGIN, custody=custody, signer=custody.signer("entry"), recorded=lambda _: ()
    )
    assert keys.prepare("villages").label == label("villages", 0)
