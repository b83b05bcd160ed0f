"""A hub in a process of its own, which dies by kill -9 when it is about to hand keys over.

Run as ``python -m tests.hub.dying DIRECTORY BOOTSTRAP TOPIC NOW_MS``; prints its port when it
serves. The product has no switch for this: a collaborator is replaced through wiring.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from exchange.flow.release import Releases
from exchange.flow.sealedkeys import SectionKeys
from exchange.ledger.append import Appended
from exchange.model.acts import AskKeys
from tests.hub.ground import ground, put_together, serving


class DyingReleases(Releases):
    """Appends as ever, and is dead before a key is wrapped."""

    def _hand_over(
        self, appended: Appended, body: AskKeys, keys: Mapping[int, SectionKeys]
    ) -> NoReturn:
        assert appended.permit, appended.rules
        assert keys
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("still alive")


async def main(directory: str, bootstrap: str, topic: str, now_ms: str) -> None:
    """Serve until killed."""
    laid = ground(Path(directory), topic, int(now_ms))
    hub = put_together(laid, bootstrap)
    dying = DyingReleases(
        ledger=hub.appender,
        registry=hub.registry,
        custody=hub.custody,
        signer=hub.signer,
        clock=hub.clock.now_ms,
    )
    async with serving(laid, replace(hub, releases=dying)) as port:
        print(port, flush=True)  # noqa: T201 - the parent reads it
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
