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
