"""Adapters stay small: neither kind of process loads the libraries that only the other needs."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("modules", "absent"),
    [
        (["exchange.cli.pull", "exchange.daemon.incoming"], {"numpy", "pyarrow"}),
        (
            ["exchange.cli.push", "exchange.daemon.pushing", "exchange.wiring.publishers"],
            {"psycopg"},
        ),
    ],
    ids=["receiving", "sending"],
)
def test_a_process_loads_only_what_it_needs(modules: list[str], absent: set[str]) -> None:
    script = f"import sys, {', '.join(modules)}; print(*{absent!r} & sys.modules.keys())"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []


_THREADS = """
import ctypes, threading
from exchange.wiring.settings import choose_allocator

choose_allocator()
for _ in range(4):
    thread = threading.Thread(target=lambda: [bytes(1_000) for _ in range(9_999)])
    thread.start()
    thread.join()
libc = ctypes.CDLL(None)
libc.malloc_info(0, ctypes.c_void_p.in_dll(libc, "stdout"))
libc.fflush(None)
"""


def test_threads_share_one_arena() -> None:
    done = subprocess.run([sys.executable, "-c", _THREADS], capture_output=True, check=True)
    assert done.stdout.count(b"<heap nr=") == 1
