"""Disputed records marked for their readers: the ledger's open objections, put into the sink."""

import asyncio

from exchange.flow.ports import LedgerView, Sink
from exchange.registry.state import Registry

Disputed = tuple[tuple[int, str, int], ...]
"""(version, objection in hex, since when in ms), one a record and objection."""


def disputed(registry: Registry, dataset: str) -> Disputed:
    """Every record of ``dataset`` that an open objection names, by version."""
    rows = (registry.objections[name] for name in registry.objections_open.get(dataset, ()))
    return tuple(
        sorted((version, row.id.hex(), row.filed_ms) for row in rows for version in row.versions)
    )


class Marks:
    """Keeps the marks of one dataset in one sink as the ledger has them."""

    def __init__(self, sink: Sink, view: LedgerView, dataset: str) -> None:
        self._sink = sink
        self._view = view
        self._dataset = dataset
        self._known: Disputed | None = None

    async def renew(self) -> int:
        """Write them if they differ from what this has written; how many records there are."""
        now = disputed(self._view.registry, self._dataset)
        if now != self._known:
            await asyncio.to_thread(self._sink.mark, now)
            self._known = now
        return len({version for version, _, _ in now})
