"""Every metric of the Exchange, with a sentence each; nothing is measured under another name.

Counters only grow, gauges are what is true now, histograms are in seconds or bytes. Labels hold
names from closed sets or identifiers that the catalogue makes public, never a value of a record:
each label has a pattern below, and a value outside it raises `ValueError` in `labels`. That also
bounds how many series there can be.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, Self

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics import MetricWrapperBase

REGISTRY: Final = CollectorRegistry(auto_describe=True)
CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

_WORD: Final = r"[a-z][a-z0-9-]{0,39}"
LABELS: Final[Mapping[str, re.Pattern[str]]] = {
    "dataset": re.compile(r"[a-z][a-z0-9-]{1,62}"),
    "failure": re.compile(_WORD),
    "outcome": re.compile("written|not-written|unknown"),
    "reason": re.compile(_WORD),
    "route": re.compile(r"[a-z0-9/{}_.:-]{1,60}"),
    "rule": re.compile(r"[A-Z]{2,12}-[0-9]{2}|NONE"),
    "state": re.compile("due|done|late|breached|escalated|awaiting-calendar|lapsed"),
    "status": re.compile(r"[1-5][0-9]{2}"),
    "verdict": re.compile("permit|deny"),
}
"""What each label may hold."""

_FAST: Final = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
_SIZES: Final = (4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0)


def _checked(values: tuple[Any, ...], named: Mapping[str, Any]) -> None:
    if values:
        raise ValueError("name the labels: labels(dataset=…)")
    for name, value in named.items():
        if not LABELS[name].fullmatch(str(value)):
            # The value is not shown: it may be what must not be shown.
            raise ValueError(f"label {name!r} may not hold this value")


class _Checked(MetricWrapperBase):
    """A metric whose labels are given by name and obey `LABELS`."""

    def labels(self, *values: Any, **named: Any) -> Self:
        _checked(values, named)
        return super().labels(**named)


class _Counter(_Checked, Counter):
    pass


class _Gauge(_Checked, Gauge):
    pass


class _Histogram(_Checked, Histogram):
    pass


def _counter(name: str, sentence: str, *labels: str) -> Counter:
    return _Counter(f"exchange_{name}", sentence, labels, registry=REGISTRY)


def _gauge(name: str, sentence: str, *labels: str) -> Gauge:
    return _Gauge(f"exchange_{name}", sentence, labels, registry=REGISTRY)


def _seconds(name: str, sentence: str, *labels: str) -> Histogram:
    return _Histogram(
        f"exchange_{name}_seconds", sentence, labels, buckets=_FAST, registry=REGISTRY
    )


def render() -> bytes:
    """All metrics in the Prometheus text format, `CONTENT_TYPE`."""
    return generate_latest(REGISTRY)


# --- bus: Kafka as seen from this process ---
BUS_PRODUCED: Final = _counter(
    "bus_produced_total", "Messages handed to Kafka, by what is known of them.", "outcome"
)
BUS_PRODUCE: Final = _seconds("bus_produce", "From handing a message over to knowing its outcome.")
BUS_FETCHED: Final = _counter("bus_fetched_total", "Messages read from Kafka.")
BUS_DISCARDS: Final = _counter(
    "bus_producer_discards_total", "Producers thrown away after an outcome that was not written."
)
BUS_UP: Final = _gauge("bus_up", "1 if Kafka answered the last question, 0 if it did not.")

# --- ledger ---
LEDGER_ENTRIES: Final = _gauge("ledger_entries", "Entries folded so far; the next leaf's index.")
LEDGER_SKIPPED: Final = _counter(
    "ledger_skipped_total", "Messages on the ledger topic that are no valid entry.", "reason"
)
LEDGER_APPENDED: Final = _counter(
    "ledger_appended_total", "Entries of this hub read back from the log.", "verdict"
)
LEDGER_APPEND: Final = _seconds(
    "ledger_append", "From producing an entry to reading it back in its position."
)
LEDGER_REJUDGED: Final = _counter(
    "ledger_rejudged_total", "Entries whose verdict did not hold at its position."
)
LEDGER_CLOCK_AHEAD: Final = _gauge(
    "ledger_clock_ahead_seconds", "This hub's clock minus the broker's; negative is behind."
)
# --- log: the ledger as it is published (exchange/ledger/LOG-SPEC.md) ---
LOG_SIZE: Final = _gauge("log_checkpoint_entries", "Entries under the newest checkpoint.")
LOG_SEALED_AT: Final = _gauge(
    "log_checkpoint_timestamp_seconds", "When the newest checkpoint was published (Unix time)."
)
LOG_UNSEALED: Final = _gauge("log_unsealed_entries", "Entries folded and under no checkpoint yet.")
LOG_SEAL: Final = _seconds("log_seal", "Writing, signing and publishing one checkpoint.")
LOG_COSIGNATURES_MISSING: Final = _gauge(
    "log_cosignatures_missing", "Witnesses of the policy that have not cosigned the newest head."
)
LOG_WITNESS_ERRORS: Final = _counter(
    "log_witness_errors_total", "Requests to witnesses that brought no cosignature.", "failure"
)
REFUSALS: Final = _counter("refusals_total", "Denials, by the rule that decided.", "rule")

# --- release ---
RELEASE: Final = _seconds("release", "From a key request to its signed answer.")
RELEASE_ITEMS: Final = _counter(
    "release_items_total", "Streams and epochs asked for, by verdict.", "verdict"
)
RELEASE_KEYS: Final = _counter("release_section_keys_total", "Section keys handed over.")

# --- hub ---
HUB_REQUESTS: Final = _counter("hub_requests_total", "HTTP requests.", "route", "status")
HUB_REQUEST: Final = _seconds("hub_request", "HTTP requests, from first to last byte.", "route")
HUB_LIMITED: Final = _counter("hub_limited_total", "Requests turned away by the rate limit.")
HUB_UNDER_WAY: Final = _gauge("hub_requests_under_way", "HTTP requests being answered now.")
HUB_READY: Final = _gauge("hub_ready", "1 while this hub may append and release.")

# --- duties ---
DUTIES: Final = _gauge(
    "duties", "Duties that the ledger gives rise to, by state and by each rule.", "state", "rule"
)
DUTIES_AWAITING: Final = _gauge(
    "duties_awaiting_calendar",
    "Duties whose term needs a year of working days that nobody has adopted.",
)

# --- publish ---
PUBLISH_RECORDS: Final = _counter(
    "publish_records_total", "Records that passed their contract.", "dataset"
)
PUBLISH_REJECTED: Final = _counter(
    "publish_rejected_records_total", "Records that their contract refused.", "dataset"
)
PUBLISH_BUNDLES: Final = _counter("publish_bundles_total", "Bundles sealed.", "dataset")
PUBLISH_BUNDLE_BYTES: Final = _Histogram(
    "exchange_publish_bundle_bytes", "Sealed bundles.", buckets=_SIZES, registry=REGISTRY
)
PUBLISH_SEAL: Final = _seconds("publish_seal", "Sealing one bundle.")
PUBLISH_RESENT: Final = _counter("publish_resent_total", "Bundles of the spool sent again.")

# --- deliver ---
DELIVER_RECORDS: Final = _counter(
    "deliver_records_total", "Records committed to a sink.", "dataset"
)
DELIVER_BUNDLES: Final = _counter("deliver_bundles_total", "Bundles opened.", "dataset")
DELIVER_OPEN: Final = _seconds("deliver_open", "Verifying and opening one bundle.")
DELIVER_COMMIT: Final = _seconds("deliver_commit", "One transaction of a sink.")
DELIVER_DUPLICATES: Final = _counter(
    "deliver_duplicates_total", "Bundles that arrived again, byte for byte the same."
)
DELIVER_REFUSED: Final = _counter(
    "deliver_refused_total",
    "Messages on data topics that are no bundle of a known stream, or fail verification.",
    "failure",
)
STREAMS_HALTED: Final = _gauge(
    "deliver_streams_halted", "Streams not read further because of a hole, a fork or a break."
)
STREAMS_WITHHELD: Final = _gauge(
    "deliver_streams_withheld", "Streams whose newest anchor has been out of reach for too long."
)

ProcessCollector(namespace="exchange", registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
