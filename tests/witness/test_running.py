"""The witness of a home: made once, named in a policy, served by its own process."""

import io
import json
import socket
import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from exchange.cli.main import run
from exchange.errors import NotFound, UsageError
from exchange.ledger.policy import parse_policy
from exchange.wiring.home import open_home
from exchange.wiring.homeinit import Founding, initialise
from exchange.wiring.passphrase import Passphrase
from exchange.wiring.upkeep import command, witness_process
from exchange.wiring.witnesskeys import WitnessSettings, has_witness, make_witness, open_witness
from exchange.wiring.witnesssteps import witness_step
from exchange.witness.memory import named
from tests.fixtures.ports import free_port

PASSPHRASE = "a passphrase for tests"
ORIGIN = "exchange.test/2026"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    said = Founding(
        origin=ORIGIN,
        authority="data-bureau",
        name_zh="省数据局",
        name_en="Data Bureau",
        credit_code="11330000MB1234567X",
        region="33",
        hub="hub-1",
        host="127.0.0.1",
        port=8443,
    )
    initialise(tmp_path / "home", said, Passphrase(PASSPHRASE))
    monkeypatch.setenv("EXCHANGE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("EXCHANGE_PASSPHRASE", PASSPHRASE)
    return tmp_path / "home"


def test_a_home_makes_its_witness_once_and_it_serves(home: Path) -> None:
    port, out, err = free_port(), io.StringIO(), io.StringIO()
    words = ["witness", "init", "--port", str(port), "--json"]
    assert run(words, out=out, err=err) == 0, err.getvalue()
    said = json.loads(out.getvalue())
    policy = parse_policy(said["policy"].encode())
    assert policy.quorum == f"{ORIGIN}/witness/data-bureau"
    assert [witness.url for witness in policy.witnesses.values()] == [f"http://127.0.0.1:{port}"]
    assert [vkey.split("+")[0] for vkey in said["vkeys"]] == [policy.quorum] * 2
    assert run(words, out=out, err=err) == 2
    process = witness_process(open_home(home))
    process.start(
        command(open_home(home), "witness", "run", "--passphrase-stdin"),
        stdin=PASSPHRASE.encode() + b"\n",
    )
    try:
        wait_for(port)
        with httpx.Client(base_url=said["url"], trust_env=False) as client:
            assert client.get(f"/{named(ORIGIN)}/checkpoint").status_code == 404
            assert client.post("/add-checkpoint", content=b"nonsense").status_code == 400
        errors = io.StringIO()
        assert run(["witness", "run"], out=out, err=errors) == 3
        assert "cannot be listened on" in errors.getvalue()
    finally:
        assert process.stop()


def wait_for(port: int) -> None:
    """Return when something listens there; half a minute at most."""
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise TimeoutError


def test_a_home_without_a_witness_says_so(home: Path) -> None:
    opened = open_home(home)
    assert not has_witness(opened)
    with pytest.raises(NotFound):
        open_witness(opened, Passphrase(PASSPHRASE))
    for name in ("a b", "a+b", "见证 人"):
        with pytest.raises(UsageError):
            make_witness(opened, WitnessSettings(name=name), Passphrase(PASSPHRASE))
    made = make_witness(
        opened, WitnessSettings(name="见证人", host="::1", port=9_000), Passphrase(PASSPHRASE)
    )
    assert made.url == "http://[::1]:9000"
    assert open_witness(opened, Passphrase(PASSPHRASE)).policy() == made.policy()


def test_an_origin_that_can_name_no_key_founds_no_ledger(tmp_path: Path) -> None:
    for origin in ("two words", "a+b", "x" * 256):
        said = Founding(origin, "bureau", "局", "B", "11330000MB1234567X", "33", "h", "::1", 1)
        with pytest.raises(UsageError) as refusal:
            initialise(tmp_path / "home", said, Passphrase(PASSPHRASE))
        assert refusal.value.failure == "origin"


async def test_the_port_of_a_witness_is_looked_at_on_its_own_address(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exchange.wiring.witnesssteps.SECONDS_MAX", 0.1)
    port, opened = free_port(), open_home(home)
    settings = WitnessSettings(name="w", host="127.0.0.2", port=port)
    make_witness(opened, settings, Passphrase(PASSPHRASE))
    with socket.create_server(("127.0.0.1", port)):
        elsewhere = await witness_step(opened, witness_process(opened))
    with socket.create_server(("127.0.0.2", port)):
        taken = await witness_step(opened, witness_process(opened))
    assert elsewhere.found.en == "not running"
    assert f"has its port {port}" in taken.found.en


async def test_a_witness_that_was_started_by_hand_is_not_missing(home: Path) -> None:
    port, opened = free_port(), open_home(home)
    settings = WitnessSettings(name="w", port=port)
    make_witness(opened, settings, Passphrase(PASSPHRASE))
    process = witness_process(opened)
    missing = await witness_step(opened, process)
    assert (missing.good, missing.found.en) == (False, "not running")
    with socket.create_server(("127.0.0.1", port)) as other:
        other.listen()
        taken = await witness_step(opened, process)
    assert (taken.good, f"has its port {port}" in taken.found.en) == (False, True)
    process.start(
        command(opened, "witness", "run", "--passphrase-stdin"),
        stdin=PASSPHRASE.encode() + b"\n",
    )
    try:
        wait_for(port)
        by_us = await witness_step(opened, process)
        by_hand = await witness_step(opened, replace(process, pid_file=home / "none"))
    finally:
        assert process.stop()
    assert by_us.good
    assert by_us.found.en.startswith("process ")
    assert (by_hand.good, by_hand.found.en) == (
        True,
        f"answers at http://127.0.0.1:{port}, not started by 'exchange up'",
    )
