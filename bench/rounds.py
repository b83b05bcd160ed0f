"""Rounds: contenders take turns, so that whatever else the machine does disturbs all of them.

Every contender runs once unmeasured, then once a round; what counts is the median of its rounds.
"""

import gc
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

Run = Callable[[], Awaitable[int]]
"""Does the work once; how many records (keys, entries) it was."""

WARM_UPS: Final = 1


@dataclass(slots=True)
class Measured:
    """What one contender did: seconds of each round, and units of work in a round."""

    units: int = 0
    seconds: list[float] = field(default_factory=list)

    @property
    def per_second(self) -> float:
        """Units a second, by the median round."""
        return self.units / statistics.median(self.seconds)

    def as_json(self) -> dict[str, object]:
        """For results.json."""
        return {
            "units": self.units,
            "seconds": [round(one, 4) for one in self.seconds],
            "per_second": round(self.per_second, 1),
        }


async def interleaved(runs: Mapping[str, Run], rounds: int) -> dict[str, Measured]:
    """Run every contender ``rounds`` times in turn, in an order that reverses each round."""
    measured = {name: Measured() for name in runs}
    for number in range(-WARM_UPS, rounds):
        order = list(runs)[:: 1 if number % 2 else -1]
        for name in order:
            gc.collect()
            began = time.perf_counter()
            units = await runs[name]()
            seconds = time.perf_counter() - began
            if number >= 0:
                measured[name].units = units
                measured[name].seconds.append(seconds)
    return measured


def quantile(values: list[float], share: float) -> float:
    """The value that ``share`` (0 to 1) of ``values`` do not pass."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
