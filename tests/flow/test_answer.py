"""Answers of a hub: what a member believes, and by which step everything else is refused."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from exchange.errors import ReleaseRefused
from exchange.flow.answer import (
    ANSWER_DOMAIN,
    Answer,
    VerifiedAnswer,
    sign_answer,
    verify_answer,
)
from exchange.limits import ANSWER_BYTES_MAX
from keys.cbor import decode, encode
from keys.cose import parse1, sign1
from keys.custody import MemoryCustody

ORIGIN = "exchange.zj.example/2026"
ACT = hashlib.sha256(b"act").digest()
ENTRY = hashlib.sha256(b"entry").digest()
CUSTODY = MemoryCustody()
HUB = CUSTODY.generate_signing("hub-1 entry")
OTHER_HUB = CUSTODY.generate_signing("hub-2 entry")
STRANGER = CUSTODY.generate_signing("stranger")
KEYS = (HUB.raw, OTHER_HUB.raw)
GRANTED = Answer(ORIGIN, ACT, 7, ENTRY, 1_700_000_000_000, True, ("GRANT-01",))
SIGNER = CUSTODY.signer("hub-1 entry")


def verified(raw: bytes, *, origin: str = ORIGIN, act: bytes = ACT) -> VerifiedAnswer:
    return verify_answer(raw, origin=origin, act=act, entry_keys=KEYS)


def failure(raw: bytes, *, origin: str = ORIGIN, act: bytes = ACT) -> str:
    with pytest.raises(ReleaseRefused) as caught:
        verified(raw, origin=origin, act=act)
    assert caught.value.text.zh
    assert caught.value.remedy.en
    return caught.value.failure


def test_what_a_hub_signs_is_what_a_member_reads() -> None:
    answer = replace(GRANTED, refused={3: ("PUR-01",), 1: ("REV-01", "EXP-01")}, sealed=b"sealed")
    read = verified(sign_answer(answer, SIGNER))
    assert read.answer == answer
    assert (read.admitted.index, read.admitted.permit, read.admitted.rules) == (
        7,
        True,
        ("GRANT-01",),
    )
    assert read.keys.refused == {1: ("REV-01", "EXP-01"), 3: ("PUR-01",)}
    assert (read.keys.sealed, read.keys.admitted.entry_hash) == (b"sealed", ENTRY)


def test_any_hub_of_genesis_may_answer() -> None:
    raw = sign_answer(GRANTED, CUSTODY.signer("hub-2 entry"))
    assert verified(raw).admitted.act == ACT


def test_an_answer_without_keys_carries_neither_field() -> None:
    read = verified(sign_answer(replace(GRANTED, permit=False, rules=("DUTY-01",)), SIGNER))
    assert (read.keys.sealed, dict(read.keys.refused), read.admitted.permit) == (b"", {}, False)


def test_sealed_keys_are_not_printed() -> None:
    assert "sealed-keys" not in repr(
        verified(sign_answer(replace(GRANTED, sealed=b"sealed-keys"), SIGNER))
    )


def test_nobody_else_makes_a_verified_answer() -> None:
    with pytest.raises(TypeError):
        VerifiedAnswer(GRANTED, object())


def test_a_key_that_genesis_does_not_name_is_refused() -> None:
    assert failure(sign_answer(GRANTED, CUSTODY.signer("stranger"))) == "answer-signature"


def test_a_changed_answer_is_refused() -> None:
    raw = bytearray(sign_answer(GRANTED, SIGNER))
    raw[-1] ^= 1
    assert failure(bytes(raw)) == "answer-signature"


def test_an_entry_is_no_answer() -> None:
    payload = parse1(sign_answer(GRANTED, SIGNER), bytes_max=ANSWER_BYTES_MAX).payload
    assert failure(sign1(payload, "exchange/v1/entry", SIGNER)) == "answer-signature"


def test_an_answer_of_another_log_is_refused() -> None:
    assert failure(sign_answer(GRANTED, SIGNER), origin="elsewhere/2026") == "answer-origin"


def test_an_answer_about_another_act_is_refused() -> None:
    assert failure(sign_answer(GRANTED, SIGNER), act=ENTRY) == "answer-act"


@pytest.mark.parametrize("raw", [b"", b"\x80", b"not cbor", b"\x84" * 40])
def test_junk_is_refused(raw: bytes) -> None:
    assert failure(raw) == "answer-malformed"


def test_an_answer_past_the_limit_is_refused_unread() -> None:
    assert failure(bytes(ANSWER_BYTES_MAX + 1)) == "answer-malformed"


def test_a_payload_that_is_not_canonical_is_refused() -> None:
    assert failure(sign1(b"\xff", ANSWER_DOMAIN, SIGNER)) == "answer-malformed"
    assert failure(sign1(encode([1, 2]), ANSWER_DOMAIN, SIGNER)) == "answer-malformed"


SHAPES: dict[str, dict[int, Any]] = {
    "another version": {0: 2},
    "a boolean version": {0: True},
    "no entry hash": {4: None},
    "a short act id": {2: b"short"},
    "a short entry hash": {4: bytes(31)},
    "a negative index": {3: -1},
    "a boolean index": {3: True},
    "a boolean time": {5: False},
    "a number for a verdict": {6: 1},
    "rules as bytes": {7: [b"GRANT-01"]},
    "rules as text": {7: "GRANT-01"},
    "no refusals, stated": {8: []},
    "refusals as a map": {8: {0: ["PUR-01"]}},
    "an item refused twice": {8: [[1, ["PUR-01"]], [1, ["REV-01"]]]},
    "items out of order": {8: [[2, ["PUR-01"]], [1, ["REV-01"]]]},
    "a boolean item": {8: [[True, ["PUR-01"]]]},
    "refusing rules as text": {8: [[0, "PUR-01"]]},
    "refusing rules as numbers": {8: [[0, [1]]]},
    "a refusal of three parts": {8: [[0, ["PUR-01"], 1]]},
    "more refusals than items": {8: [[i, []] for i in range(257)]},
    "no keys, stated": {9: b""},
    "keys as text": {9: "sealed"},
    "a field unknown": {10: 1},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_signed_payload_of_another_shape_is_refused(shape: str) -> None:
    statement = parse1(sign_answer(GRANTED, SIGNER), bytes_max=ANSWER_BYTES_MAX)
    payload = decode(statement.payload, bytes_max=ANSWER_BYTES_MAX)
    assert isinstance(payload, dict)
    changed = {key: value for key, value in (payload | SHAPES[shape]).items() if value is not None}
    assert failure(sign1(encode(changed), ANSWER_DOMAIN, SIGNER)) == "answer-malformed"
