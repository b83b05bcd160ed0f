"""File receipts: the consumer's signed word on what it opened and delivered.

Runs of consecutive bundles are put together, many streams in one act, at most one act in
``every_ms`` while bundles keep coming and one when the reader stops. What an earlier run delivered
and did not live to file for is filed by the next one (exchange/flow/receipted.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from exchange.envelope.open import VerifiedHeader
from exchange.flow.ports import Clock, Hub
from exchange.flow.sign import Signs
from exchange.flow.subscription import Subscription
from exchange.model.acts import FileReceipt, ReceiptItem

ITEMS_MAX: Final = 256
EVERY_MS: Final = 30_000


@dataclass(slots=True)
class _Run:
    stream: bytes
    first: int
    last: int
    head: bytes
    records: int


class Receipts:
    """Receipts of one subscription into one kind of sink (``sink``: a slug such as postgres).

    ``filed`` gives the last sequence of a stream that a receipt on the ledger names, -1 for none.
    """

    def __init__(
        self,
        *,
        hub: Hub,
        signs: Signs,
        subscription: Subscription,
        sink: str,
        clock: Clock,
        filed: Callable[[bytes], int],
        every_ms: int = EVERY_MS,
    ) -> None:
        self._hub = hub
        self._signs = signs
        self._subscription = subscription
        self._sink = sink
        self._clock = clock
        self._every_ms = every_ms
        self._filed = filed
        self._made_up: dict[bytes, int] = {}
        self._due_ms = clock() + every_ms
        self._runs: list[_Run] = []
        self._growing: dict[bytes, _Run] = {}

    def delivered(self, header: VerifiedHeader) -> None:
        """Note that the bundle of ``header`` was opened and committed."""
        said = header.header
        run = self._growing.get(said.stream)
        if run is None or said.sequence != run.last + 1:
            run = _Run(said.stream, said.sequence, said.sequence, header.hash, 0)
            self._growing[said.stream] = run
            self._runs.append(run)
        run.last, run.head = said.sequence, header.hash
        run.records += said.records

    def delivered_before(self, header: VerifiedHeader) -> None:
        """Note that the sink had the bundle of ``header`` when this run began."""
        said = header.header
        known = max(self._filed(said.stream), self._made_up.get(said.stream, -1))
        if said.sequence > known:
            self._made_up[said.stream] = said.sequence
            self.delivered(header)

    @property
    def due(self) -> bool:
        """Whether the last receipt is long enough ago or an act is full."""
        full = len(self._runs) >= ITEMS_MAX
        return full or (bool(self._runs) and self._clock() >= self._due_ms)

    async def file(self) -> None:
        """File what stands; nothing if nothing was delivered.

        Raises HubUnavailable; what is not filed yet still stands then.
        """
        self._growing.clear()
        while runs := self._runs[:ITEMS_MAX]:
            body = FileReceipt(
                grant=self._subscription.grant.id,
                purpose=self._subscription.grant.purpose,
                sink=self._sink,
                items=tuple(self._item(run) for run in runs),
            )
            await self._hub.submit(self._signs.sign(body))
            del self._runs[: len(runs)]
        self._due_ms = self._clock() + self._every_ms

    def _item(self, run: _Run) -> ReceiptItem:
        return ReceiptItem(
            stream=run.stream,
            first=run.first,
            last=run.last,
            head=run.head,
            records=run.records,
            levels=self._subscription.levels,
        )
