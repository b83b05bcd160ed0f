"""What loading alone needed goes back to the system; what is in use, or was changed, stays."""

import subprocess
import sys
from pathlib import Path

import pytest

from exchange.wiring import librarypages
from exchange.wiring.librarypages import give_back_library_pages

_PROGRAM = """
import pyarrow.csv, pyarrow as pa
from exchange.wiring.librarypages import give_back_library_pages

def resident():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) << 10 for line in status if line.startswith("VmRSS"))

before = resident()
given = give_back_library_pages()
after = resident()
table = pa.csv.read_csv(pa.BufferReader(b"a,b\\n1,x\\n2,y\\n"))
print(before - after, given, table.num_rows, give_back_library_pages())
"""

MAPS = """\
7f00-7f10 r-xp 00000000 fe:00 1 /lib/lib with a space.so.6
Rss:                 400 kB
Shared_Dirty:          0 kB
Private_Dirty:         0 kB
Anonymous:             0 kB
7f10-7f20 r--p 00000000 fe:00 1 /lib/relocated.so
Rss:                 400 kB
Private_Dirty:       400 kB
Anonymous:           400 kB
7f20-7f30 rw-p 00000000 fe:00 1 /lib/data.so
Rss:                 400 kB
7f30-7f40 r--p 00000000 fe:00 1 /usr/share/table
Rss:                 400 kB
7f40-7f50 r--s 00000000 fe:00 1 /lib/shared.so
Rss:                 400 kB
7f50-7f60 r-xp 00000000 fe:00 1 /lib/small.so
Rss:                   4 kB
7f60-7f70 rw-p 00000000 00:00 0
Rss:                 400 kB
7f70-7f80 r-xp 00000000 00:00 0                          [vdso]
Rss:                 400 kB
7f80-7f90 r--p 00000000 fe:00 1 /lib/relocated-and-swapped-out.so
Rss:                 400 kB
Anonymous:             0 kB
Swap:                 84 kB
"""


def test_a_process_is_smaller_afterwards_and_works_as_before() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, check=True)
    smaller, given, rows, again = map(int, done.stdout.split())
    assert given > 20e6
    assert smaller > given / 2
    assert rows == 2
    assert again < given, "what the work touched came back, and nothing else"


def test_only_clean_pages_of_library_files_may_go() -> None:
    mappings = list(librarypages._mappings(MAPS.splitlines()))
    assert len(mappings) == 9
    assert [one.file for one in mappings if one.may_go] == ["/lib/lib with a space.so.6"]
    assert (mappings[0].start, mappings[0].end) == (0x7F00, 0x7F10)


def test_nothing_is_given_back_where_nothing_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(librarypages, "_MAPS", tmp_path / "smaps")
    assert give_back_library_pages() == 0
    monkeypatch.setattr(sys, "platform", "darwin")
    assert give_back_library_pages() == 0
