"""A report is checked from the pin alone; whatever is changed in it is found, by its class."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from exchange.audit import reportseal
from exchange.audit.reportcheck import DATA, PAGE, check_report, proof_name
from exchange.audit.reportseal import STATEMENT, parse
from exchange.errors import CheckFailed
from exchange.ledger.checkpoint import parse_checkpoint
from exchange.ledger.note import Note
from exchange.ledger.policy import parse_policy
from keys import cbor, cose
from tests.audit.lined import Lined
from tests.audit.reported import ISSUER, busy, files_of, signed_head, statement
from tests.ledger.logs import PublishedLog, policy_text
from tests.ledger.world import exchange_world

Files = dict[str, bytes]


@pytest.fixture(scope="module")
def lined() -> Lined:
    return busy()


@pytest.fixture(scope="module")
def files(lined: Lined) -> Files:
    return files_of(lined.world, "civil")


def failure(files: Files, pin: bytes) -> str:
    with pytest.raises(CheckFailed) as caught:
        check_report(files, pin)
    assert caught.value.text.zh
    return caught.value.failure


def test_a_report_holds(lined: Lined, files: Files) -> None:
    found = check_report(files | {"notes.txt": b"mine"}, lined.world.pin)
    assert (found.issuer_kind, found.hub, found.unlisted) == ("auditor", "hub-1", ("notes.txt",))
    assert (found.statement.member, found.statement.issuer) == ("civil", ISSUER)
    assert found.proofs == len(json.loads(files[DATA])["evidence"])


def test_the_authority_may_issue_one_too(lined: Lined) -> None:
    made = files_of(lined.world, "civil", issuer="authority")
    assert check_report(made, lined.world.pin).issuer_kind == "authority"


def test_a_policy_demands_cosignatures_on_the_head_of_a_report(lined: Lined) -> None:
    witness = PublishedLog(seed=2)
    policy = parse_policy(policy_text(witness))
    bare = signed_head(lined.world)
    lines = witness.cosigned(parse_checkpoint(bare.text))
    note = Note(bare.text, (*bare.lines, *lines))
    made = files_of(lined.world, "civil", note=note)
    assert check_report(made, lined.world.pin, policy).issuer_kind == "auditor"
    made = files_of(lined.world, "civil", note=bare)
    assert check_report(made, lined.world.pin).hub == "hub-1"
    with pytest.raises(CheckFailed) as caught:
        check_report(made, lined.world.pin, policy)
    assert caught.value.failure == "report-proof"
    assert "quorum" in caught.value.text.en


def flipped(name: str) -> Callable[[Files], Files]:
    return lambda files: files | {name: files[name][:-9] + b"x" + files[name][-8:]}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (flipped(PAGE), "report-file"),
        (flipped(DATA), "report-file"),
        (flipped(proof_name(0)), "report-file"),
        (flipped(STATEMENT), "report-signature"),
        (lambda files: files | {STATEMENT: b"\x00"}, "report-malformed"),
        (lambda files: {name: files[name] for name in files if name != PAGE}, "report-file"),
        (lambda files: {name: files[name] for name in files if name != STATEMENT}, "report-file"),
    ],
    ids=["page", "data", "proof", "signature", "statement", "no-page", "no-statement"],
)
def test_a_changed_file_is_found(
    lined: Lined, files: Files, change: Callable[[Files], Files], expected: str
) -> None:
    assert failure(change(files), lined.world.pin) == expected


def test_another_pin_is_another_ledger(files: Files) -> None:
    assert failure(files, bytes(32)) == "report-genesis"


def test_somebody_elses_signature_is_found(lined: Lined) -> None:
    made = files_of(lined.world, "civil", signer=lined.world.signer("office/civil"))
    assert failure(made, lined.world.pin) == "report-signature"


def test_an_issuer_that_is_no_member_is_found(lined: Lined) -> None:
    world = lined.world
    evidence = [
        index
        for index in json.loads(files_of(world, "civil")[DATA])["evidence"]
        if ISSUER.encode() not in world.entries[index].raw
    ]
    assert failure(files_of(world, "civil", evidence=evidence), world.pin) == "report-issuer"


def used(data: dict[str, Any]) -> dict[str, Any]:
    """The row of the grant that keys were asked under."""
    return next(one for one in data["provided"] if one["keys"])


def resealed(lined: Lined, files: Files, change: Callable[[dict[str, Any]], None]) -> Files:
    """The issuer itself signs data that say something else."""
    data = json.loads(files[DATA])
    signed = json.loads(files[DATA])
    change(data)
    made = {name: raw for name, raw in files.items() if name != STATEMENT}
    made[DATA] = json.dumps(data).encode()
    return made | {
        STATEMENT: statement(signed, made, lined.world.signer(f"office/{ISSUER}")),
    }


@pytest.mark.parametrize(
    "change",
    [
        lambda data: data["refusals"][0].update(member="health"),
        lambda data: data["refusals"][0].update(kind="keys.ask"),
        lambda data: used(data).update(consumer="human-resources"),
        lambda data: used(data).update(keys=used(data)["receipts"]),
        lambda data: used(data).update(grant="00" * 32),
        lambda data: data["ground"].update(size=1),
        lambda data: data["member"].update(id="health"),
        lambda data: data["evidence"].pop(),
        lambda data: data.pop("refusals"),
        lambda data: data.update(format="exchange-report/9"),
        lambda data: data.update(evidence=7),
    ],
    ids=[
        "member",
        "kind",
        "reader",
        "keys",
        "grant",
        "size",
        "subject",
        "evidence",
        "lacking",
        "format",
        "type",
    ],
)
def test_data_that_say_other_than_the_entries_are_found(
    lined: Lined, files: Files, change: Callable[[dict[str, Any]], None]
) -> None:
    assert failure(resealed(lined, files, change), lined.world.pin) == "report-data"


def test_data_that_are_no_json_are_found(lined: Lined, files: Files) -> None:
    signed = json.loads(files[DATA])
    made = {name: raw for name, raw in files.items() if name != STATEMENT} | {DATA: b"{"}
    made[STATEMENT] = statement(signed, made, lined.world.signer(f"office/{ISSUER}"))
    assert failure(made, lined.world.pin) == "report-data"


def test_a_proof_under_another_head_or_name_is_found(lined: Lined, files: Files) -> None:
    signed = json.loads(files[DATA])
    signer = lined.world.signer(f"office/{ISSUER}")
    index = signed["evidence"][-1]
    entry = lined.world.entries[index].raw
    for name, raw in (
        (proof_name(index), files[proof_name(signed["evidence"][-2])]),
        (proof_name(index), files[proof_name(index)].replace(b"index ", b"index 1")),
        (proof_name(index), b"nothing"),
    ):
        made = {key: value for key, value in files.items() if key != STATEMENT} | {name: raw}
        made[STATEMENT] = statement(signed, made, signer)
        assert failure(made, lined.world.pin) == "report-proof"
    assert entry


def test_another_ledgers_genesis_beside_the_pin_is_found(lined: Lined, files: Files) -> None:
    other = exchange_world(seed=9)
    made = files_of(other, "civil")
    assert failure(made, lined.world.pin) == "report-genesis"
    assert check_report(made, other.pin).proofs


@pytest.mark.parametrize(
    "files_said", [[["a"]], [["a", b"short"]], [["b", bytes(32)]] * 2], ids=str
)
def test_statements_are_read_strictly(lined: Lined, files: Files, files_said: list[object]) -> None:
    payload = cbor.decode(
        cose.parse1(files[STATEMENT], bytes_max=1 << 20).payload, bytes_max=1 << 20
    )
    assert isinstance(payload, dict)
    payload[9] = files_said
    raw = cose.sign1(
        cbor.encode(payload), reportseal.REPORT_DOMAIN, lined.world.signer(f"office/{ISSUER}")
    )
    with pytest.raises(CheckFailed, match=r"report\.cose"):
        parse(raw)
    with pytest.raises(TypeError):
        reportseal.Sealed(parse(files[STATEMENT]).statement, object())
