"""A batch is sorted out: good records pass, bad ones are named by line and field, never quoted."""

import csv
import gzip
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import InputUnreadable
from exchange.limits import RECORD_BYTES_MAX
from exchange.model import problems
from exchange.model.contract import Contract
from exchange.model.validate import KEY_BYTES_MAX, Rejected, validate
from tests.model.contracts import CANONICAL, EVERY_TYPE, GOOD, columns, every_type

VILLAGES = Path("exchange/cli/demodata/villages-33.csv.gz")


def bad(**changes: Any) -> dict[str, Any]:
    return {**GOOD, **changes}


def test_good_records_pass_in_canonical_form_and_contract_order() -> None:
    found = validate(every_type(), columns(GOOD, bad(name="b", pay=None)), first_line=2)
    assert found.rejected == ()
    assert list(found.kept) == [0, 1]
    assert found.operations is None
    assert list(found.columns) == list(every_type().names)
    assert {name: values[0] for name, values in found.columns.items()} == CANONICAL
    assert found.columns["pay"] == ["12.50", None]


def test_each_bad_record_is_named_and_the_rest_goes_on() -> None:
    batch = columns(
        GOOD,
        bad(person="110105194912310021"),
        GOOD,
        bad(name=None, day="yesterday"),
        bad(code="33"),
    )
    found = validate(every_type(), batch, first_line=10)
    assert list(found.kept) == [0, 2]
    assert found.columns["name"] == [GOOD["name"]] * 2
    assert [(one.line, one.field) for one in found.rejected] == [
        (11, "person"),
        (13, "name"),
        (13, "day"),
        (14, "code"),
    ]
    assert found.rejected[0] == Rejected(11, "person", *problems.ID_CHECK)
    assert found.rejected[1].reason == problems.MISSING.reason
    assert all(one.remedy.en and one.remedy.zh and one.reason.zh for one in found.rejected)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=3),
    st.lists(st.text(max_size=1), max_size=2),
    st.sampled_from(list(GOOD.values())),
)


@given(st.lists(st.dictionaries(st.sampled_from(sorted(GOOD)), VALUES), min_size=1, max_size=6))
def test_what_passes_is_what_sealing_takes_unlooked_at(changes: list[dict[str, Any]]) -> None:
    found = validate(every_type(), columns(*({**GOOD, **one} for one in changes)), first_line=1)
    for values in found.columns.values():
        assert set(map(type, values)) <= {str, int, bool, type(None)}


def test_lines_may_be_given_one_by_one() -> None:
    found = validate(every_type(), columns(GOOD, bad(code="")), first_line=[2, 7])
    assert [one.line for one in found.rejected] == [7]


def test_no_sentence_ever_holds_a_value() -> None:
    secret = "绝密XYZZY"
    batch = columns(*({**GOOD, name: secret} for name in GOOD if name != "name"))
    found = validate(every_type(), batch, first_line=2)
    assert len(found.rejected) == len(GOOD) - 1
    assert secret not in repr(found.rejected)
    for one in found.rejected:
        assert GOOD["person"] not in one.reason.en + one.reason.zh + one.remedy.en + one.remedy.zh


def test_two_records_with_one_key_are_both_good() -> None:
    assert len(validate(every_type(), columns(GOOD, GOOD), first_line=2).kept) == 2


def test_an_optional_column_may_be_missing_and_a_required_one_not() -> None:
    batch = columns(GOOD)
    del batch["pay"]
    assert validate(every_type(), batch, first_line=2).columns["pay"] == [None]
    del batch["name"]
    with pytest.raises(InputUnreadable, match="lacks column 'name'") as caught:
        validate(every_type(), batch, first_line=2)
    assert caught.value.failure == "missing-column"


def test_an_unknown_column_is_named_by_its_place() -> None:
    with pytest.raises(InputUnreadable, match="column 11 of the source is no field") as caught:
        validate(every_type(), columns(bad(wages="1")), first_line=2)
    assert caught.value.failure == "unknown-column"
    assert "wages" not in caught.value.text.en + caught.value.text.zh


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(InputUnreadable, match="differ in length"):
        validate(every_type(), {**columns(GOOD), "pay": []}, first_line=2)


def test_a_record_beyond_the_limit_is_refused_and_the_limit_said() -> None:
    told = EVERY_TYPE.replace(", length: 10", "")
    fields = "".join(f"  - {{name: t{place}, type: text, level: 2}}\n" for place in range(5))
    contract = Contract.from_yaml(told.replace("key:", f"{fields}key:").encode())
    large = {f"t{place}": "字" * (1 << 17) for place in range(5)}
    found = validate(contract, columns(GOOD, bad(**large)), first_line=2)
    assert list(found.kept) == [0]
    assert [(one.line, one.field) for one in found.rejected] == [(3, "")]
    assert str(RECORD_BYTES_MAX) in found.rejected[0].reason.en


def test_a_key_that_no_database_can_index_is_refused() -> None:
    told = EVERY_TYPE.replace(", length: 10", "").replace("key: [code]", "key: [name]")
    contract = Contract.from_yaml(told.encode())
    batch = columns(GOOD, bad(name="长" * KEY_BYTES_MAX))
    found = validate(contract, batch, first_line=2)
    assert [one.reason for one in found.rejected] == [problems.key_too_large(KEY_BYTES_MAX).reason]


def test_a_deletion_needs_its_key_only_and_drops_the_rest() -> None:
    gone = {"code": GOOD["code"], "person": "not looked at", "_operation": "delete"}
    found = validate(every_type(), columns(gone, GOOD), first_line=2)
    assert found.rejected == ()
    assert found.operations == [1, 0]
    assert found.columns["person"] == [None, GOOD["person"]]
    assert found.columns["name"] == [None, GOOD["name"]]


def test_operations_may_come_beside_the_columns() -> None:
    batch = columns({"code": GOOD["code"]}, {"code": "33"})
    batch["name"] = [None, None]
    found = validate(every_type(), batch, first_line=2, operations=[1, 1])
    assert found.operations == [1]
    assert [one.line for one in found.rejected] == [3]


def test_an_operation_is_upsert_or_delete() -> None:
    batch = columns(
        bad(_operation="upsert"), bad(_operation=""), bad(_operation="drop"), bad(_operation=1)
    )
    found = validate(every_type(), batch, first_line=2)
    assert found.operations is None
    assert [(one.line, one.reason) for one in found.rejected] == [
        (4, problems.NOT_OPERATION.reason),
        (5, problems.NOT_OPERATION.reason),
    ]


def test_every_village_of_the_real_register_passes() -> None:
    contract = Contract.from_yaml(
        b"""
dataset: villages
title: {}
fields:
  - {name: code, type: region, level: 1, required: true}
  - {name: name, type: text, level: 1, required: true, length: 60}
  - {name: streetCode, type: region, level: 1, required: true}
  - {name: provinceCode, type: region, level: 1, required: true}
  - {name: cityCode, type: region, level: 1, required: true}
  - {name: areaCode, type: region, level: 1, required: true}
key: [code]
region: {field: code, level: city}
cycle: yearly
retention_days: 365
"""
    )
    with gzip.open(VILLAGES, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = validate(
        contract, {name: [row[name] for row in rows] for name in rows[0]}, first_line=2
    )
    assert found.rejected == ()
    assert len(found.kept) == 25_547
