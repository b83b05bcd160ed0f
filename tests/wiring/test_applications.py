"""Regions that a person types are codes of GB/T 2260, or the grant would cover nothing."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from exchange.errors import NotFound, UsageError
from exchange.registry import requests
from exchange.registry.liferows import BUILT_IN
from exchange.registry.rows import Shape
from exchange.registry.state import Registry
from exchange.wiring.applications import (
    PARTS,
    Matter,
    Wanted,
    apply,
    approve,
    openable,
    purpose_of,
    smallest,
    still_missing,
)
from exchange.wiring.homeinit import Founding, initialise
from exchange.wiring.office import Office
from exchange.wiring.passphrase import Passphrase

CONTRACT = bytes(32)


def office_with_villages() -> Office:
    """A catalogue of one dataset; nothing that is refused gets as far as a hub."""
    registry = Registry()
    registry.shapes[CONTRACT] = Shape("villages", ((1, ("code",)),), ("code",), 4)
    registry.datasets["villages"] = cast(Any, SimpleNamespace(contract_hash=CONTRACT))

    async def folded() -> Registry:
        return registry

    return cast(Office, SimpleNamespace(registry=folded, view=SimpleNamespace(registry=registry)))


def wanted(*regions: str) -> Wanted:
    return Wanted(fields=(), regions=regions, from_ms=0, to_ms=1, expires_ms=1)


@pytest.mark.parametrize("code", ["330000", "99", "33 "])
async def test_an_application_for_no_region_is_refused_with_the_remedy(code: str) -> None:
    with pytest.raises(NotFound) as caught:
        await apply(office_with_villages(), "villages", wanted("33", code), Matter("x", "y"))
    assert caught.value.failure == "region"
    assert "33, not 330000" in caught.value.remedy.en


@pytest.mark.parametrize(
    ("digits", "region", "opens"),
    [(4, "3301", True), (4, "33", True), (4, "", True), (4, "330102", False), (6, "330102", True),
     (6, "330102001", False), (0, "", True), (0, "33", False)],
)  # fmt: skip
def test_keys_open_whole_streams_and_no_part_of_one(
    digits: int, region: str, *, opens: bool
) -> None:
    shape = Shape("villages", ((1, ("code",)),), ("code",), digits)
    if opens:
        assert openable(shape, (region,)) == (region,)
        return
    with pytest.raises(UsageError) as caught:
        openable(shape, (region,))
    assert caught.value.failure == "region-split"
    assert region in caught.value.text.en


async def test_neither_does_an_answer_name_one() -> None:
    request = cast(Any, SimpleNamespace(contract_hash=CONTRACT, regions=("33",)))
    with pytest.raises(NotFound, match="330000"):
        await approve(office_with_villages(), request, wanted("330000"), price="", conditions=())


def test_a_home_of_no_region_is_not_made(tmp_path: Path) -> None:
    said = Founding(
        origin="exchange.example/1",
        authority="data-bureau",
        name_zh="数据局",
        name_en="Data Bureau",
        credit_code="11330000002482028A",
        region="330000",
        hub="hub-1",
        host="127.0.0.1",
        port=8443,
    )
    with pytest.raises(NotFound, match="330000"):
        initialise(tmp_path / "home", said, Passphrase("a long passphrase"))
    assert not (tmp_path / "home").exists()


@pytest.mark.parametrize(
    ("named", "fewest"),
    [
        (("33",), ("33",)),
        (("3301", "33"), ("33",)),
        (("330102", "3302", "3301"), ("3302", "3301")),
        (("", "33"), ("",)),
        (("33", "33"), ("33",)),
        ((), ()),
    ],
)
def test_regions_are_the_fewest_that_cover_the_place(
    named: tuple[str, ...], fewest: tuple[str, ...]
) -> None:
    assert smallest(named) == fewest


def test_a_purpose_is_named_by_code_or_title() -> None:
    registry = Registry(purposes={row.id: row for row in BUILT_IN})
    for said in ("collaboration", "业务协同", "Joint handling of a matter"):
        assert purpose_of(registry, said) == "collaboration"
    assert purpose_of(registry, "好奇") == "好奇"


def test_all_that_is_missing_is_named_in_both_languages() -> None:
    assert set(PARTS) == set(requests.PARTS)
    en, zh = still_missing(("scenario", "regions"))
    assert en == "state all that is missing: scenario (--scenario), scope: regions (--regions)"
    assert zh == "请一次补齐：使用场景（--scenario）、范围：区划（--regions）"
