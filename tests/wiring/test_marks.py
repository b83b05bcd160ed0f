"""A record is found by its key where it was received; the ledger hears of its version only."""

from pathlib import Path

import pytest

from exchange.errors import NotFound, UsageError
from exchange.wiring.marks import versions_of
from tests.adapters.stores import DATASET, Store, bundle


@pytest.fixture
def database(tmp_path: Path) -> Path:
    sink = Store("sqlite", str(tmp_path)).open()
    rows = [("1", "3301", 90), ("2", "3301", 95), ("3", "3302", None)]
    sink.commit(bundle(0, rows, versions=[11, 12, 13]))
    sink.commit(bundle(1, [("3", "3302", None)], versions=[14], operations=[1]))
    sink.close()
    return tmp_path / "t.sqlite"


def test_records_are_found_by_what_they_hold(database: Path) -> None:
    assert versions_of(database, DATASET, ["id=2"]) == (12,)
    assert versions_of(database, DATASET, ["place=3301"]) == (11, 12)
    assert versions_of(database, DATASET, ["place=3301", "score=90"]) == (11,)


@pytest.mark.parametrize("where", ["id=9", "id=3", 'place=" OR 1=1 --'])
def test_what_is_not_there_is_said(database: Path, where: str) -> None:
    with pytest.raises(NotFound, match="no received record"):
        versions_of(database, DATASET, [where])


@pytest.mark.parametrize("where", ["id", "=2", 'x" OR 1=1 --=2', "colour=red"])
def test_what_names_no_column_is_refused(database: Path, where: str) -> None:
    with pytest.raises(UsageError):
        versions_of(database, DATASET, [where])


def test_a_database_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"none\.db"):
        versions_of(tmp_path / "none.db", DATASET, ["id=2"])
