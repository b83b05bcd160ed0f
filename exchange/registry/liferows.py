"""Rows about what a catalogue entry promises, and about purposes, consents and collections.

A row's ``version`` is 1 + the index of the entry that last changed it, as in rows.py.
"""

from dataclasses import dataclass

from exchange.model.acttypes import BasisKind, Library, Mode


@dataclass(frozen=True, slots=True)
class Particulars:
    """What a proposal, and the dataset made of it, states beside its core elements.

    ``code`` is the resource code; ``mode`` the manner of exchange ("" leaves it to the format).
    """

    code: str = ""
    mode: Mode = ""
    basis_kind: BasisKind = ""
    library: Library = ""
    core_item: bool = False
    scope: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    derived_from: tuple[str, ...] = ()
    reflow: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """The one published dataset that an item, or a resource code, belongs to."""

    dataset: str
    version: int


@dataclass(frozen=True, slots=True)
class Consent:
    """A provider's word on whether ``member`` may pass ``dataset`` on."""

    dataset: str
    member: str
    given: bool
    version: int


@dataclass(frozen=True, slots=True)
class Purpose:
    """A purpose that applications may name; ``registered`` is 0 for the built-in ones."""

    id: str
    title_zh: str
    title_en: str
    duty: str
    registered: int
    version: int


@dataclass(frozen=True, slots=True)
class Collection:
    """What a member asks citizens for in one matter."""

    id: bytes
    member: str
    matter: str
    items: tuple[str, ...]
    index: int


BUILT_IN = (
    Purpose("admin-basis", "行政依据", "Basis of an administrative act", "", 0, 1),
    Purpose("reference", "工作参考", "Reference for work", "", 0, 1),
    Purpose("verification", "数据校核", "Verification of data", "", 0, 1),
    Purpose("collaboration", "业务协同", "Joint handling of a matter", "", 0, 1),
)
"""The purposes that every ledger knows from its first entry on."""
