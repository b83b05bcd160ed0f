"""A whole hub on a real Kafka: what is on record, handed over, and what comes back by itself."""

import asyncio
import sys
from pathlib import Path
from uuid import uuid4

import pytest

from exchange.bus.kafka import KafkaBus
from exchange.bus.local import LocalKafka
from exchange.errors import ActRefused, HubUnavailable
from exchange.ledger.act import parse_act
from exchange.ledger.clock import SystemClock
from exchange.ledger.entry import leaf_hash
from exchange.ledger.follower import Follower
from exchange.ledger.verdict import Folded
from exchange.model.acts import RevokeGrant
from exchange.registry.fold import RegistryFold
from tests.fixtures.kafka import KafkaServer
from tests.hub.ground import (
    CONSUMER,
    Ground,
    ground,
    put_together,
    remote_hub,
    serving,
    until_ready,
    wall_ms,
)
from tests.ledger.drafts import engine

pytestmark = pytest.mark.kafka


class WrongClock(SystemClock):
    """A machine whose wall clock is off by ``off_ms``."""

    def __init__(self, off_ms: int = 0) -> None:
        self.off_ms = off_ms

    def now_ms(self) -> int:
        return super().now_ms() + self.off_ms


async def laid_ground(
    directory: Path, bootstrap: str, *, hubs: tuple[str, ...] = ("hub-1",)
) -> Ground:
    laid = ground(directory, f"test.{uuid4().hex}", wall_ms(), hubs=hubs)
    await laid.lay(bootstrap)
    return laid


async def on_record(laid: Ground, bootstrap: str, act_id: bytes) -> Folded | None:
    """What an independent reader of the topic finds about an act."""
    bus = KafkaBus(bootstrap, client_id="test-reader")
    fold = RegistryFold([engine()])
    follower = Follower(bus, laid.home.table.log.topic, laid.world.pin, fold)
    await follower.catch_up()
    await follower.close()
    await bus.close()
    return follower.recall(act_id)


async def test_acts_are_admitted_keys_released_and_the_ledger_read(
    tmp_path: Path, kafka: KafkaServer
) -> None:
    laid = await laid_ground(tmp_path, kafka.bootstrap)
    hub = put_together(laid, kafka.bootstrap)
    async with serving(laid, hub) as port, remote_hub(laid, port) as remote:
        await until_ready(remote)
        act, header = laid.request()
        answered = await remote.ask(act, [header])
        assert answered.admitted.permit, answered.admitted.rules
        assert len(answered.sealed) > 1_168
        with pytest.raises(ActRefused) as again:
            await remote.ask(act, [header])
        assert again.value.failure == "seen-before"

        revoke = RevokeGrant(grant=laid.grant, reason="over")
        signed = laid.world.sign(revoke, by=CONSUMER, now_ms=wall_ms())
        admitted = await remote.submit(signed)
        assert admitted.permit, admitted.rules
        assert await remote.submit(signed) == admitted

        head = await remote.head()
        entries = await remote.entries(0, 100)
    assert head.size == len(entries) == len(laid.world.entries) + 2
    assert leaf_hash(entries[0]) == laid.world.pin
    assert leaf_hash(entries[admitted.index]) == admitted.entry_hash


async def test_the_authority_proves_a_new_dataset_key(tmp_path: Path, kafka: KafkaServer) -> None:
    laid = await laid_ground(tmp_path, kafka.bootstrap)
    hub = put_together(laid, kafka.bootstrap)
    async with serving(laid, hub) as port, remote_hub(laid, port, member="authority") as remote:
        await until_ready(remote)
        public, proven = await remote.prove_dataset_key("villages")
        body = laid.world.dataset_key(public=public, proof=proven.proof, valid_from_ms=wall_ms())
        admitted = await remote.submit(laid.world.sign(body, now_ms=wall_ms()))
        assert admitted.permit, admitted.rules
        following, _ = await remote.prove_dataset_key("villages")
    assert following != public


@pytest.mark.parametrize("off_ms", [3_600_000, -3_600_000])
async def test_a_hub_whose_clock_is_an_hour_off_appends_nothing_and_says_so(
    tmp_path: Path, kafka: KafkaServer, off_ms: int
) -> None:
    laid = await laid_ground(tmp_path, kafka.bootstrap)
    clock = WrongClock()
    hub = put_together(laid, kafka.bootstrap, clock)
    async with serving(laid, hub) as port, remote_hub(laid, port) as remote:
        await until_ready(remote)
        clock.off_ms = off_ms
        await until_ready(remote, missing="clock")
        revoke = RevokeGrant(grant=laid.grant, reason="over")
        signed = laid.world.sign(revoke, by=CONSUMER, now_ms=wall_ms())
        with pytest.raises(HubUnavailable) as refused:
            await remote.submit(signed)
        assert "clock" in refused.value.text.en
        clock.off_ms = 0
        await until_ready(remote)
    assert await on_record(laid, kafka.bootstrap, parse_act(signed).id) is None


async def test_kill_9_before_the_hand_over_leaves_an_entry_and_no_key(
    tmp_path: Path, kafka: KafkaServer
) -> None:
    laid = await laid_ground(tmp_path, kafka.bootstrap)
    now_ms = laid.world.now_ms
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.hub.dying",
        *(str(tmp_path), kafka.bootstrap, laid.home.table.log.topic, str(now_ms)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    port = int(await asyncio.wait_for(process.stdout.readline(), timeout=60))
    act, header = laid.request()
    async with remote_hub(laid, port) as remote:
        await until_ready(remote)
        with pytest.raises(HubUnavailable):
            await remote.ask(act, [header])
    assert await process.wait() == -9

    found = await on_record(laid, kafka.bootstrap, parse_act(act).id)
    assert found is not None
    assert found.permit, found.rules
    hub = put_together(laid, kafka.bootstrap)
    async with serving(laid, hub) as port, remote_hub(laid, port) as remote:
        await until_ready(remote)
        with pytest.raises(ActRefused) as again:
            await remote.ask(act, [header])
        assert again.value.failure == "seen-before"
        fresh, header = laid.request()
        assert (await remote.ask(fresh, [header])).sealed


async def test_two_hubs_serve_one_ledger_side_by_side(tmp_path: Path, kafka: KafkaServer) -> None:
    laid = await laid_ground(tmp_path, kafka.bootstrap, hubs=("hub-1", "hub-2"))
    first = put_together(laid, kafka.bootstrap)
    second = put_together(laid, kafka.bootstrap, name="hub-2")
    async with (
        serving(laid, first) as port,
        serving(laid, second) as other_port,
        remote_hub(laid, port) as one,
        remote_hub(laid, other_port) as other,
    ):
        await until_ready(one)
        await until_ready(other)
        act, header = laid.request()
        assert (await other.ask(act, [header])).sealed
        with pytest.raises(ActRefused) as again:
            await one.ask(act, [header])
        assert again.value.failure == "seen-before"

        revoke = RevokeGrant(grant=laid.grant, reason="over")
        signed = laid.world.sign(revoke, by=CONSUMER, now_ms=wall_ms())
        admitted = await one.submit(signed)
        assert admitted.permit
        assert await other.submit(signed) == admitted
        act, header = laid.request()
        denied = await other.ask(act, [header])
        assert (denied.admitted.permit, denied.sealed) == (False, b"")
        assert await one.entries(0, 100) == await other.entries(0, 100)
        assert (await one.head()).root == (await other.head()).root


async def test_kafka_comes_back_and_so_does_the_hub(tmp_path: Path) -> None:
    node = LocalKafka(tmp_path / "kafka")
    bootstrap = (await asyncio.to_thread(node.start)).bootstrap
    (tmp_path / "home").mkdir()
    laid = await laid_ground(tmp_path / "home", bootstrap)
    hub = put_together(laid, bootstrap)
    try:
        async with serving(laid, hub) as port, remote_hub(laid, port) as remote:
            await until_ready(remote)
            await asyncio.to_thread(node.stop)
            await until_ready(remote, missing="kafka")
            again = await asyncio.to_thread(node.start)
            assert again.bootstrap == bootstrap
            await until_ready(remote)
            act, header = laid.request()
            assert (await remote.ask(act, [header])).admitted.permit
    finally:
        await asyncio.to_thread(node.stop)
