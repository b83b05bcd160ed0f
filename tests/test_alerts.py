"""The alert rules that ship can be read, and name metrics that exist."""

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from exchange import metrics
from tests.test_metrics import families

FOLDER: Final = Path(__file__).parents[1] / "deploy" / "alerts"
FILES: Final = sorted(FOLDER.glob("*.yml"))
_METRIC: Final = re.compile(r"\bexchange_[a-z_]+")
_LABEL: Final = re.compile(r"([a-z_]+)\s*(?:=~|!~|!=|=)\s*\"([^\"]*)\"")


def rules() -> list[dict[str, Any]]:
    found = [yaml.safe_load(file.read_text("utf-8")) for file in FILES]
    return [rule for file in found for group in file["groups"] for rule in group["rules"]]


def test_there_are_alerts() -> None:
    names = [rule["alert"] for rule in rules()]
    assert {"DutyBreached", "DutyAwaitingCalendar", "HubNotReady", "StreamHalted"} <= set(names)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_names_metrics_and_labels_that_exist(rule: dict[str, Any]) -> None:
    assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"[0-9]+[smh]", rule["for"])
    assert set(rule["annotations"]) == {"summary", "summary_zh"}
    named = set(_METRIC.findall(rule["expr"]))
    assert named
    assert named <= {
        f"{family.name}_total" if family.type == "counter" else family.name for family in families()
    }
    for label, pattern in _LABEL.findall(rule["expr"]):
        for value in pattern.split("|"):
            assert metrics.LABELS[label].fullmatch(value), value
