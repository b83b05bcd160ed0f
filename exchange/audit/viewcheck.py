"""Compares a search view with the ledger that it was made of, row by row and word by word.

::

    check = ViewCheck(view)
    Replay(..., listen=check.take) … check.finish(replay)

A view is a database, and whoever may write to it can change what it answers; root and size stay
what they were. Nothing but the ledger says whether the rows are still those of its entries.
"""

from typing import Any, Final

from sqlalchemy import func, select

from exchange.audit.replay import Replay
from exchange.audit.view import PORTION, View, elsewhere
from exchange.audit.viewrows import Indexed, Word, indexed
from exchange.audit.viewtables import ENTRIES, MARKS, TERMS
from exchange.errors import CheckFailed
from exchange.ledger.leaves import rewritten, truncated
from exchange.ledger.verdict import Folded

_REMEDY: Final = (
    "keep a copy of the database, find out who writes to it, and build the view anew:"
    " exchange audit view --rebuild",
    "请保留数据库副本并查明谁写入过，再重建视图：exchange audit view --rebuild",
)


class ViewCheck:
    """Takes what a replay folds. `CheckFailed` with ``view-changed`` names the first entry."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._standing = view.open()
        self._at = 0
        self._marks = 0
        self._words: dict[Word, int] = {}
        self._waiting: list[Indexed] = []

    def take(self, folded: Folded, replay: Replay) -> None:
        """The next leaf, right after it is folded; those the view has not come to are passed by."""
        if folded.index < self._standing.size:
            self._waiting.append(indexed(folded, replay.fold.registry))
            if len(self._waiting) == PORTION:
                self._compare()

    def finish(self, replay: Replay) -> None:
        """Compare what is left, and that the view holds nothing besides.

        `InUse` if another process has put entries there meanwhile.
        """
        stood, tree = self._standing, replay.leaves.tree
        if tree.size < stood.size:
            raise truncated(stood.size, tree.size, "leaves")
        if tree.root(stood.size) != stood.root:
            raise rewritten(stood.size - 1)
        if self._waiting:
            self._compare()
        if self._view.standing() != stood:
            raise elsewhere()
        with self._view.engine.connect() as connection:
            rows = connection.execute(select(func.count()).select_from(ENTRIES)).scalar_one()
            marks = connection.execute(select(func.count()).select_from(MARKS)).scalar_one()
            kept = {(t.name, t.value): t.entries for t in connection.execute(select(TERMS))}
        if rows != stood.size or marks != self._marks or kept != self._words:
            raise _changed(None)

    def _compare(self) -> None:
        first, after = self._at, self._at + len(self._waiting)
        within = (ENTRIES.c.entry >= first, ENTRIES.c.entry < after)
        marked = (MARKS.c.entry >= first, MARKS.c.entry < after)
        words: dict[int, list[Word]] = {}
        with self._view.engine.connect() as connection:
            rows = {row.entry: row for row in connection.execute(select(ENTRIES).where(*within))}
            joined = MARKS.join(TERMS, TERMS.c.id == MARKS.c.term)
            found = select(MARKS.c.entry, TERMS.c.name, TERMS.c.value).select_from(joined)
            for entry, name, value in connection.execute(found.where(*marked)):
                words.setdefault(entry, []).append((name, value))
        for index, entry in enumerate(self._waiting, first):
            if _columns(rows.get(index)) != entry.columns or sorted(words.get(index, ())) != list(
                entry.words
            ):
                raise _changed(index)
            self._marks += len(entry.words)
            for word in entry.words:
                self._words[word] = self._words.get(word, 0) + 1
        self._at, self._waiting = after, []


def _columns(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row of SQLAlchemy, or None
    if row is None:
        return {}
    return {
        name: bytes(value) if isinstance(value, memoryview) else value
        for name, value in row._mapping.items()
    }


def _changed(index: int | None) -> CheckFailed:
    if index is None:
        what = ("holds what is not on the ledger", "含有账本上没有的内容")
    else:
        what = (f"does not say of entry {index} what the ledger says", f"第 {index} 条与账本不符")
    return CheckFailed(
        f"somebody changed the search view: it {what[0]}",
        f"检索视图已被改动：{what[1]}",
        remedy=_REMEDY,
        failure="view-changed",
    )
