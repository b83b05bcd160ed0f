"""Metrics explain themselves, and their labels cannot hold a record's value."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import Counter, Metric
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.parser import text_string_to_metric_families

from exchange import metrics


def families() -> Iterator[Metric]:
    """What a scraper reads, ours only."""
    for family in text_string_to_metric_families(metrics.render().decode()):
        if family.name.startswith("exchange_") and "_process_" not in family.name:
            yield family


def test_every_metric_has_a_sentence() -> None:
    found = list(families())
    assert len(found) > 30
    for family in found:
        assert re.fullmatch(r"[A-Z0-9].{8,}\.", family.documentation), family.name


def test_every_metric_is_moved_by_the_product() -> None:
    own = Path(metrics.__file__)
    product = "".join(path.read_text("utf-8") for path in own.parent.rglob("*.py") if path != own)
    defined = {name for name, it in vars(metrics).items() if isinstance(it, MetricWrapperBase)}
    assert {name for name in defined if not re.search(rf"\b{name}\b", product)} == set()


def test_durations_are_in_seconds_and_sizes_in_bytes() -> None:
    units = {family.name.rsplit("_", 1)[1] for family in families() if family.type == "histogram"}
    assert units == {"seconds", "bytes"}


def test_a_labelled_count_is_rendered() -> None:
    metrics.DELIVER_REFUSED.labels(failure="chain-broken").inc()
    assert b'exchange_deliver_refused_total{failure="chain-broken"} 1.0' in metrics.render()


@pytest.mark.parametrize(
    ("metric", "label", "value"),
    [
        (metrics.PUBLISH_RECORDS, "dataset", "330102199003072316"),
        (metrics.DELIVER_REFUSED, "failure", "张三"),
        (metrics.REFUSALS, "rule", "because 330102199003072316"),
        (metrics.HUB_REQUESTS, "route", "/acts?id=1"),
        (metrics.BUS_PRODUCED, "outcome", "maybe"),
    ],
    ids=["dataset", "failure", "rule", "route", "outcome"],
)
def test_a_label_refuses_what_is_none_of_its_names_and_does_not_repeat_it(
    metric: Counter, label: str, value: str
) -> None:
    others = {"status": "200"} if label == "route" else {}
    with pytest.raises(ValueError, match=label) as caught:
        metric.labels(**{label: value}, **others)
    assert value not in str(caught.value)


def test_labels_are_given_by_name() -> None:
    with pytest.raises(ValueError, match="name the labels"):
        metrics.BUS_PRODUCED.labels("written")


def test_histograms_and_gauges_obey_too() -> None:
    with pytest.raises(ValueError, match="route"):
        metrics.HUB_REQUEST.labels(route="?")
    metrics.HUB_READY.set(1)
    assert b"exchange_hub_ready 1.0" in metrics.render()
