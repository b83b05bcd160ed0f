"""Attacks that an earlier draft allowed: clones, spliced secrets, ciphertexts with two keys."""

import copy
import hashlib
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields as fields_of
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from exchange.envelope import seal as sealing
from exchange.envelope.commitments import bundle_key, section_aad, section_key, section_keys
from exchange.envelope.header import EpochContext
from exchange.envelope.open import parse_bundle
from exchange.envelope.seal import Epoch, seal
from exchange.errors import BundleRefused
from keys.errors import OpenRefused
from keys.suite import SUITE_1, Suite
from tests.envelope import forging
from tests.envelope.forging import (
    CUSTODY,
    KEM,
    SIGNING,
    TWO_VILLAGES,
    VILLAGES,
    batch,
    bundle,
    epoch,
    fields,
    keys_of,
    parts,
    sealed,
)
from tests.envelope.reading import read

SEALS = 100_000
RECORD = batch(VILLAGES, [["330102001051", "清波门社区"]])


class Provider:
    """A sealing process that is killed, restarted, cloned and restored from backups of itself.

    The worst case on purpose: a restored process has the epoch secret of its backup in memory and
    seals sequence numbers that were sealed before.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.live: Epoch = epoch(VILLAGES)
        self.sequence = 0
        self.backups = [(copy.copy(self.live), 0)]

    def step(self) -> None:
        chance = self.random.random()
        if chance < 0.01:
            self.backups.append((copy.copy(self.live), self.sequence))
        elif chance < 0.02:
            backup, self.sequence = self.random.choice(self.backups)
            self.live = copy.copy(backup)
        elif chance < 0.022:
            self.live, self.sequence = epoch(VILLAGES, name="two"), 0
        stream = self.live.context.stream
        previous = bytes(32) if self.sequence else stream
        seal(
            RECORD, VILLAGES, self.live, sequence=self.sequence, previous=previous, signer=UNSIGNED
        )
        self.sequence += 1


class Unsigned:
    """A signer whose signatures nobody looks at: the attack is on encryption."""

    kid = SIGNING.kid

    def sign(self, message: bytes) -> bytes:
        return bytes(64)


UNSIGNED = Unsigned()


@contextmanager
def untraced() -> Iterator[None]:
    """Leave out of the coverage what runs a hundred thousand times, for it would take minutes."""
    tracing = sys.gettrace()
    sys.settrace(None)
    try:
        yield
    finally:
        sys.settrace(tracing)


def recording(used: list[bytes]) -> Suite:
    """Suite 1, noting every key that encrypts; the nonce is the same each time."""

    def note(key: bytes, plaintext: bytes, aad: bytes) -> bytes:
        used.append(bytes(key))
        return bytes(len(plaintext) + SUITE_1.tag_bytes)

    return replace(SUITE_1, _seal=note)


def test_no_key_and_nonce_recur_over_many_kills_restarts_clones_and_restores(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used: list[bytes] = []
    suite_1 = recording(used)
    monkeypatch.setattr(sealing, "suite", lambda number: suite_1)
    provider = Provider(seed=2)
    with untraced():
        for _ in range(SEALS):
            provider.step()
    assert len(used) == SEALS
    assert len(set(used)) == SEALS
    assert len(provider.backups) > 500


OTHER: dict[str, Any] = {
    "suite": 2,
    "origin": "exchange.sh.example/2026",
    "dataset": "exams",
    "kid": bytes(16),
    "provider": "civil-affairs/adapter-2",
    "stream": bytes(32),
    "region": "3301",
    "epoch": bytes(16),
    "contract": bytes(32),
}


@pytest.mark.parametrize("name", [field.name for field in fields_of(EpochContext)])
def test_a_wrapped_secret_opens_in_its_own_context_only(name: str) -> None:
    live = epoch(VILLAGES)
    spliced = replace(live.context, **{name: OTHER[name]})
    assert spliced.encode() != live.context.encode()
    with pytest.raises(OpenRefused):
        CUSTODY.unwrap(KEM.kid, live.wrapped, spliced.encode())
    there = section_key(SUITE_1, live.secret, spliced.encode(), 1)
    assert bytes(there) != keys_of(live, VILLAGES)[1]


def test_a_wrapped_secret_put_under_another_datasets_label_does_not_open() -> None:
    mine, theirs = epoch(VILLAGES), epoch(forging.EXAMS)
    raw = bundle(fields(sealed(VILLAGES, TWO_VILLAGES, mine).header) | {14: theirs.wrapped}, [b""])
    header = parse_bundle(raw).header
    with pytest.raises(OpenRefused):
        CUSTODY.unwrap(header.kid, header.wrapped, header.epoch_context)


def test_a_provider_that_wraps_one_secret_and_seals_with_another_is_found_by_the_hub() -> None:
    honest, other = epoch(VILLAGES), epoch(VILLAGES, name="two")
    lying = replace(honest, wrapped=SUITE_1.wrap(KEM.raw, other.secret, honest.context.encode()))
    made = sealed(VILLAGES, TWO_VILLAGES, lying)
    secret = CUSTODY.unwrap(KEM.kid, made.header.wrapped, made.header.epoch_context)
    with pytest.raises(BundleRefused) as caught:
        section_keys(made.header, secret)
    assert caught.value.failure == "commitment"


def test_every_section_is_checked_before_any_key_is_given() -> None:
    live = epoch(forging.EXAMS)
    made = sealed(forging.EXAMS, forging.THREE_RESULTS, live)
    header = fields(made.header)
    header[16][2][3] = bytes(32)
    damaged = parse_bundle(bundle(header, parts(made.raw)[1])).header
    with pytest.raises(BundleRefused) as caught:
        section_keys(damaged, live.secret)
    assert caught.value.failure == "commitment"


# --- one ciphertext, two keys: AES-GCM arithmetic (NIST SP 800-38D), for the attack only ---

BLOCK = 16


def times(x: int, y: int) -> int:
    """Product in GCM's field, bits reversed as the standard has them."""
    product = 0
    for position in range(127, -1, -1):
        if y >> position & 1:
            product ^= x
        x = (x >> 1) ^ (0xE1 << 120 if x & 1 else 0)
    return product


def power(x: int, exponent: int) -> int:
    result = 1 << 127
    for _ in range(exponent.bit_length()):
        if exponent & 1:
            result = times(result, x)
        x, exponent = times(x, x), exponent >> 1
    return result


def block_cipher(key: bytes, block: bytes) -> int:
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305 - one raw block
    return int.from_bytes(encryptor.update(block), "big")


def ghash(h: int, blocks: list[int]) -> int:
    total = 0
    for block in blocks:
        total = times(total ^ block, h)
    return total


def two_key_ciphertext(first: bytes, second: bytes, length: int, aad: bytes) -> bytes:
    """``length`` bytes and a tag that verify under both keys: the last block is solved for."""
    padded = aad + bytes(-len(aad) % BLOCK)
    header = [int.from_bytes(padded[at : at + BLOCK], "big") for at in range(0, len(padded), BLOCK)]
    lengths = (len(aad) * 8 << 64) | length * 8
    free = [0] * (length // BLOCK)
    hashes, masks = [], []
    for key in (first, second):
        hashes.append(block_cipher(key, bytes(BLOCK)))
        masks.append(block_cipher(key, bytes(12) + b"\x00\x00\x00\x01"))
    tags = [
        ghash(h, [*header, *free, lengths]) ^ mask for h, mask in zip(hashes, masks, strict=True)
    ]
    slope = times(hashes[0], hashes[0]) ^ times(hashes[1], hashes[1])
    inverse = power(slope, (1 << 128) - 2)
    free[-1] = times(tags[0] ^ tags[1], inverse)
    tag = ghash(hashes[0], [*header, *free, lengths]) ^ masks[0]
    return b"".join(block.to_bytes(BLOCK, "big") for block in (*free, tag))


def test_a_ciphertext_that_opens_under_two_keys_is_refused_under_the_second() -> None:
    live, other = epoch(VILLAGES), epoch(VILLAGES, name="two")
    made = sealed(VILLAGES, TWO_VILLAGES, live)
    mine, theirs = keys_of(live, VILLAGES)[1], keys_of(other, VILLAGES)[1]
    aad = section_aad(live.context.stream, 0, 1)
    both = [bundle_key(SUITE_1, key, made.header.salt).key for key in (mine, theirs)]
    ciphertext = two_key_ciphertext(both[0], both[1], 4096, aad)
    opened = [SUITE_1.open_once(key, ciphertext, aad) for key in both]
    assert opened[0] != opened[1], "AES-GCM itself does not mind"
    header = fields(made.header)
    header[16][0][1] = hashlib.sha256(ciphertext).digest()
    for key, failure in ((mine, "frame-length"), (theirs, "commitment")):
        with pytest.raises(BundleRefused) as caught:
            read(
                bundle(header, [ciphertext]),
                public=SIGNING.raw,
                contract=VILLAGES,
                keys={1: key},
            )
        assert caught.value.failure == failure
