"""Division codes: names, parents, containment, and what is no code."""

import pytest

from exchange.errors import NotFound
from exchange.model.regioncolumn import known_prefixes
from exchange.model.regions import check_region, contains, names, parents


def test_the_table_has_every_province_city_and_county() -> None:
    assert len(names()) == 34 + 342 + 2978
    assert names()["330102"] == "上城区"
    assert known_prefixes(2).sum() == 34


def test_a_prefix_contains_what_begins_with_it() -> None:
    assert contains("33", "330102001051")
    assert contains("3301", "3301")
    assert contains("", "33")
    assert not contains("3301", "33")
    assert not contains("3302", "330102")


def test_parents_are_the_shorter_codes() -> None:
    assert parents("330102001051") == ("33", "3301", "330102", "330102001")
    assert parents("33") == ()


@pytest.mark.parametrize("code", ["", "33", "3301", "330102", "330102001", "441900003001"])
def test_a_known_code_is_accepted(code: str) -> None:
    assert check_region(code) == code


@pytest.mark.parametrize("code", ["3", "330", "99", "330000", "３３", "33a", " 33", "33\n"])
def test_anything_else_is_refused_with_the_remedy(code: str) -> None:
    with pytest.raises(NotFound) as caught:
        check_region(code)
    assert caught.value.failure == "region"
    assert "330000" in caught.value.remedy.en
