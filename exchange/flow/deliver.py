"""Deliver: verified bundles off the bus, records and position into a sink in one transaction.

    messages ──► reader (verify, chain) ──► keyring (ask the hub) ──► open ──► sink ──► receipt
                 exchange/flow/reader.py    exchange/flow/keyring.py

Order that matters, and what a crash means there:

1. A message is verified and found to be the next of its stream. *Crash: read again.*
2. Its keys are asked for; the hub logs before it releases. *Crash: keys on record, nothing opened.*
3. Records and position are committed together by the sink, while the next bundles are opened.
   *Crash before: read again. After: the next start goes on behind it.*
4. A receipt is filed for what was committed. *Crash before: keys without a receipt, which an
   auditor sees until the next run passes those bundles and files for them, too.*

Nothing is skipped in silence: whatever is not delivered is counted in the `Report`, by class.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from exchange import metrics
from exchange.bus.ports import Bus, Consumer, Place
from exchange.envelope.open import VerifiedHeader, open_sections
from exchange.errors import BundleRefused
from exchange.flow.commits import Commits, Opened
from exchange.flow.forks import Forks
from exchange.flow.keyring import Denied, Keyring
from exchange.flow.marks import Marks
from exchange.flow.ports import Clock, Delivery, LedgerView, Sink
from exchange.flow.reader import Accepted, Reader
from exchange.flow.receipts import Receipts
from exchange.flow.report import Halt, Report
from exchange.flow.resume import NoResume, Resumes
from exchange.flow.subscription import Subscription

FETCH_MESSAGES: Final = 64
"""Their keys are asked for in one act; how many bytes wait is bounded by the consumer's fetch."""
COMMIT_RECORDS: Final = 20_000
"""Records after which a transaction of the sink is full: as many are being committed while as many
are being opened, and no more, so that memory stays flat."""


class Subscriber:
    """One instance of a consumer under one grant."""

    def __init__(
        self,
        *,
        subscription: Subscription,
        view: LedgerView,
        bus: Bus,
        keyring: Keyring,
        sink: Sink,
        receipts: Receipts,
        forks: Forks,
        clock: Clock,
        resume: Resumes | None = None,
    ) -> None:
        self._subscription = subscription
        self._view = view
        self._bus = bus
        self._keyring = keyring
        self._sink = sink
        self._receipts = receipts
        self._forks = forks
        self._clock = clock
        self._resume = resume or NoResume()
        self._commits = Commits(sink, self._committed)
        self._marks = Marks(sink, view, subscription.grant.dataset)
        self._stopping = asyncio.Event()
        self.report = Report()

    def stop(self) -> None:
        """Finish what is in hand and return from `run`."""
        self._stopping.set()

    async def run(self, *, follow: bool) -> Report:
        """Deliver until the end of the topic, or for ever when ``follow``, or until `stop`.

        Raises BusUnavailable and HubUnavailable with everything so far committed; run again.
        """
        await self._look()
        positions = await asyncio.to_thread(self._sink.positions)
        reader = Reader(self._subscription, self._view, positions, self.report)
        starts = reader.starts(await self._bounds(), self._resume.load(positions))
        consumer, ends = await self._consumer(starts)
        try:
            while not (stopped := self._stopping.is_set()):
                messages = await consumer.fetch(messages_max=FETCH_MESSAGES, wait_ms=100)
                if messages:
                    await self._deliver(reader, await reader.accept(messages))
                    await self._forks.file(reader.contradictions())
                if self._receipts.due:
                    await self._commits.done()
                    await self._receipts.file()
                if rewound := reader.rewind():
                    await consumer.close()
                    consumer, _ = await self._consumer(consumer.positions() | rewound)
                elif not follow and _reached(consumer, ends):
                    break
                elif not messages:
                    await self._commits.done()
                    await self._forks.file()
                    if follow:
                        reader.conclude(self._clock())
                    await self._look()
        finally:
            await consumer.close()
            try:
                await self._commits.done()
            finally:
                await self._receipts.file()
        if not stopped:
            reader.conclude(self._clock())
        self.report.stopped = stopped and not follow
        if settled := reader.settled(consumer.positions()):
            self._resume.save(settled, await asyncio.to_thread(self._sink.positions))
        return self.report

    async def _look(self) -> None:
        """Read the ledger to its end, and mark what it says is disputed."""
        await self._view.catch_up()
        self.report.disputed = await self._marks.renew()

    async def _bounds(self) -> dict[Place, tuple[int, int]]:
        dataset = self._view.registry.datasets[self._subscription.grant.dataset]
        places = [(dataset.topic, partition) for partition in range(dataset.partitions)]
        return {place: await self._bus.bounds(*place) for place in places}

    async def _consumer(self, starts: dict[Place, int]) -> tuple[Consumer, dict[Place, int]]:
        ends = {place: end for place, (_, end) in (await self._bounds()).items()}
        return await self._bus.consumer(starts, live=True), ends

    async def _deliver(self, reader: Reader, accepted: Sequence[Accepted]) -> None:
        for header in reader.repeated():
            if self._inside(header):
                self._receipts.delivered_before(header)
        inside = [one.bundle.header for one in accepted if self._inside(one.bundle.header)]
        if inside:
            await self._keyring.ensure(inside)
        waiting: list[Opened] = []
        records = 0
        for one in accepted:
            delivery = self._open(reader, one)
            if delivery is None:
                continue
            waiting.append((one.bundle.header, delivery))
            records += len(delivery.versions)
            if records >= COMMIT_RECORDS:
                await self._commits.start(waiting)
                waiting, records = [], 0
        if waiting:
            await self._commits.start(waiting)

    def _inside(self, header: VerifiedHeader) -> bool:
        said = header.header
        return self._subscription.covers_period(said.epoch_from_ms, said.epoch_to_ms)

    def _open(self, reader: Reader, accepted: Accepted) -> Delivery | None:
        """What goes into the sink; None when the stream is halted there or before."""
        bundle = accepted.bundle
        said = bundle.header.header
        if not reader.may_deliver(said.stream, said.sequence):
            return None
        if not self._inside(bundle.header):
            # Verified and chained, but sealed before or after what the grant covers: the position
            # moves on, no key is asked for, no record arrives.
            self.report.outside_period += 1
            return _delivery(accepted, {}, None, [])
        keys = self._keyring.find(bundle.header)
        if isinstance(keys, Denied):
            reader.halt(said.stream, Halt("denied", said.sequence, keys.rules, keys.entry))
            return None
        try:
            with metrics.DELIVER_OPEN.time():
                batch = open_sections(bundle, self._subscription.contract, keys)
        except BundleRefused as error:
            reader.halt(said.stream, Halt(error.failure, said.sequence))
            return None
        return _delivery(accepted, batch.columns, batch.operations, batch.versions)

    def _committed(self, opened: Sequence[Opened]) -> None:
        dataset = self._subscription.grant.dataset
        for header, delivery in opened:
            if delivery.columns:
                self._receipts.delivered(header)
                self.report.bundles += 1
                self.report.records += len(delivery.versions)
                metrics.DELIVER_BUNDLES.labels(dataset=dataset).inc()
                metrics.DELIVER_RECORDS.labels(dataset=dataset).inc(len(delivery.versions))


def _delivery(
    accepted: Accepted,
    columns: dict[str, list[Any]],
    operations: list[int] | None,
    versions: Sequence[int],
) -> Delivery:
    header = accepted.bundle.header
    return Delivery(
        stream=header.header.stream.hex(),
        previous=accepted.after,
        sequence=header.header.sequence,
        header_hash=header.hash.hex(),
        columns=columns,
        operations=operations,
        versions=versions,
    )


def _reached(consumer: Consumer, ends: dict[Place, int]) -> bool:
    return all(position >= ends[place] for place, position in consumer.positions().items())
