"""One stream, one grant, and the acts about them that a reconciliation lines up."""

from typing import Any

from exchange.audit.findings import Finding
from exchange.audit.reconcile import Reconciled, reconcile
from exchange.audit.tally import Due, Tally
from exchange.ledger.verdict import Folded
from exchange.model import acts
from tests.ledger.world import World, exchange_world

AT_ONCE = Due(receipt_ms=0, delivery_ms=0)


class Lined:
    """Civil affairs provides, health reads; every method is one act, permitted."""

    def __init__(self) -> None:
        self.world: World = exchange_world()
        self.stream = self.world.stream("civil")
        self.grant = self.world.granted("health")

    def put(self, body: Any, by: str) -> Folded:  # noqa: ANN401 - any act
        folded = self.world.put(body, by=by)
        assert folded.permit, folded.rules
        return folded

    def head(self, sequence: int) -> bytes:
        """The header hash of a bundle, as everybody honest names it."""
        return self.world.anchor(self.stream, sequence).head

    def anchor(self, sequence: int, **changed: Any) -> Folded:
        anchor = self.world.anchor(self.stream, sequence, **changed)
        return self.put(acts.ReportProgress(anchors=(anchor,)), "civil/main")

    def ask(self, *sequences: int, **changed: Any) -> Folded:
        items = [
            self.world.item(
                self.stream, **{"sequence": number, "header": self.head(number), **changed}
            )
            for number in sequences
        ]
        return self.put(self.world.ask(self.grant, *items), "health/main")

    def receipt(self, first: int, last: int, *, sink: str = "sqlite", **changed: Any) -> Folded:
        stated: dict[str, Any] = {
            "stream": self.stream,
            "first": first,
            "last": last,
            "head": self.head(last),
            "records": 100 * (last - first + 1),
            "levels": (1, 2),
        }
        run = acts.ReceiptItem.model_validate({**stated, **changed})
        body = acts.FileReceipt(grant=self.grant, purpose="collaboration", sink=sink, items=(run,))
        return self.put(body, "health/main")

    def reconciled(self, *, as_of_ms: int | None = None, due: Due = AT_ONCE) -> Reconciled:
        """What a reading of the whole ledger comes to."""
        tally = Tally(as_of_ms=self.world.now_ms if as_of_ms is None else as_of_ms, due=due)
        for folded in self.world.folded:
            tally.take(folded)
        return reconcile(tally, self.world.registry)

    def found(self, **options: Any) -> tuple[Finding, ...]:
        """Its findings."""
        return self.reconciled(**options).findings

    def kinds(self, **options: Any) -> list[str]:
        """Their kinds, oldest first."""
        return [one.kind for one in self.found(**options)]
