"""Searches beside a process that keeps the view current: they read no ledger, and miss nothing."""

from io import StringIO
from pathlib import Path

import pytest

from exchange.audit.view import Standing
from exchange.audit.viewquery import Question
from exchange.cli import auditcurrent, auditview
from exchange.cli.auditasking import Wanted
from exchange.cli.screen import Screen
from exchange.cli.session import Session
from exchange.errors import CheckFailed, InUse
from exchange.wiring.auditview import FILE, following, opened_view
from exchange.wiring.settings import environment
from tests.wiring.test_auditview import home_at

ROOTS = {9: b"\x09" * 32, 10: b"\x0a" * 32, 11: b"\x0b" * 32}


class Head:
    """What a hub states."""

    def __init__(self, size: int, root: bytes) -> None:
        self.size = size
        self.root = root.hex()


class Office:
    """As much of one as is asked."""

    def __init__(self, folder: Path, stated: Head) -> None:
        self.home = home_at(folder)
        self.member = "audit-office"
        self.hub = self
        self._stated = stated

    async def head(self) -> Head:
        return self._stated


class View:
    """Stands at these sizes, one after the other."""

    def __init__(self, *sizes: int) -> None:
        self._sizes = list(sizes)
        self.asked = 0

    def open(self) -> None:
        """Nothing is to be made."""

    def standing(self) -> Standing:
        self.asked += 1
        size = self._sizes.pop(0) if len(self._sizes) > 1 else self._sizes[0]
        return Standing(size, ROOTS[size], 0)


def wanted(*, reads: bool = False, offline: bool = False) -> Wanted:
    return Wanted(
        Question(),
        reads=reads,
        count=False,
        by="",
        limit=1,
        cursor="",
        out=None,
        as_is=False,
        offline=offline,
        why="audit",
    )


async def current(
    folder: Path, view: View, asked: Wanted, *, kind: str, root: bytes = ROOTS[10]
) -> bool:
    office = Office(folder, Head(10, root))
    with following(office.home, office.member) as note:
        note(kind)
        return await auditcurrent.is_current(office, view, asked)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auditcurrent, "PAUSE_S", 0.001)


async def test_an_overseer_is_answered_once_the_view_has_come_so_far(tmp_path: Path) -> None:
    view = View(9, 9, 10)
    assert await current(tmp_path, view, wanted(), kind="auditor")
    assert view.asked == 3
    assert not await current(tmp_path, View(9), wanted(), kind="authority")


async def test_everybody_else_reads_the_ledger(tmp_path: Path) -> None:
    for kind in ("department", ""):
        assert not await current(tmp_path, View(10), wanted(), kind=kind)
    for asked in (wanted(reads=True), wanted(offline=True)):
        assert not await current(tmp_path, View(10), asked, kind="auditor")
    office = Office(tmp_path, Head(10, ROOTS[10]))
    assert not await auditcurrent.is_current(office, View(10), wanted())  # type: ignore[arg-type]


async def test_a_hub_that_states_another_root_is_not_answered_beside(tmp_path: Path) -> None:
    with pytest.raises(CheckFailed) as caught:
        await current(tmp_path, View(10), wanted(), kind="auditor", root=bytes(32))
    assert caught.value.failure == "root"


async def test_a_view_that_is_longer_than_the_hub_states_answers_nothing(tmp_path: Path) -> None:
    assert not await current(tmp_path, View(9, 11), wanted(), kind="auditor")
    assert await current(tmp_path, View(9, 11, 10), wanted(), kind="auditor")
    with pytest.raises(CheckFailed):
        await current(tmp_path, View(9, 11, 10), wanted(), kind="auditor", root=bytes(32))


async def test_a_view_that_another_process_keeps_current_is_not_emptied(tmp_path: Path) -> None:
    office = Office(tmp_path, Head(10, ROOTS[10]))
    screen = Screen(language="en", as_json=False, out=StringIO(), err=StringIO())
    session = Session(tmp_path, None, screen, environment({}))
    with opened_view(office.home, session.settings, office.member) as view:
        view.open()
    kept = office.home.member_directory(office.member) / FILE
    before = kept.stat()
    with following(office.home, office.member), pytest.raises(InUse):
        await auditview._kept_current(session, office, rebuild=True)  # type: ignore[arg-type]
    assert (kept.stat().st_ino, kept.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
