"""A reader from end to end: the steps of SPEC.md §6 over one bundle, as flow takes them."""

from collections.abc import Mapping

from exchange.envelope.commitments import section_keys
from exchange.envelope.open import Expected, open_sections, parse_bundle, verify_bundle
from exchange.model.batch import Batch
from exchange.model.contract import Contract


def read(
    raw: bytes,
    *,
    public: bytes,
    contract: Contract,
    keys: Mapping[int, bytes],
    expected: Expected | None = None,
) -> Batch:
    """What a reader that holds ``keys`` delivers; raises `BundleRefused` for anything else."""
    return open_sections(verify_bundle(parse_bundle(raw), public, expected), contract, keys)


def grant(raw: bytes, *, public: bytes, epoch_secret: bytes) -> Mapping[int, bytes]:
    """The section keys a hub gives for a bundle's header after it unwrapped ``epoch_secret``."""
    header = verify_bundle(parse_bundle(raw), public).header.header
    return section_keys(header, epoch_secret)
