"""Parse, verify and open bundles; the steps and failure classes of SPEC.md §6, in its order.

Types make the order unskippable::

    bytes ─ parse_bundle ─► ParsedBundle ─ verify_bundle ─► VerifiedBundle ─ open_sections ─► Batch
            (a claim)        a broker may have made it       the provider signed it

Only this module makes a `VerifiedHeader` or a `VerifiedBundle`. Verification needs no key; that the
header belongs to a stream of the ledger and is the next of its chain is the reader's to check
(exchange/flow/reader.py). All failures are `BundleRefused`; memory is bounded whatever the input.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import InitVar, dataclass
from typing import Final

from exchange.envelope.columns import decode_columns
from exchange.envelope.commitments import committed_key, section_aad
from exchange.envelope.frame import is_frame_length, unpack
from exchange.envelope.header import DOMAIN, Header, SectionSeal, decode_header
from exchange.envelope.refusals import refused
from exchange.envelope.seal import SealingContract
from exchange.limits import BUNDLE_BYTES_MAX, HEADER_BYTES_MAX
from exchange.model.batch import Batch
from keys import cbor, cose
from keys.errors import MalformedCbor, MalformedSign1, OpenRefused, SignatureInvalid
from keys.suite import suite

_ITEMS_MAX: Final = 64
"""At most six, and room to say what is wrong with others; a byte of CBOR may cost a hundred."""
_MADE_HERE: Final = object()


@dataclass(frozen=True, slots=True)
class ParsedBundle:
    """A well-formed bundle; nothing in it is proven."""

    header: Header
    statement: cose.Sign1
    ciphertexts: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """The stream that a header should belong to, as the act that opened it says."""

    origin: str
    dataset: str
    provider: str
    stream: bytes
    region: str


@dataclass(frozen=True, slots=True)
class VerifiedHeader:
    """A header that the given key signed; only this module makes one."""

    header: Header
    hash: bytes
    """Header hash, 32 bytes."""
    raw: bytes
    """The signed statement, as a key request carries it."""
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        _only_here(made_by)


@dataclass(frozen=True, slots=True)
class VerifiedBundle:
    """A bundle whose header is verified and whose ciphertexts are the ones it names."""

    header: VerifiedHeader
    ciphertexts: tuple[bytes, ...]
    made_by: InitVar[object]

    def __post_init__(self, made_by: object) -> None:
        _only_here(made_by)


def parse_bundle(raw: bytes) -> ParsedBundle:
    """Steps 1 to 7: the bytes are a bundle within every limit."""
    if len(raw) > BUNDLE_BYTES_MAX:
        raise refused("bundle-large")
    try:
        value = cbor.decode(raw, bytes_max=BUNDLE_BYTES_MAX, items_max=_ITEMS_MAX)
    except MalformedCbor as error:
        raise refused(f"cbor-{error.failure}") from None
    match value:
        case [bytes(header_raw), list(ciphertexts)] if all(
            isinstance(one, bytes) for one in ciphertexts
        ):
            pass
        case _:
            raise refused("bundle-shape")
    statement = _parse_statement(header_raw)
    header = decode_header(statement.payload)
    if len(ciphertexts) != len(header.sections):
        raise refused("sections-count")
    return ParsedBundle(header, statement, tuple(ciphertexts))


def verify_header(raw: bytes, public: bytes, expected: Expected | None = None) -> VerifiedHeader:
    """Steps 3 to 6, 8 and 9, for a header that comes without its bundle."""
    statement = _parse_statement(raw)
    return _verify(decode_header(statement.payload), statement, public, expected)


def verify_bundle(
    parsed: ParsedBundle, public: bytes, expected: Expected | None = None
) -> VerifiedBundle:
    """Steps 8 to 11: ``public``, which the ledger gives for the stream, signed all of it."""
    header = _verify(parsed.header, parsed.statement, public, expected)
    for section, ciphertext in zip(parsed.header.sections, parsed.ciphertexts, strict=True):
        if hashlib.sha256(ciphertext).digest() != section.ciphertext_hash:
            raise refused("section-hash")
        if not is_frame_length(len(ciphertext) - suite(parsed.header.suite).tag_bytes):
            raise refused("section-length")
    return VerifiedBundle(header, parsed.ciphertexts, _MADE_HERE)


def open_sections(
    bundle: VerifiedBundle, contract: SealingContract, keys: Mapping[int, bytes]
) -> Batch:
    """Steps 12 to 25: the columns of the sections that ``keys`` (level → section key) open.

    Columns come in the contract's order. Everything or nothing: one bad section refuses the bundle.
    """
    header = bundle.header.header
    if (contract.hash, contract.dataset) != (header.contract, header.dataset):
        raise refused("contract")
    if tuple(section.level for section in contract.sections) != header.levels:
        raise refused("levels")
    if not keys or not set(keys) <= set(header.levels):
        raise refused("keys")
    fields = {section.level: section.fields for section in contract.sections}
    opened = [
        decode_columns(
            _open_section(header, section, ciphertext, keys[section.level]),
            header,
            fields[section.level],
        )
        for section, ciphertext in zip(header.sections, bundle.ciphertexts, strict=True)
        if section.level in keys
    ]
    return _joined(opened, contract)


def _open_section(header: Header, section: SectionSeal, ciphertext: bytes, key: bytes) -> bytes:
    bundle_key = committed_key(header, section, key)
    aad = section_aad(header.stream, header.sequence, section.level)
    try:
        frame = suite(header.suite).open_once(bundle_key, ciphertext, aad)
    except OpenRefused:
        raise refused("aead") from None
    return unpack(frame, section.plain_bytes)


def _joined(opened: list[Batch], contract: SealingContract) -> Batch:
    first = opened[0]
    for other in opened[1:]:
        if (other.versions, other.operations) != (first.versions, first.operations):
            raise refused("sections-disagree")
    columns = {name: column for batch in opened for name, column in batch.columns.items()}
    ordered = {name: columns[name] for name in contract.names if name in columns}
    return Batch(ordered, first.operations, first.versions)


def _parse_statement(raw: bytes) -> cose.Sign1:
    try:
        return cose.parse1(raw, bytes_max=HEADER_BYTES_MAX)
    except MalformedSign1 as error:
        raise refused(f"sign1-{error.failure}") from None


def _verify(
    header: Header, statement: cose.Sign1, public: bytes, expected: Expected | None
) -> VerifiedHeader:
    try:
        verified = cose.verify1(statement, DOMAIN, public)
    except SignatureInvalid as error:
        raise refused(error.failure) from None
    if expected is not None:
        _expect(header, expected)
    return VerifiedHeader(header, verified.id, statement.raw, _MADE_HERE)


def _expect(header: Header, expected: Expected) -> None:
    claims = {
        "origin": (header.origin, expected.origin),
        "dataset": (header.dataset, expected.dataset),
        "provider": (header.provider, expected.provider),
        "stream": (header.stream, expected.stream),
        "region": (header.region, expected.region),
    }
    for name, (said, wanted) in claims.items():
        if said != wanted:
            raise refused(f"expected-{name}")


def _only_here(made_by: object) -> None:
    if made_by is not _MADE_HERE:
        raise TypeError("only verification makes this")
