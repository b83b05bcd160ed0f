"""What the numbers were measured on, and of which commit."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

PACKAGES: Final = ("aiokafka", "confluent-kafka", "cryptography", "joserfc", "orjson", "zstandard")
_ROOT: Final = Path(__file__).parents[1]


def described() -> dict[str, Any]:
    """For results.json, before the run: commit, date, machine and its load, versions."""
    return {
        "commit": _git("rev-parse", "HEAD"),
        "changed": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "processor": _after_colon("/proc/cpuinfo", "model name"),
            "cores": os.cpu_count(),
            "memory": _after_colon("/proc/meminfo", "MemTotal"),
            "system": platform.platform(),
            "load_before": [round(one, 2) for one in os.getloadavg()],
        },
        "versions": {"python": platform.python_version()}
        | {name: version(name) for name in PACKAGES},
    }


def _git(*words: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(_ROOT), *words], capture_output=True, text=True, check=False
    )
    return done.stdout.strip()


def _after_colon(file: str, name: str) -> str:
    for line in Path(file).read_text("utf-8").splitlines():
        if line.startswith(name):
            return line.partition(":")[2].strip()
    return "unknown"
