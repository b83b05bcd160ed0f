"""Acts are taken in one spelling only, and every other has its failure class."""

from collections.abc import Callable
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.errors import ActRefused
from exchange.ledger.act import ACT_DOMAIN, Act, parse_act, sign_act, verify_act
from exchange.limits import ACT_BYTES_MAX, ACT_LIFETIME_MS_MAX
from exchange.model import acts
from keys import cbor, cose
from keys.custody import MemoryCustody
from tests.ledger.drafts import ORIGIN, START_MS

CUSTODY = MemoryCustody(lambda size: bytes(range(size)))
PUBLIC = CUSTODY.generate_signing("officer")
SIGNER = CUSTODY.signer("officer")
BODY = acts.WithdrawRequest(request=bytes(32))
NONCE = bytes(16)


def signed(**changed: Any) -> bytes:
    stated: dict[str, Any] = {
        "origin": ORIGIN,
        "member": "health",
        "instance": None,
        "signer": SIGNER,
        "now_ms": START_MS,
        "lifetime_ms": 60_000,
        "nonce": NONCE,
    }
    return sign_act(BODY, **{**stated, **changed})


def payload(**changed: object) -> dict[int, object]:
    numbers = {"version": 0, "kind": 1, "origin": 2, "member": 3, "instance": 4, "nonce": 5}
    numbers |= {"issued": 6, "expires": 7, "body": 8, "extra": 9}
    stated: dict[int, object] = {
        0: 1,
        1: BODY.kind,
        2: ORIGIN,
        3: "health",
        5: NONCE,
        6: START_MS,
        7: START_MS + 60_000,
        8: BODY.to_map(),
    }
    stated |= {numbers[name]: value for name, value in changed.items()}
    return {key: value for key, value in stated.items() if value is not ...}


def raw(content: object, domain: str = ACT_DOMAIN) -> bytes:
    return cose.sign1(cbor.encode(content), domain, SIGNER)


def test_an_act_comes_back_as_it_was_signed() -> None:
    act = verify_act(parse_act(signed(instance="main")), PUBLIC.raw)
    assert (act.kind, act.member, act.instance) == ("request.withdraw", "health", "main")
    assert (act.origin, act.nonce, act.kid) == (ORIGIN, NONCE, PUBLIC.kid)
    assert (act.issued_ms, act.expires_ms, act.body) == (START_MS, START_MS + 60_000, BODY)


def test_the_id_is_the_hash_of_what_is_signed() -> None:
    parsed = parse_act(signed())
    assert parsed.id == cose.content_id(parsed.statement, ACT_DOMAIN)
    assert parsed.id == verify_act(parsed, PUBLIC.raw).id
    assert parsed.id == parse_act(raw(payload())).id


def test_two_acts_with_one_body_differ_by_their_nonce() -> None:
    assert parse_act(signed(nonce=None)).id != parse_act(signed(nonce=None)).id


@pytest.mark.parametrize(
    ("failure", "content"),
    [
        ("fields", payload(version=2)),
        ("fields", payload(version=True)),
        ("fields", payload(kind=7)),
        ("fields", payload(origin=...)),
        ("fields", payload(member=b"health")),
        ("fields", payload(instance=7)),
        ("fields", payload(extra=1)),
        ("fields", payload(instance="main", extra=1)),
        ("fields", payload(nonce=bytes(15))),
        ("fields", payload(issued=True)),
        ("fields", payload(expires="soon")),
        ("fields", payload(body=[])),
        ("fields", [1, 2, 3]),
        ("lifetime", payload(expires=START_MS)),
        ("lifetime", payload(expires=START_MS + ACT_LIFETIME_MS_MAX + 1)),
        ("lifetime", payload(issued=-1)),
        ("lifetime", payload(issued=1 << 53, expires=(1 << 53) + 1)),
        ("kind", payload(kind="request.burn")),
        ("body", payload(body={0: bytes(31)})),
        ("body", payload(body={})),
        ("body", payload(body={0: bytes(32), 1: 0})),
        ("body", payload(kind="member.suspend", body={0: "a-member", 1: "\x1b[2Jgone"})),
        ("body", payload(kind="member.suspend", body={0: "a-member", 1: "\u202eenog"})),
    ],
)
def test_an_act_that_is_not_well_formed_is_refused(failure: str, content: object) -> None:
    with pytest.raises(ActRefused) as refused:
        parse_act(raw(content))
    assert refused.value.failure == failure
    assert refused.value.text.zh


def with_unprotected(good: bytes) -> bytes:
    parts = cbor2.loads(good)
    return cbor2.dumps([parts[0], {99: 1}, parts[2], parts[3]], canonical=True)


def long_form(good: bytes) -> bytes:
    """The same array with a length that is not the shortest."""
    return b"\x98\x04" + good[1:]


@pytest.mark.parametrize(
    ("failure", "spoil"),
    [
        ("unprotected", with_unprotected),
        ("not-shortest", long_form),
        ("trailing-bytes", lambda good: good + b"\x00"),
        ("truncated", lambda good: good[:-1]),
        ("too-large", lambda good: good + bytes(ACT_BYTES_MAX)),
        ("tag", lambda good: b"\xd2" + good),
    ],
)
def test_an_act_in_another_envelope_is_refused(
    failure: str, spoil: Callable[[bytes], bytes]
) -> None:
    with pytest.raises(ActRefused) as refused:
        parse_act(spoil(signed()))
    assert refused.value.failure == failure
    assert refused.value.text.en.startswith(("the act is malformed: ", "the act has "))


def test_a_statement_of_another_domain_is_no_act() -> None:
    parsed = parse_act(raw(payload(), "exchange/v1/receipt"))
    with pytest.raises(ActRefused) as refused:
        verify_act(parsed, PUBLIC.raw)
    assert refused.value.failure == "signature"


def test_another_key_did_not_sign_it() -> None:
    other = MemoryCustody().generate_signing("other")
    with pytest.raises(ActRefused) as refused:
        verify_act(parse_act(signed()), other.raw)
    assert refused.value.failure == "signature"


def test_only_verify_act_makes_an_act() -> None:
    act = verify_act(parse_act(signed()), PUBLIC.raw)
    values = {name: getattr(act, name) for name in Act.__slots__}
    with pytest.raises(TypeError):
        Act(**values, made_by=object())


def test_an_act_that_nobody_would_accept_is_not_signed() -> None:
    with pytest.raises(ActRefused) as refused:
        signed(lifetime_ms=0)
    assert refused.value.failure == "lifetime"


@settings(max_examples=300)
@given(st.integers(0, len(signed()) - 1), st.integers(1, 255))
def test_no_changed_byte_leaves_an_act_verifiable(at: int, by: int) -> None:
    good = signed()
    bent = good[:at] + bytes([good[at] ^ by]) + good[at + 1 :]
    with pytest.raises(ActRefused):
        verify_act(parse_act(bent), PUBLIC.raw)
