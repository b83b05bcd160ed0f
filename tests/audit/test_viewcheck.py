"""A search view that somebody wrote into is found out, and the entry named."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import and_, delete, insert, select, update

from exchange.audit.view import View
from exchange.audit.viewcheck import ViewCheck
from exchange.audit.viewtables import ENTRIES, MARKS, POSITION, TERMS
from exchange.errors import CheckFailed, InUse, LedgerBroken
from tests.audit.viewed import fed, in_file, replayed
from tests.ledger.world import World

DENIED = and_(TERMS.c.name == "verdict", TERMS.c.value == "deny")
SHORT = 45
A_DENIAL = select(TERMS.c.id).where(DENIED).scalar_subquery()


def checked(view: View, world: World, *, upto: int | None = None) -> None:
    check = ViewCheck(view)
    check.finish(replayed(world, check.take, upto=upto))


@pytest.fixture
def mine(viewed_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[View]:
    monkeypatch.setattr("exchange.audit.viewcheck.PORTION", 20)
    view = View(in_file(tmp_path / "view.db"), viewed_world.pin)
    fed(view, viewed_world, upto=SHORT)
    yield view
    view.engine.dispose()


def test_a_view_that_nobody_touched_holds(view: View, viewed_world: World) -> None:
    checked(view, viewed_world)


def test_a_view_is_compared_as_far_as_it_has_come(viewed_world: World, tmp_path: Path) -> None:
    view = View(in_file(tmp_path / "view.db"), viewed_world.pin)
    fed(view, viewed_world, upto=30)
    checked(view, viewed_world, upto=SHORT)
    view.engine.dispose()


@pytest.mark.parametrize(
    "change",
    [
        update(ENTRIES).where(ENTRIES.c.entry == 17).values(verdict="permit", rules="FREE-01"),
        update(ENTRIES).where(ENTRIES.c.entry == 17).values(member="nobody"),
        update(ENTRIES).where(ENTRIES.c.entry == 17).values(leaf=bytes(32)),
        delete(ENTRIES).where(ENTRIES.c.entry == 17),
        delete(MARKS).where(MARKS.c.entry == 17),
    ],
)
def test_a_changed_row_or_word_names_its_entry(
    mine: View,
    viewed_world: World,
    change: Any,  # noqa: ANN401 - a statement
) -> None:
    with mine.engine.begin() as connection:
        connection.execute(change)
    with pytest.raises(CheckFailed, match="entry 17 ") as caught:
        checked(mine, viewed_world, upto=SHORT)
    assert caught.value.failure == "view-changed"


@pytest.mark.parametrize(
    "change",
    [
        update(TERMS).where(DENIED).values(entries=0),
        insert(TERMS).values(id=1 << 40, name="verdict", value="praise", entries=1),
        insert(MARKS).values(term=A_DENIAL, entry=1 << 40),
    ],
)
def test_what_is_not_on_the_ledger_is_found(
    mine: View,
    viewed_world: World,
    change: Any,  # noqa: ANN401 - a statement
) -> None:
    with mine.engine.begin() as connection:
        connection.execute(change)
    with pytest.raises(CheckFailed, match="not on the ledger"):
        checked(mine, viewed_world, upto=SHORT)


def test_a_view_that_says_it_has_come_further_is_found(mine: View, viewed_world: World) -> None:
    with pytest.raises(LedgerBroken) as cut:
        checked(mine, viewed_world, upto=SHORT - 1)
    assert cut.value.failure == "truncated"
    with mine.engine.begin() as connection:
        connection.execute(update(POSITION).values(root=bytes(32)))
    with pytest.raises(LedgerBroken) as changed:
        checked(mine, viewed_world, upto=SHORT)
    assert changed.value.failure == "rewritten"


def test_a_view_that_goes_on_while_it_is_checked_is_not_called_changed(
    mine: View, viewed_world: World
) -> None:
    check = ViewCheck(mine)
    replay = replayed(viewed_world, check.take)
    fed(View(mine.engine, viewed_world.pin), viewed_world)
    with pytest.raises(InUse) as caught:
        check.finish(replay)
    assert caught.value.failure == "view-in-use"
    checked(mine, viewed_world)
