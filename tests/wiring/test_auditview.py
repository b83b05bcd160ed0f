"""Where the search view is kept, and what is said when its database is gone."""

import fcntl
import time
from pathlib import Path

import psycopg
import pytest

from exchange.audit.view import View
from exchange.errors import CheckFailed, InUse, ViewUnavailable
from exchange.wiring.auditview import FILE, LOCK, followed, following, opened_view
from exchange.wiring.home import Home, HomeTable, LogTable
from exchange.wiring.inquiry import commitment, encoded
from exchange.wiring.settings import environment


def home_at(path: Path) -> Home:
    log = LogTable(
        origin="exchange.test/2026",
        genesis="00" * 32,
        authority="data-bureau",
        ca="ca.pem",
        topic="exchange.ledger",
    )
    return Home(path, HomeTable(log=log))


def test_a_view_is_kept_beside_the_members_keys(tmp_path: Path) -> None:
    home = home_at(tmp_path)
    with opened_view(home, environment({}), "audit-office") as view:
        assert view.open().size == 0
    assert (home.member_directory("audit-office") / FILE).is_file()


@pytest.mark.postgres
def test_a_view_is_kept_in_the_database_that_is_named(tmp_path: Path, postgres: str) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(postgres)
    query = "&".join(f"{name}={value}" for name, value in parts.items() if name != "dbname")
    url = f"postgresql:///{parts['dbname']}?{query}".replace("=-c", "=-c%20")
    home = home_at(tmp_path)
    with opened_view(home, environment({"EXCHANGE_DATABASE_URL": url}), "audit-office") as view:
        view.clear()
        assert view.open().size == 0
        assert isinstance(view, View)
        view.clear()
    assert not home.member_directory("audit-office").exists()


def test_a_database_that_is_gone_is_said_to_be(tmp_path: Path) -> None:
    settings = environment({"EXCHANGE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"})
    with (
        pytest.raises(ViewUnavailable) as caught,
        opened_view(home_at(tmp_path), settings, "audit-office") as view,
    ):
        view.open()
    assert caught.value.exit_code == 3


def test_a_damaged_view_is_said_to_be_and_can_be_built_anew(tmp_path: Path) -> None:
    home, settings = home_at(tmp_path), environment({})
    with opened_view(home, settings, "audit-office") as view:
        view.open()
    file = home.member_directory("audit-office") / FILE
    file.write_bytes(b"no database at all" * 1_000)
    with (
        pytest.raises(CheckFailed) as caught,
        opened_view(home, settings, "audit-office") as view,
    ):
        view.open()
    assert caught.value.failure == "view-damaged"
    with opened_view(home, settings, "audit-office", anew=True) as view:
        assert view.open().size == 0


def test_a_commitment_says_nothing_without_its_salt() -> None:
    question = encoded({"member": "health"}, ())
    assert commitment(bytes(32), question) != commitment(bytes([1]) * 32, question)
    assert commitment(bytes(32), question) != commitment(bytes(32), encoded({"rule": "x"}, ()))
    assert len(commitment(bytes(32), question)) == 32


def test_one_process_at_a_time_keeps_a_view_current_and_others_know(tmp_path: Path) -> None:
    home = home_at(tmp_path)
    assert followed(home, "audit-office") == ""
    with following(home, "audit-office") as note:
        assert followed(home, "audit-office") == ""  # it has not read the ledger yet
        note("auditor")
        note("auditor")
        assert followed(home, "audit-office") == "auditor"
        assert followed(home, "health") == ""
        with pytest.raises(InUse), following(home, "audit-office"):
            pass
        assert followed(home, "audit-office") == "auditor"
    assert followed(home, "audit-office") == ""


def test_a_search_that_just_looks_does_not_keep_whoever_would_follow_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = home_at(tmp_path)
    folder = home.member_directory("audit-office")
    folder.mkdir(parents=True)
    with (folder / LOCK).open("a+", encoding="utf-8") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)
        monkeypatch.setattr(time, "sleep", lambda _: fcntl.flock(looking, fcntl.LOCK_UN))
        with following(home, "audit-office") as note:
            note("auditor")
            assert followed(home, "audit-office") == "auditor"
