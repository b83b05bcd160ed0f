"""Where the bars of a report's charts stand; the page draws them. Pure, in units of the drawing."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from exchange.audit.buckets import BEIJING_MS

WIDTH: Final = 640
HEIGHT: Final = 190
_LEFT: Final = 44
_BOTTOM: Final = 26
_TOP: Final = 12
_LABELS_MAX: Final = 8
_TICKS: Final = 4
_DAY_MS: Final = 86_400_000
_ROW: Final = 26
_NAME: Final = 190
_NUMBER: Final = 90
BARS_MAX: Final = 10


@dataclass(frozen=True, slots=True)
class Rect:
    """One bar; ``kind`` is its series."""

    x: float
    y: float
    width: float
    height: float
    kind: str


@dataclass(frozen=True, slots=True)
class Label:
    """A text at a place."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawing ``width`` by ``height``; ``lines`` are the y of horizontal lines."""

    width: float
    height: float
    rects: tuple[Rect, ...]
    labels: tuple[Label, ...]
    marks: tuple[Label, ...]
    lines: tuple[float, ...]


def columns(activity: dict[str, Any]) -> Chart | None:
    """Counts over time, a group of columns a span; None if nothing happened."""
    series: dict[str, list[int]] = activity["series"]
    count = max((len(values) for values in series.values()), default=0)
    if not count:
        return None
    top = _round_up(max(max(values) for values in series.values()))
    ground = HEIGHT - _BOTTOM
    scale = (ground - _TOP) / top
    group = (WIDTH - _LEFT) / count
    width = min(22.0, group * 0.8 / len(series))
    rects = tuple(
        Rect(
            round(_LEFT + at * group + group / 2 + (place - len(series) / 2) * width, 2),
            round(ground - value * scale, 2),
            round(width * 0.92, 2),
            round(value * scale, 2),
            name,
        )
        for place, (name, values) in enumerate(series.items())
        for at, value in enumerate(values)
        if value
    )
    every = math.ceil(count / _LABELS_MAX)
    labels = tuple(
        Label(
            round(_LEFT + at * group + group / 2, 2),
            HEIGHT - 8,
            _moment(activity["start"] + at * activity["step"], activity["step"]),
        )
        for at in range(0, count, every)
    )
    steps = sorted({top * part // _TICKS for part in range(_TICKS + 1)})
    marks = tuple(
        Label(_LEFT - 8, round(ground - step * scale + 3.5, 2), f"{step:,}") for step in steps
    )
    lines = tuple(round(ground - step * scale, 2) for step in steps)
    return Chart(WIDTH, HEIGHT, rects, labels, marks, lines)


def bars(rows: Iterable[tuple[str, int, str]]) -> Chart | None:
    """The largest of (name, number, series) as horizontal bars; None if there are none."""
    largest: Sequence[tuple[str, int, str]] = sorted(
        (row for row in rows if row[1]), key=lambda row: (-row[1], row[0], row[2])
    )[:BARS_MAX]
    if not largest:
        return None
    scale = (WIDTH - _NAME - _NUMBER) / largest[0][1]
    rects, labels, marks = [], [], []
    for at, (name, number, kind) in enumerate(largest):
        y = at * _ROW
        length = max(1.0, round(number * scale, 2))
        rects.append(Rect(_NAME, y + 5, length, _ROW - 10, kind))
        labels.append(Label(_NAME - 8, y + _ROW / 2 + 4, name))
        marks.append(Label(_NAME + length + 6, y + _ROW / 2 + 4, f"{number:,}"))
    height = len(largest) * _ROW
    return Chart(WIDTH, height, tuple(rects), tuple(labels), tuple(marks), ())


def _round_up(value: int) -> int:
    """The next of 4, 8, 12, 20, 40, 80, 120, 200, …: divisible by the ticks."""
    unit = 4
    while True:
        for times in (1, 2, 3):
            if value <= unit * times:
                return unit * times
        unit = unit * 5 if unit % 3 else unit
        if value <= unit:
            return unit
        unit *= 2


def _moment(start_ms: int, step_ms: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=start_ms + BEIJING_MS)
    if step_ms < _DAY_MS:
        return moment.strftime("%m-%d %H:%M")
    return moment.strftime("%Y-%m" if step_ms > 30 * _DAY_MS else "%m-%d")
