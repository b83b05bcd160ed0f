"""Acts about evidence: what somebody asked the ledger. See exchange/model/acts.py."""

from typing import Annotated, ClassVar

from annotated_types import Len, MaxLen

from exchange.model.actcodec import Body, Key
from exchange.model.acttypes import Code, Hash, Slug


class AuditQuery(Body):
    """A member states that it asks the ledger something, before it sees the answer.

    ``commitment`` is the salted hash of the question (exchange/audit/SPEC.md, section 2): it says
    nothing by itself, and whoever keeps the salt can show later what was asked. ``members`` and
    ``datasets`` are what the question is about; both empty means the whole ledger.
    """

    kind: ClassVar[str] = "audit.query"
    commitment: Annotated[Hash, Key(0)]
    size: Annotated[int, Key(1)]
    """Entries of the ledger that the answer stands on."""
    root: Annotated[Hash, Key(2)]
    """The RFC 6962 root over them."""
    members: Annotated[tuple[Slug, ...], Key(3), MaxLen(16)]
    datasets: Annotated[tuple[Slug, ...], Key(4), MaxLen(16)]
    purpose: Annotated[Code, Key(5), Len(1, 64)]
    """A code of what it is for: ``audit``, ``supervision``, ``own-affairs`` …"""
