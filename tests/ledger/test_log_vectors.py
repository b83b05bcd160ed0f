"""Every text of vectors/log.json is read, or refused by its class."""

import json

import pytest

from exchange.errors import CheckFailed, NoteRefused
from exchange.ledger.cosignature import verify_head
from exchange.ledger.note import parse_note, parse_vkey
from exchange.ledger.policy import check_quorum, parse_policy
from exchange.ledger.proof import parse_proof, verify_proof
from tests.ledger.generate_log_vectors import FILE, cases
from tests.ledger.logs import PublishedLog

CONTENT = json.loads(FILE.read_text("utf-8"))
CASES = CONTENT["cases"]
LOG = PublishedLog(seed=4)


def read(kind: str, text: str) -> str:
    """What the text means, written again; raises what it is refused with."""
    match kind:
        case "vkey":
            return parse_vkey(text).text()
        case "note":
            return parse_note(text.encode()).render().decode()
        case "head":
            return verify_head(text.encode(), LOG.keys).raw.decode()
    proof = parse_proof(text.encode())
    verify_proof(proof, LOG.keys)
    return proof.text()


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['kind']}-{case['name']}")
def test_a_text_is_read_or_refused_by_its_class(case: dict[str, str]) -> None:
    if not case["failure"]:
        assert read(case["kind"], case["text"]) == case["text"]
        return
    with pytest.raises((NoteRefused, CheckFailed)) as refusal:
        read(case["kind"], case["text"])
    assert refusal.value.failure == case["failure"]


def test_the_file_holds_the_cases_of_its_generator() -> None:
    def named(made: list[dict[str, str]]) -> list[tuple[str, ...]]:
        return [(case["kind"], case["name"], case["failure"]) for case in made]

    assert named(CASES) == named(cases())
    assert CONTENT["vkeys"] == [key.text() for key in LOG.keys.vkeys]


def test_a_stored_cosignature_meets_the_stored_policy() -> None:
    (text,) = (case["text"] for case in CASES if case["name"] == "cosigned")
    head = verify_head(text.encode(), LOG.keys)
    assert check_quorum(head, parse_policy(CONTENT["policy"].encode())).times == {
        "health": 1_795_000_001
    }
