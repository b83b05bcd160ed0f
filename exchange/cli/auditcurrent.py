"""Whether a search may be answered from a view that another process keeps current."""

import asyncio
from typing import TYPE_CHECKING, Final

from exchange.cli.auditground import differs

if TYPE_CHECKING:
    from exchange.audit.view import View
    from exchange.cli.auditasking import Wanted
    from exchange.wiring.office import Office

TRIES: Final = 30
PAUSE_S: Final = 0.1
"""Three seconds: what follows the ledger is at most a second behind."""


async def is_current(office: "Office", view: "View", wanted: "Wanted") -> bool:
    """Whether ``view`` stands at the very head that the hub states; the ledger is not read then.

    That is so where ``exchange audit view --follow`` runs, for a member that may ask about
    everybody: whom a narrower question concerns takes the state of the ledger. Where hub and view
    are never seen at one size nothing is known about their roots, so the ledger is read: a view
    that is merely longer may be of another history. Raises `CheckFailed` if the hub states another
    root.
    """
    from exchange.wiring.auditview import followed
    from exchange.wiring.inquiry import OVERSEERS

    if wanted.reads or wanted.offline or followed(office.home, office.member) not in OVERSEERS:
        return False
    view.open()
    for _ in range(TRIES):
        stated, standing = await office.hub.head(), view.standing()
        if standing.size == stated.size:
            if standing.root.hex() != stated.root:
                raise differs(stated.size)
            return True
        await asyncio.sleep(PAUSE_S)
    return False
