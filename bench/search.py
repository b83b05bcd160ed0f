"""Searching a long ledger: how fast the view is made, how large it is, how long questions take.

The questions are those an auditor asks, about members, datasets, grants, rules, regions and spans
of time that the ledger has, by one filter to four; a page of fifty entries each, the first and the
next. Counts go over all entries that fit, so they take as long as those are many.
"""

import random
import tempfile
import time
from pathlib import Path
from typing import Final

from sqlalchemy import create_engine, event, select

from bench.bigledger import BigLedger
from bench.rounds import quantile
from exchange.audit.replay import Replay
from exchange.audit.view import Feed, View
from exchange.audit.viewquery import Question, ask, count
from exchange.audit.viewtables import TERMS
from exchange.registry.fold import RegistryFold
from exchange.wiring.auditview import prepare
from exchange.wiring.replaying import as_messages, seldom_collected
from keys.verifiers import Verifiers

QUESTIONS: Final = 600
COUNTS: Final = 60
PAGE: Final = 50
PORTION: Final = 2_000
NAMES: Final = (
    "member", "dataset", "grant", "section", "region", "purpose", "rule", "verdict", "kind",
)  # fmt: skip


def search(big: BigLedger) -> dict[str, float]:
    """Milliseconds a page takes, and a count."""
    with tempfile.TemporaryDirectory(prefix="exchange-bench-view-") as folder:
        file = Path(folder) / "view.db"
        engine = create_engine(f"sqlite:///{file}")
        event.listen(engine, "connect", prepare)
        view = View(engine, bytes.fromhex(big.pin))
        feeding = _fed(big, view)
        pages, counts = _asked(view, big)
        engine.dispose()
        return {
            "entries": big.size,
            "questions": len(pages),
            "p50_ms": round(quantile(pages, 0.50), 2),
            "p95_ms": round(quantile(pages, 0.95), 2),
            "max_ms": round(max(pages), 2),
            "count_p50_ms": round(quantile(counts, 0.50), 2),
            "count_p95_ms": round(quantile(counts, 0.95), 2),
            "feed_us": round(feeding * 1e6 / big.size, 1),
            "view_bytes": round(file.stat().st_size / big.size, 1),
        }


def _fed(big: BigLedger, view: View) -> float:
    """Seconds that the view took of the replay that made it."""
    feed, spent = Feed(view), 0.0
    with Verifiers(0) as verifiers, seldom_collected():

        def take(folded: object) -> None:
            nonlocal spent
            began = time.perf_counter()
            feed.take(folded, made)  # type: ignore[arg-type]
            spent += time.perf_counter() - began

        fold = RegistryFold([big.engine()])
        made = Replay(bytes.fromhex(big.pin), fold, verifiers, strict=True, listen=take)
        portion: list[bytes] = []
        at = 0
        for entry in big.entries():
            portion.append(entry)
            if len(portion) == PORTION:
                made.take(as_messages(portion, at))
                at += len(portion)
                portion = []
        made.take(as_messages(portion, at))
        made.finish()
    feed.finish(made)
    return spent


def _asked(view: View, big: BigLedger) -> tuple[list[float], list[float]]:
    chance = random.Random(7)
    with view.engine.connect() as connection:
        rows = connection.execute(select(TERMS).where(TERMS.c.name.in_(NAMES))).all()
    words: dict[str, list[str]] = {}
    for row in rows:
        words.setdefault(row.name, []).append(row.value)
    last = view.standing().time_ms
    first = ask(view, Question({}), limit=1).entries[0].time_ms

    def question() -> Question:
        names = chance.sample(sorted(words), chance.randint(1, 3))
        filters = {name: chance.choice(words[name]) for name in names}
        if chance.random() < 0.5:
            return Question(filters)
        begin = chance.randint(first, last)
        return Question(filters, begin, begin + (last - first) // chance.choice((2, 10, 100)))

    pages: list[float] = []
    counts: list[float] = []
    while len(pages) < QUESTIONS:
        asked = question()
        began = time.perf_counter()
        page = ask(view, asked, limit=PAGE)
        pages.append((time.perf_counter() - began) * 1_000)
        if page.cursor:
            began = time.perf_counter()
            ask(view, asked, limit=PAGE, cursor=page.cursor)
            pages.append((time.perf_counter() - began) * 1_000)
    for number in range(COUNTS):
        by = ("", "day", "member", "rule")[number % 4]
        began = time.perf_counter()
        count(view, question(), by=by)
        counts.append((time.perf_counter() - began) * 1_000)
    return pages, counts
