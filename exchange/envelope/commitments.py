"""From an epoch secret to the keys of one bundle, and the proof that they are the provider's.

SPEC.md §4. AES-GCM would let one ciphertext open under two keys; a commitment, derived together
with the bundle key, is what ties a ciphertext to one section key.
"""

import hmac
from collections.abc import Mapping
from typing import Final, NamedTuple

from exchange.envelope.header import COMMITMENT_BYTES, Header, SectionSeal
from exchange.envelope.refusals import refused
from keys import cbor
from keys.secret import Secret
from keys.suite import Suite, suite

_KEY_BYTES: Final = 32


class BundleKey(NamedTuple):
    """What one section key gives for one bundle salt."""

    key: Secret
    """Encrypts one section of one bundle, once."""
    commitment: bytes
    """Stands in the header."""


def section_key(using: Suite, secret: bytes, epoch_context: bytes, level: int) -> Secret:
    """The key of one section for a whole epoch: what a grant hands out."""
    info = cbor.encode(["exchange/v1/section-key", epoch_context, level])
    return using.hkdf(secret, info, using.secret_bytes)


def bundle_key(using: Suite, key: bytes, salt: bytes) -> BundleKey:
    """The key and commitment of one section of one bundle."""
    length = _KEY_BYTES + COMMITMENT_BYTES
    both = using.hkdf(key, b"exchange/v1/bundle-key", length, salt)
    return BundleKey(Secret(both[:_KEY_BYTES]), bytes(both[_KEY_BYTES:]))


def committed_key(header: Header, section: SectionSeal, key: bytes) -> Secret:
    """The bundle key under section key ``key``, if the header committed to it; `BundleRefused`."""
    derived = bundle_key(suite(header.suite), key, header.salt)
    if not hmac.compare_digest(derived.commitment, section.commitment):
        raise refused("commitment")
    return derived.key


def section_keys(header: Header, secret: bytes) -> Mapping[int, Secret]:
    """Level → section key, after the commitment of *every* section was checked; `BundleRefused`.

    The hub calls this with what it unwrapped. A provider that wrapped one secret and sealed with
    another is found here, before anybody is given a key that opens nothing or something else.
    """
    using, context = suite(header.suite), header.epoch_context
    keys = {level: section_key(using, secret, context, level) for level in header.levels}
    for section in header.sections:
        committed_key(header, section, keys[section.level])
    return keys


def section_aad(stream: bytes, sequence: int, level: int) -> bytes:
    """What a ciphertext is authenticated with: its place."""
    return cbor.encode(["exchange/v1/section", stream, sequence, level])
