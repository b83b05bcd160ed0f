"""A hub from a home, as `exchange hub run` starts it: begins its ledger, stops when told to."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from exchange.errors import ConfigurationInvalid
from exchange.wiring.home import CONFIGURATION, Home, open_home, render
from exchange.wiring.homeinit import Founding, initialise
from exchange.wiring.homekeys import OFFICER, open_custody
from exchange.wiring.hub import open_hub
from exchange.wiring.passphrase import Passphrase
from exchange.wiring.pinnedca import pinned_context
from exchange.wiring.remote import Reader, RemoteHub
from exchange.wiring.settings import environment
from keys.errors import CustodyMissing, WrongPassphrase
from tests.fixtures.kafka import KafkaServer
from tests.fixtures.ports import free_port
from tests.hub.ground import HOST, until_ready, wall_ms
from tests.hub.home import PASSPHRASE

pytestmark = pytest.mark.kafka


@pytest.fixture
def home(tmp_path: Path, kafka: KafkaServer) -> Home:
    """A fresh home on the session's Kafka, with a ledger topic of its own."""
    path = tmp_path / "home"
    said = Founding(
        origin="exchange.test/2026",
        authority="data-bureau",
        name_zh="省数据局",
        name_en="Data Bureau",
        credit_code="11330000MB12345679",
        region="33",
        hub="hub-1",
        host=HOST,
        port=free_port(),
        kafka=kafka.bootstrap,
    )
    initialise(path, said, Passphrase(PASSPHRASE))
    table = open_home(path).table
    log = table.log.model_copy(update={"topic": f"test.{uuid4().hex}"})
    (path / CONFIGURATION).write_text(render(table.model_copy(update={"log": log})))
    return open_home(path)


@contextlib.asynccontextmanager
async def running(home: Home) -> AsyncIterator[asyncio.subprocess.Process]:
    """The hub of ``home`` in a process of its own, its doors open."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.hub.home", str(home.path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        assert await asyncio.wait_for(process.stdout.readline(), timeout=60) == b"open\n"
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@contextlib.asynccontextmanager
async def authority(home: Home) -> AsyncIterator[RemoteHub]:
    """The hub of ``home`` as its authority sees it."""
    root = home.root()
    custody = open_custody(home, "data-bureau", Passphrase(PASSPHRASE))
    hub = RemoteHub(
        home.hub_address,
        tls=pinned_context(home.ca_file, root.ca),
        origin=root.origin,
        entry_keys=lambda: [hub.entry for hub in root.hubs],
        clock=wall_ms,
        reader=Reader("data-bureau", "", custody.signer(OFFICER)),
    )
    try:
        yield hub
    finally:
        await hub.close()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_hub_begins_its_ledger_and_stops_in_order(
    home: Home, number: signal.Signals
) -> None:
    async with running(home) as process, authority(home) as remote:
        await until_ready(remote)
        head = await remote.head()
        process.send_signal(number)
        assert await asyncio.wait_for(process.wait(), timeout=20) == 0
    assert head.size == 1
    async with running(home), authority(home) as remote:
        await until_ready(remote)
        public, _ = await remote.prove_dataset_key("villages")
        assert len(public) == 1216
        assert (await remote.head()).root == head.root


async def test_tls_keys_on_disk_are_encrypted_and_private(home: Home) -> None:
    async with running(home), authority(home) as remote:
        await until_ready(remote)
    key = home.hub_directory / "hub-1.tls.key"
    assert b"ENCRYPTED" in key.read_bytes()
    assert key.stat().st_mode & 0o077 == 0


async def test_a_hub_killed_at_any_moment_starts_again(home: Home) -> None:
    for _ in range(2):
        async with running(home) as process, authority(home) as remote:
            await until_ready(remote)
            os.kill(process.pid, signal.SIGKILL)
            assert await process.wait() == -signal.SIGKILL


async def test_a_wrong_passphrase_opens_no_hub(home: Home) -> None:
    with pytest.raises(WrongPassphrase):
        async with open_hub(home, environment({}), Passphrase("another passphrase")):
            pass


async def test_a_hub_without_its_key_file_is_told(home: Home) -> None:
    (home.hub_directory / "custody").unlink()
    with pytest.raises(CustodyMissing):
        async with open_hub(home, environment({}), Passphrase(PASSPHRASE)):
            pass


async def test_a_hub_that_genesis_does_not_name_is_not_opened(home: Home) -> None:
    table = home.table.model_copy(update={"hub": home.table.hub.model_copy(update={"id": "hub-9"})})
    with pytest.raises(ConfigurationInvalid) as refused:
        async with open_hub(replace(home, table=table), environment({}), Passphrase(PASSPHRASE)):
            pass
    assert refused.value.failure == "hub-unnamed"
