"""Messages of the ledger with their signatures checked before their turn; for readers of many.

Folding has an order, checking signatures has none. `Ahead` takes messages apart, has the signatures
of entries and acts checked by `keys.verifiers` in other processes, and gives the messages back in
order with what was proven::

    ahead.send(messages)
    for message, checked in ahead.receive():
        leaves.take(message, checked)

The keys are those the ledger has named so far. Where one is not known yet, or a signature does not
hold, nothing is said: `Leaves` then checks as always and names the failure. So it makes no
difference to the outcome that something was checked ahead, only to the time it takes.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final

from exchange.bus.ports import Message
from exchange.errors import ActRefused, EntryRefused
from exchange.ledger.act import ParsedAct, claim_act, parse_act, verified_act
from exchange.ledger.entry import ParsedEntry, claim_entry, parse_entry, verified_entry
from exchange.ledger.leaves import Checked
from exchange.ledger.verdict import Fold
from keys.cose import Claim, Verified
from keys.verifiers import Verifiers

BATCH: Final = 128
"""Messages to send at a time: enough that handing them over costs little."""

Parsed = tuple[Message, ParsedEntry | None, ParsedAct | None]


class Ahead:
    """Keeps the order; the caller bounds what is under way by `full`."""

    def __init__(self, fold: Fold, verifiers: Verifiers) -> None:
        self._fold = fold
        self._verifiers = verifiers
        self._batches: deque[list[Parsed]] = deque()

    @property
    def waiting(self) -> bool:
        """Whether anything was sent that was not received."""
        return bool(self._batches)

    @property
    def full(self) -> bool:
        """Whether as much is under way as keeps the verifiers busy."""
        return self._verifiers.waiting >= self._verifiers.room

    def send(self, messages: Sequence[Message]) -> None:
        """Begin to check the next messages."""
        batch: list[Parsed] = []
        claims: list[Claim] = []
        for message in messages:
            entry = _entry_of(message)
            public = self._hub_key(entry)
            claim = claim_entry(entry, public) if entry and public else None
            if entry is None or claim is None:
                batch.append((message, None, None))
                continue
            claims.append(claim)
            act = _act_of(entry)
            public = self._fold.signing_public(act.kid) if act else None
            claim = claim_act(act, public) if act and public else None
            if claim is not None:
                claims.append(claim)
            batch.append((message, entry, act if claim is not None else None))
        self._batches.append(batch)
        self._verifiers.send(claims)

    def receive(self) -> list[tuple[Message, Checked | None]]:
        """The oldest messages sent; IndexError if there are none."""
        batch, answers = self._batches.popleft(), iter(self._verifiers.receive())
        return [(message, _checked(entry, act, answers)) for message, entry, act in batch]

    def _hub_key(self, entry: ParsedEntry | None) -> bytes | None:
        return self._fold.hub_public(entry.statement.hub, entry.kid) if entry else None


def _checked(
    entry: ParsedEntry | None, act: ParsedAct | None, answers: Iterator[Verified | None]
) -> Checked | None:
    """What the next answers prove: one for the entry, one for the act."""
    of_entry = next(answers) if entry is not None else None
    of_act = next(answers) if act is not None else None
    if entry is None or of_entry is None:
        return None
    proven = verified_act(act, of_act) if act is not None and of_act is not None else None
    return verified_entry(entry, of_entry), proven


def _entry_of(message: Message) -> ParsedEntry | None:
    try:
        return parse_entry(message.value) if message.value is not None else None
    except EntryRefused:
        return None


def _act_of(entry: ParsedEntry) -> ParsedAct | None:
    try:
        return parse_act(entry.statement.act)
    except ActRefused:
        return None
