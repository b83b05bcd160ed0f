"""Opening: order that types enforce, and what a reader with some keys sees."""

import pytest

from exchange.envelope.frame import is_frame_length, pack, padme, unpack
from exchange.envelope.open import (
    Expected,
    VerifiedBundle,
    VerifiedHeader,
    parse_bundle,
    verify_bundle,
    verify_header,
)
from exchange.errors import BundleRefused
from exchange.limits import BUNDLE_BYTES_MAX, PADDING_BYTES_MIN
from tests.envelope.forging import (
    EXAMS,
    ORIGIN,
    PROVIDER,
    SIGNING,
    STRANGER,
    THREE_RESULTS,
    epoch,
    keys_of,
    parts,
    sealed,
    stream_of,
)
from tests.envelope.reading import read

LIVE = epoch(EXAMS)
MADE = sealed(EXAMS, THREE_RESULTS, LIVE)
KEYS = keys_of(LIVE, EXAMS)


def seen(*levels: int) -> dict[str, list[object]]:
    keys = {level: KEYS[level] for level in levels}
    return read(MADE.raw, public=SIGNING.raw, contract=EXAMS, keys=keys).columns


def test_nobody_else_makes_a_verified_header_or_bundle() -> None:
    with pytest.raises(TypeError):
        VerifiedHeader(MADE.header, MADE.header_hash, b"", object())
    verified = verify_bundle(parse_bundle(MADE.raw), SIGNING.raw)
    with pytest.raises(TypeError):
        VerifiedBundle(verified.header, verified.ciphertexts, object())


def test_a_reader_sees_the_sections_it_has_keys_for_in_the_contracts_order() -> None:
    assert list(seen(1)) == ["number", "city"]
    assert list(seen(3, 1)) == ["number", "city", "absent"]
    assert seen(1, 2, 3) == THREE_RESULTS.columns


def test_a_header_alone_verifies_as_it_does_in_its_bundle() -> None:
    raw = parts(MADE.raw)[0]
    expected = Expected(ORIGIN, "exams", PROVIDER, stream_of("exams"), "")
    alone = verify_header(raw, SIGNING.raw, expected)
    within = verify_bundle(parse_bundle(MADE.raw), SIGNING.raw, expected).header
    assert (alone.header, alone.hash, alone.raw) == (within.header, within.hash, within.raw)
    assert (alone.hash, alone.raw) == (MADE.header_hash, raw)


def test_a_header_alone_is_refused_for_another_key_or_stream() -> None:
    raw = parts(MADE.raw)[0]
    with pytest.raises(BundleRefused, match="another key"):
        verify_header(raw, STRANGER.raw)
    with pytest.raises(BundleRefused, match="expected-region"):
        verify_header(
            raw, SIGNING.raw, Expected(ORIGIN, "exams", PROVIDER, stream_of("exams"), "33")
        )


def test_what_is_larger_than_a_bundle_is_refused_unread() -> None:
    with pytest.raises(BundleRefused) as caught:
        parse_bundle(bytes(BUNDLE_BYTES_MAX + 1))
    assert caught.value.failure == "bundle-large"


def test_padding_tells_little_and_costs_little() -> None:
    sizes = {padme(length) for length in range(PADDING_BYTES_MIN, 1 << 20, 61)}
    assert len(sizes) < 200
    for length in range(PADDING_BYTES_MIN, 1 << 18, 17):
        padded = padme(length)
        assert length <= padded <= length * 1.12
        assert padme(padded) == padded


@pytest.mark.parametrize(
    ("length", "padded"), [(9, 10), (100, 104), (4096, 4096), (4097, 4352), (1_000_000, 1_015_808)]
)
def test_padme_gives_the_values_of_its_definition(length: int, padded: int) -> None:
    assert padme(length) == padded


def test_only_some_lengths_are_lengths_of_frames() -> None:
    assert is_frame_length(4096)
    assert not is_frame_length(4095)
    assert not is_frame_length(4097)
    assert not is_frame_length(-16)


@pytest.mark.parametrize("size", [1, 10, 4000, 300_000])
def test_a_frame_gives_back_what_it_was_made_of(size: int) -> None:
    plain = bytes(number * number % 251 for number in range(size))
    assert unpack(pack(plain), size) == plain


def test_an_empty_frame_is_refused() -> None:
    with pytest.raises(BundleRefused) as caught:
        unpack(b"", 10)
    assert caught.value.failure == "frame-length"
