"""A reader's memory has a bound that no bundle moves."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.envelope import bombs

PEAK_KIB_MAX: Final = 96 << 10
"""The bundle (4 MiB) and its copy, a section (16 MiB), what counting copies of it, some slack."""


def test_bombs_are_refused_within_the_bound(tmp_path: Path) -> None:
    made = bombs.write(tmp_path)
    done = subprocess.run(
        [sys.executable, "-m", "tests.envelope.bombs", str(tmp_path)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    refused, growth_kib = map(int, done.stdout.split())
    assert refused == made > 20
    assert growth_kib <= PEAK_KIB_MAX
