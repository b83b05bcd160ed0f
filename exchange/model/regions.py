"""Division codes of China (GB/T 2260): names, parents, containment.

A code has 2 digits (province), 4 (city), 6 (county), 9 (town) or 12 (village); whatever begins
with a code lies inside it. ``regions.csv`` lists provinces, cities and counties; towns and villages
are known by their county. Places that skip a level have stand-ins in the table (``441900`` for
Dongguan, a city without counties; ``1101`` for the districts of Beijing), so prefixes always work.

The six-digit forms with trailing zeros (``330000``) are not codes here: they break containment.
"""

import csv
from functools import cache
from pathlib import Path
from typing import Final

from exchange.errors import NotFound

LENGTHS: Final = (2, 4, 6, 9, 12)
"""Digits of a code at each level."""


@cache
def names() -> dict[str, str]:
    """Code → Chinese name of every province, city and county."""
    with Path(__file__).with_name("regions.csv").open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(line for line in file if not line.startswith("#"))
        return {row["code"]: row["name"] for row in rows}


def contains(outer: str, inner: str) -> bool:
    """Whether ``inner`` lies in ``outer`` or is it; ``""`` contains everything."""
    return inner.startswith(outer)


def parents(code: str) -> tuple[str, ...]:
    """The codes that contain ``code``, largest first, without itself."""
    return tuple(code[:digits] for digits in LENGTHS if digits < len(code))


def is_region(code: str) -> bool:
    """Whether ``code`` names a division; "" names none."""
    shaped = len(code) in LENGTHS and code.isascii() and code.isdecimal()
    return shaped and code[:6] in names()


def check_region(code: str) -> str:
    """``code`` if it may stand in a grant or a stream; ``""`` is the whole country.

    Raises `NotFound` when the shape is wrong or the province, city or county is unknown.
    """
    if code == "" or is_region(code):
        return code
    raise NotFound(
        f"{code[:20]!r} is no region code",
        f"{code[:20]!r} 不是行政区划代码",
        remedy=(
            "use 2, 4, 6, 9 or 12 digits of GB/T 2260, without trailing zeros (33, not 330000)",
            "请使用 GB/T 2260 的 2、4、6、9 或 12 位代码，不补零（写 33，不写 330000）",
        ),
        failure="region",
    )
