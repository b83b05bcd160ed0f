"""The search view: however it was built, it is the same, and it is of one ledger."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, select, update

from exchange.audit.view import Feed, View
from exchange.audit.viewquery import Question, ask
from exchange.audit.viewtables import POSITION, TABLES
from exchange.errors import ConfigurationInvalid, InUse, LedgerBroken
from tests.audit.viewed import fed, in_file, replayed
from tests.ledger.world import World, exchange_world


def contents(view: View) -> dict[str, list[Any]]:
    """Every table but the heads, which only cursors leave."""
    with view.engine.connect() as connection:
        return {
            name: sorted(map(tuple, connection.execute(select(table))))
            for name, table in TABLES.tables.items()
            if name != "audit_heads"
        }


def test_bit_by_bit_is_the_same_as_in_one_go(
    view: View, viewed_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exchange.audit.view.PORTION", 9)
    slow = View(in_file(tmp_path / "view.db"), viewed_world.pin)
    for upto in (1, 20, 21, 77, None, None):
        fed(slow, viewed_world, upto=upto)
    assert contents(slow) == contents(view)
    slow.engine.dispose()


def test_a_page_of_yesterday_goes_on_although_the_ledger_grew(
    viewed_world: World, tmp_path: Path
) -> None:
    view = View(in_file(tmp_path / "view.db"), viewed_world.pin)
    fed(view, viewed_world, upto=100)
    page = ask(view, Question({}), limit=60)
    fed(view, viewed_world)
    later = ask(view, Question({}), limit=60, cursor=page.cursor)
    assert [row.index for row in later.entries] == list(range(60, 100))
    assert (later.standing.size, later.cursor) == (100, "")
    view.engine.dispose()


def test_another_past_is_noticed(viewed_world: World, tmp_path: Path) -> None:
    view = View(in_file(tmp_path / "view.db"), viewed_world.pin)
    fed(view, viewed_world)
    with pytest.raises(LedgerBroken) as cut:
        fed(view, viewed_world, upto=50)
    assert cut.value.failure == "truncated"
    with view.engine.begin() as connection:
        connection.execute(POSITION.update().values(root=bytes(32)))
    with pytest.raises(LedgerBroken) as changed:
        fed(view, viewed_world)
    assert changed.value.failure == "rewritten"
    view.engine.dispose()


def test_a_view_of_another_ledger_is_refused_until_it_is_rebuilt(
    viewed_world: World, tmp_path: Path
) -> None:
    mine = View(in_file(tmp_path / "view.db"), viewed_world.pin)
    fed(mine, viewed_world, upto=30)
    other = exchange_world(seed=5)
    theirs = View(mine.engine, other.pin)
    with pytest.raises(ConfigurationInvalid) as caught:
        theirs.open()
    assert caught.value.failure == "view-foreign"
    theirs.clear()
    fed(theirs, other)
    assert theirs.standing().size == len(other.entries)
    mine.engine.dispose()


def test_two_processes_never_put_one_entry_twice(viewed_world: World, tmp_path: Path) -> None:
    view = View(in_file(tmp_path / "view.db"), viewed_world.pin)
    first = Feed(view)
    second = Feed(View(view.engine, viewed_world.pin))
    replay = replayed(viewed_world, first.take)
    replayed(viewed_world, second.take)
    first.finish(replay)
    before = contents(view)
    second.finish(replay)
    assert contents(view) == before
    view.engine.dispose()


@pytest.mark.parametrize("other", [1, 30, 60, None])
def test_whoever_is_overtaken_goes_on_behind_the_other(
    viewed_world: World, tmp_path: Path, other: int | None
) -> None:
    """One process follows the ledger, another searches and puts what is new: neither stops."""
    view = View(in_file(tmp_path / "view.db"), viewed_world.pin)
    follower = Feed(view)
    replay = replayed(viewed_world, follower.take, upto=40)
    fed(View(view.engine, viewed_world.pin), viewed_world, upto=other)
    stood = follower.finish(replay)
    assert stood.size == max(40, len(viewed_world.entries) if other is None else other)
    fed(view, viewed_world)
    whole = View(in_file(tmp_path / "whole.db"), viewed_world.pin)
    fed(whole, viewed_world)
    assert contents(view) == contents(whole)
    for one in (view, whole):
        one.engine.dispose()


def test_an_overtaken_reader_of_another_ledger_is_stopped(
    viewed_world: World, tmp_path: Path
) -> None:
    view = View(in_file(tmp_path / "view.db"), viewed_world.pin)
    reader = Feed(view)
    replay = replayed(viewed_world, reader.take, upto=40)
    fed(View(view.engine, viewed_world.pin), viewed_world, upto=30)
    with view.engine.begin() as connection:
        connection.execute(update(POSITION).values(root=bytes(32)))
    with pytest.raises(LedgerBroken) as caught:
        reader.finish(replay)
    assert caught.value.failure == "rewritten"
    view.engine.dispose()


def test_a_database_that_somebody_holds_is_in_use(viewed_world: World, tmp_path: Path) -> None:
    impatient = create_engine(f"sqlite:///{tmp_path / 'view.db'}", connect_args={"timeout": 0})
    view = View(impatient, viewed_world.pin)
    feed = Feed(view)
    replay = replayed(viewed_world, feed.take)
    holder = sqlite3.connect(tmp_path / "view.db")
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(InUse):
        feed.catch_up(replay)
    holder.close()
    feed.finish(replay)
    assert contents(view)["audit_position"][0][3] == len(viewed_world.entries)
    impatient.dispose()


def test_a_crash_in_the_middle_leaves_a_whole_view(
    viewed_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exchange.audit.view.PORTION", 50)
    view = View(in_file(tmp_path / "view.db"), viewed_world.pin)
    marking = View._mark

    def dies(self: View, *given: Any) -> None:
        marking(self, *given)
        if len(self._ids) > 30 and self.standing().size == 50:
            raise RuntimeError("killed")

    monkeypatch.setattr(View, "_mark", dies)
    with pytest.raises(RuntimeError):
        fed(view, viewed_world)
    monkeypatch.setattr(View, "_mark", marking)
    again = View(view.engine, viewed_world.pin)
    assert again.open().size == 50
    fed(again, viewed_world)
    assert again.standing().size == len(viewed_world.entries)
    view.engine.dispose()
