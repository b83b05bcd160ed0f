"""Which stream carries which region: continue the one in the spool, or open a new one.

A stream goes on only if this spool is where the stream ends. A restored backup or a cloned machine
is behind: its anchor on the ledger is further, or the topic holds a bundle of the stream that the
spool does not know. Sealing on would make a second bundle for a sequence number, so such a stream
is retired and a new one opened that names it as its predecessor (decision 10). So is the stream of
an earlier registration of this instance, and one that is proven to have two histories.
"""

from dataclasses import replace
from typing import Final

from exchange.bus.outbox import Kept, Line, Outbox
from exchange.bus.ports import Bus
from exchange.envelope.open import parse_bundle
from exchange.errors import BundleRefused, NotFound, RuleRefused, UsageError
from exchange.flow.ports import Hub, LedgerView
from exchange.flow.sign import Signs
from exchange.model.acts import OpenStream
from exchange.model.contract import Contract
from exchange.registry.rows import Dataset

_FETCH: Final = 64


class Lines:
    """The streams in use of one dataset and one instance."""

    def __init__(
        self,
        *,
        contract: Contract,
        view: LedgerView,
        hub: Hub,
        bus: Bus,
        outbox: Outbox,
        signs: Signs,
    ) -> None:
        self._view = view
        self._hub = hub
        self._bus = bus
        self._outbox = outbox
        self._signs = signs
        self._contract = contract
        self._lines: dict[str, Line] = {}
        self._predecessors: dict[str, bytes] = {}

    async def start(self) -> None:
        """Check the dataset against the ledger; keep the streams that this spool may continue."""
        await self._view.catch_up()
        self._published(self._contract)
        for line in self._outbox.lines(self._contract.dataset):
            if await self._ends_here(line):
                self._lines[line.region] = line
            else:
                self._retire(line)

    async def line(self, region: str) -> Line:
        """The stream for ``region``; opened on the ledger if there is none but a forked one."""
        held = self._lines.get(region)
        if held is not None and held.stream in self._view.registry.forks:
            self._retire(held)
            held = None
        if held is None:
            held = self._lines[region] = await self._open(region)
        return held

    def moved(self, line: Line, kept: Kept) -> Line:
        """``line`` as it stands after ``kept``, which is sealed and on its way into the spool."""
        self._lines[line.region] = after(line, kept)
        return self._lines[line.region]

    async def close(self) -> None:
        """Note how far the topic is known, so that the next start scans only what came later."""
        for topic, partition in {(line.topic, line.partition) for line in self._lines.values()}:
            if not self._outbox.unsent(most=1):
                _, end = await self._bus.bounds(topic, partition)
                self._outbox.scan_to(topic, partition, end)

    def _published(self, contract: Contract) -> Dataset:
        dataset = self._view.registry.datasets.get(contract.dataset)
        if dataset is None or dataset.status != "published":
            raise _unpublished(contract.dataset)
        if dataset.provider != self._signs.member:
            raise RuleRefused(
                f"{contract.dataset} is provided by {dataset.provider}, not {self._signs.member}",
                f"{contract.dataset} 的提供方是 {dataset.provider}，不是 {self._signs.member}",
                rules=("OWN-01",),
                remedy=("push as its provider", "请以提供方身份推送"),
            )
        if dataset.contract_hash != contract.hash:
            raise UsageError(
                f"this contract of {contract.dataset} is not the one in the catalogue",
                f"{contract.dataset} 的合约与目录中登记的不一致",
                remedy=(
                    "use the contract of: exchange catalogue show, or propose the new one",
                    "请使用 exchange catalogue show 所示合约，或提出修订",
                ),
                failure="contract-hash",
            )
        return dataset

    def _retire(self, line: Line) -> None:
        """Seal nothing more on ``line``; the next stream of its region names it."""
        self._outbox.retire(line.stream)
        self._lines.pop(line.region, None)
        self._predecessors[line.region] = line.stream

    async def _ends_here(self, line: Line) -> bool:
        registry = self._view.registry
        stream = registry.streams.get(line.stream)
        # By its key, not by its name: headers of a stream verify under the registration that opened
        # it, so what a new registration of the same name sealed there, nobody would read.
        if stream is None or stream.kid != self._signs.signer.kid:
            return False
        if line.stream in registry.forks:
            return False
        anchor = registry.newest_anchor(line.stream)
        if anchor is not None and (
            anchor.sequence > line.sequence
            or (anchor.sequence == line.sequence and anchor.head != line.head)
        ):
            return False
        return not await self._topic_knows_more(line)

    async def _topic_knows_more(self, line: Line) -> bool:
        """Whether the topic holds a bundle of this stream that the spool never kept."""
        first, end = await self._bus.bounds(line.topic, line.partition)
        place = (line.topic, line.partition)
        consumer = await self._bus.consumer(
            {place: min(max(first, self._outbox.scanned(*place)), end)}, live=False
        )
        try:
            while consumer.positions()[place] < end:
                for message in await consumer.fetch(messages_max=_FETCH, wait_ms=200):
                    if _sequence_in(message.value, line.stream) > line.sequence:
                        return True
        finally:
            await consumer.close()
        return False

    async def _open(self, region: str) -> Line:
        dataset = self._published(self._contract)
        partition = sum(region.encode()) % dataset.partitions
        body = OpenStream(
            dataset=dataset.id,
            region=region,
            topic=dataset.topic,
            partition=partition,
            predecessor=self._predecessors.get(region),
        )
        admitted = await self._hub.submit(self._signs.sign(body))
        self._signs.permitted(admitted, "open a stream", "开启数据流")
        await self._view.wait_for(admitted.act)
        return self._outbox.adopt(admitted.act, dataset.id, region, dataset.topic, partition)


def after(line: Line, kept: Kept) -> Line:
    """``line`` as it will stand after ``kept``."""
    return replace(
        line,
        sequence=kept.sequence,
        head=kept.head,
        epoch=kept.epoch,
        records=line.records + kept.records,
        version=kept.version_last,
    )


def _sequence_in(raw: bytes | None, stream: bytes) -> int:
    """The sequence a message claims within ``stream``; -1 for anything else.

    Not verified: a lie costs a new stream, nothing more.
    """
    if raw is None:
        return -1
    try:
        header = parse_bundle(raw).header
    except BundleRefused:
        return -1
    return header.sequence if header.stream == stream else -1


def _unpublished(dataset: str) -> NotFound:
    return NotFound(
        f"dataset {dataset} is not published in the catalogue",
        f"数据集 {dataset} 未在目录中发布",
        remedy=("see: exchange catalogue list", "请查看：exchange catalogue list"),
        failure="dataset",
    )
