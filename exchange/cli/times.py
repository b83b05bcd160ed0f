"""Moments as people write them on the command line, and as tables show them."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from exchange.errors import UsageError

DAY_MS: Final = 86_400_000
_SPAN: Final = re.compile(r"\+([0-9]{1,5})(d|h|m)")
_DURATION: Final = re.compile(r"([0-9]{1,5})(d|h|m|s)")
_UNITS: Final = {"d": DAY_MS, "h": 3_600_000, "m": 60_000, "s": 1_000}


def moment_ms(text: str, *, now_ms: int) -> int:
    """``2026-12-31``, ``2026-12-31T08:00+08:00``, ``now`` or ``+30d`` in ms since the epoch.

    A date without a time begins at 00:00 UTC. Raises `UsageError`.
    """
    if text == "now":
        return now_ms
    if span := _SPAN.fullmatch(text):
        return now_ms + int(span[1]) * _UNITS[span[2]]
    try:
        if len(text) == 10:
            moment = datetime.combine(date.fromisoformat(text), time(), UTC)
        else:
            moment = datetime.fromisoformat(text)
    except ValueError:
        raise _unclear(text) from None
    if moment.tzinfo is None:
        raise _unclear(text)
    return int(moment.timestamp() * 1000)


def duration_ms(text: str) -> int:
    """``15m``, ``1d``, ``2h`` or ``30s`` in milliseconds. Raises `UsageError`."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise UsageError(
            f"{text[:40]!r} is no length of time",
            f"{text[:40]!r} 不是有效的时长",
            remedy=("write 30s, 15m, 2h or 1d", "请写成 30s、15m、2h 或 1d"),
            failure="duration",
        )
    return int(found[1]) * _UNITS[found[2]]


def span_ms(since: str, until: str, *, now_ms: int) -> tuple[int, int]:
    """The first and the last millisecond of a search; "" is unbounded.

    A date stands for the whole day in the local zone, as `shown` shows it. Raises `UsageError`.
    """
    first = _local_day_ms(since, now_ms=now_ms) if since else 0
    last = _last_ms(until, now_ms=now_ms) if until else 1 << 62
    if first > last:
        raise UsageError(
            f"--from {since[:40]} is after --to {until[:40]}",
            f"--from {since[:40]} 晚于 --to {until[:40]}",
            remedy=("write the earlier one with --from", "请将较早的时间写在 --from"),
            failure="span",
        )
    return first, last


def _last_ms(text: str, *, now_ms: int) -> int:
    if len(text) != 10:
        return moment_ms(text, now_ms=now_ms)
    try:
        following = date.fromordinal(_day(text).toordinal() + 1)
    except ValueError:
        raise _unclear(text) from None
    return _local_day_ms(following.isoformat(), now_ms=now_ms) - 1


def _local_day_ms(text: str, *, now_ms: int) -> int:
    if len(text) != 10:
        return moment_ms(text, now_ms=now_ms)
    return int(datetime.combine(_day(text), time()).astimezone().timestamp() * 1000)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _unclear(text) from None


def shown(time_ms: int | None) -> str:
    """A moment in the local zone, to the second."""
    if time_ms is None:
        return ""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S%z")


def stated(seconds: int) -> str:
    """A time that a signature states, for people; "-" where it states none."""
    return shown(seconds * 1000) if seconds else "-"


def _unclear(text: str) -> UsageError:
    return UsageError(
        f"{text[:40]!r} is no moment",
        f"{text[:40]!r} 不是有效的时间",
        remedy=(
            "write 2026-12-31, 2026-12-31T08:00+08:00, now, or +30d (also h, m)",
            "请写成 2026-12-31、2026-12-31T08:00+08:00、now 或 +30d（也可用 h、m）",
        ),
        failure="moment",
    )
