"""The ledger as an auditor reads it: each entry as a row, whatever its act was. Pure.

record = Record()
view.listen(record.take)          # every leaf, in order, as the auditor's own follower folds it
record.rows[17].subject
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from exchange.errors import ActRefused
from exchange.ledger.act import Act, ParsedAct, parse_act
from exchange.ledger.verdict import Folded
from exchange.model.dutyacts import ConsentExtension, Escalate, ExtendDuty
from exchange.model.evidenceacts import AuditQuery


@dataclass(frozen=True, slots=True)
class Row:
    """One entry. ``verdict`` is permit, deny or void; ``void`` says why it is void, else "".

    ``subject`` is the dataset, member, grant or request the act is about (ids in hex), ``carried``
    whether the hub's verdict stood at this position, ``disputed`` whether it stood and the rules
    say otherwise, ``time_ms`` ledger time.
    """

    index: int
    time_ms: int
    hub: str
    act: bytes
    kind: str
    member: str
    instance: str
    subject: str
    verdict: str
    void: str
    rules: tuple[str, ...]
    refused_items: tuple[tuple[int, tuple[str, ...]], ...]
    carried: bool
    disputed: bool
    entry_hash: bytes
    parsed: ParsedAct | Act | None = field(repr=False)

    @property
    def all_rules(self) -> tuple[str, ...]:
        """The determining rules and those that refuse single items."""
        single = {rule for _, rules in self.refused_items for rule in rules}
        return tuple(sorted({*self.rules, *single}))


@dataclass(frozen=True, slots=True)
class Search:
    """What to look for; empty parts match everything. Times are inclusive, in ms."""

    member: str = ""
    kind: str = ""
    subject: str = ""
    rule: str = ""
    verdict: str = ""
    from_ms: int = 0
    to_ms: int = 1 << 62

    def matches(self, row: Row) -> bool:
        """Whether ``row`` is looked for."""
        return (
            (not self.member or row.member == self.member)
            and (not self.kind or row.kind.startswith(self.kind))
            and (not self.subject or row.subject.startswith(self.subject))
            and (not self.rule or self.rule in row.all_rules)
            and (not self.verdict or row.verdict == self.verdict)
            and self.from_ms <= row.time_ms <= self.to_ms
        )


class Record:
    """All entries so far, by index."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def take(self, folded: Folded) -> None:
        """Note the next leaf."""
        self.rows.append(row_of(folded))

    def search(self, wanted: Search) -> Iterator[Row]:
        """The rows that match, in order."""
        return (row for row in self.rows if wanted.matches(row))

    def refusals(self) -> Iterable[Row]:
        """Every entry that denies something."""
        return [row for row in self.rows if row.verdict == "deny" or row.refused_items]


def row_of(folded: Folded) -> Row:
    """One leaf as a row."""
    said = folded.entry.statement
    parsed = folded.act or _parsed(said.act)
    verdict = "permit" if folded.permit else "deny"
    return Row(
        index=folded.index,
        time_ms=folded.time_ms,
        hub=said.hub,
        act=folded.act_id or b"",
        kind=parsed.kind if parsed else "",
        member=parsed.member if parsed else "",
        instance=(parsed.instance or "") if parsed else "",
        subject=_subject(parsed) if parsed else "",
        verdict=verdict if folded.fresh else "void",
        void=folded.reason,
        rules=folded.rules,
        refused_items=folded.refused_items,
        carried=folded.carried,
        disputed=folded.disputed,
        entry_hash=folded.entry.leaf_hash,
        parsed=parsed,
    )


_ABOUT: Final = (
    *("dataset", "grant", "request", "member", "authority", "instance", "stream"),
    *("demand", "objection", "escalation", "notice", "provider", "year", "matter", "purpose"),
)
"""Where an act names what it is about; an id of a duty is in ``duty`` (dutyacts.py)."""


def _parsed(act: bytes) -> ParsedAct | None:
    """What a void act says; None if it is none."""
    try:
        return parse_act(act)
    except ActRefused:
        return None


def _subject(parsed: ParsedAct | Act) -> str:
    """The first of these that the act names."""
    if isinstance(parsed.body, AuditQuery):
        return next(iter((*parsed.body.datasets, *parsed.body.members)), "")
    for name in _ABOUT:
        value = getattr(parsed.body, name, None)
        if value is not None:
            return value.hex() if isinstance(value, bytes) else str(value)
    if isinstance(parsed.body, Escalate | ExtendDuty | ConsentExtension):
        return parsed.body.duty
    anchors = getattr(parsed.body, "anchors", ())
    return anchors[0].stream.hex() if anchors else ""
