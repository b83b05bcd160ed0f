"""Run the hub of a home as a process: ``python -m tests.hub.home HOME``; the environment says more.

Prints a line when the doors are open. This is `exchange hub run` without the command line.
"""

import asyncio
import sys
from pathlib import Path

from exchange.hub.run import run_hub
from exchange.wiring.home import open_home
from exchange.wiring.passphrase import Passphrase
from exchange.wiring.settings import environment

PASSPHRASE = "a passphrase for tests"


def tell() -> None:
    """The doors are open."""
    print("open", flush=True)  # noqa: T201 - the parent waits for it


if __name__ == "__main__":
    home = open_home(Path(sys.argv[1]))
    asyncio.run(run_hub(home, environment(), Passphrase(PASSPHRASE), started=tell))
