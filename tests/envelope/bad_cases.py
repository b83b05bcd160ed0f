"""Bundles that are refused, each with the class that must name why; the order of SPEC.md §6."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from exchange.envelope.open import Expected
from exchange.model.contract import Contract
from keys import cbor
from keys.identity import ED25519, kid_of
from tests.envelope import forging
from tests.envelope.forging import (
    CUSTODY,
    EXAMS,
    ORIGIN,
    PROVIDER,
    SIGNER,
    SIGNING,
    STRANGER,
    VILLAGES,
    bundle,
    epoch,
    fields,
    keys_of,
    parts,
    sealed,
    signed,
)

LIVE = epoch(VILLAGES)
HONEST = sealed(VILLAGES, forging.TWO_VILLAGES, LIVE)
HEADER, CIPHERTEXTS = parts(HONEST.raw)
STREAM = LIVE.context.stream
STUB = [b"a ciphertext that nobody gets to"]
"""For refusals that come before ciphertexts are looked at."""
EXPECTED = Expected(ORIGIN, "villages", PROVIDER, STREAM, "")
IDENTITY = (1).to_bytes(32, "little")
KEYS = keys_of(LIVE, VILLAGES)


@dataclass(frozen=True)
class Bad:
    """One bundle, what the reader has, and the class it is refused by."""

    name: str
    failure: str
    raw: bytes
    contract: Contract = VILLAGES
    keys: Mapping[int, bytes] = field(default_factory=lambda: KEYS)
    public: bytes = SIGNING.raw
    expected: Expected = EXPECTED
    epoch_secret: bytes | None = None
    """Given: the refusal is the hub's, who unwrapped this."""


def with_fields(**changes: Any) -> bytes:
    """The honest header with fields by number (``_9=0``), signed again; None leaves one out."""
    header = fields(HONEST.header)
    for name, value in changes.items():
        header[int(name[1:])] = value
        if value is None:
            del header[int(name[1:])]
    return bundle(header, STUB)


def with_payload(payload: bytes) -> bytes:
    """A header of exactly these bytes, signed."""
    return bundle(payload, STUB)


def with_statement(statement: bytes) -> bytes:
    """A header statement of exactly these bytes."""
    return cbor.encode([statement, STUB])


def malformed_bundles() -> Iterator[Bad]:
    """Steps 1 and 2."""
    raw = cbor.encode([HEADER, STUB])
    head = raw[: -len(cbor.encode(STUB))]
    item = cbor.encode(STUB[0])
    yield Bad("empty", "cbor-truncated", b"")
    yield Bad("cut", "cbor-truncated", raw[:-1])
    yield Bad("trailing-byte", "cbor-trailing-bytes", raw + b"\x00")
    yield Bad("two-bundles", "cbor-trailing-bytes", raw + raw)
    yield Bad("tagged", "cbor-tag", b"\xd8\x18" + raw)
    yield Bad("long-array-head", "cbor-not-shortest", head + b"\x98\x01" + item)
    yield Bad("indefinite-array", "cbor-indefinite", head + b"\x9f" + item + b"\xff")
    yield Bad("nested-hundredfold", "cbor-depth", b"\x81" * 100 + b"\x00")
    yield Bad("float-for-sections", "cbor-float", head + b"\xf9\x3c\x00")
    yield Bad("undefined-for-sections", "cbor-simple", head + b"\xf7")
    yield Bad("map", "bundle-shape", cbor.encode({0: HEADER, 1: STUB}))
    yield Bad("three-parts", "bundle-shape", cbor.encode([HEADER, STUB, b""]))
    yield Bad("many-items", "cbor-too-many", cbor.encode([HEADER, [b""] * 64]))
    yield Bad("text-ciphertext", "bundle-shape", cbor.encode([HEADER, ["text"]]))
    yield Bad("header-not-wrapped", "bundle-shape", cbor.encode([cbor_of(HEADER), STUB]))


def cbor_of(raw: bytes) -> list[Any]:
    """The value of ``raw``."""
    value = cbor.decode(raw, bytes_max=1 << 20)
    assert isinstance(value, list)
    return value


def malformed_statements() -> Iterator[Bad]:
    """Step 3."""
    protected, unprotected, payload, signature = cbor_of(HEADER)
    other_algorithm = cbor.encode({1: -7, 4: SIGNING.kid})
    for name, failure, value in (
        ("unprotected-header", "sign1-unprotected", [protected, {4: b"x"}, payload, signature]),
        ("other-algorithm", "sign1-protected", [other_algorithm, {}, payload, signature]),
        ("detached-payload", "sign1-shape", [protected, unprotected, None, signature]),
        ("short-signature", "sign1-signature-length", [protected, {}, payload, signature[:63]]),
    ):
        yield Bad(name, failure, with_statement(cbor.encode(value)))
    yield Bad("tagged-statement", "sign1-tag", with_statement(b"\xd2" + HEADER))
    yield Bad("header-too-large", "sign1-too-large", with_payload(bytes(8192)))


def malformed_headers() -> Iterator[Bad]:
    """Steps 4 and 5."""
    payload = HONEST.header.encode()
    first, rest = payload[1:3], payload[3:]
    assert first == b"\x00\x01"
    assert rest[:2] == b"\x01\x01"
    yield Bad("keys-swapped", "header-unsorted", with_payload(b"\xb2\x01\x01" + first + rest[2:]))
    yield Bad("key-twice", "header-duplicate-key", with_payload(b"\xb2" + first + first + rest[2:]))
    yield Bad("long-format", "header-not-shortest", with_payload(b"\xb2\x00\x18\x01" + rest))
    yield Bad("float-format", "header-float", with_payload(b"\xb2\x00\xf9\x3c\x00" + rest))
    yield Bad("bytes-after-header", "header-trailing-bytes", with_payload(payload + b"\xf6"))
    yield Bad("no-provider", "header-shape", with_fields(_17=None))
    yield Bad("unknown-field", "header-shape", with_fields(_18=0))
    yield Bad("array-header", "header-shape", with_payload(cbor.encode([1, 1])))
    yield Bad("format-2", "format", with_fields(_0=2))
    yield Bad("format-true", "format", with_fields(_0=True))
    yield Bad("suite-2", "suite", with_fields(_1=2))
    yield Bad("suite-text", "suite", with_fields(_1="1"))


def wrong_fields() -> Iterator[Bad]:
    """Step 6."""
    [[level, digest, plain_bytes, commitment]] = fields(HONEST.header)[16]
    one = [level, digest, plain_bytes, commitment]
    first = HONEST.header.version_first
    for name, what, changes in (
        ("empty-origin", "origin", {"_2": ""}),
        ("origin-with-newline", "origin", {"_2": "exchange\nexample"}),
        ("dataset-is-a-path", "dataset", {"_3": "../../etc/passwd"}),
        ("short-contract", "contract", {"_4": bytes(31)}),
        ("stream-is-text", "stream", {"_5": "stream"}),
        ("negative-sequence", "sequence", {"_6": -1}),
        ("huge-sequence", "sequence", {"_6": 1 << 63}),
        ("sequence-is-true", "sequence", {"_6": True}),
        ("first-without-stream", "previous", {"_7": bytes(32)}),
        ("short-previous", "previous", {"_6": 1, "_7": bytes(31)}),
        ("region-with-letters", "region", {"_8": "33zj"}),
        ("region-full-width", "region", {"_8": "３３"}),
        ("no-records", "records", {"_9": 0}),
        ("too-many-records", "records", {"_9": 20_001}),
        ("versions-fall", "versions", {"_10": [first, first - 1]}),
        ("versions-too-few", "versions", {"_10": [first, first]}),
        ("versions-one", "versions", {"_10": [first]}),
        ("versions-negative", "versions", {"_10": [-2, -1]}),
        ("short-epoch", "epoch", {"_11": bytes(15)}),
        ("interval-empty", "interval", {"_12": [5, 5]}),
        ("interval-backwards", "interval", {"_12": [6, 5]}),
        ("interval-of-a-day", "interval", {"_12": [0, 86_400_000]}),
        ("short-kid", "kid", {"_13": bytes(15)}),
        ("short-wrapped", "wrapped", {"_14": bytes(1167)}),
        ("long-wrapped", "wrapped", {"_14": bytes(1169)}),
        ("short-salt", "salt", {"_15": bytes(31)}),
        ("no-sections", "sections", {"_16": []}),
        ("five-sections", "sections", {"_16": [one] * 5}),
        ("section-twice", "sections", {"_16": [one, one]}),
        ("level-5", "sections", {"_16": [[5, *one[1:]]]}),
        ("section-of-three", "sections", {"_16": [one[:3]]}),
        ("section-is-bytes", "sections", {"_16": [b"section"]}),
        ("plain-17-mebibytes", "sections", {"_16": [[level, digest, 17 << 20, commitment]]}),
        ("plain-nothing", "sections", {"_16": [[level, digest, 0, commitment]]}),
        ("short-commitment", "sections", {"_16": [[level, digest, plain_bytes, bytes(31)]]}),
        ("provider-without-instance", "provider", {"_17": "civil-affairs"}),
    ):
        yield Bad(name, f"field-{what}", with_fields(**changes))
    yield Bad("section-missing", "sections-count", cbor.encode([HEADER, []]))
    yield Bad("section-too-many", "sections-count", cbor.encode([HEADER, STUB * 2]))


def wrong_signatures() -> Iterator[Bad]:
    """Steps 8 and 9: what a stranger, a broker or another stream's provider can make."""
    payload = HONEST.header.encode()
    protected, _, _, signature = cbor_of(HEADER)
    raw = HONEST.raw
    yield Bad("not-the-named-key", "kid", raw, public=STRANGER.raw)
    stranger = signed(payload, CUSTODY.signer("stranger"))
    yield Bad("signed-by-a-stranger", "kid", cbor.encode([stranger, CIPHERTEXTS]))
    forged = cbor.encode([protected, {}, payload, bytes([signature[0] ^ 1]) + signature[1:]])
    yield Bad("signature-changed", "signature", cbor.encode([forged, CIPHERTEXTS]))
    later = fields(HONEST.header) | {12: [0, 1]}
    moved = cbor.encode([protected, {}, cbor.encode(later), signature])
    yield Bad("epoch-moved", "signature", cbor.encode([moved, CIPHERTEXTS]))
    act = signed(payload, SIGNER, "exchange/v1/act")
    yield Bad("signed-as-an-act", "signature", cbor.encode([act, CIPHERTEXTS]))
    nobody = cbor.encode({1: -8, 4: kid_of(ED25519, IDENTITY)})
    anybody = cbor.encode([nobody, {}, payload, IDENTITY + bytes(32)])
    yield Bad("identity-key", "key", cbor.encode([anybody, CIPHERTEXTS]), public=IDENTITY)
    for name, expected in (
        ("origin", Expected("exchange.sh.example/2026", "villages", PROVIDER, STREAM, "")),
        ("dataset", Expected(ORIGIN, "exams", PROVIDER, STREAM, "")),
        ("provider", Expected(ORIGIN, "villages", "civil-affairs/adapter-2", STREAM, "")),
        ("stream", Expected(ORIGIN, "villages", PROVIDER, bytes(32), "")),
        ("region", Expected(ORIGIN, "villages", PROVIDER, STREAM, "3301")),
    ):
        yield Bad(f"of-another-{name}", f"expected-{name}", raw, expected=expected)


def wrong_ciphertexts() -> Iterator[Bad]:
    """Steps 10 and 11."""
    [ciphertext] = CIPHERTEXTS
    flipped = bytes([ciphertext[0] ^ 1]) + ciphertext[1:]
    yield Bad("ciphertext-changed", "section-hash", cbor.encode([HEADER, [flipped]]))
    yield Bad("ciphertext-cut", "section-hash", cbor.encode([HEADER, [ciphertext[:-1]]]))
    exams = sealed(EXAMS, forging.THREE_RESULTS)
    header, sections = parts(exams.raw)
    swapped = cbor.encode([header, [sections[1], sections[0], sections[2]]])
    stream = exams.header.stream
    yield Bad(
        "sections-swapped",
        "section-hash",
        swapped,
        contract=EXAMS,
        expected=Expected(ORIGIN, "exams", PROVIDER, stream, ""),
    )
    for name, frame in (("unpadded", bytes(100)), ("padded-oddly", bytes(4097))):
        raw = forging.resealed(HONEST, LIVE, {1: (frame, 10)})
        yield Bad(name, "section-length", raw)
