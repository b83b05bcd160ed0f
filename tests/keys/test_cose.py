"""Signed statements: our profile, an independent implementation both ways, and every forgery."""

import hashlib
from dataclasses import dataclass
from typing import Any

import pytest
from cbor2 import CBORTag
from cwt import COSE, COSEKey
from hypothesis import given
from hypothesis import strategies as st

from keys import cbor, cose
from keys.cose import Sign1, Verified, content_id, parse1, sign1, verify1
from keys.custody import MemoryCustody
from keys.errors import MalformedSign1, SignatureInvalid
from keys.identity import ED25519, kid_of
from keys.primitives import SigningKey

SEED = bytes(range(32))
KEY = SigningKey(SEED)
KID = kid_of(ED25519, KEY.public)
ACT, ENTRY = "exchange/v1/act", "exchange/v1/entry"
CUSTODY = MemoryCustody(lambda n: SEED[:n])
CUSTODY.generate_signing("signer")
SIGNER = CUSTODY.signer("signer")
RAW = sign1(b"payload", ACT, SIGNER)
CUSTODY_OF_ANOTHER = MemoryCustody()
CUSTODY_OF_ANOTHER.generate_signing("signer")
IDENTITY = (1).to_bytes(32, "little")


@dataclass(frozen=True)
class NamedSigner:
    """Signs with one key and says it was another."""

    kid: bytes
    signer: cose.Signer

    def sign(self, message: bytes) -> bytes:
        return self.signer.sign(message)


def malformed(raw: bytes, bytes_max: int = 1000) -> str:
    with pytest.raises(MalformedSign1) as caught:
        parse1(raw, bytes_max=bytes_max)
    return caught.value.failure


def invalid(raw: bytes, domain: str = ACT, public: bytes = KEY.public) -> str:
    with pytest.raises(SignatureInvalid) as caught:
        verify1(parse1(raw, bytes_max=1000), domain, public)
    return caught.value.failure


def parts() -> list[Any]:
    value = cbor.decode(RAW, bytes_max=1000)
    assert isinstance(value, list)
    return value


def test_what_is_signed_is_read_with_its_signer_and_id() -> None:
    statement = parse1(RAW, bytes_max=len(RAW))
    verified = verify1(statement, ACT, KEY.public)
    assert (verified.payload, verified.kid) == (b"payload", KID)
    assert verified.id == content_id(statement, ACT) != content_id(statement, ENTRY)
    assert (
        verified.id
        == hashlib.sha256(
            cbor.encode(["Signature1", statement.protected, ACT.encode(), b"payload"])
        ).digest()
    )


def test_an_independent_implementation_verifies_ours() -> None:
    theirs = COSEKey.new({1: 1, 3: -8, -1: 6, -2: KEY.public, 2: KID})
    protected, unprotected, payload, signature = parts()
    tagged = CBORTag(18, [protected, unprotected, payload, signature])
    assert COSE.new().decode(tagged, theirs, external_aad=ACT.encode()) == b"payload"


def test_we_verify_an_independent_implementation() -> None:
    theirs = COSEKey.new({1: 1, 3: -8, -1: 6, -2: KEY.public, -4: SEED, 2: KID})
    tagged = COSE.new().encode(
        b"payload",
        theirs,
        protected={1: -8, 4: KID},
        external_aad=ACT.encode(),
        out="cbor2/CBORTag",
    )
    raw = cbor.encode(tagged.value)
    assert verify1(parse1(raw, bytes_max=1000), ACT, KEY.public).payload == b"payload"
    assert raw == RAW


def test_nobody_else_makes_a_verified_statement() -> None:
    with pytest.raises(TypeError):
        Verified(b"payload", KID, bytes(32), ACT, KEY.public, object())


def test_a_receipts_signature_is_no_acts() -> None:
    for domain in cose.DOMAINS - {ACT}:
        assert invalid(sign1(b"payload", domain, SIGNER)) == "signature"


def test_a_domain_that_does_not_exist_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="domain"):
        sign1(b"payload", "exchange/v1/acts", SIGNER)


@pytest.mark.parametrize("position", range(len(RAW)))
def test_no_byte_of_a_statement_can_change(position: int) -> None:
    changed = bytearray(RAW)
    changed[position] ^= 0x01
    with pytest.raises((MalformedSign1, SignatureInvalid)):
        verify1(parse1(bytes(changed), bytes_max=1000), ACT, KEY.public)


def test_an_unprotected_header_is_refused_although_the_signature_would_hold() -> None:
    protected, _, payload, signature = parts()
    assert malformed(cbor.encode([protected, {99: b"x"}, payload, signature])) == "unprotected"


@pytest.mark.parametrize(
    "protected",
    [
        {},
        {1: -8},
        {4: KID},
        {1: -7, 4: KID},
        {1: -19, 4: KID},
        {1: True, 4: KID},
        {1: -8, 4: KID[:15]},
        {1: -8, 4: KID + b"x"},
        {1: -8, 4: "text of sixteen!"},
        {1: -8, 4: KID, 5: b"more"},
        [1, -8, 4, KID],
        b"",
    ],
)
def test_the_protected_header_is_algorithm_and_kid_exactly(protected: object) -> None:
    _, unprotected, payload, signature = parts()
    raw = cbor.encode([cbor.encode(protected), unprotected, payload, signature])
    assert malformed(raw) == "protected"


@pytest.mark.parametrize(
    ("failure", "raw"),
    [
        ("tag", b"\xd2" + RAW),
        ("trailing-bytes", RAW + b"\x00"),
        ("truncated", RAW[:-1]),
        ("truncated", b""),
        ("shape", cbor.encode(parts()[:3])),
        ("shape", cbor.encode([*parts(), b""])),
        ("shape", cbor.encode([*parts()[:2], None, parts()[3]])),
        ("shape", cbor.encode({0: b"protected"})),
        ("shape", cbor.encode([parts()[0], [], b"payload", parts()[3]])),
        ("signature-length", cbor.encode([*parts()[:3], parts()[3][:-1]])),
        ("signature-length", cbor.encode([*parts()[:3], b""])),
        ("truncated", cbor.encode([b"", {}, b"payload", parts()[3]])),
        ("too-large", cbor.encode([b"x" * 65, {}, b"payload", parts()[3]])),
        ("not-shortest", cbor.encode([b"\xa1\x18\x01\x27", {}, b"payload", parts()[3]])),
    ],
)
def test_another_shape_is_refused_by_its_class(failure: str, raw: bytes) -> None:
    assert malformed(raw) == failure


def item_by_item(raw: bytes) -> Sign1 | str:
    """What `parse1` says of what it has to look at item by item."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(cose, "_usual", lambda _raw, _max: None)
        return by_position(raw)


def by_position(raw: bytes) -> Sign1 | str:
    try:
        return parse1(raw, bytes_max=1 << 17)
    except MalformedSign1 as error:
        return error.failure


@pytest.mark.parametrize("size", [0, 1, 23, 24, 25, 255, 256, 257, 65_535, 65_536])
def test_parts_found_by_position_are_those_found_item_by_item(size: int) -> None:
    raw = sign1(bytes(size), ACT, SIGNER)
    assert by_position(raw) == item_by_item(raw) == parse1(raw, bytes_max=len(raw))


@given(st.sampled_from([b"", b"p", b"p" * 23, b"p" * 24, b"p" * 300]), st.data())
def test_a_changed_statement_is_refused_by_position_as_item_by_item(
    payload: bytes, data: st.DataObject
) -> None:
    raw = bytearray(sign1(payload, ACT, SIGNER))
    at = data.draw(st.integers(0, len(raw) - 1), "at")
    end = data.draw(st.integers(at, min(at + 3, len(raw))), "end")
    raw[at:end] = data.draw(st.binary(max_size=3), "instead")
    assert by_position(bytes(raw)) == item_by_item(bytes(raw))


def test_a_statement_longer_than_the_reader_accepts_is_refused() -> None:
    assert malformed(RAW, bytes_max=len(RAW) - 1) == "too-large"


def test_a_statement_is_checked_against_the_key_it_names() -> None:
    other = SigningKey(bytes(32))
    assert invalid(RAW, public=other.public) == "kid"


def test_a_statement_that_names_a_key_and_is_signed_by_another_is_refused() -> None:
    other = CUSTODY_OF_ANOTHER.signer("signer")
    forged = sign1(b"payload", ACT, NamedSigner(KID, other))
    assert invalid(forged) == "signature"


def test_the_signature_that_holds_for_the_identity_key_is_refused() -> None:
    kid = kid_of(ED25519, IDENTITY)
    protected = cbor.encode({1: -8, 4: kid})
    forged = cbor.encode([protected, {}, b"anything", IDENTITY + bytes(32)])
    assert invalid(forged, public=IDENTITY) == "key"


def test_a_key_of_another_length_is_refused() -> None:
    assert invalid(RAW, public=KEY.public + b"x") == "key"


def test_a_signature_with_s_over_the_order_is_refused() -> None:
    order = 2**252 + 27742317777372353535851937790883648493
    protected, unprotected, payload, signature = parts()
    larger = int.from_bytes(signature[32:], "little") + order
    raw = cbor.encode(
        [protected, unprotected, payload, signature[:32] + larger.to_bytes(32, "little")]
    )
    assert invalid(raw) == "signature"


def test_a_parsed_statement_says_nothing_about_who_signed_it() -> None:
    assert not isinstance(parse1(RAW, bytes_max=1000), Verified)
    assert isinstance(parse1(RAW, bytes_max=1000), Sign1)
