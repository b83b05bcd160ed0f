"""Deleting old process logs of a home: only whole files, only after the ledger has said so.

A log file is old when its newest line is. The file that a process writes to now is never touched,
and the ledger is no log: nothing here can reach it.
"""

from pathlib import Path

from exchange.wiring.home import Home
from exchange.wiring.processes import Background


def old_logs(home: Home, before_ms: int) -> list[Path]:
    """The log files of which every line is older than ``before_ms``, sorted."""
    return [
        file
        for file in sorted((home.path / "log").glob("*.log*"))
        if file.is_file()
        and file.stat().st_mtime * 1_000 < before_ms
        and not (file.suffix == ".log" and _runs(home, file.stem))
    ]


def _runs(home: Home, process: str) -> bool:
    return Background(process, home.pid_file(process), home.console_file(process)).pid() is not None


def delete_logs(files: list[Path]) -> None:
    """Delete them; one that is gone already is no mistake."""
    for file in files:
        file.unlink(missing_ok=True)
