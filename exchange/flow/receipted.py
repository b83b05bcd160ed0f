"""How far the receipts on the ledger go, so that nothing delivered stays without one.

A process that ends between a commit and its receipt leaves its sink ahead of the ledger. The next
run passes the bundles again that the sink has and no receipt names, and files for them, too. Sinks
of one kind under one grant are one to a receipt: what any of them was receipted for counts.
"""

from exchange.ledger.verdict import Folded
from exchange.model.acts import FileReceipt


class Receipted:
    """The receipts of one member; hand `take` to the view before it reads anything."""

    def __init__(self, member: str) -> None:
        self._member = member
        self._upto: dict[tuple[bytes, str, bytes], int] = {}

    def take(self, folded: Folded) -> None:
        """Note the next leaf."""
        act = folded.act
        if not folded.permit or act is None or act.member != self._member:
            return
        if isinstance(act.body, FileReceipt):
            for item in act.body.items:
                place = (act.body.grant, act.body.sink, item.stream)
                self._upto[place] = max(item.last, self._upto.get(place, -1))

    def upto(self, grant: bytes, sink: str, stream: bytes) -> int:
        """The last sequence of ``stream`` that a receipt names; -1 if none does."""
        return self._upto.get((grant, sink, stream), -1)
