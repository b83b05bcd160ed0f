"""Pages of program libraries that only loading them needed, given back to the system.

Relocating and initialising Arrow, numpy and the rest brings some eighty megabytes of their files
into an adapter's memory, of which its work needs a third. Those pages are clean copies of files:
the system brings back what is touched again, and the rest is room for the department's other
programs.
"""

import ctypes
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MAPS: Final = Path("/proc/self/smaps")
_DONTNEED: Final = 4
"""``MADV_DONTNEED`` of <sys/mman.h>."""
_KIB: Final = 1024
_SMALL_KIB: Final = 64
"""Not worth a call."""
_CHANGED: Final = frozenset({"Anonymous:", "Private_Dirty:", "Shared_Dirty:", "Swap:"})


@dataclass(slots=True)
class _Mapping:
    start: int
    end: int
    rights: str
    file: str
    resident_kib: int = 0
    changed_kib: int = 0
    """Pages that differ from the file, those that relocation wrote among them, swapped out or not.

    Giving back a swapped one would lose what it held: the file has no relocated addresses.
    """

    @property
    def may_go(self) -> bool:
        """Whether all that is resident can be read from the file again."""
        library = ".so" in Path(self.file).name
        unchanged = "w" not in self.rights and self.rights.endswith("p") and not self.changed_kib
        return library and unchanged and self.resident_kib >= _SMALL_KIB


def give_back_library_pages() -> int:
    """Bytes given back; 0 where the system does not tell what is mapped.

    For an adapter, once it has loaded what it works with. Costs some milliseconds. No other thread
    may load a library meanwhile: while that happens, its pages seem to be what they are not yet.
    """
    if sys.platform != "linux":
        return 0
    try:
        maps = _MAPS.read_text("utf-8", "replace").splitlines()
    except OSError:
        return 0
    advise = ctypes.CDLL(None).madvise
    given = 0
    for one in _mappings(maps):
        size = one.end - one.start
        if one.may_go and advise(ctypes.c_void_p(one.start), ctypes.c_size_t(size), _DONTNEED) == 0:
            given += one.resident_kib * _KIB
    return given


def _mappings(lines: Iterable[str]) -> Iterator[_Mapping]:
    """What ``/proc/self/smaps`` lists (proc_pid_smaps(5))."""
    current: _Mapping | None = None
    for line in lines:
        name, _, rest = line.partition(" ")
        if not name.endswith(":"):
            if current is not None:
                yield current
            start, _, end = name.partition("-")
            rights, _, _, _, *file = rest.split(maxsplit=4)
            current = _Mapping(int(start, 16), int(end, 16), rights, file[0] if file else "")
        elif current is not None and name == "Rss:":
            current.resident_kib = int(rest.split()[0])
        elif current is not None and name in _CHANGED:
            current.changed_kib += int(rest.split()[0])
    if current is not None:
        yield current
