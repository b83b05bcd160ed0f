"""Section keys on their way from a hub to one consumer instance (SPEC.md "Sealed keys").

The hub calls `seal_keys`, the consumer `open_keys`; both build the same ``info`` from what they
know on their own, so an answer spliced onto another consumer, act, entry or set of sections does
not open.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from exchange.errors import ReleaseRefused
from keys.cbor import decode, encode
from keys.errors import KeysError
from keys.secret import Secret
from keys.suite import SUITE_1

SectionKeys = Mapping[int, bytes]
"""Level → section key (32 bytes) of one epoch."""

_WRAPPED_BYTES: Final = SUITE_1.secret_bytes + SUITE_1.wrap_overhead_bytes
_ITEM_BYTES_MAX: Final = 256
"""Encoded size of one item with four levels; bounds the plaintext before it is parsed."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """Everything an answer's keys are bound to; hashes and ids are bytes, levels ascend."""

    origin: str
    consumer: str
    kid: bytes
    act: bytes
    index: int
    entry_hash: bytes
    sections: Mapping[int, tuple[int, ...]]

    @property
    def info(self) -> bytes:
        """HPKE info and AEAD aad."""
        sections = [[item, list(self.sections[item])] for item in sorted(self.sections)]
        return encode(
            [
                "exchange/v1/release",
                SUITE_1.number,
                self.origin,
                self.consumer,
                self.kid,
                self.act,
                self.index,
                self.entry_hash,
                sections,
            ]
        )


def seal_keys(keys: Mapping[int, SectionKeys], *, public: bytes, envelope: Envelope) -> bytes:
    """``keys`` (item → level → key) readable by the holder of ``public`` only; one wrap."""
    plaintext = encode(
        [
            [item, [[level, bytes(keys[item][level])] for level in sorted(keys[item])]]
            for item in sorted(keys)
        ]
    )
    answer_key = os.urandom(SUITE_1.secret_bytes)
    wrapped = SUITE_1.wrap(public, answer_key, envelope.info)
    return wrapped + SUITE_1.seal_once(answer_key, plaintext, envelope.info)


def open_keys(
    sealed: bytes, *, unwrap: Callable[[bytes, bytes, bytes], bytes], envelope: Envelope
) -> dict[int, SectionKeys]:
    """What `seal_keys` sealed: item → level → key, exactly the items and levels of ``envelope``.

    ``unwrap(kid, wrapped, info)`` is the consumer's custody. Raises ReleaseRefused with failure
    ``answer-sealed`` (does not open) or ``answer-sections`` (opens to something else).
    """
    wrapped, ciphertext = sealed[:_WRAPPED_BYTES], sealed[_WRAPPED_BYTES:]
    try:
        answer_key = unwrap(envelope.kid, wrapped, envelope.info)
        plaintext = SUITE_1.open_once(answer_key, ciphertext, envelope.info)
        items = decode(plaintext, bytes_max=64 + _ITEM_BYTES_MAX * len(envelope.sections))
    except KeysError as error:
        raise _refused("answer-sealed") from error
    keys = _sections(items)
    if {item: tuple(sorted(found)) for item, found in keys.items()} != dict(envelope.sections):
        raise _refused("answer-sections")
    return keys


def _sections(items: object) -> dict[int, SectionKeys]:
    keys: dict[int, SectionKeys] = {}
    match items:
        case list():
            for item in items:
                match item:
                    case [int(index), list(pairs)]:
                        keys[index] = dict(_pair(pair) for pair in pairs)
                    case _:
                        raise _refused("answer-sections")
        case _:
            raise _refused("answer-sections")
    return keys


def _pair(pair: object) -> tuple[int, Secret]:
    match pair:
        case [int(level), bytes(key)] if len(key) == SUITE_1.secret_bytes:
            return level, Secret(key)
        case _:
            raise _refused("answer-sections")


def _refused(failure: str) -> ReleaseRefused:
    return ReleaseRefused(
        "the keys in the hub's answer are not for this request",
        "枢纽应答中的密钥与本次请求不符",
        remedy=("ask again; report it if it happens twice", "请重新请求；若再次出现请上报"),
        failure=failure,
    )
