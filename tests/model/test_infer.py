"""A draft from a sample is a valid contract, and close to what a person would write."""

import pytest

from exchange.errors import InputUnreadable
from exchange.model.contract import TEXT_LENGTH_MAX, Contract
from exchange.model.infer import infer_contract
from exchange.model.validate import validate

ROWS = 40


def sample() -> dict[str, list[str | None]]:
    return {
        "学号": [f"{place:05}" for place in range(ROWS)],
        "身份证号": ["11010519491231002X"] * ROWS,
        "单位": ["91350100M000100Y43"] * ROWS,
        "区划": ["330102"] * ROWS,
        "出生": ["2001-02-03"] * ROWS,
        "更新": ["2026-01-31T08:00:00+08:00"] * ROWS,
        "金额 (元)": [f"{place}.5" for place in range(ROWS)],
        "年龄": ["33"] * ROWS,
        "手机": ["13800138000"] * ROWS,
        "在读": ["是", "否"] * (ROWS // 2),
        "科目": ["语文", "数学"] * (ROWS // 2),
        "备注": [None, *["长短不一"] * (ROWS - 1)],
        "空": [None] * ROWS,
        "no": [f"x{place % 30}" for place in range(ROWS)],
    }


def test_types_levels_key_region_and_subject_are_proposed() -> None:
    contract = Contract.from_yaml(infer_contract(sample(), dataset="Exam 2026").encode())
    kinds = {field.name: (field.type, field.level, field.required) for field in contract.fields}
    assert kinds == {
        "学号": ("text", 1, True),
        "身份证号": ("resident-id", 3, True),
        "单位": ("credit-code", 1, True),
        "区划": ("region", 1, True),
        "出生": ("date", 1, True),
        "更新": ("datetime", 1, True),
        "金额_元": ("decimal", 1, True),
        "年龄": ("integer", 1, True),
        "手机": ("text", 3, True),
        "在读": ("boolean", 1, True),
        "科目": ("code", 1, True),
        "备注": ("code", 1, False),
        "空": ("text", 1, False),
        "column_14": ("text", 1, True),
    }
    assert contract.personal == {"身份证号": "sensitive", "手机": "general"}
    assert contract.dataset == "exam-2026"
    assert contract.key == ("学号",)
    assert contract.region is not None
    assert contract.region.field == "区划"
    assert contract.subject == "身份证号"


def test_the_sample_satisfies_its_own_draft() -> None:
    given = sample()
    contract = Contract.from_yaml(infer_contract(given, dataset="exam").encode())
    renamed = dict(zip(contract.names, given.values(), strict=True))
    assert validate(contract, renamed, first_line=2).rejected == ()


def test_a_few_typing_errors_do_not_hide_a_type_and_are_counted() -> None:
    ids: list[str | None] = ["11010519491231002X"] * 199
    draft = infer_contract({"id": [*ids, "110105194912310021"]}, dataset="people")
    assert "type: resident-id" in draft
    assert "1 values of the sample do not fit" in draft
    assert "11010519491231" not in draft


def test_several_fields_may_form_the_key_and_doubt_is_said() -> None:
    both = infer_contract({"a": ["1", "1", "2"], "b": ["1", "2", "2"]}, dataset="pairs")
    assert "key: [a, b]\n" in both
    none = infer_contract({"a": ["1", "1"]}, dataset="!")
    assert "key: [a]  # NOT unique" in none
    assert "dataset: dataset-1\n" in none


def test_a_column_with_gaps_is_no_key_unless_there_is_nothing_else() -> None:
    draft = infer_contract({"a": ["1", None]}, dataset="gaps")
    assert "NOT unique" in draft


def test_without_a_record_there_is_nothing_to_learn() -> None:
    nothing: dict[str, list[str | None]] = {}
    with pytest.raises(InputUnreadable, match="no record"):
        infer_contract(nothing, dataset="none")
    with pytest.raises(InputUnreadable, match="no record"):
        infer_contract({"a": []}, dataset="none")


def test_a_number_too_long_for_a_decimal_is_text() -> None:
    assert "type: text" in infer_contract({"n": ["1" * 40, "2.5"]}, dataset="long")


def test_a_text_longer_than_a_field_may_be_is_counted_and_the_draft_stays_valid() -> None:
    texts: list[str | None] = ["x" * (TEXT_LENGTH_MAX + 1), "y" * TEXT_LENGTH_MAX]
    drafted = infer_contract({"id": ["1", "2"], "story": texts}, dataset="long-stories")
    assert Contract.from_yaml(drafted.encode()).fields[1].length == TEXT_LENGTH_MAX
    assert "1 values of the sample do not fit" in drafted
