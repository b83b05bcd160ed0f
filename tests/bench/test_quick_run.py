"""The benchmarks run from end to end on few records. Times are never looked at here."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bench.__main__ import beside
from bench.report import render
from bench.suite import Size, measure
from bench.targets import TARGETS

TINY = Size(records=300, rounds=1, latencies=3, epochs=4, acts=3, seconds=0.1)


@pytest.fixture
def villages(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A stand-in for the npm package, so that no test needs a registry."""
    file = tmp_path / "villages.csv"
    lines = ["code,name,streetCode,provinceCode,cityCode,areaCode"]
    lines += [
        f"33010200{1 + n % 9}{n:03d},村{n},33010200{1 + n % 9},33,3301,330102" for n in range(400)
    ]
    file.write_text("\n".join(lines) + "\n", "utf-8")
    for module in ("bench.villages", "bench.suite"):
        monkeypatch.setattr(f"{module}.villages_file", lambda: file)
    return file


@pytest.mark.kafka
@pytest.mark.postgres
@pytest.mark.usefixtures("villages")
def test_benchmarks_that_need_no_download_run(tmp_path: Path) -> None:
    notes: list[str] = []
    names = ["open", "latency", "replay", "release", "rules"]
    found, kafka = asyncio.run(measure(tmp_path, names, TINY, notes))
    assert found["open"]["sealed"]["units"] == TINY.records
    assert found["latency"]["records"] == TINY.latencies
    assert found["replay"]["entries"] > TINY.acts
    assert found["rules"]["grants"] == TINY.state.grants
    page = render(described(found, kafka, notes))
    assert all(target.what in page for target in TARGETS)
    assert "not measured" in page


def test_a_later_part_keeps_the_figures_of_the_others() -> None:
    earlier = described({"open": {"sealed": {}}, "where": {"a": {"b": 1.0}}}, "4", ["x"])
    earlier |= {"parts": {"open": part("1" * 40)}, "entries": 7}
    fresh = described({"rules": {"grants": 3}, "where": {}}, "4", [])
    merged = beside(earlier, fresh | {"parts": {"rules": part("2" * 40)}, "entries": 9})
    assert set(merged["measurements"]) == {"open", "rules", "where"}
    assert merged["measurements"]["where"] == {"a": {"b": 1.0}}
    assert (merged["entries"], list(merged["parts"])) == (7, ["open", "rules"])
    assert "publish" in merged["notes"][0]
    parts = render({**merged, "measurements": {}}).partition("## When each was run")[2]
    assert "`111111111111`" in parts
    assert "`222222222222`" in parts


def part(commit: str) -> dict[str, Any]:
    return {"date": "2026-01-01T00:00:00+00:00", "commit": commit, "load_before": [0.1, 0.0, 0.0]}


def described(found: dict[str, Any], kafka: str, notes: list[str]) -> dict[str, Any]:
    """``found`` as a run writes it down."""
    return {
        "commit": "0" * 40,
        "changed": False,
        "date": "2026-01-01T00:00:00+00:00",
        "machine": {
            "processor": "a processor",
            "cores": 2,
            "memory": "8 GB",
            "system": "Linux",
            "load_before": [0.0, 0.0, 0.0],
        },
        "kafka": kafka,
        "versions": {"python": "3.11"},
        "records": TINY.records,
        "rounds": TINY.rounds,
        "per_record": TINY.records,
        "quick": True,
        "notes": notes,
        "measurements": found,
    }
