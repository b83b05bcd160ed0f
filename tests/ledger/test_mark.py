"""The mark of how far a machine has read: whole or refused, and its file is named."""

import errno
import os
from pathlib import Path

import pytest

from exchange.errors import InputUnreadable
from exchange.ledger.mark import Mark, MarkFile


def test_a_mark_is_kept_whole_or_refused(tmp_path: Path) -> None:
    file = MarkFile(tmp_path / "mark")
    assert file.load() is None
    mark = Mark(3, bytes(32), 17)
    file.save(mark)
    file.save(mark)
    assert file.load() == mark
    for torn in (b"", b"{}", b'{"size":1,"root":"00","offset":1}', b"[]", b'{"size":"x"}'):
        (tmp_path / "mark").write_bytes(torn)
        with pytest.raises(InputUnreadable):
            file.load()


def test_a_mark_that_finds_no_room_names_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        MarkFile(tmp_path / "mark").save(Mark(3, bytes(32), 17))
    assert caught.value.filename == str(tmp_path / "mark")
