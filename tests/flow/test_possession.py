"""A hub shows that it holds a dataset's key, and shows nothing else."""

from dataclasses import replace

import pytest

from exchange.errors import CheckFailed
from exchange.flow.possession import (
    POSSESSION_DOMAIN,
    Challenge,
    ProvenKey,
    make_challenge,
    prove_possession,
    verify_proof,
)
from keys.cbor import encode
from keys.cose import sign1
from keys.custody import MemoryCustody
from keys.errors import KeyMissing, KeyRejected
from keys.suite import SUITE_1

ORIGIN = "exchange.zj.example/2026"
CUSTODY = MemoryCustody()
ENTRY = CUSTODY.generate_signing("entry")
STRANGER = CUSTODY.generate_signing("stranger")
KEY = CUSTODY.generate_kem("dataset villages")
OTHER_KEY = CUSTODY.generate_kem("dataset exams")
SIGNER = CUSTODY.signer("entry")


def challenge() -> Challenge:
    return make_challenge(origin=ORIGIN, dataset="villages", public=KEY.raw)


def proof_of(asked: Challenge) -> bytes:
    return prove_possession(
        origin=asked.origin,
        dataset=asked.dataset,
        kid=asked.kid,
        wrapped=asked.wrapped,
        custody=CUSTODY,
        signer=SIGNER,
    )


def refusal(asked: Challenge) -> str:
    with pytest.raises(CheckFailed) as caught:
        proof_of(asked)
    return caught.value.failure


def proof_refusal(proof: bytes, asked: Challenge) -> str:
    with pytest.raises(CheckFailed) as caught:
        verify_proof(proof, asked, entry_keys=[ENTRY.raw])
    assert caught.value.text.zh
    return caught.value.failure


def test_a_hub_that_holds_the_key_proves_it() -> None:
    asked = challenge()
    proof = proof_of(asked)
    proven = verify_proof(proof, asked, entry_keys=[STRANGER.raw, ENTRY.raw])
    assert (proven.dataset, proven.kid, proven.proof) == ("villages", KEY.kid, proof)


def test_nobody_else_makes_a_proven_key() -> None:
    with pytest.raises(TypeError):
        ProvenKey("villages", KEY.kid, b"", object())


def test_the_answer_to_a_challenge_is_not_printed() -> None:
    asked = challenge()
    assert asked.answer.hex() not in repr(asked)
    assert repr(asked.answer) not in repr(asked)


def test_a_bad_key_gets_no_challenge() -> None:
    with pytest.raises(KeyRejected):
        make_challenge(origin=ORIGIN, dataset="villages", public=bytes(10))


def test_a_key_the_hub_lacks_is_named() -> None:
    elsewhere = MemoryCustody().generate_kem("elsewhere")
    asked = make_challenge(origin=ORIGIN, dataset="villages", public=elsewhere.raw)
    with pytest.raises(KeyMissing):
        proof_of(asked)


def test_an_epoch_secret_does_not_open_as_a_challenge() -> None:
    info = encode(
        ["exchange/v1/epoch", 1, ORIGIN, "villages", KEY.kid, "p/i", bytes(32), "", bytes(16), b""]
    )
    wrapped = SUITE_1.wrap(KEY.raw, bytes(32), info)
    assert refusal(replace(challenge(), wrapped=wrapped)) == "challenge"


@pytest.mark.parametrize(
    "change",
    [{"origin": "elsewhere/2026"}, {"dataset": "exams"}, {"kid": OTHER_KEY.kid}, {"wrapped": b"x"}],
    ids=["origin", "dataset", "kid", "bytes"],
)
def test_a_challenge_under_another_label_does_not_open(change: dict[str, str]) -> None:
    assert refusal(replace(challenge(), **change)) == "challenge"  # type: ignore[arg-type]


def test_a_challenge_of_another_length_is_refused() -> None:
    info = encode([POSSESSION_DOMAIN, ORIGIN, "villages", KEY.kid])
    wrapped = SUITE_1.wrap(KEY.raw, bytes(31), info)
    assert refusal(replace(challenge(), wrapped=wrapped)) == "challenge"


def test_a_proof_by_no_hub_is_refused() -> None:
    asked = challenge()
    payload = encode([ORIGIN, "villages", KEY.kid, asked.answer])
    forged = sign1(payload, POSSESSION_DOMAIN, CUSTODY.signer("stranger"))
    assert proof_refusal(forged, asked) == "proof-signature"
    assert proof_refusal(b"junk", asked) == "proof-signature"


def test_a_proof_of_another_challenge_is_refused() -> None:
    assert proof_refusal(proof_of(challenge()), challenge()) == "proof-content"
