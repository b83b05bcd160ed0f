"""Answers of a hub: what a member believes, and by which step everything else is refused."""

import hashlib
from collections.abc import Callable
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


def verified(raw: bytes, **changed: Any) -> VerifiedAnswer:
    return verify_answer(raw, **{"origin": ORIGIN, "act": ACT, "entry_keys": KEYS, **changed})


def failure(raw: bytes, **changed: Any) -> str:
    with pytest.raises(ReleaseRefused) as caught:
        verified(raw, **changed)
    assert caught.value.text.zh
    assert caught.value.remedy.en
    return caught.value.failure


def forged(change: Callable[[dict[int, Any]], object], answer: Answer = GRANTED) -> bytes:
    """An answer whose payload a faulty hub has changed before signing it."""
    payload = decode(
        parse1(sign_answer(answer, SIGNER), bytes_max=ANSWER_BYTES_MAX).payload,
        bytes_max=ANSWER_BYTES_MAX,
    )
    assert isinstance(payload, dict)
    change(payload)
    return sign1(encode(payload), ANSWER_DOMAIN, SIGNER)


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


@pytest.mark.parametrize(
    "change",
    [
        lambda payload: payload.update({0: 2}),
        lambda payload: payload.update({0: True}),
        lambda payload: payload.pop(4),
        lambda payload: payload.update({2: b"short"}),
        lambda payload: payload.update({4: bytes(31)}),
        lambda payload: payload.update({3: -1}),
        lambda payload: payload.update({3: True}),
        lambda payload: payload.update({5: False}),
        lambda payload: payload.update({6: 1}),
        lambda payload: payload.update({7: [b"GRANT-01"]}),
        lambda payload: payload.update({7: "GRANT-01"}),
        lambda payload: payload.update({8: []}),
        lambda payload: payload.update({8: {0: ["PUR-01"]}}),
        lambda payload: payload.update({8: [[1, ["PUR-01"]], [1, ["REV-01"]]]}),
        lambda payload: payload.update({8: [[2, ["PUR-01"]], [1, ["REV-01"]]]}),
        lambda payload: payload.update({8: [[True, ["PUR-01"]]]}),
        lambda payload: payload.update({8: [[0, "PUR-01"]]}),
        lambda payload: payload.update({8: [[0, ["PUR-01"], 1]]}),
        lambda payload: payload.update({8: [[i, []] for i in range(257)]}),
        lambda payload: payload.update({9: b""}),
        lambda payload: payload.update({9: "sealed"}),
        lambda payload: payload.update({10: 1}),
    ],
)  # fmt: skip
def test_a_signed_payload_of_another_shape_is_refused(
    change: Callable[[dict[int, Any]], object],
) -> None:
    assert failure(forged(change)) == "answer-malformed"


def test_refused_items_name_rules_as_text() -> None:
    assert failure(forged(lambda payload: payload.update({8: [[0, [1]]]}))) == "answer-malformed"
