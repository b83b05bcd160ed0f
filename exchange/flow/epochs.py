"""Which stream secret seals the next bundle.

A secret serves one stream for one epoch: at most 15 minutes, bounded in bundles and bytes. A new
one starts at every process start, when the dataset's key changes, and after every revocation that
touches the dataset, so that the next bundle after it needs a key the revoked grant cannot get.
"""

from dataclasses import dataclass

from exchange.bus.outbox import Line
from exchange.envelope.seal import Epoch
from exchange.errors import NotFound
from exchange.flow.ports import Clock, LedgerView
from exchange.limits import EPOCH_MS_MAX
from exchange.model.contract import Contract


@dataclass(slots=True)
class _Current:
    epoch: Epoch
    revocations: int


class Epochs:
    """The live epochs of one instance, by stream. Secrets stay in memory and die with it."""

    def __init__(
        self, *, view: LedgerView, provider: str, clock: Clock, epoch_ms: int = EPOCH_MS_MAX
    ) -> None:
        self._view = view
        self._provider = provider
        self._clock = clock
        self._epoch_ms = min(epoch_ms, EPOCH_MS_MAX)
        self._current: dict[bytes, _Current] = {}

    def current(self, line: Line, contract: Contract) -> Epoch:
        """The epoch for the next bundle of ``line``; fresh when the old one is used up or stale.

        Raises NotFound when no dataset key stands on the ledger: adapters take keys from entries
        they verified, never from a hub's word.
        """
        now_ms = self._clock()
        registry = self._view.registry
        key = registry.dataset_key_at(line.dataset, now_ms)
        if key is None:
            raise _no_key(line.dataset)
        revocations = registry.revocations(line.dataset)
        known = self._current.get(line.stream)
        if (
            known is not None
            and known.epoch.kid == key.kid
            and known.revocations == revocations
            and not known.epoch.used_up(now_ms)
        ):
            return known.epoch
        epoch = Epoch.start(
            origin=registry.origin,
            dataset=line.dataset,
            contract_hash=contract.hash,
            provider=self._provider,
            stream=line.stream,
            region=line.region,
            kid=key.kid,
            public=key.public,
            from_ms=now_ms,
            to_ms=min(now_ms + self._epoch_ms, key.valid_to_ms),
        )
        self._current[line.stream] = _Current(epoch, revocations)
        return epoch


def _no_key(dataset: str) -> NotFound:
    return NotFound(
        f"dataset {dataset} has no key on the ledger that is valid now",
        f"账本上没有数据集 {dataset} 当前有效的密钥",
        remedy=(
            f"the authority runs: exchange keys init {dataset}",
            f"请主管部门执行：exchange keys init {dataset}",
        ),
        failure="dataset-key",
    )
