"""The search view, kept by an auditor's own fold and thrown away at will.

::

    view = View(engine, pin)
    view.open()                                  # makes the tables; refuses another ledger's
    feed = Feed(view)
    Replay(..., listen=feed.take) … feed.finish(replay)

Entries, words and position change in one transaction, so whatever stops the process, the view
stands at a size and holds exactly the entries before it. Built in one go or bit by bit, it is the
same.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import sqlalchemy
from sqlalchemy import Connection, bindparam, insert, select, update
from sqlalchemy.exc import OperationalError

from exchange.audit.replay import Replay
from exchange.audit.viewrows import Indexed, Word, indexed
from exchange.audit.viewtables import ENTRIES, FORMAT, HEADS, MARKS, POSITION, TABLES, TERMS
from exchange.errors import ConfigurationInvalid, InUse
from exchange.ledger.leaves import rewritten, truncated
from exchange.ledger.merkle import EMPTY_ROOT
from exchange.ledger.verdict import Folded

PORTION: Final = 2_000
"""Entries a transaction."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How far a view has come: ``size`` entries with this root, the last at this ledger time."""

    size: int
    root: bytes
    time_ms: int


class View:
    """One view in one database. ``engine`` is SQLAlchemy's, of SQLite or PostgreSQL."""

    def __init__(self, engine: sqlalchemy.Engine, pin: bytes) -> None:
        self.engine = engine
        self._pin = pin
        self._ids: dict[Word, int] = {}

    def open(self) -> Standing:
        """Make the tables if there are none. `ConfigurationInvalid` for another ledger's view."""
        TABLES.create_all(self.engine)
        with self.engine.begin() as connection:
            row = connection.execute(select(POSITION)).one_or_none()
            if row is None:
                start = {"id": 1, "format": FORMAT, "pin": self._pin, "size": 0, "time_ms": 0}
                connection.execute(insert(POSITION), {**start, "root": EMPTY_ROOT})
            elif row.pin != self._pin or row.format != FORMAT:
                raise _foreign()
            self._ids = {(t.name, t.value): t.id for t in connection.execute(select(TERMS))}
        return self.standing()

    def clear(self) -> None:
        """Throw everything away, whatever ledger it was of; `open` begins anew."""
        TABLES.drop_all(self.engine)

    def standing(self) -> Standing:
        """How far it has come."""
        with self.engine.connect() as connection:
            row = connection.execute(select(POSITION)).one()
            return Standing(row.size, row.root, row.time_ms)

    def head(self) -> Standing:
        """The same, remembered so that a cursor may refer to it later."""
        with self.engine.begin() as connection:
            row = connection.execute(select(POSITION)).one()
            known = connection.execute(select(HEADS).where(HEADS.c.size == row.size)).one_or_none()
            if known is None:
                connection.execute(insert(HEADS), {"size": row.size, "root": row.root})
            return Standing(row.size, row.root, row.time_ms)

    def add(self, entries: list[Indexed], before: int, root: bytes) -> None:
        """Put ``entries`` behind the first ``before``, after which the root is ``root``.

        `InUse` if another process has put entries there meanwhile: nothing of these is kept then.
        """
        after = before + len(entries)
        time_ms = entries[-1].columns["time_ms"]
        move = update(POSITION).where(POSITION.c.id == 1, POSITION.c.size == before)
        known = dict(self._ids)
        try:
            with self.engine.begin() as connection:
                moved = connection.execute(move.values(size=after, root=root, time_ms=time_ms))
                if moved.rowcount != 1:
                    raise elsewhere()
                connection.execute(insert(ENTRIES), [entry.columns for entry in entries])
                self._mark(connection, entries)
        except OperationalError as error:
            self._ids = known
            if "locked" in str(error.orig):
                raise elsewhere() from None
            raise
        except InUse:
            self._ids = known
            raise

    def _mark(self, connection: Connection, entries: list[Indexed]) -> None:
        counts: Counter[Word] = Counter(word for entry in entries for word in entry.words)
        fresh = [word for word in counts if word not in self._ids]
        for word in fresh:
            self._ids[word] = len(self._ids) + 1
        if fresh:
            rows = [{"id": self._ids[w], "name": w[0], "value": w[1], "entries": 0} for w in fresh]
            connection.execute(insert(TERMS), rows)
        more = update(TERMS).where(TERMS.c.id == bindparam("term"))
        connection.execute(
            more.values(entries=TERMS.c.entries + bindparam("more")),
            [{"term": self._ids[word], "more": count} for word, count in counts.items()],
        )
        marks = [
            {"term": self._ids[word], "entry": entry.columns["entry"]}
            for entry in entries
            for word in entry.words
        ]
        connection.execute(insert(MARKS), marks)


class Feed:
    """Takes what a replay folds and puts what is new into a view."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._standing = view.open()
        self._began = self._standing.size
        self._waiting: list[Indexed] = []

    def take(self, folded: Folded, replay: Replay) -> None:
        """The next leaf, right after it is folded."""
        if folded.index < self._standing.size:
            return
        if folded.index == self._standing.size and not self._waiting:
            self._check(replay)
        self._waiting.append(indexed(folded, replay.fold.registry))
        if len(self._waiting) == PORTION:
            self._flush(replay)

    def finish(self, replay: Replay) -> Standing:
        """Put what is left, and say how far the view has come."""
        self.catch_up(replay)
        if self._standing.size <= max(replay.leaves.tree.size, self._began):
            self._check(replay)  # where another process went on beyond this reading, it has
        return self._view.head()

    def _flush(self, replay: Replay) -> None:
        before, tree = self._standing.size, replay.leaves.tree
        after = before + len(self._waiting)
        try:
            self._view.add(self._waiting, before, tree.root(after))
        except InUse:
            self._overtaken(replay)
            return
        self._standing = Standing(after, tree.root(after), self._waiting[-1].columns["time_ms"])
        self._waiting = []

    def _overtaken(self, replay: Replay) -> None:
        """Another process has put entries there meanwhile: go on behind what it did. `InUse`."""
        try:
            stood = self._view.open()  # its words as well
        except OperationalError:  # it is held, not ahead
            raise elsewhere() from None
        if stood.size <= self._standing.size:
            raise elsewhere()
        self._standing = stood
        self._waiting = [one for one in self._waiting if one.columns["entry"] >= stood.size]
        if stood.size <= replay.leaves.tree.size:
            self._check(replay)
        if self._waiting:
            self._flush(replay)

    def catch_up(self, replay: Replay) -> None:
        """Put what is left into the view now."""
        if self._waiting:
            self._flush(replay)

    def _check(self, replay: Replay) -> None:
        """`LedgerBroken` unless the ledger still begins with what the view was made of."""
        stood, tree = self._standing, replay.leaves.tree
        if tree.size < stood.size:
            raise truncated(stood.size, tree.size, "leaves")
        if tree.root(stood.size) != stood.root:
            raise rewritten(stood.size - 1)


def _foreign() -> ConfigurationInvalid:
    return ConfigurationInvalid(
        "the search view in this database is of another ledger or another version",
        "该数据库中的检索视图属于另一账本或另一版本",
        remedy=(
            "build it anew: exchange audit view --rebuild",
            "请重建：exchange audit view --rebuild",
        ),
        failure="view-foreign",
    )


def elsewhere() -> InUse:
    """Another process writes, and this one has to wait for it."""
    return InUse(
        "another process is changing the search view",
        "另一进程正在更新检索视图",
        remedy=("try again in a moment", "请稍后重试"),
        failure="view-in-use",
    )
