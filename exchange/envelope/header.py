"""The header of a bundle: all that is known without a key; SPEC.md §3.

A `Header` that exists is within every limit of the specification, whether it was decoded or made
here. It is still only a claim until `exchange.envelope.open` has checked who signed it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from exchange.envelope.refusals import refused
from exchange.limits import (
    BUNDLE_RECORDS_MAX,
    EPOCH_MS_MAX,
    HEADER_BYTES_MAX,
    SECTION_PLAIN_BYTES_MAX,
    SECTIONS_MAX,
)
from exchange.model.ids import SLUG
from keys import cbor
from keys.errors import MalformedCbor, UnknownSuite
from keys.identity import KID_BYTES
from keys.suite import Suite, suite

DOMAIN: Final = "exchange/v1/header"
FORMAT: Final = 1
HASH_BYTES: Final = 32
EPOCH_BYTES: Final = 16
COMMITMENT_BYTES: Final = 32
_KEYS: Final = frozenset(range(18))
_NUMBER_MAX: Final = 1 << 63
_DATASET: Final = re.compile(SLUG)
_PROVIDER: Final = re.compile(f"{SLUG}/{SLUG}")
_REGION: Final = re.compile("[0-9]{0,12}")
_ORIGIN_CHARACTERS_MAX: Final = 255


@dataclass(frozen=True, slots=True)
class SectionSeal:
    """What the header says of one section."""

    level: int
    """Sensitivity, 1 to 4."""
    ciphertext_hash: bytes
    """SHA-256, 32 bytes."""
    plain_bytes: int
    """Size of the plaintext before compression."""
    commitment: bytes
    """Derived with the bundle key; 32 bytes."""


@dataclass(frozen=True, slots=True)
class EpochContext:
    """What an epoch secret is for; wrapping binds it to every part of this."""

    suite: int
    origin: str
    dataset: str
    kid: bytes
    provider: str
    stream: bytes
    region: str
    epoch: bytes
    contract: bytes

    def encode(self) -> bytes:
        """HPKE info of the wrap, and part of every section key's derivation (SPEC.md §4)."""
        return cbor.encode(
            [
                "exchange/v1/epoch",
                self.suite,
                self.origin,
                self.dataset,
                self.kid,
                self.provider,
                self.stream,
                self.region,
                self.epoch,
                self.contract,
            ]
        )


@dataclass(frozen=True, slots=True)
class Header:
    """One header. Hashes and ids are bytes; times are milliseconds since 1970 UTC."""

    suite: int
    origin: str
    dataset: str
    contract: bytes
    stream: bytes
    sequence: int
    previous: bytes
    """Header hash of the bundle before; the stream id for sequence 0."""
    region: str
    records: int
    version_first: int
    version_last: int
    epoch: bytes
    epoch_from_ms: int
    epoch_to_ms: int
    kid: bytes
    wrapped: bytes
    salt: bytes
    sections: tuple[SectionSeal, ...]
    provider: str

    def __post_init__(self) -> None:
        _check(self)

    @property
    def levels(self) -> tuple[int, ...]:
        """Levels of the sections, ascending."""
        return tuple(section.level for section in self.sections)

    @property
    def epoch_context(self) -> bytes:
        """The HPKE info under which `wrapped` opens."""
        return EpochContext(
            suite=self.suite,
            origin=self.origin,
            dataset=self.dataset,
            kid=self.kid,
            provider=self.provider,
            stream=self.stream,
            region=self.region,
            epoch=self.epoch,
            contract=self.contract,
        ).encode()

    def encode(self) -> bytes:
        """The payload that the provider signs."""
        return cbor.encode(
            {
                0: FORMAT,
                1: self.suite,
                2: self.origin,
                3: self.dataset,
                4: self.contract,
                5: self.stream,
                6: self.sequence,
                7: self.previous,
                8: self.region,
                9: self.records,
                10: [self.version_first, self.version_last],
                11: self.epoch,
                12: [self.epoch_from_ms, self.epoch_to_ms],
                13: self.kid,
                14: self.wrapped,
                15: self.salt,
                16: [
                    [one.level, one.ciphertext_hash, one.plain_bytes, one.commitment]
                    for one in self.sections
                ],
                17: self.provider,
            }
        )


def decode_header(payload: bytes) -> Header:
    """The header in ``payload``; steps 4 to 6 of SPEC.md §6, `BundleRefused` naming the class."""
    try:
        value = cbor.decode(payload, bytes_max=HEADER_BYTES_MAX)
    except MalformedCbor as error:
        raise refused(f"header-{error.failure}") from None
    if not isinstance(value, dict) or value.keys() != _KEYS:
        raise refused("header-shape")
    if value[0] != FORMAT or isinstance(value[0], bool):
        raise refused("format")
    version_first, version_last = _pair(value[10], "versions")
    epoch_from_ms, epoch_to_ms = _pair(value[12], "interval")
    return Header(
        suite=value[1],
        origin=value[2],
        dataset=value[3],
        contract=value[4],
        stream=value[5],
        sequence=value[6],
        previous=value[7],
        region=value[8],
        records=value[9],
        version_first=version_first,
        version_last=version_last,
        epoch=value[11],
        epoch_from_ms=epoch_from_ms,
        epoch_to_ms=epoch_to_ms,
        kid=value[13],
        wrapped=value[14],
        salt=value[15],
        sections=_sections(value[16]),
        provider=value[17],
    )


def _pair(value: object, name: str) -> Sequence[Any]:
    match value:
        case [first, last]:
            return first, last
    raise refused(f"field-{name}")


def _sections(value: object) -> tuple[SectionSeal, ...]:
    if not isinstance(value, list) or not all(isinstance(one, list) for one in value):
        raise refused("field-sections")
    if not all(len(one) == 4 for one in value):
        raise refused("field-sections")
    return tuple(SectionSeal(*one) for one in value)


def _check(header: Header) -> None:
    """Steps 5 and 6: the suite is known, every field is of its type and within its limits."""
    known = _suite(header.suite)
    sizes = known.wrap_overhead_bytes + known.secret_bytes
    holds = {
        "origin": _is_printable(header.origin),
        "dataset": _matches(header.dataset, _DATASET),
        "contract": _is_bytes(header.contract, HASH_BYTES),
        "stream": _is_bytes(header.stream, HASH_BYTES),
        "sequence": _is_number(header.sequence, 0, _NUMBER_MAX - 1),
        "previous": _is_bytes(header.previous, HASH_BYTES),
        "region": _matches(header.region, _REGION),
        "records": _is_number(header.records, 1, BUNDLE_RECORDS_MAX),
        "versions": _is_number(header.version_first, 0, _NUMBER_MAX - 1)
        and _is_number(header.version_last, 0, _NUMBER_MAX - 1),
        "epoch": _is_bytes(header.epoch, EPOCH_BYTES),
        "interval": _is_number(header.epoch_from_ms, 0, _NUMBER_MAX - 1)
        and _is_number(header.epoch_to_ms, 0, _NUMBER_MAX - 1),
        "kid": _is_bytes(header.kid, KID_BYTES),
        "wrapped": _is_bytes(header.wrapped, sizes),
        "salt": _is_bytes(header.salt, known.secret_bytes),
        "sections": _are_sections(header.sections),
        "provider": _matches(header.provider, _PROVIDER),
    }
    for name, good in holds.items():
        if not good:
            raise refused(f"field-{name}")
    _check_relations(header)


def _check_relations(header: Header) -> None:
    if header.sequence == 0 and header.previous != header.stream:
        raise refused("field-previous")
    if header.version_last - header.version_first < header.records - 1:
        raise refused("field-versions")
    if not 0 < header.epoch_to_ms - header.epoch_from_ms <= EPOCH_MS_MAX:
        raise refused("field-interval")


def _suite(number: object) -> Suite:
    if type(number) is not int:
        raise refused("suite")
    try:
        return suite(number)
    except UnknownSuite:
        raise refused("suite") from None


def _are_sections(sections: tuple[SectionSeal, ...]) -> bool:
    levels = [one.level for one in sections]
    return (
        1 <= len(sections) <= SECTIONS_MAX
        and all(_is_number(level, 1, SECTIONS_MAX) for level in levels)
        and levels == sorted(set(levels))
        and all(
            _is_bytes(one.ciphertext_hash, HASH_BYTES)
            and _is_number(one.plain_bytes, 1, SECTION_PLAIN_BYTES_MAX)
            and _is_bytes(one.commitment, COMMITMENT_BYTES)
            for one in sections
        )
    )


def _is_bytes(value: object, length: int) -> bool:
    return isinstance(value, bytes) and len(value) == length


def _is_number(value: object, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _matches(value: object, pattern: re.Pattern[str]) -> bool:
    return isinstance(value, str) and pattern.fullmatch(value) is not None


def _is_printable(value: object) -> bool:
    return (
        isinstance(value, str) and value.isprintable() and 1 <= len(value) <= _ORIGIN_CHARACTERS_MAX
    )
