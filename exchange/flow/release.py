"""Hand out keys: the one place that causes a key to leave the hub.

`Releases.answer` takes a consumer's signed request and the signed bundle headers it is about, and
returns the hub's signed answer. The order is the promise, and the types keep it (SPEC.md, Order in
a hub)::

    request ──► compare items with headers ──► unwrap, check commitments ──► append ──► hand over
                      HEADER-01                     PROVIDER-01             Appended   section keys

`_hand_over` needs an `Appended`, and only a ledger's append makes one, after it has read its own
entry back from the log and found the verdict in force at that position. A crash before that leaves
no key anywhere outside; a crash after it leaves an entry for keys nobody got. The log may
over-report, never under-report.

Left to others: who may (policies, through append's decision), when (ledger time), transport (hub).
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from exchange import metrics
from exchange.envelope.commitments import section_keys
from exchange.envelope.header import Header
from exchange.envelope.open import Expected, verify_header
from exchange.errors import BundleRefused, HubUnavailable, ReleaseRefused
from exchange.flow.answer import Answer, sign_answer
from exchange.flow.ports import Clock, Unwraps
from exchange.flow.sealedkeys import Envelope, SectionKeys, seal_keys
from exchange.flow.turns import Turns
from exchange.ledger.act import Act
from exchange.ledger.append import Appended
from exchange.model.acts import AskItem, AskKeys
from exchange.registry.busrules import HEADER, PROVIDER
from exchange.registry.state import Registry
from keys.cose import Signer
from keys.errors import KeyMissing, OpenRefused

SMALL_ITEMS: Final = 16
"""Requests of more items than this wait for each other, not for or before small ones."""


class Appends(Protocol):
    """The ledger, as a hub's flows see it."""

    def authenticate(self, act: bytes) -> Act:
        """The act, if its signer may speak now. Raises ActRefused; nothing is written."""
        ...

    async def pace(self, act: Act, items: int) -> None:
        """Return when the signer of ``act`` may have that many items looked at; RateLimited."""
        ...

    async def append(
        self, act: bytes, *, refused: Mapping[int, tuple[str, ...]] | None = None
    ) -> Appended:
        """Put the act on the ledger; returns after this hub has read it back in its position.

        ``refused`` names items that this hub's own checks refuse, whatever the rules say.
        """
        ...


class Witnessed(Protocol):
    """The witnesses of the published log, as a hub's flows see them."""

    async def cover(self, index: int) -> None:
        """Return when entry ``index`` stands under a head that a quorum has cosigned.

        Raises HubUnavailable when that takes too long.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Opened:
    """What the hub's own checks found: section keys by item, refusals by item."""

    keys: Mapping[int, SectionKeys]
    refused: Mapping[int, tuple[str, ...]]


class Releases:
    """Answers key requests, log before release."""

    def __init__(
        self,
        *,
        ledger: Appends,
        registry: Registry,
        custody: Unwraps,
        signer: Signer,
        clock: Clock,
        witnessed: Witnessed | None = None,
        cosigned_levels: Collection[int] = (),
    ) -> None:
        """``cosigned_levels`` are handed over only under a head that ``witnessed`` covers."""
        self._witnessed = witnessed
        self._cosigned_levels = frozenset(cosigned_levels)
        self._ledger = ledger
        self._registry = registry
        self._custody = custody
        self._signer = signer
        self._clock = clock
        self._small, self._large = Turns(), Turns()

    async def answer(self, request: bytes, headers: Sequence[bytes]) -> bytes:
        """The signed answer to ``request``, whose item ``i`` speaks of ``headers[i]``.

        Raises ActRefused for a request that is not authentic, not in time or seen before (then
        nobody gets a key, the asker signs a new one), and ReleaseRefused for one that is no key
        request or lacks a header. Denials are answers, not exceptions: they stand on the ledger.
        """
        with metrics.RELEASE.time():
            act = self._ledger.authenticate(request)
            body = _asked(act, headers)
            await self._ledger.pace(act, len(body.items))
            # One after the other: those that come together would all be done late otherwise.
            turns = self._small if len(headers) <= SMALL_ITEMS else self._large
            async with turns.of(act.member):
                opened = await self._open_all(body.items, headers)
            appended = await self._ledger.append(request, refused=opened.refused)
            await self._cosigned(appended, body)
            return self._hand_over(appended, body, opened.keys)

    async def _open_all(self, items: Sequence[AskItem], headers: Sequence[bytes]) -> _Opened:
        keys: dict[int, SectionKeys] = {}
        refused: dict[int, tuple[str, ...]] = {}
        for index, (item, raw) in enumerate(zip(items, headers, strict=True)):
            await asyncio.sleep(0)  # between two items the rest of the hub has its turn
            try:
                header = self._matching_header(item, raw)
            except BundleRefused:
                refused[index] = (HEADER,)
                continue
            try:
                keys[index] = self._checked_keys(header, item)
            except (BundleRefused, OpenRefused):
                # The provider signed a header whose secret does not open, or opens to something
                # other than what it committed to: the denial is evidence against the provider.
                refused[index] = (PROVIDER,)
        return _Opened(keys, refused)

    def _matching_header(self, item: AskItem, raw: bytes) -> Header:
        """The header of ``raw``, if the stream's instance signed it and it agrees with ``item``.

        Everything is decided from the signed header and the ledger, never from the asker's word.
        """
        stream = self._registry.streams.get(item.stream)
        if stream is None:
            raise _mismatch("stream")
        expected = Expected(
            self._registry.origin, stream.dataset, stream.provider, stream.id, stream.region
        )
        verified = verify_header(raw, self._registry.stream_public(stream.id), expected)
        header = verified.header
        claims = (
            (verified.hash, item.header, "header"),
            (header.epoch, item.epoch, "epoch"),
            (header.contract, item.contract, "contract"),
            (header.sequence, item.sequence, "sequence"),
            ((header.epoch_from_ms, header.epoch_to_ms), (item.from_ms, item.to_ms), "interval"),
        )
        for said, wanted, name in claims:
            if said != wanted:
                raise _mismatch(name)
        if not {section.level for section in header.sections}.issuperset(item.levels):
            raise _mismatch("levels")  # the asker's mistake: no word of it against the provider
        return header

    def _checked_keys(self, header: Header, item: AskItem) -> SectionKeys:
        """The section keys asked for, after every commitment of the header was checked."""
        if not any(key.kid == header.kid for key in self._registry.dataset_keys(header.dataset)):
            raise _mismatch("kid")
        try:
            secret = self._custody.unwrap(header.kid, header.wrapped, header.epoch_context)
        except KeyMissing as error:
            raise ReleaseRefused(
                f"this hub does not hold the key of dataset {header.dataset}",
                f"本枢纽未持有数据集 {header.dataset} 的密钥",
                remedy=("restore it: exchange keys restore", "请恢复密钥：exchange keys restore"),
                failure="custody",
            ) from error
        found = section_keys(header, secret)
        return {level: found[level] for level in item.levels}

    async def _cosigned(self, appended: Appended, body: AskKeys) -> None:
        """Wait for witnesses where a level asked for needs them; without any nothing is given."""
        asked = {level for item in body.items for level in item.levels}
        if not appended.permit or asked.isdisjoint(self._cosigned_levels):
            return
        if self._witnessed is None:
            raise HubUnavailable(
                "keys of this level are handed out under a cosigned head only, and this hub has no"
                " witnesses",
                "该级别的密钥须经见证人共同签署后方可发放，而本枢纽未配置见证人",
                remedy=("set [witness] policy in exchange.toml", "请配置 [witness] policy"),
                failure="no-witness",
            )
        await self._witnessed.cover(appended.index)

    def _hand_over(
        self, appended: Appended, body: AskKeys, keys: Mapping[int, SectionKeys]
    ) -> bytes:
        """Sign the answer; wrap the keys of the items that the entry at its position permits."""
        permitted = {
            item: keys[item]
            for item in range(len(body.items))
            if appended.permit and item not in appended.refused
        }
        metrics.RELEASE_ITEMS.labels(verdict="permit").inc(len(permitted))
        metrics.RELEASE_ITEMS.labels(verdict="deny").inc(len(body.items) - len(permitted))
        metrics.RELEASE_KEYS.inc(sum(map(len, permitted.values())))
        sealed = self._sealed(appended, permitted) if permitted else b""
        return sign_answer(_answer(appended, self._clock(), sealed), self._signer)

    def _sealed(self, appended: Appended, permitted: Mapping[int, SectionKeys]) -> bytes:
        act = appended.act
        consumer = self._registry.instances[(act.member, act.instance or "")]
        envelope = Envelope(
            origin=act.origin,
            consumer=f"{act.member}/{act.instance}",
            kid=consumer.kem_kid,
            act=act.id,
            index=appended.index,
            entry_hash=appended.entry_hash,
            sections={item: tuple(sorted(levels)) for item, levels in permitted.items()},
        )
        return seal_keys(permitted, public=consumer.kem, envelope=envelope)


class Admissions:
    """Answers every other act: appended, then its verdict signed."""

    def __init__(self, *, ledger: Appends, signer: Signer, clock: Clock) -> None:
        self._ledger = ledger
        self._signer = signer
        self._clock = clock

    async def answer(self, act: bytes) -> bytes:
        """The signed answer to ``act``. A key request is refused here: it goes to `Releases`."""
        if isinstance(self._ledger.authenticate(act).body, AskKeys):
            raise ReleaseRefused(
                "a key request came without the headers it is about",
                "密钥请求缺少其所涉及的数据包头",
                remedy=("send it to /v1/keys with its headers", "请连同包头提交到 /v1/keys"),
                failure="headers",
            )
        appended = await self._ledger.append(act)
        return sign_answer(_answer(appended, self._clock(), b""), self._signer)


def _answer(appended: Appended, now_ms: int, sealed: bytes) -> Answer:
    return Answer(
        origin=appended.act.origin,
        act=appended.act.id,
        index=appended.index,
        entry_hash=appended.entry_hash,
        time_ms=now_ms,
        permit=appended.permit,
        rules=appended.rules,
        refused=appended.refused,
        sealed=sealed,
    )


def _asked(act: Act, headers: Sequence[bytes]) -> AskKeys:
    body = act.body
    if not isinstance(body, AskKeys) or len(body.items) != len(headers) or not headers:
        raise ReleaseRefused(
            "a key request needs one signed header for each of its items",
            "密钥请求的每一项都需要一个已签名的数据包头",
            remedy=("send the headers in the order of the items", "请按各项顺序附上包头"),
            failure="headers",
        )
    return body


def _mismatch(name: str) -> BundleRefused:
    return BundleRefused(
        f"the header and the request disagree on {name}",
        f"包头与请求的 {name} 不一致",
        remedy=("ask with the header as it was received", "请使用收到的原始包头"),
        failure=f"header-{name}",
    )
