"""Who read what: keys handed over, joined with grants and receipts. Pure.

One row a grant. The ledger says which keys an honest hub released and for what; whether the
consumer opened them is its own word, the receipt. Keys without a receipt are shown as such.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from exchange.audit.record import Row
from exchange.model.acts import AskKeys, FileReceipt
from exchange.registry.state import Registry


@dataclass(slots=True)
class Read:
    """What one grant was used for; entries are ledger positions, ``records`` by receipts."""

    grant: bytes
    consumer: str
    dataset: str
    fields: tuple[str, ...]
    regions: tuple[str, ...]
    purpose: str
    duty: str
    granted: int
    revoked: int | None
    rules: set[str] = field(default_factory=set)
    keys: list[int] = field(default_factory=list)
    epochs: int = 0
    levels: set[int] = field(default_factory=set)
    refused: list[int] = field(default_factory=list)
    receipts: list[int] = field(default_factory=list)
    records: int = 0
    last_ms: int = 0

    @property
    def unreceipted(self) -> bool:
        """Whether keys were handed over and no receipt came."""
        return bool(self.keys) and not self.receipts


def reads(rows: Iterable[Row], registry: Registry) -> list[Read]:
    """One `Read` for every grant, in the order they were granted."""
    found = {
        grant.id: Read(
            grant=grant.id,
            consumer=grant.consumer,
            dataset=grant.dataset,
            fields=grant.fields,
            regions=grant.regions,
            purpose=grant.purpose,
            duty=grant.duty,
            granted=grant.granted,
            revoked=grant.revoked,
        )
        for grant in registry.grants.values()
    }
    for row in rows:
        body = row.parsed.body if row.parsed is not None and row.verdict != "void" else None
        if isinstance(body, AskKeys) and body.grant in found:
            _note_keys(found[body.grant], row, body)
        elif isinstance(body, FileReceipt) and row.verdict == "permit" and body.grant in found:
            read = found[body.grant]
            read.receipts.append(row.index)
            read.records += sum(item.records for item in body.items)
    return list(found.values())


def _note_keys(read: Read, row: Row, body: AskKeys) -> None:
    refused = {item for item, _ in row.refused_items}
    if row.verdict == "deny" or refused:
        read.refused.append(row.index)
    if row.verdict != "permit":
        return
    released = [item for number, item in enumerate(body.items) if number not in refused]
    if released:
        read.keys.append(row.index)
        read.epochs += len(released)
        read.levels.update(level for item in released for level in item.levels)
        read.rules.update(row.rules)
        read.last_ms = row.time_ms
