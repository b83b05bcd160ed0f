"""Prohibitions that the rule set only tells of, told by adapters: nobody reads their entries.

::

    async with warned(office):
        await job(office, stop)

A rule in mode ``warn`` permits and stands on the entry (policies/SPEC.md 2.7). A command names it
on the terminal; a long-running adapter writes it into its log, each rule once a run.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import structlog

from exchange.wiring.lawbook import warnings_of
from exchange.wiring.office import Office

LOOK_S: Final = 2.0
"""Between two looks at what was permitted; whoever reads the log is in no hurry."""

_LOG = structlog.get_logger(__name__)


@asynccontextmanager
async def warned(office: Office) -> AsyncIterator[None]:
    """Tell of warnings while the adapter works, and of the last ones when it ends."""
    told: set[str] = set()
    looking = asyncio.create_task(_look(office, told))
    try:
        yield
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking
        tell(office, told)


async def _look(office: Office, told: set[str]) -> None:
    while True:
        tell(office, told)
        await asyncio.sleep(LOOK_S)


def tell(office: Office, told: set[str]) -> None:
    """Log each warning that is not among ``told`` yet, and note it there."""
    for row in warnings_of(office.hub.permitted_by, office.view):
        if row.id not in told:
            told.add(row.id)
            _LOG.warning(
                "permitted with a warning",
                rule=f"{row.id} {row.badge}".strip(),
                reason=row.title_en,
                outcome="the rule set only tells of this prohibition",
            )
