"""The whole way of a bulk load: a CSV file to rows in PostgreSQL, and what memory it takes.

The provider's side is the command line, ``exchange push``, as a process; the subscriber follows in
another. The clock starts before Python does and stops when the last commit has returned.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from typing import Final

from bench.follower import follower
from bench.installation import PROVIDER, Installation, Shared
from bench.memory import Peak, watched

_ROOT: Final = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Load:
    """One load: records, seconds from start to last commit, and peak memory of both adapters."""

    records: int
    seconds: float
    push_seconds: float
    push_peak_mb: float
    push_private_mb: float
    pull_peak_mb: float
    pull_private_mb: float
    push_processor_s: float
    pull_processor_s: float


async def load(site: Installation, file: Path, conninfo: str, *, name: str, records: int) -> Load:
    """Push ``file`` (a header and ``records`` lines) while a subscriber follows."""
    shared = await site.dataset(name)
    async with follower(site, shared, conninfo) as running:
        began_ns = time.monotonic_ns()
        push = await asyncio.to_thread(_push, site, shared, file)
        pushed_ns = time.monotonic_ns()
        await running.delivered(records)
    return Load(
        records=records,
        seconds=(running.last_ns - began_ns) / 1e9,
        push_seconds=(pushed_ns - began_ns) / 1e9,
        push_peak_mb=push.resident / 1e6,
        push_private_mb=push.private / 1e6,
        pull_peak_mb=running.peak.resident / 1e6,
        pull_private_mb=running.peak.private / 1e6,
        push_processor_s=push.processor_s,
        pull_processor_s=running.peak.processor_s,
    )


def _push(site: Installation, shared: Shared, file: Path) -> Peak:
    """Run ``exchange push``; its peak memory."""
    command = [sys.executable, "-m", "exchange.cli", "--home", str(site.home.path)]
    command += ["--as", PROVIDER, "--json", "push", shared.contract.dataset, str(file)]
    with (
        subprocess.Popen(command, stdout=subprocess.DEVNULL, cwd=_ROOT) as pushing,
        watched(pushing.pid) as peak,
    ):
        code = pushing.wait()
    if code:
        raise RuntimeError(f"exchange push ended with {code}")
    return peak


@contextmanager
def repeated(file: Path, records: int, folder: Path) -> Iterator[Path]:
    """The CSV ``file`` cut, or continued from its start again, to so many records."""
    header, *lines = file.read_bytes().splitlines(keepends=True)
    made = folder / f"{file.stem}-{records}.csv"
    with made.open("wb") as target:
        target.write(header)
        target.writelines(islice(cycle(lines), records))
    try:
        yield made
    finally:
        made.unlink()
