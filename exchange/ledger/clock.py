"""Whether a hub's clock may be believed; exchange/ledger/SPEC.md section 5.

A hub whose clock is wrong must not append: its entries would carry a time nobody shares. The broker
is the second opinion; asking it costs a round trip, so its answer is kept for a minute, unless the
wall clock jumps against the monotonic one in between.
"""

import asyncio
import time
from dataclasses import dataclass
from typing import Final, Protocol

from exchange import metrics
from exchange.errors import ClockOff
from exchange.limits import HUB_CLOCK_SKEW_MS_MAX

PROBE_AGE_MS_MAX: Final = 60_000


class Clock(Protocol):
    """The two clocks of a machine, in milliseconds."""

    def now_ms(self) -> int:
        """Since the epoch (UTC); may be set, back as well."""

    def monotonic_ms(self) -> int:
        """Since some instant; never set."""


class SystemClock:
    """The clocks of this machine."""

    def now_ms(self) -> int:
        """See `Clock`."""
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        """See `Clock`."""
        return time.monotonic_ns() // 1_000_000


class TellsTime(Protocol):
    """The bus, as a second clock."""

    async def broker_time_ms(self) -> int:
        """The broker's clock now. Raises `BusUnavailable`."""


@dataclass(frozen=True, slots=True)
class _Probe:
    wall_ms: int
    monotonic_ms: int


class CheckedClock:
    """A hub's clock. `now_ms` returns a time fit for an entry, or raises `ClockOff`."""

    def __init__(self, clock: Clock, broker: TellsTime) -> None:
        self._clock = clock
        self._broker = broker
        self._probe: _Probe | None = None
        self._probing = asyncio.Lock()

    async def now_ms(self, ledger_time_ms: int) -> int:
        """The time for an entry: never before ledger time, never far from the broker's.

        Raises `ClockOff` with failure ``behind-ledger`` or ``broker``; `BusUnavailable` when the
        broker has to be asked and does not answer.
        """
        if not self._fresh():
            async with self._probing:
                if not self._fresh():
                    await self._ask()
        now_ms = self._clock.now_ms()
        if ledger_time_ms - now_ms > HUB_CLOCK_SKEW_MS_MAX:
            raise _off("behind-ledger", now_ms - ledger_time_ms)
        return max(now_ms, ledger_time_ms)

    def _fresh(self) -> bool:
        if self._probe is None:
            return False
        wall_ms = self._clock.now_ms() - self._probe.wall_ms
        passed_ms = self._clock.monotonic_ms() - self._probe.monotonic_ms
        stepped = abs(wall_ms - passed_ms) > HUB_CLOCK_SKEW_MS_MAX // 2
        return passed_ms <= PROBE_AGE_MS_MAX and not stepped

    async def _ask(self) -> None:
        self._probe = None
        before_ms, started_ms = self._clock.now_ms(), self._clock.monotonic_ms()
        broker_ms = await self._broker.broker_time_ms()
        round_trip_ms = self._clock.monotonic_ms() - started_ms
        # The broker's stamp lies somewhere within the round trip.
        early, late = before_ms - broker_ms, before_ms + round_trip_ms - broker_ms
        metrics.LEDGER_CLOCK_AHEAD.set((early + late) / 2_000)
        if early > HUB_CLOCK_SKEW_MS_MAX or late < -HUB_CLOCK_SKEW_MS_MAX:
            raise _off("broker", early if early > 0 else late)
        self._probe = _Probe(self._clock.now_ms(), self._clock.monotonic_ms())


def _off(failure: str, by_ms: int) -> ClockOff:
    whose = (
        ("the ledger", "账本时间") if failure == "behind-ledger" else ("the broker", "消息服务器")
    )
    return ClockOff(
        f"this hub's clock is {by_ms} ms off {whose[0]}; it appends nothing",
        f"本枢纽时钟与{whose[1]}相差 {by_ms} 毫秒，停止追加",
        remedy=("correct the clock (NTP)", "请校准时钟（NTP）"),
        failure=failure,
    )
