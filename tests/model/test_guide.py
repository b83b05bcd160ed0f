"""Codes, credit codes, formats and modes, as the national guide has them."""

from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.model.acttypes import Reason
from exchange.model.checkdigits import credit_codes_checked, credit_codes_shaped
from exchange.model.creditcode import ALPHABET, WIDTH, credit_code_valid
from exchange.model.guide import code_valid, mode_fits, modes_of
from exchange.model.reasons import REASONS


@pytest.mark.parametrize("code", ["307001/000001", "103001/1", "3070010101/000001"])
def test_a_resource_code_has_class_item_heading_and_sequence(code: str) -> None:
    assert code_valid(code)


@pytest.mark.parametrize(
    "code",
    ["", "307001", "30701/000001", "307001/", "/000001", "3/07/001", "330000/A001", "307001/0 1",
     "307001／000001", "３07001/000001", "307001/000001\n"],
)  # fmt: skip
def test_anything_else_is_none(code: str) -> None:
    assert not code_valid(code)


@pytest.mark.parametrize("code", ["113300000024820075", "91350100M000100Y43"])
def test_a_credit_code_has_a_check_character(code: str) -> None:
    assert credit_code_valid(code)


@pytest.mark.parametrize(
    "code",
    ["", "113300000024820076", "11330000002482007", "11330000002482007K1", "91350100I000100Y43",
     "１13300000024820075", "11330000002482007厅"],
)  # fmt: skip
def test_a_mistyped_one_is_found(code: str) -> None:
    assert not credit_code_valid(code)


@pytest.mark.parametrize(
    ("form", "modes"),
    [
        ("数据库", ("table", "api")),
        ("数据库/Oracle", ("table", "api")),
        ("达梦", ("table", "api")),
        ("KingbaseES", ("table", "api")),
        ("电子文件", ("file",)),
        ("电子表格/xlsx", ("file",)),
        ("图形图像", ("file",)),
        ("CSV", ("file",)),
        ("自描述格式", ("table", "api", "file")),
        ("", ("table", "api", "file")),
    ],
)
def test_files_go_as_files_and_databases_as_tables(form: str, modes: tuple[str, ...]) -> None:
    assert modes_of(form) == modes


def test_a_mode_that_nobody_states_fits() -> None:
    assert mode_fits("数据库", "")
    assert mode_fits("数据库", "api")
    assert not mode_fits("数据库", "file")
    assert not mode_fits("电子文件", "table")


def test_every_reason_has_its_words() -> None:
    assert {"", *REASONS} == set(get_args(Reason))
    assert all(text.en and text.zh for text in REASONS.values())


@given(st.text(alphabet=ALPHABET + "IOx", min_size=18, max_size=18), st.sampled_from(ALPHABET))
def test_one_code_is_judged_as_a_column_of_them(code: str, check: str) -> None:
    for one in (code, code[:2] + "330000" + code[8:17] + check):
        matrix = np.frombuffer(one.encode(), dtype=np.uint8).reshape(1, WIDTH)
        column = bool(credit_codes_shaped(matrix)[0] and credit_codes_checked(matrix)[0])
        assert credit_code_valid(one) is column
