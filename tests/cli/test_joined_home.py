"""A department joins from a machine of its own; its keys never come to the authority's."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from exchange.wiring.home import open_home
from tests.cli.conftest import Terminal
from tests.cli.transcript import play
from tests.fixtures.ports import free_port

HERE = Path(__file__).parent / "transcripts"
NAMES = ("--name-zh", "机构", "--name-en", "Office", "--credit-code", "113300000DEM00002A")

CHANGES = (
    ('name_zh = "机构"', 'name_zh = "公安厅"'),
    ('credit_code = "113300000DEM00002A"', 'credit_code = "113300000DEM00004G"'),
    ('kind = "department"', 'kind = "auditor"'),
    ('region = ""', 'region = "33"'),
    ('member = "civil-affairs"', 'member = "police"'),
    ('origin = "exchange.local/1"', 'origin = "exchange.local/2"'),
    ('signature = "', 'signature = "AAAA'),
    ('proof = "', 'proof = "AAA'),
)


@pytest.mark.kafka
def test_two_departments_exchange_data_from_machines_of_their_own(
    live_home: Path,
    terminal: Terminal,
    feed: Callable[[str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert terminal is not None
    monkeypatch.chdir(tmp_path)
    for file in (HERE / "files").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    home = open_home(live_home)
    known = {
        "HOME": str(live_home),
        "DEPT": str(tmp_path / "department"),
        "OTHER": str(tmp_path / "other"),
        "CLAIM": str(tmp_path / "department/members/civil-affairs/claim.toml"),
        "CLAIM_TWO": str(tmp_path / "other/members/human-resources/claim.toml"),
        "KAFKA": home.table.kafka.bootstrap,
        "HUB": home.hub_address,
        "TOPIC": f"test.data.{uuid4().hex}",
    }
    play(HERE / "joined.txt", feed, known)
    assert len((tmp_path / "got.jsonl").read_text("utf-8").splitlines()) == 3
    assert open_home(live_home).members() == ("data-bureau",)


class Machines:
    """An authority's home on no network, and departments that would join it."""

    def __init__(self, terminal: Terminal, path: Path) -> None:
        self.terminal = terminal
        self.path = path
        self.found("authority")
        self.connection = self.invite("authority")

    def found(self, name: str) -> None:
        """A ledger of its own under ``name``."""
        place = ("--home", str(self.path / name))
        kafka = f"127.0.0.1:{free_port()}"
        self.terminal.json(*place, "init", "--kafka", kafka)

    def invite(self, name: str) -> Path:
        """The connection file of the ledger of ``name``."""
        file = self.path / f"{name}.toml"
        place = ("--home", str(self.path / name))
        self.terminal.json(*place, "member", "invite", "--out", str(file))
        return file

    def joining(self, home: str, member: str, file: Path | None = None) -> tuple[str, ...]:
        """The words that join ``member`` from ``home``."""
        place = ("--home", str(self.path / home))
        return (*place, "init", "--join", str(file or self.connection), "--member", member, *NAMES)

    def join(self, home: str, member: str) -> Path:
        """Join and return the claim."""
        return Path(self.terminal.json(*self.joining(home, member))["claim"])

    def refused(self, claim: Path, code: int = 1) -> dict[str, str]:
        """The error of enrolling ``claim``."""
        place = ("--home", str(self.path / "authority"))
        problem = self.terminal.problem(*place, "member", "enrol", "--claim", str(claim), code=code)
        assert isinstance(problem, dict)
        return problem


@pytest.fixture
def machines(terminal: Terminal, tmp_path: Path) -> Machines:
    """No process runs, so whatever is refused here is refused before anything is sent."""
    return Machines(terminal, tmp_path)


def test_nothing_secret_and_no_foreign_key_is_in_a_joined_home(machines: Machines) -> None:
    claim = machines.join("department", "civil-affairs")
    home = open_home(machines.path / "department")
    assert home.members() == ("civil-affairs",)
    assert home.joined == "civil-affairs"
    assert not (home.path / "hub").exists()
    assert not (home.path / "recovery").exists()
    custody = home.custody_file("civil-affairs").read_bytes()
    again = machines.join("department", "civil-affairs")
    assert again == claim
    assert home.custody_file("civil-affairs").read_bytes() == custody


def test_a_claim_that_was_changed_enrols_nobody(machines: Machines) -> None:
    claim = machines.join("department", "civil-affairs")
    text = claim.read_text("utf-8")
    for old, new in CHANGES:
        assert old in text
        claim.write_text(text.replace(old, new), "utf-8")
        assert machines.refused(claim)["failure"] == "claim", new


def test_a_claim_with_a_key_put_in_its_place_enrols_nobody(machines: Machines) -> None:
    claim = machines.join("department", "civil-affairs")
    other = machines.join("other", "civil-affairs").read_text("utf-8").splitlines()
    theirs = next(line for line in other if line.startswith("officer"))
    lines = claim.read_text("utf-8").splitlines()
    mixed = [theirs if line.startswith("officer") else line for line in lines]
    claim.write_text("\n".join(mixed), "utf-8")
    assert machines.refused(claim)["failure"] == "claim"


def test_a_file_that_is_no_claim_is_named(machines: Machines) -> None:
    claim = machines.join("department", "civil-affairs")
    text = claim.read_text("utf-8")
    claim.write_text(text.replace('name_zh = "机构"', 'name_zh = ""'), "utf-8")
    assert machines.refused(claim)["failure"] == "claim"
    claim.write_text(text.replace('kind = "department"', 'kind = "friend"'), "utf-8")
    assert machines.refused(claim, code=2)["failure"] == "bad-value"
    claim.write_text(text.replace("name_zh =", "name ="), "utf-8")
    assert machines.refused(claim, code=2)["failure"] == "unknown-key"


def test_a_connection_file_with_another_pin_is_no_ledger(
    machines: Machines, terminal: Terminal
) -> None:
    pin = open_home(machines.path / "authority").table.log.genesis
    text = machines.connection.read_text("utf-8")
    machines.connection.write_text(text.replace(pin, "ab" * 32), "utf-8")
    problem = terminal.problem(*machines.joining("department", "civil-affairs"), code=1)
    assert (problem["category"], problem["failure"]) == ("ledger-broken", "wrong-genesis")
    assert not (machines.path / "department").exists()


def test_a_connection_file_of_another_origin_or_ca_is_refused(
    machines: Machines, terminal: Terminal
) -> None:
    text = machines.connection.read_text("utf-8")
    words = machines.joining("department", "civil-affairs")
    machines.connection.write_text(text.replace("exchange.local/1", "exchange.local/2"), "utf-8")
    assert terminal.problem(*words, code=1)["failure"] == "wrong-genesis"
    machines.found("rival")
    ours, theirs = (
        (machines.path / name / "ca.pem").read_text("ascii").strip()
        for name in ("authority", "rival")
    )
    machines.connection.write_text(text.replace(ours, theirs), "utf-8")
    assert terminal.problem(*words, code=2)["failure"] == "ca-pin"
    machines.connection.write_text(text.replace(ours, "no certificate"), "utf-8")
    assert terminal.problem(*words, code=2)["failure"] == "ca-file"
    machines.connection.write_text(text.replace('bootstrap = "127', 'bootstrap = "127,'), "utf-8")
    assert terminal.problem(*words, code=2)["failure"] == "bad-value"
    assert not (machines.path / "department").exists()


def test_options_that_do_not_go_with_joining_are_named(
    machines: Machines, terminal: Terminal
) -> None:
    for name, value in (
        ("--origin", "mine/1"),
        ("--port", "9"),
        ("--name-en", ""),
        ("--member", ""),
    ):
        words = (*machines.joining("department", "civil-affairs"), name, value)
        assert name in terminal.problem(*words, code=2)["message"]["en"]
    assert not (machines.path / "department").exists()


def test_a_member_to_join_without_a_connection_file_is_refused(
    terminal: Terminal, tmp_path: Path
) -> None:
    problem = terminal.problem("--home", str(tmp_path / "x"), "init", "--member", "police", code=2)
    assert "--join" in problem["message"]["en"]


def test_an_invitation_never_replaces_a_file(machines: Machines, terminal: Terminal) -> None:
    place = ("--home", str(machines.path / "authority"))
    words = (*place, "member", "invite", "--out", str(machines.connection))
    terminal.json(*words)
    machines.connection.write_text("something else", "utf-8")
    assert terminal.problem(*words, code=2)["failure"] == "exists"
    assert machines.connection.read_text("utf-8") == "something else"


def test_a_claim_says_everything_itself(machines: Machines, terminal: Terminal) -> None:
    claim = machines.join("department", "civil-affairs")
    words = ("--home", str(machines.path / "authority"), "member", "enrol", "--claim", str(claim))
    assert terminal.problem(*words, *NAMES, code=2)["failure"] == "option"
    assert terminal.problem(*words, "police", code=2)["failure"] == "other-member"
    assert terminal.problem(*words[:-2], code=2)["failure"] == "no-member"


def test_without_kafka_a_joined_home_says_so(machines: Machines, terminal: Terminal) -> None:
    machines.join("department", "civil-affairs")
    place = ("--home", str(machines.path / "department"))
    status = terminal.json(*place, "status", code=3)
    assert status["missing"] == "kafka"
    assert [step["step"] for step in status["steps"]] == ["kafka", "hub"]
    problem = terminal.problem(*place, "up", code=3)
    assert problem["retriable"]
    assert terminal.json(*place, "down")["stopped"] == []


@pytest.mark.kafka
def test_what_only_the_ledger_tells_is_told(
    live_home: Path, terminal: Terminal, tmp_path: Path
) -> None:
    """The other ledgers here are whole in themselves: only the live one contradicts them."""
    authority = ("--home", str(live_home))
    connection = tmp_path / "live.toml"
    terminal.json(*authority, "member", "invite", "--out", str(connection))
    member = f"office-{uuid4().hex[:6]}"
    claims = []
    for name in ("first", "second"):
        words = ("init", "--join", str(connection), "--member", member, *NAMES)
        told = terminal.json("--home", str(tmp_path / name), *words)
        claims.append(told["claim"])
    terminal.json(*authority, "member", "enrol", "--claim", claims[0])
    late = terminal.problem(*authority, "member", "enrol", "--claim", claims[1], code=1)
    assert late["failure"] == "other-keys"
    status = terminal.json("--home", str(tmp_path / "second"), "status", code=3)
    assert status["missing"] == "member"
    assert "another officer key" in status["steps"][-1]["found"]["en"]
    terminal.json(*authority, "member", "suspend", member, "--reason", "moved")
    status = terminal.json("--home", str(tmp_path / "first"), "status", code=3)
    assert status["missing"] == "member"
    assert "suspended" in status["steps"][-1]["found"]["en"]

    live = open_home(live_home).table
    rival = ("--home", str(tmp_path / "rival"))
    terminal.json(*rival, "init", "--kafka", live.kafka.bootstrap, "--topic", live.log.topic)
    other = tmp_path / "rival.toml"
    terminal.json(*rival, "member", "invite", "--out", str(other))
    third = ("--home", str(tmp_path / "third"))
    claim = terminal.json(*third, "init", "--join", str(other), "--member", member, *NAMES)["claim"]
    broken = terminal.problem(*third, "whoami", code=1)
    assert (broken["category"], broken["failure"]) == ("ledger-broken", "wrong-genesis")
    status = terminal.json(*third, "status", code=3)
    assert "ledger" in [step["step"] for step in status["steps"] if not step["ok"]]
    foreign = terminal.problem(*authority, "member", "enrol", "--claim", claim, code=1)
    assert foreign["failure"] == "claim-ledger"
