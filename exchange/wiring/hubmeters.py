"""What a hub counts of the ledger it follows."""

from exchange.ledger.leaves import Junk
from exchange.ledger.verdict import Folded
from exchange.metrics import LEDGER_ENTRIES, LEDGER_REJUDGED, LEDGER_SKIPPED, REFUSALS


def count_folded(folded: Folded) -> None:
    """A leaf was folded."""
    LEDGER_ENTRIES.set(folded.index + 1)
    if folded.fresh and not folded.carried:
        LEDGER_REJUDGED.inc()
    if folded.fresh and not folded.permit:
        for rule in folded.rules:
            REFUSALS.labels(rule=rule).inc()


def count_junk(junk: Junk) -> None:
    """A message of the topic was no leaf."""
    LEDGER_SKIPPED.labels(reason=junk.failure).inc()
