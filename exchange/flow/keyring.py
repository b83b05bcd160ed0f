"""A reader's keys: asked of a hub for many epochs at a time, kept while they are needed."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from exchange.envelope.open import VerifiedHeader
from exchange.flow.ports import Hub, KeysAnswered
from exchange.flow.sealedkeys import Envelope, SectionKeys, open_keys
from exchange.flow.sign import Signs
from exchange.flow.subscription import Subscription
from exchange.ledger.act import parse_act
from exchange.limits import ASK_ITEMS_MAX
from exchange.model.acts import AskItem, AskKeys

EPOCHS_KEPT: Final = 4_096
"""Epochs whose keys a reader holds in memory; older ones are asked for again."""

StreamEpoch = tuple[bytes, bytes]
"""(stream, epoch)."""


@dataclass(frozen=True, slots=True)
class Denied:
    """A hub's signed word that an epoch's keys are not for this grant, and under which rules."""

    rules: tuple[str, ...]
    entry: int


class Keyring:
    """Section keys of one subscription, by (stream, epoch)."""

    def __init__(
        self,
        *,
        hub: Hub,
        signs: Signs,
        kid: bytes,
        unwrap: Callable[[bytes, bytes, bytes], bytes],
        subscription: Subscription,
    ) -> None:
        self._hub = hub
        self._signs = signs
        self._kid = kid
        self._unwrap = unwrap
        self._subscription = subscription
        self._kept: OrderedDict[StreamEpoch, SectionKeys | Denied] = OrderedDict()

    async def ensure(self, headers: Iterable[VerifiedHeader]) -> None:
        """Ask for the epochs of ``headers`` that are not known yet; one act a window."""
        missing: dict[StreamEpoch, VerifiedHeader] = {}
        for header in headers:
            place = (header.header.stream, header.header.epoch)
            if place not in self._kept:
                missing.setdefault(place, header)
        wanted = list(missing.values())
        for start in range(0, len(wanted), ASK_ITEMS_MAX):
            await self._ask(wanted[start : start + ASK_ITEMS_MAX])

    def find(self, header: VerifiedHeader) -> SectionKeys | Denied:
        """The keys of the header's epoch, or the denial; `ensure` has asked before."""
        place = (header.header.stream, header.header.epoch)
        self._kept.move_to_end(place)
        return self._kept[place]

    async def _ask(self, headers: Sequence[VerifiedHeader]) -> None:
        body = AskKeys(
            grant=self._subscription.grant.id,
            purpose=self._subscription.grant.purpose,
            items=tuple(self._item(header) for header in headers),
        )
        raw = self._signs.sign(body)
        answered = await self._hub.ask(raw, [header.raw for header in headers])
        self._keep(headers, answered, parse_act(raw).id)

    def _item(self, header: VerifiedHeader) -> AskItem:
        said = header.header
        return AskItem(
            stream=said.stream,
            epoch=said.epoch,
            header=header.hash,
            contract=said.contract,
            from_ms=said.epoch_from_ms,
            to_ms=said.epoch_to_ms,
            levels=self._subscription.levels,
            sequence=said.sequence,
        )

    def _keep(self, headers: Sequence[VerifiedHeader], answered: KeysAnswered, act: bytes) -> None:
        admitted = answered.admitted
        permitted = [
            item for item in range(len(headers)) if admitted.permit and item not in answered.refused
        ]
        envelope = Envelope(
            origin=self._signs.origin,
            consumer=f"{self._signs.member}/{self._signs.instance}",
            kid=self._kid,
            act=act,
            index=admitted.index,
            entry_hash=admitted.entry_hash,
            sections=dict.fromkeys(permitted, self._subscription.levels),
        )
        keys = (
            open_keys(answered.sealed, unwrap=self._unwrap, envelope=envelope) if permitted else {}
        )
        for item, header in enumerate(headers):
            rules = answered.refused.get(item, admitted.rules)
            place = (header.header.stream, header.header.epoch)
            self._kept[place] = keys.get(item) or Denied(rules, admitted.index)
        while len(self._kept) > EPOCHS_KEPT:
            self._kept.popitem(last=False)
