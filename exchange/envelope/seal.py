"""Seal a batch into a bundle; SPEC.md §1 to §5.

    batch ──► columns by section ──► JSON ──► zstd ──► pad ──► encrypt ──► hash ──► header ──► sign

Everything random comes from ``entropy``; everything else follows from the arguments, so a bundle
can be made again byte for byte from the same randomness. The caller owns order: it gives the
sequence number and the previous header hash, and makes the result durable before it sends it.
Sealing one sequence number twice makes two bundles that readers will hold against the provider.

Example::

    epoch = Epoch.start(origin=..., dataset=..., ...)
    sealed = seal(batch, contract, epoch, sequence=0, previous=stream, signer=signer)
"""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, Self

from exchange.envelope.columns import Stamps, check_batch, encode_columns
from exchange.envelope.commitments import bundle_key, section_aad, section_key
from exchange.envelope.frame import pack
from exchange.envelope.header import DOMAIN, EPOCH_BYTES, EpochContext, Header, SectionSeal
from exchange.envelope.refusals import refused
from exchange.limits import (
    BUNDLE_BYTES_MAX,
    BUNDLE_RECORDS_MAX,
    EPOCH_BUNDLES_MAX,
    EPOCH_BYTES_MAX,
    SECTION_PLAIN_BYTES_MAX,
)
from exchange.model.batch import Batch
from keys import cbor, cose
from keys.identity import check_kem_key
from keys.secret import Secret
from keys.suite import SUITE_1, Suite, suite

Entropy = Callable[[int], bytes]
"""``entropy(n)`` gives n unpredictable bytes."""


class SectionFields(Protocol):
    """The fields of one sensitivity level."""

    @property
    def level(self) -> int:
        """1 to 4."""

    @property
    def fields(self) -> tuple[str, ...]:
        """Names, in the contract's order."""


class SealingContract(Protocol):
    """What sealing and opening need to know of a contract."""

    @property
    def hash(self) -> bytes:
        """SHA-256 of its encoding, 32 bytes."""

    @property
    def dataset(self) -> str:
        """The dataset it describes."""

    @property
    def names(self) -> tuple[str, ...]:
        """All fields in order."""

    @property
    def sections(self) -> Sequence[SectionFields]:
        """Its sections, lowest level first."""


@dataclass(slots=True, eq=False)
class Epoch:
    """A stream's live secret, bounded in time, bundles and bytes.

    Made by `start` at every process start and after every revocation that touches the dataset; it
    lives in memory and is never written down. Ask `used_up` before each seal.
    """

    context: EpochContext
    from_ms: int
    to_ms: int
    secret: Secret = field(repr=False)
    wrapped: bytes = field(repr=False)
    bundles: int = 0
    sealed_bytes: int = 0
    _section_keys: dict[int, Secret] = field(default_factory=dict, repr=False)

    @classmethod
    def start(
        cls,
        *,
        origin: str,
        dataset: str,
        contract_hash: bytes,
        provider: str,
        stream: bytes,
        region: str,
        kid: bytes,
        public: bytes,
        from_ms: int,
        to_ms: int,
    ) -> Self:
        """A fresh secret, wrapped once to the dataset key ``public``.

        Raises `KeyRejected` for a key that may not be enrolled, `BundleRefused` (``kid``) when it
        is not the key that ``kid`` names.
        """
        if check_kem_key(public) != kid:
            raise refused("kid")
        context = EpochContext(
            suite=SUITE_1.number,
            origin=origin,
            dataset=dataset,
            kid=kid,
            provider=provider,
            stream=stream,
            region=region,
            epoch=secrets.token_bytes(EPOCH_BYTES),
            contract=contract_hash,
        )
        secret = Secret(secrets.token_bytes(SUITE_1.secret_bytes))
        wrapped = SUITE_1.wrap(public, secret, context.encode())
        return cls(context, from_ms, to_ms, secret, wrapped)

    @property
    def id(self) -> bytes:
        """16 bytes."""
        return self.context.epoch

    @property
    def kid(self) -> bytes:
        """The dataset key that the secret is wrapped to."""
        return self.context.kid

    def section_key(self, level: int) -> Secret:
        """The key of one section; derived once, because every bundle of the epoch needs it."""
        if level not in self._section_keys:
            using, context = suite(self.context.suite), self.context.encode()
            self._section_keys[level] = section_key(using, self.secret, context, level)
        return self._section_keys[level]

    def used_up(self, now_ms: int) -> bool:
        """Whether the next bundle needs another epoch; also when the clock went back before it."""
        return self.spent or not self.from_ms <= now_ms < self.to_ms

    @property
    def spent(self) -> bool:
        """Whether as many bundles or bytes are sealed as one secret may seal."""
        return self.bundles >= EPOCH_BUNDLES_MAX or self.sealed_bytes >= EPOCH_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Sealed:
    """One bundle, ready to be kept and sent."""

    raw: bytes
    header: Header
    header_hash: bytes
    """What the next bundle names as its previous; 32 bytes."""

    @property
    def plain_bytes(self) -> int:
        """Size before compression, all sections."""
        return sum(section.plain_bytes for section in self.header.sections)


def seal(
    batch: Batch,
    contract: SealingContract,
    epoch: Epoch,
    *,
    sequence: int,
    previous: bytes,
    signer: cose.Signer,
    entropy: Entropy = secrets.token_bytes,
) -> Sealed:
    """One bundle of ``batch``; `BundleRefused` with a class of SPEC.md §6 "Sealing".

    A batch that fits no bundle is refused as ``batch-large``: split it and try again.
    """
    stamps = _check_arguments(batch, contract, epoch, sequence)
    using, context, salt = suite(epoch.context.suite), epoch.context, entropy(32)
    seals, ciphertexts = [], []
    for section in contract.sections:
        plain = encode_columns(stamps, (batch.columns[name] for name in section.fields))
        one, ciphertext = _seal_section(using, epoch, salt, sequence, section.level, plain)
        seals.append(one)
        ciphertexts.append(ciphertext)
    header = Header(
        suite=context.suite,
        origin=context.origin,
        dataset=context.dataset,
        contract=context.contract,
        stream=context.stream,
        sequence=sequence,
        previous=previous,
        region=context.region,
        records=batch.records,
        version_first=batch.versions[0],
        version_last=batch.versions[-1],
        epoch=context.epoch,
        epoch_from_ms=epoch.from_ms,
        epoch_to_ms=epoch.to_ms,
        kid=context.kid,
        wrapped=epoch.wrapped,
        salt=salt,
        sections=tuple(seals),
        provider=context.provider,
    )
    return _sign(header, ciphertexts, epoch, signer)


def _check_arguments(
    batch: Batch, contract: SealingContract, epoch: Epoch, sequence: int
) -> Stamps:
    if (contract.hash, contract.dataset) != (epoch.context.contract, epoch.context.dataset):
        raise refused("contract")
    if epoch.spent:
        raise refused("epoch-used-up")
    if sequence < 0:
        raise refused("sequence")
    if batch.records > BUNDLE_RECORDS_MAX:
        raise refused("batch-large")
    return check_batch(batch, contract.names)


def _seal_section(
    using: Suite, epoch: Epoch, salt: bytes, sequence: int, level: int, plain: bytes
) -> tuple[SectionSeal, bytes]:
    if len(plain) > SECTION_PLAIN_BYTES_MAX:
        raise refused("batch-large")
    key, commitment = bundle_key(using, epoch.section_key(level), salt)
    aad = section_aad(epoch.context.stream, sequence, level)
    ciphertext = using.seal_once(key, pack(plain), aad)
    digest = hashlib.sha256(ciphertext).digest()
    return SectionSeal(level, digest, len(plain), commitment), ciphertext


def _sign(header: Header, ciphertexts: list[bytes], epoch: Epoch, signer: cose.Signer) -> Sealed:
    payload = header.encode()
    statement = cose.sign1_with_id(payload, DOMAIN, signer)
    raw = cbor.encode([statement.raw, ciphertexts])
    if len(raw) > BUNDLE_BYTES_MAX:
        raise refused("batch-large")
    epoch.bundles += 1
    epoch.sealed_bytes += len(raw)
    return Sealed(raw, header, statement.id)
