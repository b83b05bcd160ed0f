"""Holds each guarded package to its own floor of branch coverage.

``coverage report --fail-under`` looks at the sum of all files, so a well-tested package would hide
a bad one; this prints one row a package and exits 1 when any is below. Both figures count: of all
branches, and of lines and branches together (what `coverage report` calls Cover).

Run after ``pytest --cov``::

    python -m tests.coverage_floor --percent 95 keys exchange/ledger
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Covered:
    """Counts of one package: files, lines and branches, and how many of them ran."""

    package: str
    files: int
    lines: int
    lines_run: int
    branches: int
    branches_run: int

    @property
    def branch_percent(self) -> float:
        """Branches that ran, of 100."""
        return 100.0 * self.branches_run / self.branches if self.branches else 100.0

    @property
    def percent(self) -> float:
        """Lines and branches that ran, of 100; 0 for a package nobody imported."""
        there = self.lines + self.branches
        return 100.0 * (self.lines_run + self.branches_run) / there if there else 0.0

    def reaches(self, floor: float) -> bool:
        """Whether both figures are at or above ``floor``."""
        return self.files > 0 and min(self.branch_percent, self.percent) >= floor


def covered(package: str, files: Mapping[str, Mapping[str, int]]) -> Covered:
    """The counts of ``package`` among coverage's summaries by file name."""
    ours = [counts for name, counts in files.items() if name.startswith(f"{package}/")]

    def total(key: str) -> int:
        return sum(counts[key] for counts in ours)

    return Covered(
        package=package,
        files=len(ours),
        lines=total("num_statements"),
        lines_run=total("covered_lines"),
        branches=total("num_branches"),
        branches_run=total("covered_branches"),
    )


def table(rows: Iterable[Covered], floor: float) -> str:
    """One line a package, with a mark on those below the floor."""
    lines = [f"{'package':<22}{'files':>6}{'branches':>10}{'both':>8}"]
    for row in rows:
        mark = "" if row.reaches(floor) else f"  below {floor:g} %"
        lines.append(
            f"{row.package:<22}{row.files:>6}{row.branch_percent:>9.1f}%{row.percent:>7.1f}%{mark}"
        )
    return "\n".join(lines)


def measured() -> Mapping[str, Mapping[str, int]]:
    """What ``.coverage`` holds, as summaries by file name relative to the top."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "coverage.json"
        command = [sys.executable, "-m", "coverage", "json", "--quiet", "-o", str(report)]
        subprocess.run(command, check=True)
        files = json.loads(report.read_text("utf-8"))["files"]
    return {name: file["summary"] for name, file in files.items()}


def main() -> int:
    """0 when every package reaches the floor, else 1."""
    parser = argparse.ArgumentParser(description="branch coverage, package by package")
    parser.add_argument("--percent", type=float, required=True)
    parser.add_argument("packages", nargs="+")
    options = parser.parse_args()
    files = measured()
    rows = [covered(package, files) for package in options.packages]
    sys.stdout.write(table(rows, options.percent) + "\n")
    return 0 if all(row.reaches(options.percent) for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
