"""Everything on the ledger that concerns one member, as its report needs it. Pure.

::

    account = Account("civil-affairs", registry, size=checkpoint.size)
    view.listen(account.take)  # every leaf, in order, while ``registry`` is being folded

An entry concerns a member that signed it, that it names, or whose grant, application or dataset it
is about. Raw bytes are kept of these only, so that proofs can carry them.
"""

from typing import Final

from exchange.audit.record import Row, row_of
from exchange.ledger.act import Act
from exchange.ledger.verdict import Folded
from exchange.model.acts import EnrolMember, Genesis
from exchange.registry.state import Registry

QUIET: Final = frozenset({"stream.progress"})
"""Acts that are many and say nothing about who read what; reconciling reads them elsewhere."""


class Account:
    """The entries about ``member`` among the first ``size``; and those that enrolled anybody."""

    def __init__(self, member: str, registry: Registry, *, size: int) -> None:
        self.member = member
        self.size = size
        self.rows: list[Row] = []
        self.raw: dict[int, bytes] = {}
        """The bytes of those entries, and of the enrolments, by index."""
        self.enrolled: dict[str, int] = {}
        """Where each member was enrolled; the authority at 0."""
        self.began_ms = 0
        self.time_ms = 0
        """Ledger time at the first and after the last of them."""
        self._registry = registry

    def take(self, folded: Folded) -> None:
        """Note the next leaf."""
        if folded.index >= self.size:
            return
        self.time_ms = folded.time_ms
        if folded.index == 0:
            self.began_ms = folded.time_ms
        act = folded.act
        if act is None:
            return
        if folded.permit:
            self._note_enrolment(act, folded)
        if act.kind not in QUIET and self._concerns(act):
            self.rows.append(row_of(folded))
            self.raw[folded.index] = folded.entry.raw

    def _note_enrolment(self, act: Act, folded: Folded) -> None:
        match act.body:
            case Genesis(authority=member) | EnrolMember(member=member):
                self.enrolled[member] = folded.index
                self.raw[folded.index] = folded.entry.raw

    def _concerns(self, act: Act) -> bool:
        """Whether the member is a party; called in the state after the act."""
        body, registry = act.body, self._registry
        if self.member in (act.member, getattr(body, "member", None)):
            return True
        grant = registry.grants.get(getattr(body, "grant", b""))
        request = registry.requests.get(getattr(body, "request", b""))
        about = grant or request
        dataset = about.dataset if about else getattr(body, "dataset", "")
        row = registry.datasets.get(dataset)
        return (about is not None and about.consumer == self.member) or (
            row is not None and row.provider == self.member
        )
