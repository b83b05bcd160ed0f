"""Bad input: one clear sentence, the remedy, the right exit code, and nothing lost."""

import io
import resource
import signal
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from exchange.limits import RECORD_BYTES_MAX
from tests.cli.conftest import WHOLE, Terminal
from tests.fixtures.files import content_of, files_under
from tests.fixtures.ports import free_port

CONTRACT = """\
dataset: {dataset}
title: {{zh: 投诉, en: Complaints}}
fields:
  - {{name: number, type: text, level: 1, required: true}}
  - {{name: story, type: text, level: 2, length: 262144}}
  - {{name: more, type: text, level: 2, length: 262144}}
  - {{name: most, type: text, level: 2, length: 262144}}
  - {{name: all, type: text, level: 2, length: 262144}}
  - {{name: rest, type: text, level: 2, length: 262144}}
key: [number]
cycle: daily
retention_days: 30
"""
PROVIDER = "letters-bureau"
CONSUMER = "mayors-office"

pytestmark = pytest.mark.kafka


@pytest.fixture(scope="module")
def dataset(live_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A published, unconditional dataset of the provider."""
    name = f"complaints-{uuid4().hex[:6]}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EXCHANGE_HOME", str(live_home))
        patch.setenv("EXCHANGE_PASSPHRASE", "correct horse battery")
        patch.setenv("EXCHANGE_LANG", "en")
        terminal = Terminal()
        for member, code in ((PROVIDER, "113300000DEM00002A"), (CONSUMER, "113300000DEM00004G")):
            options = ("--name-zh", "机构", "--name-en", "Office", "--credit-code", code)
            assert terminal("member", "enrol", member, *options) == 0, terminal.err
        contract = tmp_path_factory.mktemp("contract") / "contract.yaml"
        contract.write_text(CONTRACT.format(dataset=name), "utf-8")
        options = (
            "--sharing",
            "unconditional",
            "--classification",
            "信访",
            "--code",
            "306001/000001",
        )
        texts = ("--abstract", "投诉", "--basis", "条例", "--topic", f"test.data.{uuid4().hex}")
        words = ("catalogue", "propose", str(contract), *options, *texts, "--as", PROVIDER)
        assert terminal(*words) == 0, terminal.err
        assert terminal("catalogue", "review", name, "--approve") == 0, terminal.err
        assert terminal("catalogue", "publish", name) == 0, terminal.err
        yield name


@pytest.fixture
def here(
    live_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terminal: Terminal
) -> Path:
    """A folder to work in, with the live home in the environment."""
    assert terminal is not None
    monkeypatch.setenv("EXCHANGE_HOME", str(live_home))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_an_oversized_record_is_named_with_the_limit_and_the_rest_goes_on(
    terminal: Terminal, here: Path, dataset: str
) -> None:
    large = "x" * 262_144
    rows = [
        "number,story,more,most,all,rest",
        "1,a,b,c,d,e",
        "2," + ",".join([large] * 5),
        "3,,,,,",
    ]
    (here / "big.csv").write_text("\n".join(rows), "utf-8")
    told = terminal.json("push", dataset, "big.csv", "--as", PROVIDER, code=1)
    assert (told["accepted"], told["rejected"]) == (2, 1)
    assert told["faults"][0]["line"] == 3
    assert str(RECORD_BYTES_MAX) in told["faults"][0]["reason"]["en"]


def test_a_column_that_the_contract_lacks_is_named(
    terminal: Terminal, here: Path, dataset: str
) -> None:
    (here / "wrong.csv").write_text("number,surprise\n1,2\n", "utf-8")
    problem = terminal.problem("push", dataset, "wrong.csv", "--as", PROVIDER, code=2)
    assert "column 2" in problem["message"]["en"]
    assert "number, story" in problem["message"]["en"]


def test_an_unknown_dataset_is_named_with_those_there_are(
    terminal: Terminal, here: Path, dataset: str
) -> None:
    (here / "some.csv").write_text("number\n1\n", "utf-8")
    problem = terminal.problem("push", "complaint", "some.csv", "--as", PROVIDER, code=2)
    assert "'complaint'" in problem["message"]["en"]
    assert dataset in problem["message"]["en"]


@pytest.mark.usefixtures("here")
def test_a_wrong_passphrase_says_so_in_both_languages(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXCHANGE_PASSPHRASE", "not the passphrase")
    problem = terminal.problem("whoami", "--as", PROVIDER, code=2)
    assert problem["category"] == "wrong-passphrase"
    assert "口令" in problem["message"]["zh"]


def test_kafka_away_is_exit_3_and_the_next_push_publishes(
    terminal: Terminal, here: Path, dataset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "later.csv").write_text("number,story\nlater-1,a\n", "utf-8")
    with monkeypatch.context() as away:
        away.setenv("EXCHANGE_KAFKA", f"127.0.0.1:{free_port()}")
        problem = terminal.problem("push", dataset, "later.csv", "--as", PROVIDER, code=3)
    assert problem["retriable"]
    assert terminal.json("push", dataset, "later.csv", "--as", PROVIDER)["accepted"] == 1


def test_a_busy_port_is_named(
    terminal: Terminal, tmp_path: Path, live_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(socket.socket()) as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        home = ("--home", str(tmp_path / "second"))
        kafka = next(
            line for line in (live_home / "exchange.toml").read_text("utf-8").splitlines()
            if line.startswith("bootstrap")
        ).split('"')[1]  # fmt: skip
        monkeypatch.setenv("EXCHANGE_KAFKA", kafka)
        topic = f"test.ledger.{uuid4().hex}"
        assert terminal(*home, "init", "--port", str(port), "--topic", topic) == 0
        problem = terminal.problem(*home, "hub", "run", code=3)
        assert problem["category"] == "port-busy"
        assert str(port) in problem["message"]["en"]
        started = terminal.problem(*home, "up", code=3)
        assert started["category"] == "port-busy"
        assert f"sport = :{port}" in started["remedy"]["en"]
        monkeypatch.setenv("EXCHANGE_PASSPHRASE", "not the passphrase")
        assert terminal.problem(*home, "up", code=2)["category"] == "wrong-passphrase"
        assert terminal(*home, "down") == 0


@pytest.mark.usefixtures("here")
def test_up_and_down_leave_a_hub_to_the_supervisor_that_runs_it(
    terminal: Terminal, live_home: Path
) -> None:
    note = live_home / "run" / "hub.pid"  # without it the hub is one that others started
    aside = note.rename(note.with_suffix(".aside"))
    try:
        assert terminal("up") == 0, terminal.err
        assert "not started by 'exchange up'" in terminal.err
        assert not note.exists()
        assert terminal("down") == 0
        assert "the hub goes on" in terminal.out
        assert terminal("status") == 0, terminal.out
    finally:
        aside.rename(note)


@pytest.mark.usefixtures("here")
def test_a_credit_code_that_a_member_has_is_told_before_keys_are_made(
    terminal: Terminal, live_home: Path, dataset: str
) -> None:
    assert dataset
    words = ("--name-zh", "机构", "--name-en", "Office", "--credit-code", "113300000DEM00002A")
    problem = terminal.problem("member", "enrol", "second-bureau", *words, code=1)
    assert problem["failure"] == "code-taken"
    assert PROVIDER in problem["message"]["zh"]
    assert not (live_home / "members" / "second-bureau").exists()


def test_a_file_that_breaks_off_says_that_all_of_it_may_be_pushed_again(
    terminal: Terminal, here: Path, dataset: str
) -> None:
    rows = [f"off-{number},a" for number in range(12_000)]
    (here / "off.csv").write_text("\n".join(["number,story", *rows, 'x,"']), "utf-8")
    problem = terminal.problem("push", dataset, "off.csv", "--as", PROVIDER, code=2)
    assert "push all of it again" in problem["remedy"]["en"]
    assert "重新推送" in problem["remedy"]["zh"]


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The disk is full: no file of this process can grow beyond ``size`` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_exit_3_and_nothing_is_lost_or_doubled(
    terminal: Terminal, here: Path, dataset: str
) -> None:
    rows = [f"full-{number},{''.join(uuid4().hex for _ in range(40))}" for number in range(400)]
    (here / "full.csv").write_text("\n".join(["number,story", *rows]), "utf-8")
    with files_of_at_most(150_000):
        problem = terminal.problem("push", dataset, "full.csv", "--as", PROVIDER, code=3)
    assert problem["category"] == "disk-full"
    assert terminal.json("push", dataset, "full.csv", "--as", PROVIDER)["accepted"] == 400
    grant = terminal.json("request", "new", dataset, *WHOLE, "--as", CONSUMER)["grant"]
    words = ("pull", dataset, "--grant", grant, "--out", "sqlite:all.db", "--as", CONSUMER)
    assert terminal.json(*words)["whole"]
    with closing(sqlite3.connect("all.db")) as found:
        view = dataset.replace("-", "_")
        query = f'SELECT count(*), count(DISTINCT number) FROM "{view}" WHERE number LIKE "full-%"'
        assert found.execute(query).fetchone() == (400, 400)


@pytest.mark.usefixtures("here")
def test_rejected_records_are_encrypted_at_rest_and_shown_on_demand(
    terminal: Terminal, live_home: Path, dataset: str, feed: Callable[[str], None]
) -> None:
    marker = f"marker-{uuid4().hex}"
    feed(f"number,story\n,{marker}\nfine,ok\n")
    told = terminal.json("push", dataset, "-", "--as", PROVIDER, code=1)
    assert (told["accepted"], told["rejected"]) == (1, 1)
    for file in files_under(live_home):
        assert marker.encode() not in content_of(file), file
    shown = terminal.json("adapter", "rejected", dataset, "--as", PROVIDER)
    assert any(one["record"]["story"] == marker for one in shown["rejected"])
    assert terminal.json("adapter", "rejected", dataset, "--forget", "--as", PROVIDER)
    assert not terminal.json("adapter", "rejected", dataset, "--as", PROVIDER)["rejected"]


def test_no_value_of_a_record_is_told_about_a_rejected_one(
    terminal: Terminal, here: Path, dataset: str
) -> None:
    secret = "y" * 300_000
    (here / "long.csv").write_text(f"number,story\n1,{secret}\n", "utf-8")
    assert terminal("push", dataset, "long.csv", "--as", PROVIDER) == 1
    assert "yyyy" not in terminal.out + terminal.err
    kept = terminal.out
    assert terminal("adapter", "rejected", dataset, "--forget", "--as", PROVIDER) == 0
    assert len(terminal.out) < 1_000  # a person is shown its beginning, a program all of it
    assert "…(+299800)" in terminal.out
    assert io.StringIO(kept).readline().endswith("1 rejected\n")
