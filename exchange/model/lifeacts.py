"""Acts of the life of catalogue entries and applications, beside those in acts.py.

Reviews, onward sharing, collection, purposes, completion of a returned application, renewal.
"""

from typing import Annotated, ClassVar

from exchange.model.actcodec import Body, Key
from exchange.model.acttypes import (
    Code,
    Codes,
    Fields,
    Hash,
    ItemCodes,
    Mode,
    Regions,
    Slug,
)


class ReviewDataset(Body):
    """The authority reviews a proposal: it may be published, or goes back with all that is wrong.

    ``wanting`` are names of core elements, or codes of what is wrong; empty when approved.
    """

    kind: ClassVar[str] = "catalogue.review"
    dataset: Annotated[Slug, Key(0)]
    proposal: Annotated[Hash, Key(1)]
    approve: Annotated[bool, Key(2)]
    wanting: Annotated[Codes, Key(3)] = ()


class ConsentOnward(Body):
    """A provider lets ``member`` pass its dataset on as part of datasets of its own, or no more."""

    kind: ClassVar[str] = "onward.consent"
    dataset: Annotated[Slug, Key(0)]
    member: Annotated[Slug, Key(1)]
    given: Annotated[bool, Key(2)] = True


class DeclareCollection(Body):
    """A department states which items it asks citizens for; ONCE-01 forbids what is shared."""

    kind: ClassVar[str] = "collection.declare"
    matter: Annotated[Code, Key(0)]
    """Code of the matter (事项编码) that the items are asked for in."""
    items: Annotated[ItemCodes, Key(1)]


class RegisterPurpose(Body):
    """The authority adds a local purpose to the register; a code is given once, for ever."""

    kind: ClassVar[str] = "purpose.register"
    purpose: Annotated[Slug, Key(0)]
    title_zh: Annotated[Code, Key(1)]
    title_en: Annotated[Code, Key(2)]
    duty: Annotated[Code, Key(3)]
    """The statutory duty the purpose serves, as a citation."""


class CompleteRequest(Body):
    """The applicant completes an application that was returned; what is empty stays as it was."""

    kind: ClassVar[str] = "request.complete"
    request: Annotated[Hash, Key(0)]
    scenario: Annotated[Code, Key(1)] = ""
    manner: Annotated[Mode, Key(2)] = ""
    fields: Annotated[Fields, Key(3)] = ()
    regions: Annotated[Regions, Key(4)] = ()
    from_ms: Annotated[int, Key(5)] = 0
    to_ms: Annotated[int, Key(6)] = 0
    expires_ms: Annotated[int, Key(7)] = 0
    necessary: Annotated[Fields, Key(8)] = ()
    assessment: Annotated[Code, Key(9)] = ""


class RenewGrant(Body):
    """The same grant on the same terms up to a later moment."""

    kind: ClassVar[str] = "grant.renew"
    grant: Annotated[Hash, Key(0)]
    expires_ms: Annotated[int, Key(1)]
