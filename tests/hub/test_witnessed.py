"""A hub with a witness policy: cosigned checkpoints are served, and the quorum can be demanded."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn

from exchange.audit.published import agree
from exchange.errors import ConfigurationInvalid, HubUnavailable, NoteRefused
from exchange.ledger.logreader import LogReader
from exchange.wiring.home import Home, WitnessTable
from exchange.wiring.hublog import keys_of_log
from exchange.wiring.logsource import FolderLog
from exchange.wiring.passphrase import Passphrase
from exchange.wiring.witnesskeys import WitnessHome, WitnessSettings, make_witness, open_witness
from exchange.wiring.witnesspost import WitnessPost
from exchange.witness.app import Witness, witness_app
from exchange.witness.memory import WitnessMemory
from tests.fixtures.ports import free_port
from tests.hub.ground import HOST, Ground, ground, wall_ms
from tests.hub.test_log_doors import append_one
from tests.hub.test_parts import TOPIC, assembled, cluster_now, following, put_on, until

PASSPHRASE = Passphrase("a passphrase for tests")


@pytest.fixture
def laid(tmp_path: Path) -> Ground:
    return ground(tmp_path, TOPIC, wall_ms())


@pytest.fixture
def own(laid: Ground) -> WitnessHome:
    settings = WitnessSettings(name="health.test/witness", host=HOST, port=free_port())
    make_witness(laid.home, settings, PASSPHRASE)
    return open_witness(laid.home, PASSPHRASE)


def with_policy(laid: Ground, text: str) -> Home:
    (laid.home.path / "witnesses.policy").write_text(text)
    table = laid.home.table.model_copy(update={"witness": WitnessTable(policy="witnesses.policy")})
    return replace(laid.home, table=table)


@contextlib.asynccontextmanager
async def serving(laid: Ground, own: WitnessHome) -> AsyncIterator[None]:
    """The witness on its port."""
    log = keys_of_log(laid.world.root)
    memory = WitnessMemory(own.state)
    witness = Witness({log.origin: log}, own.signers, memory, now_s=lambda: wall_ms() // 1000)
    config = uvicorn.Config(
        witness_app(witness), host=HOST, port=own.settings.port, log_config=None, lifespan="off"
    )
    server = uvicorn.Server(config)
    with contextlib.ExitStack() as stack:
        stack.callback(setattr, server, "should_exit", True)
        running = asyncio.create_task(server.serve())
        await until(lambda: server.started)
        yield
    await running


async def test_the_checkpoint_that_is_served_is_cosigned(laid: Ground, own: WitnessHome) -> None:
    laid.home = with_policy(laid, own.policy())
    policy, keys = laid.home.policy(), keys_of_log(laid.world.root)
    cluster = cluster_now()
    await put_on(laid, cluster)
    reader = LogReader(FolderLog(laid.home.hub_directory / "log"))
    hub = assembled(laid, cluster)
    assert hub.witnesses is not None
    async with following(hub):
        async with serving(laid, own):
            await until(lambda: hub.sealer.published_size == len(laid.world.entries))
            await append_one(laid, hub.follower.size, cluster)
            async with asyncio.timeout(4.0):
                await until(lambda: hub.sealer.published_size > len(laid.world.entries))
            agreed = await agree(reader, keys, hub.follower.leaves.tree, policy=policy)
            assert agreed.witnessed is not None
            assert list(agreed.witnessed.times) == ["health.test/witness"]
            await hub.witnesses.cover(hub.sealer.published_size - 1)
            assert hub.sealer.cosignatures_missing == 0
        size = hub.sealer.published_size
        await append_one(laid, hub.follower.size, cluster)
        async with asyncio.timeout(4.0):  # the witness is gone: that delays nothing for long
            await until(lambda: hub.sealer.published_size > size)
        with pytest.raises(NoteRefused) as refusal:
            await agree(reader, keys, hub.follower.leaves.tree, policy=policy)
        assert refusal.value.failure == "quorum"
        assert hub.sealer.cosignatures_missing == 1
    await hub.post.close()


def test_a_policy_that_cannot_be_read_stops_the_hub_at_its_start(laid: Ground) -> None:
    laid.home = with_policy(laid, "quorum nobody")
    with pytest.raises(ConfigurationInvalid):
        assembled(laid, cluster_now())
    (laid.home.path / "witnesses.policy").unlink()
    with pytest.raises(ConfigurationInvalid, match="cannot be read"):
        assembled(laid, cluster_now())


async def test_a_witness_that_is_not_there_is_silent() -> None:
    post = WitnessPost()
    for url in ("http://127.0.0.1:9/add-checkpoint", "nonsense", "http://[bad"):
        with pytest.raises(HubUnavailable):
            await post(url, b"")
    await post.close()
    await post.close()
