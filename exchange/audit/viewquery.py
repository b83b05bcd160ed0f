"""Questions to the search view: filters, pages and counts; every answer says what it stands on.

::

    question = Question(filters={"dataset": "villages", "verdict": "deny"})
    page = ask(view, question, limit=50)
    page = ask(view, question, limit=50, cursor=page.cursor)  # the next one, of the same ledger

The filter with the fewest entries leads, the others are looked up at each of its entries, so a page
costs little however long the ledger is. A cursor carries the size that the first page stood on:
pages stay of one piece while the ledger grows.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

import orjson
from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    exists,
    func,
    literal,
    or_,
    select,
)

from exchange.audit.cursor import Cursor, query_hash, read_cursor
from exchange.audit.view import Standing, View
from exchange.audit.viewrows import WIDE, WITHIN
from exchange.audit.viewtables import ENTRIES, HEADS, MARKS, TERMS
from exchange.errors import UsageError
from exchange.model.regions import parents

LIMIT_MAX: Final = 10_000
WORDS_MAX: Final = 500
"""Words that one beginning may stand for."""
FILTERS: Final = (
    "member", "concerns", "kind", "about", "dataset", "grant", "section", "region", "purpose",
    "rule", "verdict",
)  # fmt: skip
"""What entries can be asked for; ``kind``, ``about`` and ``grant`` by their beginning."""
GROUPS: Final = (
    "day", "month", "member", "kind", "dataset", "purpose", "verdict", "hub", "rule", "section",
    "region",
)  # fmt: skip
"""What entries can be counted by."""
_BEGINNINGS: Final = frozenset({"kind", "about", "grant"})
_LISTS: Final = {"rule": "rules", "section": "sections", "region": "regions"}
_DAY_MS: Final = 86_400_000
_FOREVER_MS: Final = 1 << 53


@dataclass(frozen=True, slots=True)
class Question:
    """Entries that fit every filter and lie in the span (inclusive, ms of ledger time)."""

    filters: Mapping[str, str] = field(default_factory=dict)
    from_ms: int = 0
    to_ms: int = _FOREVER_MS

    def named(self) -> dict[str, str | int]:
        """What was asked, by name: what a commitment and a cursor are bound to."""
        found: dict[str, str | int] = {name: value for name, value in self.filters.items() if value}
        if self.from_ms:
            found["from"] = self.from_ms
        if self.to_ms < _FOREVER_MS:
            found["to"] = self.to_ms
        return found


@dataclass(frozen=True, slots=True)
class Found:
    """One entry, as `exchange.audit.record.Row` without its act; lists are tuples."""

    index: int
    time_ms: int
    hub: str
    act: bytes
    kind: str
    member: str
    instance: str
    subject: str
    dataset: str
    grant: str
    purpose: str
    verdict: str
    void: str
    rules: tuple[str, ...]
    refused_items: tuple[tuple[int, tuple[str, ...]], ...]
    carried: bool
    disputed: bool
    entry_hash: bytes
    sections: tuple[str, ...]
    regions: tuple[str, ...]

    @property
    def all_rules(self) -> tuple[str, ...]:
        """The determining rules and those that refuse single items."""
        single = {rule for _, rules in self.refused_items for rule in rules}
        return tuple(sorted({*self.rules, *single}))


@dataclass(frozen=True, slots=True)
class Page:
    """Entries in the order of the ledger; ``cursor`` asks for the next ones, "" if there are none.

    ``standing`` is the ledger that the answer stands on.
    """

    standing: Standing
    entries: tuple[Found, ...]
    cursor: str = ""


def check(question: Question, *, by: str = "", cursor: str = "") -> None:
    """`UsageError` for a question that no view can answer: say so before it goes on record."""
    _check(question)
    if by and by not in GROUPS:
        raise _unknown("group", by, GROUPS)
    if cursor:
        read_cursor(cursor, question.named())


def ask(view: View, question: Question, *, limit: int, cursor: str = "") -> Page:
    """A page of at most ``limit`` entries. Raises `UsageError` for a cursor of another question."""
    _check(question)
    standing, after = view.head(), -1
    if cursor:
        asked = read_cursor(cursor, question.named())
        standing, after = _stood(view, asked, standing), asked.after
    with view.engine.connect() as connection:
        wanted = _matching(connection, question, standing.size, after)
        if wanted is None:
            return Page(standing, ())
        ordered = wanted.entries().order_by(wanted.index)
        rows = connection.execute(ordered.limit(limit + 1)).all()
    found = tuple(_found(row) for row in rows[:limit])
    if len(rows) <= limit:
        return Page(standing, found)
    more = Cursor(query_hash(question.named()), standing.size, standing.root, found[-1].index)
    return Page(standing, found, more.text())


def everything(view: View, question: Question, *, portion: int = 1_000) -> Iterator[Page]:
    """Page after page, all of one ledger."""
    page = ask(view, question, limit=portion)
    yield page
    while page.cursor:
        page = ask(view, question, limit=portion, cursor=page.cursor)
        yield page


def count(
    view: View, question: Question, *, by: str = "", offset_ms: int = 0
) -> tuple[Standing, dict[str, int]]:
    """How many entries fit, under one name "" or by ``by``, one of `GROUPS`.

    Days and months are those of a clock that is ``offset_ms`` ahead of UTC. An entry with several
    rules, sections or regions counts under each.
    """
    check(question, by=by)
    standing = view.head()
    with view.engine.connect() as connection:
        wanted = _matching(connection, question, standing.size, -1)
        if wanted is None:
            return standing, {} if by else {"": 0}
        rows = connection.execute(wanted.numbers(_group(by, offset_ms)))
        found: Counter[str] = Counter()
        for value, number in rows:
            for name in _names(by, value):
                found[name] += number
    return standing, dict(sorted(found.items())) if by else {"": found[""]}


def strange(view: View, question: Question) -> list[str]:
    """Filters whose value no entry has at all: a slip of the pen, more often than an answer."""
    with view.engine.connect() as connection:
        given = question.filters.items()
        return [name for name, value in given if value and not _terms(connection, name, value)]


def known(view: View, name: str, value: str) -> bool:
    """Whether any entry has this word."""
    with view.engine.connect() as connection:
        fits = and_(TERMS.c.name == name, TERMS.c.value == value)
        return connection.execute(select(TERMS.c.id).where(fits)).one_or_none() is not None


def _group(by: str, offset_ms: int) -> ColumnElement[Any] | None:
    if by in {"day", "month"}:
        return (ENTRIES.c.time_ms + offset_ms) // _DAY_MS
    if not by:
        return None
    return ENTRIES.c[_LISTS.get(by, by)]


def _names(by: str, value: Any) -> list[str]:  # noqa: ANN401 - a number of a day or a text
    """The groups that a value of the column counts under."""
    if by in {"day", "month"}:
        day = str(_day(value))
        return [day if by == "day" else day[:7]]
    if by == "region":
        return [region.removeprefix("-") for region in value.split()]
    return value.split() if by in _LISTS else [value] if value or not by else []


def _day(number: int) -> date:
    return date(1970, 1, 1) + timedelta(days=number)


def _check(question: Question) -> None:
    for name in question.filters:
        if name not in FILTERS:
            raise _unknown("filter", name, FILTERS)


def _stood(view: View, asked: Cursor, now: Standing) -> Standing:
    """The ledger that an earlier page stood on; `UsageError` if this view never stood there."""
    with view.engine.connect() as connection:
        row = connection.execute(select(HEADS).where(HEADS.c.size == asked.size)).one_or_none()
    if row is None or row.root != asked.root or asked.size > now.size:
        raise UsageError(
            "this cursor is of another ledger or another view",
            "该游标属于另一账本或另一视图",
            remedy=("ask again from the first page", "请从第一页重新查询"),
            failure="cursor",
        )
    return Standing(row.size, row.root, now.time_ms)


@dataclass(frozen=True, slots=True)
class _Matching:
    """Where the entries that fit are found: what to read from, their index, and what must hold."""

    source: FromClause
    index: ColumnElement[int]
    conditions: tuple[ColumnElement[bool], ...]

    def entries(self) -> Select[Any]:
        """Their rows."""
        if self.source is ENTRIES:
            return select(ENTRIES).where(*self.conditions)
        joined = self.source.join(ENTRIES, ENTRIES.c.entry == self.index)
        return select(ENTRIES).select_from(joined).where(*self.conditions)

    def numbers(self, column: ColumnElement[Any] | None) -> Select[Any, int]:
        """How many there are, by ``column`` of their rows if there is one."""
        if column is None:
            return (
                select(literal(""), func.count()).select_from(self.source).where(*self.conditions)
            )
        return self.entries().with_only_columns(column, func.count()).group_by(column)


def _matching(
    connection: Connection, question: Question, size: int, after: int
) -> _Matching | None:
    """Entries after index ``after`` and below ``size`` that fit; None if there can be none."""
    terms = [_terms(connection, name, value) for name, value in question.filters.items() if value]
    first, end = _span(connection, question, size)
    if not all(terms) or first >= end:
        return None
    first = max(first, after + 1)
    if not terms:
        return _Matching(ENTRIES, ENTRIES.c.entry, _between(ENTRIES.c.entry, first, end))
    leading, *others = sorted(terms, key=lambda some: sum(some.values()))
    source: FromClause = MARKS.alias("leading")
    found = (source.c.term.in_(leading), *_between(source.c.entry, first, end))
    if len(leading) > 1:
        source, found = select(source.c.entry).where(*found).distinct().subquery(), ()
    index = source.c.entry
    also = (
        exists().where(MARKS.c.term.in_(other), MARKS.c.entry == index).correlate(source)
        for other in others
    )
    return _Matching(source, index, (*found, *also))


def _between(index: ColumnElement[int], first: int, end: int) -> tuple[ColumnElement[bool], ...]:
    return index >= first, index < end


def _terms(connection: Connection, name: str, value: str) -> dict[int, int]:
    """The words that a filter stands for, and how many entries have each; empty if none has."""
    said = TERMS.c.value
    match name:
        case "region":
            around = ("", *parents(value)) if value else ()
            fits = or_(
                and_(TERMS.c.name == WITHIN, said == value),
                and_(TERMS.c.name == WIDE, said.in_(around)),
            )
        case _ if name in _BEGINNINGS:
            # All texts that begin so: from the beginning itself up to what comes after all of them.
            fits = and_(TERMS.c.name == name, said >= value, said < value + "\U0010ffff")
        case _:
            fits = and_(TERMS.c.name == name, said == value)
    rows = connection.execute(select(TERMS.c.id, TERMS.c.entries).where(fits).limit(WORDS_MAX + 1))
    found = {row.id: row.entries for row in rows}
    if len(found) > WORDS_MAX:
        raise UsageError(
            f"too many words begin with {value[:20]!r}",
            f"以 {value[:20]!r} 开头的词过多",
            remedy=("write more of it", "请写得更完整"),
            failure="search",
        )
    return found


def _span(connection: Connection, question: Question, size: int) -> tuple[int, int]:
    """The indices that a span of ledger time comes to: time never runs back along the ledger."""
    ends = []
    for bound, otherwise in ((question.from_ms, 0), (question.to_ms + 1, size)):
        later = select(ENTRIES.c.entry).where(ENTRIES.c.time_ms >= bound)
        first = later.order_by(ENTRIES.c.time_ms, ENTRIES.c.entry).limit(1)
        unbounded = bound <= 0 or bound > _FOREVER_MS
        row = None if unbounded else connection.execute(first).one_or_none()
        ends.append(otherwise if unbounded else size if row is None else row.entry)
    return ends[0], min(ends[1], size)


def _found(row: Any) -> Found:  # noqa: ANN401 - a row of SQLAlchemy
    refused = orjson.loads(row.refused) if row.refused else []
    return Found(
        index=row.entry,
        time_ms=row.time_ms,
        hub=row.hub,
        act=bytes(row.act),
        kind=row.kind,
        member=row.member,
        instance=row.instance,
        subject=row.subject,
        dataset=row.dataset,
        grant=row.grant,
        purpose=row.purpose,
        verdict=row.verdict,
        void=row.void,
        rules=tuple(row.rules.split()),
        refused_items=tuple((item, tuple(rules)) for item, rules in refused),
        carried=row.carried,
        disputed=row.disputed,
        entry_hash=bytes(row.leaf),
        sections=tuple(row.sections.split()),
        regions=tuple(region.removeprefix("-") for region in row.regions.split()),
    )


def _unknown(what: str, name: str, known: tuple[str, ...]) -> UsageError:
    chinese = {"filter": "筛选条件", "group": "分组"}[what]
    return UsageError(
        f"there is no {what} {name[:40]!r}",
        f"没有{chinese} {name[:40]!r}",
        remedy=(f"use one of: {', '.join(known)}", f"可用：{'、'.join(known)}"),
        failure="search",
    )
