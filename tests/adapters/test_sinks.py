"""What every sink promises: once, all or nothing, the higher version wins, in any order."""

import os
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import PositionConflict, SinkMismatch
from tests.adapters.stores import COLUMNS, OTHER, STREAM, Store, bundle

HANGZHOU = ("1", "3301", 90)
NINGBO = ("1", "3302", 95)


def test_records_and_position_are_committed_together(store: Store) -> None:
    sink = store.open()
    assert sink.positions() == {}
    sink.commit(bundle(0, [HANGZHOU, ("2", "3301", None)], versions=[1, 2]))
    sink.commit(bundle(1, [("3", "3301", 70)], versions=[3]))
    sink.close()
    assert store.rows() == {"1": ("3301", 90), "2": ("3301", None), "3": ("3301", 70)}
    again = store.open()
    assert again.positions() == {STREAM: (1, f"{1:064x}")}
    again.close()
    again.close()


def test_a_bundle_that_does_not_continue_its_stream_is_refused(store: Store) -> None:
    sink = store.open()
    first = bundle(0, [HANGZHOU], versions=[1])
    for wrong in (bundle(1, [NINGBO], versions=[2]), bundle(7, [NINGBO], versions=[2])):
        with pytest.raises(PositionConflict):
            sink.commit(wrong)
    sink.commit(first)
    for wrong in (first, bundle(2, [NINGBO], versions=[9])):
        with pytest.raises(PositionConflict):
            sink.commit(wrong)
    assert store.rows() == {"1": ("3301", 90)}
    assert sink.positions() == {STREAM: (0, f"{0:064x}")}
    sink.close()


def test_a_zombie_that_comes_back_commits_nothing(store: Store) -> None:
    zombie, successor = store.open(), store.open()
    zombie.commit(bundle(0, [HANGZHOU], versions=[1]))
    successor.commit(bundle(1, [("2", "3301", 1)], versions=[2]))
    with pytest.raises(PositionConflict) as caught:
        zombie.commit(bundle(1, [("2", "3301", 99)], versions=[2]))
    assert caught.value.remedy[0]
    assert store.rows()["2"] == ("3301", 1)
    successor.commit(bundle(2, [("3", "3301", 1)], versions=[3]))
    zombie.close()
    successor.close()


@pytest.mark.parametrize("delete_first", [True, False])
def test_a_record_that_moves_region_survives_either_order(store: Store, delete_first: bool) -> None:
    sink = store.open()
    sink.commit(bundle(0, [HANGZHOU], versions=[1]))
    moved = [
        bundle(1, [("1", None, None)], versions=[2], operations=[1]),
        bundle(0, [NINGBO], stream=OTHER, versions=[3]),
    ]
    for delivery in moved if delete_first else reversed(moved):
        sink.commit(delivery)
    assert store.rows() == {"1": ("3302", 95)}
    sink.close()


@pytest.mark.parametrize("delete_first", [True, False])
def test_a_deletion_outlives_a_late_upsert(store: Store, delete_first: bool) -> None:
    sink = store.open()
    parts = [
        bundle(0, [("1", None, None)], versions=[5], operations=[1]),
        bundle(0, [HANGZHOU], stream=OTHER, versions=[4]),
    ]
    for delivery in parts if delete_first else reversed(parts):
        sink.commit(delivery)
    assert store.rows() == {}
    sink.commit(bundle(1, [NINGBO], versions=[6]))
    assert store.rows() == {"1": ("3302", 95)}
    sink.close()


@pytest.mark.parametrize("others", [0, 500])
def test_of_one_key_in_one_bundle_the_highest_version_stays(store: Store, others: int) -> None:
    many = [(f"x{place}", "33", place) for place in range(others)]
    sink = store.open()
    records = [HANGZHOU, NINGBO, ("1", "late", 0), *many]
    sink.commit(bundle(0, records, versions=[7, 9, 8, *range(10, 10 + others)]))
    sink.commit(bundle(1, many or [("y", "33", 1)], versions=range(1, 1 + max(1, others))))
    assert store.rows()["1"] == ("3302", 95)
    assert len(store.rows()) == 1 + (others or 1)
    sink.close()


def test_several_bundles_are_committed_all_or_none(store: Store) -> None:
    sink = store.open()
    pair = [
        bundle(0, [HANGZHOU], versions=[1]),
        bundle(1, [NINGBO], versions=[2]),
        bundle(0, [("2", "33", 1)], stream=OTHER, versions=[3]),
    ]
    with pytest.raises(PositionConflict):
        sink.commit_many([*pair, bundle(3, [("3", "33", 1)], versions=[4])])
    assert store.rows() == {}
    assert sink.positions() == {}
    sink.commit_many(pair)
    assert store.rows() == {"1": ("3302", 95), "2": ("33", 1)}
    assert sink.positions() == {STREAM: (1, f"{1:064x}"), OTHER: (0, f"{0:064x}")}
    sink.close()


AWKWARD = [
    "\t",
    "\\N",
    "\\",
    "\\.",
    "a\nb\r\nc",
    '"',
    "'; DROP TABLE x;--",
    "%s",
    "",
    " ",
    "𠮷\u200b",
]


@pytest.mark.parametrize("others", [0, 500])
def test_awkward_texts_arrive_as_they_were(store: Store, others: int) -> None:
    records: list[tuple[Any, ...]] = [(f"k{row}", text, row) for row, text in enumerate(AWKWARD)]
    records += [(f"x{row}\t", "33", -row) for row in range(others)]
    sink = store.open()
    sink.commit(bundle(0, records, versions=range(1, 1 + len(records))))
    assert store.rows() == {record[0]: record[1:] for record in records}
    sink.close()


@pytest.mark.parametrize("others", [0, 500])
def test_every_type_finds_its_place(store: Store, others: int) -> None:
    columns = [
        ("id", "resident-id"), ("n", "integer"), ("d", "decimal"), ("b", "boolean"),
        ("day", "date"), ("at", "datetime"), ("c", "code"), ("co", "credit-code"), ("r", "region"),
    ]  # fmt: skip
    names = [name for name, _ in columns]
    full = ("1", (1 << 63) - 1, "-0.10", True, "0001-01-01", "2026-01-31T00:00:00Z", "01", "9", "3")
    none = ("2", *[None] * 8)
    many = [(f"x{row}", row, "1.00", False, None, None, "1", "2", "3") for row in range(others)]
    records = [full, none, *many]
    sink = store.open(columns)
    sink.commit(bundle(0, records, versions=range(1, 1 + len(records)), names=names))
    found = store.rows()
    assert found["2"] == none[1:]
    assert len(found) == len(records)
    as_text = [str(value) for value in found["1"]]
    assert as_text[0] == str((1 << 63) - 1)
    assert as_text[1] == "-0.10"
    assert found["1"][2] == 1
    assert as_text[3] == "0001-01-01"
    assert as_text[4].startswith("2026-01-31")
    assert as_text[5:] == ["01", "9", "3"]
    sink.close()


def test_a_key_may_have_several_fields_and_chinese_names(store: Store) -> None:
    columns = [("id", "text"), ("科目", "code"), ("分数", "integer")]
    sink = store.open(columns, ("id", "科目"))
    names = [name for name, _ in columns]
    sink.commit(bundle(0, [("1", "语文", 5), ("2", "数学", 7)], versions=[1, 2], names=names))
    gone = [("1", "语文", None), ("9", "语文", None)]
    sink.commit(bundle(1, gone, versions=[3, 4], operations=[1, 1], names=names))
    assert store.rows() == {"2": ("数学", 7)}
    sink.close()


def test_a_bundle_of_another_grant_is_refused(store: Store) -> None:
    sink = store.open()
    with pytest.raises(SinkMismatch) as caught:
        sink.commit(bundle(0, [("1", "33")], versions=[1], names=("id", "place")))
    assert caught.value.failure == "columns"
    assert sink.positions() == {}
    sink.close()


@pytest.mark.parametrize(
    ("columns", "key"),
    [
        ([("id", "text")], ()),
        ([("id", "text")], ("other",)),
        ([("id", "text"), ('x" text); DROP TABLE y;--', "text")], ("id",)),
        ([("id", "text"), ("_version", "text")], ("id",)),
    ],
)
def test_names_that_are_not_plain_never_reach_a_statement(
    store: Store, columns: list[tuple[str, str]], key: tuple[str, ...]
) -> None:
    with pytest.raises(SinkMismatch):
        store.open(columns, key)


def test_a_table_with_other_columns_is_left_alone(store: Store) -> None:
    if store.kind == "jsonl":  # a journal has no table: each line names its fields
        return
    store.open().close()
    with pytest.raises(SinkMismatch) as caught:
        store.open([*COLUMNS, ("extra", "text")])
    assert caught.value.failure == "columns"
    assert caught.value.remedy[1]


def test_opened_records_are_no_business_of_other_users(store: Store) -> None:
    before = os.umask(0)
    try:
        sink = store.open()
        sink.commit(bundle(0, [HANGZHOU], versions=[1]))
        files = [] if store.kind == "postgres" else [*Path(store.location).rglob("*.*")]
        assert all(file.stat().st_mode & 0o027 == 0 for file in files), files
        sink.close()
    finally:
        os.umask(before)
