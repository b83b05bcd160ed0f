"""The demo tells the truth, and no value of a record is seen by anybody who should not see it."""

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from exchange.cli.demodata.exams import exam_results
from exchange.cli.demostage import village_rows
from exchange.cli.main import run
from exchange.wiring.remote import RemoteHub
from tests.demo.valuescan import Values

RECORDS = 3_000

pytestmark = pytest.mark.kafka


@dataclass(slots=True)
class Played:
    """A demo that has come to its end: what it left, and every byte to and from the hub."""

    home: Path
    code: int
    out: str
    traffic: list[bytes] = field(default_factory=list)

    @property
    def summary(self) -> Any:  # noqa: ANN401 - JSON
        return json.loads((self.home / "demo" / "summary.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """One run of the demo in Chinese on a Kafka of its own, its traffic with the hub recorded."""
    home = tmp_path_factory.mktemp("home")
    traffic: list[bytes] = []
    sent = RemoteHub._send

    async def recorded(
        hub: RemoteHub,
        method: str,
        target: str,
        body: bytes,
        headers: Mapping[str, str],
        *bytes_max: int,
    ) -> httpx.Response:
        response = await sent(hub, method, target, body, headers, *bytes_max)
        traffic.extend((target.encode(), body, response.content))
        traffic.extend(f"{name}: {value}".encode() for name, value in headers.items())
        return response

    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("EXCHANGE_KAFKA", raising=False)
        patch.delenv("EXCHANGE_PASSPHRASE", raising=False)
        patch.setattr(RemoteHub, "_send", recorded)
        out, err = io.StringIO(), io.StringIO()
        words = ["--home", str(home), "--lang", "zh", "demo", "--records", str(RECORDS)]
        code = run(words, out=out, err=err)
        yield Played(home, code, out.getvalue() + err.getvalue(), traffic)


@pytest.fixture(scope="module")
def values() -> Values:
    """Every value of both datasets that names a place or a person."""
    villages, exams = village_rows(), exam_results(RECORDS)
    return Values(
        numbers=[*villages["code"], *exams["ticket"], *exams["resident_id"]],
        names=[*villages["name"], *exams["candidate"]],
    )


def test_the_scan_finds_what_is_there(values: Values) -> None:
    exams = exam_results(RECORDS)
    one = exams["resident_id"][7], exams["candidate"][7], village_rows()["name"][9]
    plain = f"junk{one[0]},{one[1]}\x00\x01{one[2]}".encode()
    assert set(one) <= values.found_in(plain)
    assert one[1] in values.found_in(json.dumps({"name": one[1]}).encode())


def test_the_demo_ends_as_told(played: Played) -> None:
    assert played.code == 0, played.out
    summary = played.summary
    assert list(summary) == [
        "kafka",
        "records_pushed",
        "records_delivered",
        "refusals",
        "tampered_refused",
        "duties",
        "ledger_entries",
        "ledger_root",
        "verified",
        "evidence",
        "seconds",
    ]
    assert summary["verified"]
    assert summary["kafka"].startswith("4.")
    assert summary["tampered_refused"] == 1
    duties = summary["duties"]
    (overdue,) = [one for one in duties["overdue"] if one["state"] == "escalated"]
    assert overdue["rules"] == ["COR-03"]
    assert duties["escalation"]["tier"] == 1
    projected = duties["projected"]
    assert projected["overdue"] + projected["awaiting_calendar"] > len(duties["overdue"])
    assert summary["records_pushed"] > 25_547 + RECORDS
    refused = [one["rule"] for one in summary["refusals"]]
    assert refused == ["DUTY-01", "OBL-01", "REF-01", "FEE-01", "REV-01"]
    assert len(bytes.fromhex(summary["ledger_root"])) == 32


def test_the_demo_explains_itself_in_both_languages(played: Played) -> None:
    for line in (
        "可以：human-resources 可就 verification 读取 village-register",
        "yes: human-resources may read village-register for verification",
        "不可以：human-resources 不得就 qualification-check 读取 exam-results",
        "- the grant was revoked by entry",
        "REV-01 授权撤销后即失效（GB/T 39477-2020 6.2）",
    ):
        assert line in played.out


def test_the_auditors_part_ends_as_told(played: Played) -> None:
    evidence, folder = played.summary["evidence"], played.home / "demo"
    assert evidence["proof"]["verifier"] == "go"
    assert evidence["reconciled"]["clean"]
    assert evidence["reconciled"]["keys"] >= 3
    withheld = evidence["withheld"]
    assert (withheld["kind"], withheld["responsible"]) == ("key-without-receipt", "human-resources")
    asked = list((folder / "home" / "members").glob("*/queries/*.json"))
    assert len(asked) == 3, "two reconciliations and a report are questions on record"
    files = ["report.cose", "report.html", "report.json", "report.pdf"]
    assert evidence["report"]["files"] == files
    assert evidence["report"]["proofs"] == len(list((folder / "report" / "proofs").iterdir()))
    assert (folder / "report" / "report.pdf").read_bytes().startswith(b"%PDF")
    out, err = io.StringIO(), io.StringIO()
    words = ["audit", "report", "--check", str(folder / "report"), "--home", str(folder / "home")]
    assert run(words, out=out, err=err) == 0, err.getvalue()
    assert "human-resources" in out.getvalue()


def test_the_report_holds_no_value_of_a_record(played: Played, values: Values) -> None:
    for path in (played.home / "demo" / "report").rglob("*"):
        if path.is_file():
            assert not values.found_in(path.read_bytes()), path


def test_the_demo_stops_what_it_started(played: Played) -> None:
    home = played.home / "demo" / "home"
    assert not list(home.glob("run/*.pid"))
    assert not (home / "kafka" / "node.json").exists()


@pytest.mark.parametrize("where", ["kafka/data", "kafka", "log", "hub", "run"])
def test_no_value_of_a_record_stands_in(where: str, played: Played, values: Values) -> None:
    files = [path for path in (played.home / "demo" / "home" / where).rglob("*") if path.is_file()]
    assert files or where == "run"
    for path in files:
        assert not values.found_in(path.read_bytes()), path


def test_the_topics_were_really_searched(played: Played) -> None:
    data = played.home / "demo" / "home" / "kafka" / "data"
    sizes = [path.stat().st_size for path in data.glob("exchange.demo.*.*-[0-9]/*.log")]
    assert sum(sizes) > 100_000


def test_no_value_of_a_record_goes_to_or_from_the_hub(played: Played, values: Values) -> None:
    assert len(played.traffic) > 100
    assert sum(map(len, played.traffic)) > 50_000
    for piece in played.traffic:
        assert not values.found_in(piece)


def test_no_value_of_a_record_is_shown_on_the_screen(played: Played, values: Values) -> None:
    assert not values.found_in(played.out.encode())


def test_what_members_keep_for_themselves_is_encrypted(played: Played, values: Values) -> None:
    members = played.home / "demo" / "home" / "members"
    kept = [path for path in members.rglob("*") if path.is_file() and "received" not in path.parts]
    assert kept
    for path in kept:
        assert not values.found_in(path.read_bytes()), path


def test_the_demo_speaks_chinese(played: Played) -> None:
    assert "账本完整" in played.out
    assert "《数据安全法》" in played.out
