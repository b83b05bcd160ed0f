"""Moments counted in spans of equal length, for a chart. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

COUNT_MAX: Final = 24
COUNT_MIN: Final = 6
_MINUTE: Final = 60_000
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
STEPS_MS: Final = (
    *(count * _MINUTE for count in (1, 5, 15)),
    *(count * _HOUR for count in (1, 6)),
    *(count * _DAY for count in (1, 7, 30, 91, 365, 3_650)),
)
BEIJING_MS: Final = 8 * _HOUR
"""Days begin in Beijing."""


def buckets(moments: Mapping[str, Sequence[int]]) -> dict[str, Any]:
    """Counts by span: ``start`` and ``step`` in ms, and a list of counts under each name.

    The span is the shortest of `STEPS_MS` that needs at most `COUNT_MAX` of them; there are at
    least `COUNT_MIN`, with what happened in the middle. Nothing at all gives no spans.
    """
    every = [moment for some in moments.values() for moment in some]
    if not every:
        return {"start": 0, "step": 0, "series": {name: [] for name in moments}}
    first, last = min(every), max(every)
    step = next(
        (step for step in STEPS_MS if _number(last, step) - _number(first, step) < COUNT_MAX),
        STEPS_MS[-1],
    )
    base = _number(first, step)
    count = _number(last, step) - base + 1
    if count < COUNT_MIN:
        base -= (COUNT_MIN - count) // 2
        count = COUNT_MIN
    series = {name: [0] * count for name in moments}
    for name, some in moments.items():
        for moment in some:
            series[name][_number(moment, step) - base] += 1
    return {"start": base * step - BEIJING_MS, "step": step, "series": series}


def _number(moment: int, step: int) -> int:
    return (moment + BEIJING_MS) // step
