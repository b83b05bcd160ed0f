"""Acts about evidence: what somebody asked the ledger. See exchange/model/acts.py."""

from typing import Annotated, ClassVar, Final

from annotated_types import Len, MaxLen

from exchange.model.actcodec import Body, Key
from exchange.model.acttypes import Code, Hash, Slug
from exchange.model.text import Text

QUERY_PURPOSES: Final = {
    "audit": Text("audit", "审计"),
    "supervision": Text("supervision", "监督检查"),
    "investigation": Text("investigation of an incident", "事件调查"),
    "complaint": Text("a complaint or an objection", "投诉与异议处理"),
    "own-affairs": Text("what concerns the asker itself", "自身事务"),
}
"""What the ledger may be asked for, beside the purposes of its register; for ever."""


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
    """What it is for: one of `QUERY_PURPOSES`, or a purpose of the ledger's register."""
