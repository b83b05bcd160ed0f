"""Who read what: keys handed over, joined with grants and receipts. Pure.

One row a grant. The ledger says which keys an honest hub released and for what; whether the
consumer opened them is its own word, the receipt. Keys without a receipt are shown as such.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from exchange.audit.record import Row
from exchange.model.acts import AskItem, AskKeys, FileReceipt, ReceiptItem
from exchange.registry.rows import Grant
from exchange.registry.state import Registry


@dataclass(slots=True)
class Read:
    """What one grant was used for; entries are ledger positions, ``records`` by receipts."""

    grant: bytes
    consumer: str = ""
    dataset: str = ""
    fields: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    purpose: str = ""
    duty: str = ""
    granted: int = 0
    revoked: int | None = None
    rules: set[str] = field(default_factory=set)
    keys: list[int] = field(default_factory=list)
    epochs: int = 0
    levels: set[int] = field(default_factory=set)
    refused: list[int] = field(default_factory=list)
    receipts: list[int] = field(default_factory=list)
    records: int = 0
    first_ms: int | None = None
    last_ms: int | None = None
    open_items: dict[int, list[AskItem]] = field(default_factory=dict)
    """What was released by the entry of this index and no later receipt covers yet."""

    @property
    def unreceipted(self) -> list[int]:
        """The entries that handed over keys, at least one of which no receipt answers."""
        return sorted(self.open_items)

    @property
    def used(self) -> bool:
        """Whether anything was asked or said under this grant."""
        return bool(self.keys or self.refused or self.receipts)


class Reads:
    """Joins keys with receipts as the entries come, and keeps none of them.

    ``from_ms`` and ``to_ms`` (inclusive) bound the moments of asking; a receipt counts whenever it
    came, but only for what was asked between them.
    """

    def __init__(self, *, from_ms: int = 0, to_ms: int = 1 << 62) -> None:
        self._from_ms = from_ms
        self._to_ms = to_ms
        self._found: dict[bytes, Read] = {}

    def take(self, row: Row) -> None:
        """Note the next entry."""
        if row.time_ms < self._from_ms:
            return
        body = row.parsed.body if row.parsed is not None and row.verdict != "void" else None
        asked_in_time = row.time_ms <= self._to_ms
        if isinstance(body, AskKeys) and asked_in_time:
            _note_keys(self._of(body.grant), row, body)
        elif isinstance(body, FileReceipt) and row.verdict == "permit":
            _note_receipt(self._of(body.grant), row, body, counts=asked_in_time)

    def of(self, registry: Registry) -> list[Read]:
        """One `Read` for every grant of the state at the end, in the order they were granted."""
        return [_described(self._of(grant.id), grant) for grant in registry.grants.values()]

    def _of(self, grant: bytes) -> Read:
        return self._found.setdefault(grant, Read(grant))


def reads(
    rows: Iterable[Row], registry: Registry, *, from_ms: int = 0, to_ms: int = 1 << 62
) -> list[Read]:
    """The same of rows that are at hand."""
    found = Reads(from_ms=from_ms, to_ms=to_ms)
    for row in rows:
        found.take(row)
    return found.of(registry)


def _described(read: Read, grant: Grant) -> Read:
    return replace(
        read,
        consumer=grant.consumer,
        dataset=grant.dataset,
        fields=grant.fields,
        regions=grant.regions,
        purpose=grant.purpose,
        duty=grant.duty,
        granted=grant.granted,
        revoked=grant.revoked,
    )


def _note_receipt(read: Read, row: Row, body: FileReceipt, *, counts: bool) -> None:
    """Strike out what it answers; ``counts`` unless it came after the time that is asked about."""
    before = sum(map(len, read.open_items.values()))
    left = {
        index: [item for item in items if not any(_answers(run, item) for run in body.items)]
        for index, items in read.open_items.items()
    }
    read.open_items = {index: items for index, items in left.items() if items}
    if counts or sum(map(len, left.values())) < before:
        read.receipts.append(row.index)
        read.records += sum(run.records for run in body.items)


def _answers(run: ReceiptItem, item: AskItem) -> bool:
    """Whether a receipt's run holds the bundle whose header the asker showed."""
    return run.stream == item.stream and run.first <= item.sequence <= run.last


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
        read.open_items[row.index] = released
        read.levels.update(level for item in released for level in item.levels)
        read.rules.update(row.rules)
        read.first_ms = row.time_ms if read.first_ms is None else read.first_ms
        read.last_ms = row.time_ms
