"""Publish: validated columns in, sealed bundles on a provider's streams out.

    columns ──► validate ──► split by region ──► seal ──► keep (durable) ──► send ──► acknowledged

Order that matters, and what a crash means there:

1. `start` brings the spool in line with the ledger (exchange/flow/lines.py), then sends what an
   earlier run kept but did not see acknowledged.
2. A bundle is sealed once. *Crash: nothing of it exists.*
3. Its bytes and its stream's new head are durable in one transaction, with those of other bundles
   that were ready (exchange/flow/keeping.py). *Crash: the next start sends these bytes.*
4. Only then is it sent, again and again until acknowledged. *Crash: sent twice, counted, dropped.*
5. `report` anchors heads on the ledger, so that readers can hold the provider to them.

``push`` may return before its records are acknowledged; ``flush`` returns after. A caller that
acknowledges to its own source does so after ``flush``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from exchange import metrics
from exchange.bus.outbox import Kept, Line, Outbox
from exchange.envelope.seal import seal
from exchange.errors import BundleRefused
from exchange.flow.epochs import Epochs
from exchange.flow.keeping import Keeping, Sealed
from exchange.flow.lines import Lines, after
from exchange.flow.ports import Clock, Hub
from exchange.flow.send import Sender
from exchange.flow.sign import Signs
from exchange.flow.split import slices, split
from exchange.flow.waiting import Waiting
from exchange.limits import BUNDLE_PLAIN_BYTES, BUNDLE_RECORDS_MAX
from exchange.model.acts import Anchor, ReportProgress
from exchange.model.batch import Batch
from exchange.model.contract import Contract
from exchange.model.validate import Rejected, validate

ANCHORS_MAX: Final = 256
"""Anchors in one progress act; more streams take more acts."""
VERSION_LAG_MS: Final = 1_000
"""How far versions may fall behind the clock; what clocks of two instances may differ by anyway."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of one call of `Publisher.push`."""

    accepted: int
    rejected: tuple[Rejected, ...]


class Publisher:
    """One instance of a provider, publishing one dataset. One task at a time may call it."""

    def __init__(
        self,
        *,
        contract: Contract,
        lines: Lines,
        epochs: Epochs,
        outbox: Outbox,
        sender: Sender,
        hub: Hub,
        signs: Signs,
        clock: Clock,
        bundle_records_max: int = BUNDLE_RECORDS_MAX,
    ) -> None:
        self._contract = contract
        self._lines = lines
        self._epochs = epochs
        self._outbox = outbox
        self._sender = sender
        self._keeping = Keeping(outbox, sender)
        self._hub = hub
        self._signs = signs
        self._clock = clock
        self._bundle_records_max = bundle_records_max
        self._waiting = Waiting()
        self._version = 0
        self._record_bytes = 64.0

    async def start(self) -> None:
        """Make the spool ready: see the module, step 1.

        Raises RuleRefused when the ledger does not let this instance publish the dataset, and
        BusUnavailable when the brokers do not take what is left from an earlier run.
        """
        await self._lines.start()
        self._version = self._outbox.version(self._contract.dataset)
        await self._sender.settle()

    async def push(
        self,
        columns: Mapping[str, Sequence[Any]],
        *,
        operations: Sequence[int] | None = None,
        first_line: int | Sequence[int] = 1,
    ) -> Pushed:
        """Validate and take in records; full bundles are sealed, kept and sent on the way.

        ``operations`` has 0 (upsert) or 1 (delete) a record; a source may give the same as a
        column ``_operation``. ``first_line`` is the line of the first record, or one line a
        record. Records that violate the contract are in `Pushed.rejected`, by line and field; the
        others go on.
        """
        checked = validate(self._contract, columns, first_line=first_line, operations=operations)
        records = len(checked.kept)
        dataset = self._contract.dataset
        metrics.PUBLISH_RECORDS.labels(dataset=dataset).inc(records)
        metrics.PUBLISH_REJECTED.labels(dataset=dataset).inc(len(checked.rejected))
        if records:
            versions = self._versions(records)
            batch = Batch(checked.columns, checked.operations, versions, scalars=True)
            for region, part in split(self._contract, batch).items():
                self._waiting.add(region, part)
                await self._seal_all(self._waiting.full(region, self._bundle_records()))
        return Pushed(records, checked.rejected)

    async def flush(self) -> None:
        """Seal what waits; return when everything so far is acknowledged by the brokers."""
        await self._seal_all(self._waiting.rest(self._bundle_records()))
        await self._keeping.done()
        await self._sender.settle()

    async def report(self) -> int:
        """Anchor the streams that moved since the last report; how many there were."""
        moved = [
            line
            for line in self._outbox.lines(self._contract.dataset)
            if line.sequence > line.reported
        ]
        for start in range(0, len(moved), ANCHORS_MAX):
            part = moved[start : start + ANCHORS_MAX]
            act = self._signs.sign(ReportProgress(anchors=tuple(_anchor(line) for line in part)))
            admitted = await self._hub.submit(act)
            self._signs.permitted(admitted, "report progress", "报告进度")
            self._outbox.reported([(line.stream, line.sequence) for line in part])
        return len(moved)

    async def close(self) -> None:
        """Wait for what is in flight; what waits unsealed is the caller's to flush first."""
        await self._keeping.close()
        await self._sender.close()
        await self._lines.close()

    def _versions(self, records: int) -> range:
        # Microseconds of the wall clock, or one more than the last if that is later: versions of
        # one provider grow across restarts, restored spools and several instances. A run of pushes
        # goes on behind its last record while it is less than `VERSION_LAG_MS` behind the clock,
        # so that a bundle's versions follow one another and take no room in it.
        now = self._clock() * 1000
        following = self._version + 1
        behind = now - following
        first = following if behind < VERSION_LAG_MS * 1000 else now
        self._version = first + records - 1
        return range(first, first + records)

    def _bundle_records(self) -> int:
        """Records that fill a bundle: by count, or by the bytes the last bundles had."""
        return max(1, min(self._bundle_records_max, int(BUNDLE_PLAIN_BYTES / self._record_bytes)))

    async def _seal_all(self, bundles: Iterable[tuple[str, Batch]]) -> None:
        """Seal ``bundles``; they are kept and sent while the next ones are sealed."""
        for region, batch in bundles:
            line = await self._lines.line(region)
            sealed: list[Sealed] = []
            for kept in self._seal(line, batch):
                sealed.append((line, kept))
                line = self._lines.moved(line, kept)
            await self._keeping.add(sealed)

    def _seal(self, line: Line, batch: Batch) -> list[Kept]:
        epoch = self._epochs.current(line, self._contract)
        try:
            with metrics.PUBLISH_SEAL.time():
                sealed = seal(
                    batch,
                    self._contract,
                    epoch,
                    sequence=line.sequence + 1,
                    previous=line.head,
                    signer=self._signs.signer,
                )
        except BundleRefused as error:
            # Records grew: what the last bundles weighed says nothing about these. One record
            # always fits, validation has seen to that.
            if error.failure != "batch-large" or batch.records == 1:
                raise
            halves: list[Kept] = []
            for half in slices(batch, (batch.records + 1) // 2):
                for kept in self._seal(line, half):
                    halves.append(kept)
                    line = after(line, kept)
            return halves
        self._record_bytes = max(1.0, sealed.plain_bytes / batch.records)
        return [
            Kept(
                stream=line.stream,
                sequence=line.sequence + 1,
                head=sealed.header_hash,
                epoch=epoch.id,
                records=batch.records,
                version_last=batch.versions[-1],
                raw=sealed.raw,
            )
        ]


def _anchor(line: Line) -> Anchor:
    return Anchor(
        stream=line.stream,
        epoch=line.epoch,
        sequence=line.sequence,
        head=line.head,
        records=line.records,
        version=line.version,
    )
