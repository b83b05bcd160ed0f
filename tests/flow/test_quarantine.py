"""Refused records are kept encrypted, once, with every reason, and shown on demand."""

import errno
import os
from pathlib import Path

import orjson
import pytest
import zstandard

from exchange.errors import DiskFull, NotFound
from exchange.flow.quarantine import Quarantine
from exchange.model.text import Text
from exchange.model.validate import Rejected
from keys.custody import MemoryCustody
from keys.errors import OpenRefused

COLUMNS = {"code": ["a", "b", "c"], "name": ["first", "second", "third"]}
SENTENCE = Text("wrong", "有误")


def rejected(line: int, field: str = "code") -> Rejected:
    return Rejected(line, field, SENTENCE, SENTENCE)


@pytest.fixture
def quarantine(tmp_path: Path) -> Quarantine:
    return Quarantine(tmp_path / "rejected", MemoryCustody())


def test_a_record_is_kept_once_with_all_its_faults(quarantine: Quarantine) -> None:
    quarantine.keep(
        "villages", "x.csv", COLUMNS, [rejected(3), rejected(3, "name")], lines=2, now_ms=1
    )
    (batch,) = quarantine.batches("villages")
    (one,) = batch.records
    assert (batch.source, one.line) == ("x.csv", 3)
    assert one.record == {"code": "b", "name": "second"}
    assert [fault["field"] for fault in one.faults] == ["code", "name"]


def test_lines_may_be_given_one_by_one(quarantine: Quarantine) -> None:
    quarantine.keep("villages", "x", COLUMNS, [rejected(9)], lines=[2, 5, 9], now_ms=1)
    assert quarantine.batches("villages")[0].records[0].record["code"] == "c"


def test_nothing_of_a_record_is_readable_on_the_disk(quarantine: Quarantine) -> None:
    path = quarantine.keep("villages", "x.csv", COLUMNS, [rejected(2)], lines=2, now_ms=1)
    assert b"first" not in path.read_bytes()
    assert path.stat().st_mode & 0o077 == 0


def test_batches_come_oldest_first_and_can_be_forgotten(quarantine: Quarantine) -> None:
    for now_ms in (2, 1):
        quarantine.keep("villages", str(now_ms), COLUMNS, [rejected(1)], lines=1, now_ms=now_ms)
    assert [batch.source for batch in quarantine.batches("villages")] == ["1", "2"]
    assert quarantine.forget("villages") == 2
    assert quarantine.batches("villages") == []


def test_a_file_moved_to_another_dataset_does_not_open(quarantine: Quarantine) -> None:
    path = quarantine.keep("villages", "x", COLUMNS, [rejected(1)], lines=1, now_ms=1)
    other = path.parent.parent / "exams"
    other.mkdir()
    path.rename(other / path.name)
    with pytest.raises(OpenRefused):
        quarantine.batches("exams")


def test_a_newer_format_says_so(tmp_path: Path) -> None:
    custody = MemoryCustody()
    folder = tmp_path / "villages"
    folder.mkdir()
    newer = zstandard.compress(orjson.dumps({"format": 2}))
    (folder / "1-a.sealed").write_bytes(custody.protect(newer, b"rejected/villages"))
    with pytest.raises(NotFound, match="newer program"):
        Quarantine(tmp_path, custody).batches("villages")


@pytest.mark.parametrize(
    ("number", "raised"), [(errno.ENOSPC, DiskFull), (errno.EFBIG, DiskFull), (errno.EIO, OSError)]
)
def test_a_full_disk_leaves_nothing_behind(
    number: int,
    raised: type[Exception],
    quarantine: Quarantine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("exchange.flow.quarantine.os.fsync", full)
    with pytest.raises(raised):
        quarantine.keep("villages", "x", COLUMNS, [rejected(1)], lines=1, now_ms=1)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
