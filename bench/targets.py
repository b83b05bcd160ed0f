"""The targets, and how each is read out of the measurements."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

Found = Mapping[str, Any]
"""``measurements`` of results.json: benchmark → contender or figure → number."""


@dataclass(frozen=True, slots=True)
class Target:
    """``bound`` is the least (or, with ``at_most``, the greatest) value that meets it."""

    what: str
    bound: float
    unit: str
    value: Callable[[Found], float]
    at_most: bool = False

    def met(self, value: float) -> bool:
        """Whether ``value`` is good enough."""
        return value <= self.bound if self.at_most else value >= self.bound


def ratio(benchmark: str, peer: str) -> Callable[[Found], float]:
    """How many times as many units a second as ``peer``."""

    def value(found: Found) -> float:
        runs = found[benchmark]
        return float(runs["sealed"]["per_second"] / runs[peer]["per_second"])

    return value


def figure(benchmark: str, name: str, scale: float = 1.0) -> Callable[[Found], float]:
    """One number of a benchmark."""
    return lambda found: float(found[benchmark][name]) * scale


def _wire(found: Found) -> float:
    return float(found["wire"]["sealed"] / found["wire"]["json-none"])


def _peak_mb(found: Found) -> float:
    loads = (found["load"], found["load-long"])
    return max(float(load[side]) for load in loads for side in _SIDES)


def _growth(found: Found) -> float:
    return max(float(found["load-long"][side] / found["load"][side]) for side in _SIDES)


_SIDES: Final = ("push_peak_mb", "pull_peak_mb")

TARGETS: Final = (
    Target("sealed publish, against plain aiokafka", 15, "×", ratio("publish", "aiokafka")),
    Target("sealed publish, against plain confluent-kafka", 2, "×", ratio("publish", "confluent")),
    Target("open, against plain aiokafka and JSON", 5, "×", ratio("open", "aiokafka")),
    Target("bytes on the wire, against plain JSON", 0.15, "", _wire, at_most=True),
    Target("sealed publish, against JWE + JWS a record", 100, "×", ratio("publish", "jose")),
    Target(
        "sealed publish, against field-level encryption of all fields",
        20,
        "×",
        ratio("publish", "csfle"),
    ),
    Target("one record to the sink, p50", 15, "ms", figure("latency", "p50_ms"), at_most=True),
    Target("one record to the sink, p99", 50, "ms", figure("latency", "p99_ms"), at_most=True),
    Target(
        "keys released a second and core, log before release",
        1_000,
        "/s",
        figure("release-256", "keys_per_s_core"),
    ),
    Target(
        "request for one epoch at half load, p99",
        25,
        "ms",
        figure("response-1", "p99_ms"),
        at_most=True,
    ),
    Target(
        "request for 16 epochs at half load, p99",
        25,
        "ms",
        figure("response-16", "p99_ms"),
        at_most=True,
    ),
    Target("620,573 rows from CSV to PostgreSQL", 10, "s", figure("load", "seconds"), at_most=True),
    Target("peak memory of an adapter", 150, "MB", _peak_mb, at_most=True),
    Target("peak memory, four times the volume", 1.15, "×", _growth, at_most=True),
    Target(
        "decision among a million grants, slice cached, p50",
        300,
        "µs",
        figure("rules", "cached_p50_us"),
        at_most=True,
    ),
    Target(
        "decision among a million grants, cold, p50",
        600,
        "µs",
        figure("rules", "cold_p50_us"),
        at_most=True,
    ),
    Target(
        "adding a grant to a million, decided and applied, p50",
        1,
        "ms",
        figure("rules", "apply_p50_us", 0.001),
        at_most=True,
    ),
    Target(
        "replay, act and entry checked and decided again, a second and core",
        3_000,
        "/s",
        figure("ledger-replay", "entries_per_s_core"),
    ),
    Target(
        "the same, counting one signature an entry",
        5_000,
        "/s",
        figure("ledger-replay-entries", "entries_per_s_core"),
    ),
    Target(
        "filtered search of the ledger, a page, p95",
        100,
        "ms",
        figure("ledger-search", "p95_ms"),
        at_most=True,
    ),
    Target(
        "proof of an entry, verified, p95", 20, "ms", figure("ledger-prove", "p95_ms"), at_most=True
    ),
)
