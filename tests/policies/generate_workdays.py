"""policies/workdays.csv from the package that knows the State Council's notices.

``python -m tests.policies.generate_workdays`` writes it; a new year of the package changes the rule
set, so write it together with the act that adopts the set.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import chinese_calendar

from policies.workdays import written

FILE: Final = Path(__file__).parents[2] / "policies" / "workdays.csv"
FIRST: Final = 2004
LAST: Final = 2026


def content() -> str:
    """What the file must hold."""
    return "\n".join(written(_exceptions())) + "\n"


def _exceptions() -> Iterator[tuple[date, str]]:
    day = date(FIRST, 1, 1)
    while day.year <= LAST:
        counts = chinese_calendar.is_workday(day)
        if counts != (day.weekday() < 5):
            yield day, "work" if counts else "off"
        day += timedelta(days=1)


if __name__ == "__main__":
    FILE.write_text(content(), "utf-8")
