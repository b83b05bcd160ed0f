"""The wall clock, for everybody who is given a `Clock`."""

import time


def now_ms() -> int:
    """Milliseconds since the epoch (UTC)."""
    return time.time_ns() // 1_000_000
