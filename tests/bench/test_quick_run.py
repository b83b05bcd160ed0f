"""The benchmarks run from end to end on few records. Times are never looked at here."""

import asyncio
from pathlib import Path

import pytest

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
    page = render(
        {
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
    )
    assert all(target.what in page for target in TARGETS)
    assert "not measured" in page
