"""``make bench``, or ``python -m bench [--quick] [--only NAME …] [--entries N]``: measure.

A whole run takes some ten minutes on two cores and wants the machine for itself. The long ledger
has 50,000 entries unless ``--entries 1000000`` asks for more. It writes raw
figures to bench/raw/ (not committed), and bench/results.json with bench/RESULTS.md made from it,
which are. With ``--only`` or ``--quick`` just the raw figures and the page on the screen, unless
``--record`` asks for both: it replaces the figures of those benchmarks and keeps the others', and
the page says when and of which commit each was measured.
"""

import argparse
import asyncio
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from bench import machine
from bench.bulk import PER_RECORD
from bench.report import render
from bench.suite import BENCHMARKS, Size, measure

_HERE: Final = Path(__file__).parent
_RESULTS: Final = _HERE / "results.json"
_PAGE: Final = _HERE / "RESULTS.md"
_RAW: Final = _HERE / "raw"


def main(arguments: list[str] | None = None) -> int:
    """Run what was asked for; 0 when it ran, whatever the figures say."""
    given = _parser().parse_args(arguments)
    size = Size.quick() if given.quick else Size.whole()
    if given.entries:
        size = replace(size, entries=given.entries)
    names = given.only or list(BENCHMARKS)
    kept = given.record or not (given.quick or given.only)
    with tempfile.TemporaryDirectory(prefix="exchange-bench-") as directory:
        results = asyncio.run(_run(Path(directory), names, size))
    results["quick"] = given.quick
    _RAW.mkdir(exist_ok=True)
    raw = _RAW / f"{results['date'].replace(':', '')}.json"
    raw.write_text(_as_text(results), "utf-8")
    if given.record and given.only and _RESULTS.is_file():
        results = beside(json.loads(_RESULTS.read_bytes()), results)
    page = render(results)
    if kept:
        _RESULTS.write_text(_as_text(results), "utf-8")
        _PAGE.write_text(page, "utf-8")
    print(page)
    return 0


def beside(earlier: dict[str, Any], fresh: dict[str, Any]) -> dict[str, Any]:
    """``fresh`` with what ``earlier`` holds of the benchmarks that ``fresh`` left out."""
    merged = dict(fresh)
    if "evidence" not in fresh["parts"]:
        merged["entries"] = earlier.get("entries", 0)
    merged["measurements"] = earlier["measurements"] | fresh["measurements"]
    merged["measurements"]["where"] = earlier["measurements"].get("where", {}) | fresh[
        "measurements"
    ].get("where", {})
    merged["parts"] = earlier.get("parts", {}) | fresh["parts"]
    missing = [name for name in BENCHMARKS if name not in merged["parts"]]
    merged["notes"] = [f"not measured: {', '.join(missing)}"] if missing else []
    return merged


def _as_text(results: dict[str, Any]) -> str:
    return json.dumps(results, ensure_ascii=False, indent=2) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few records, to see that all works")
    parser.add_argument(
        "--only", action="append", choices=list(BENCHMARKS), help="just this; may be repeated"
    )
    parser.add_argument(
        "--record", action="store_true", help="write results.json and its page with --only, too"
    )
    parser.add_argument(
        "--entries",
        type=int,
        default=0,
        help="length of the ledger for replay, reconciling and proofs; a million takes half an hour"
        " to make, once",
    )
    return parser


def partial_note(names: list[str]) -> str:
    """What a page says of a run that left some benchmarks out."""
    return f"only a part was run: {', '.join(name for name in BENCHMARKS if name in names)}"


async def _run(directory: Path, names: list[str], size: Size) -> dict[str, Any]:
    notes = [] if names == list(BENCHMARKS) else [partial_note(names)]
    before = machine.described()
    measured, kafka = await measure(directory, names, size, notes)
    return {
        **before,
        "kafka": kafka,
        "records": size.records,
        "entries": size.entries,
        "rounds": size.rounds,
        "per_record": min(PER_RECORD, size.records),
        "notes": notes,
        "parts": {
            name: {
                "date": before["date"],
                "commit": before["commit"],
                "load_before": before["machine"]["load_before"],
            }
            for name in BENCHMARKS
            if name in names
        },
        "measurements": measured,
    }


if __name__ == "__main__":
    sys.exit(main())
