"""Exam results drawn from a seed. Nobody in them exists; see README.md beside this file.

The same number of records always gives the same records, so that a run can be checked against its
source after the fact. Columns come as the text a department's export would hold.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

SEED: Final = 20_260_601
ROOM_MAX: Final = 1_000_000
"""Ticket numbers have six digits."""

CITIES: Final = (
    "3301", "3302", "3303", "3304", "3305", "3306", "3307", "3308", "3309", "3310", "3311",
)  # fmt: skip
"""The prefecture-level cities of Zhejiang (GB/T 2260)."""
_SEAT: Final = (
    "330102", "330203", "330302", "330402", "330502", "330602", "330702", "330802", "330902",
    "331002", "331102",
)  # fmt: skip
"""One district of each city, for the resident IDs."""
_EXAMS: Final = ("A", "B", "C", "D")
_SURNAMES: Final = tuple("王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹")
_GIVEN: Final = tuple("伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华玉兰红建国志文")
_WEIGHTS: Final = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
"""GB 11643: weight of each of the 17 digits before the check character."""
_CHECKS: Final = np.array(list("10X98765432"))
PASS_MARK: Final = 60.0

Numbers = NDArray[np.int64]


def exam_results(records: int) -> dict[str, list[Any]]:
    """``records`` results (1 to `ROOM_MAX`) as text columns by field name of exam-results.yaml."""
    if not 1 <= records <= ROOM_MAX:
        raise ValueError(f"between 1 and {ROOM_MAX} records, not {records}")
    draw = np.random.default_rng(SEED)
    city = draw.integers(0, len(CITIES), records)
    written = np.round(np.clip(draw.normal(66, 12, records), 0, 100), 1)
    practice = np.round(np.clip(draw.normal(64, 13, records), 0, 100), 1)
    place = np.empty(records, dtype=np.int64)
    place[np.argsort(-(written + practice), kind="stable")] = np.arange(1, records + 1)
    passed = (written >= PASS_MARK) & (practice >= PASS_MARK)
    return {
        "ticket": [f"26{CITIES[c]}{number:06d}" for number, c in enumerate(city)],
        "exam": [_EXAMS[i] for i in draw.integers(0, len(_EXAMS), records)],
        "sat_on": [f"2026-06-{day:02d}" for day in draw.choice([13, 14, 20, 21], records)],
        "city": [CITIES[c] for c in city],
        "passed": ["true" if one else "false" for one in passed],
        "written": [f"{score:.1f}" for score in written],
        "practice": [f"{score:.1f}" for score in practice],
        "place": [str(number) for number in place],
        "candidate": _names(draw, records),
        "resident_id": _resident_ids(draw, city),
    }


def _names(draw: np.random.Generator, records: int) -> list[str]:
    surnames = draw.integers(0, len(_SURNAMES), records)
    first = draw.integers(0, len(_GIVEN), records)
    second = draw.integers(0, len(_GIVEN), records)
    return [
        _SURNAMES[s] + _GIVEN[a] + _GIVEN[b]
        for s, a, b in zip(surnames, first, second, strict=True)
    ]


def _resident_ids(draw: np.random.Generator, city: Numbers) -> list[str]:
    """Valid check characters; births 1900 to 1909, see README.md."""
    records = len(city)
    year = draw.integers(1900, 1910, records)
    month = draw.integers(1, 13, records)
    day = draw.integers(1, 29, records)
    serial = draw.integers(1, 1000, records)
    bodies = [
        f"{_SEAT[c]}{y}{m:02d}{d:02d}{s:03d}"
        for c, y, m, d, s in zip(city, year, month, day, serial, strict=True)
    ]
    digits = np.frombuffer("".join(bodies).encode(), dtype=np.uint8).reshape(records, 17) - 48
    checks = _CHECKS[(digits.astype(np.int64) @ _WEIGHTS) % 11]
    return [body + str(check) for body, check in zip(bodies, checks, strict=True)]
