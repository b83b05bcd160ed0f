"""Put on record that a provider has stated two histories of one stream.

A reader that is shown a second signed header of a sequence it has passed halts by itself. So that
every other reader halts there too, both headers go onto the ledger as `stream.fork`
(exchange/ledger/SPEC.md, section 9). The first one is looked for where the second was found: a
reader keeps hashes, not headers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import structlog

from exchange.bus.ports import Bus, Place
from exchange.envelope.open import parse_bundle, verify_header
from exchange.errors import BundleRefused, Unavailable
from exchange.flow.ports import Hub, LedgerView
from exchange.flow.sign import Signs
from exchange.model.acts import ReportFork

_LOG = structlog.get_logger(__name__)
_FETCH: Final = 64


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A signed header at odds with the one of header hash ``accepted`` before it."""

    stream: bytes
    sequence: int
    accepted: bytes
    header: bytes
    place: Place


class Forks:
    """What one reader has found and not yet filed."""

    def __init__(self, *, bus: Bus, view: LedgerView, hub: Hub, signs: Signs) -> None:
        self._bus = bus
        self._view = view
        self._hub = hub
        self._signs = signs
        self._found: list[Contradiction] = []

    async def file(self, found: Iterable[Contradiction] = ()) -> None:
        """File what was found, now or before, unless the ledger has it already.

        What the hub or Kafka is away for waits for the next call: it never stops a delivery.
        """
        self._found.extend(found)
        try:
            while self._found:
                await self._file(self._found[0])
                del self._found[0]
        except Unavailable as error:
            _LOG.warning("proof of a fork waits", failure=error.failure)

    async def _file(self, found: Contradiction) -> None:
        await self._view.catch_up()
        known = self._view.registry.forks.get(found.stream)
        if known is not None and known.sequence <= found.sequence:
            return
        first = await self._accepted(found)
        if first is None:
            _LOG.warning("fork without proof", stream=found.stream.hex(), sequence=found.sequence)
            return
        body = ReportFork(stream=found.stream, first=first, second=found.header)
        admitted = await self._hub.submit(self._signs.sign(body))
        _LOG.warning(
            "fork filed", stream=found.stream.hex(), sequence=found.sequence, entry=admitted.index
        )

    async def _accepted(self, found: Contradiction) -> bytes | None:
        """The header that was accepted first, if the topic still holds it."""
        first, end = await self._bus.bounds(*found.place)
        public = self._view.registry.stream_public(found.stream)
        consumer = await self._bus.consumer({found.place: first}, live=False)
        try:
            while consumer.positions()[found.place] < end:
                for message in await consumer.fetch(messages_max=_FETCH, wait_ms=200):
                    header = _header(message.value, public)
                    if header is not None and header[0] == found.accepted:
                        return header[1]
        finally:
            await consumer.close()
        return None


def _header(raw: bytes | None, public: bytes) -> tuple[bytes, bytes] | None:
    """Hash and bytes of the signed header in a message, if ``public`` signed it."""
    try:
        verified = verify_header(parse_bundle(raw or b"").statement.raw, public)
    except BundleRefused:
        return None
    return verified.hash, verified.raw
