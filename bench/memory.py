"""Peak memory of another process, looked at while it runs.

Resident memory counts the pages of program libraries, which all adapters of a machine share and
the system may drop; private memory is what a process really adds. Not ``ru_maxrss``, which begins
at what the parent had when it started the process.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LOOK_S: Final = 0.02


@dataclass(slots=True)
class Peak:
    """Bytes, and processor seconds; 0 before the first look."""

    resident: int = 0
    private: int = 0
    processor_s: float = 0.0

    def look(self, pid: int) -> None:
        """Take what process ``pid`` has now; nothing if it is gone."""
        try:
            lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
            spent = Path(f"/proc/{pid}/stat").read_text("ascii").rpartition(") ")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            return
        ticks = int(spent[11]) + int(spent[12])
        self.processor_s = max(self.processor_s, ticks / os.sysconf("SC_CLK_TCK"))
        for line in lines:
            name, _, value = line.partition(":")
            if name == "VmHWM":
                self.resident = max(self.resident, int(value.split()[0]) * 1024)
            elif name == "RssAnon":
                self.private = max(self.private, int(value.split()[0]) * 1024)


@contextmanager
def watched(pid: int) -> Iterator[Peak]:
    """Look at ``pid`` until the block ends."""
    peak, over = Peak(), threading.Event()

    def watch() -> None:
        while not over.wait(LOOK_S):
            peak.look(pid)

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield peak
    finally:
        over.set()
        watching.join()
