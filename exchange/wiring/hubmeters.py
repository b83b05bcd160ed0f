"""What a hub counts of the ledger it follows: entries as they come, duties now and then."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from exchange.errors import LedgerBroken
from exchange.ledger.leaves import Junk
from exchange.ledger.verdict import Folded
from exchange.metrics import (
    DUTIES,
    DUTIES_AWAITING,
    LEDGER_ENTRIES,
    LEDGER_REJUDGED,
    LEDGER_SKIPPED,
    REFUSALS,
)
from exchange.registry.duties import open_book
from exchange.registry.fold import RegistryFold


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


DUTIES_S: Final = 10.0
"""How often the duty book is counted, at most."""
_PAUSES: Final = 20
"""A large book is counted less often: a hub spends a twentieth of its time on it, no more."""
_AT_ONCE: Final = 200
"""Duties that are looked at before others on the event loop get a turn."""


async def meter_duties(fold: RegistryFold, now_ms: Callable[[], int]) -> None:
    """Count the duties of the ledger again and again, until cancelled."""
    pause_s = DUTIES_S
    while True:
        await asyncio.sleep(pause_s)
        began_s = time.monotonic()
        if fold.registry.size:
            await count_duties(fold, now_ms())
        pause_s = max(DUTIES_S, _PAUSES * (time.monotonic() - began_s))


async def count_duties(fold: RegistryFold, now_ms: int) -> None:
    """Set the meters to how the duties stand; without a rule set that is known, leave them."""
    try:
        law = fold.engine
    except LedgerBroken:
        return
    found = Counter(
        {(rule, state): count for (rule, state), count in fold.registry.duty_counts.items()}
    )
    awaiting = 0
    for number, (duty, how) in enumerate(open_book(fold.registry, law, now_ms)):
        awaiting += how.state == "awaiting-calendar"
        for rule in duty.rules:
            found[rule, how.state] += 1
        if number % _AT_ONCE == _AT_ONCE - 1:
            await asyncio.sleep(0)
    DUTIES.clear()
    for (rule, state), count in found.items():
        DUTIES.labels(rule=rule, state=state).set(count)
    DUTIES_AWAITING.set(awaiting)
