"""Bundles of a provider's instance that has stopped: proven first, read afterwards.

A stolen key can sign a header with any date after the instance was retired. What was there before
is what an anchor on the ledger leads to: the reader first walks the chain of headers, opening
nothing, and only a chain that ends in that anchor is read (exchange/ledger/SPEC.md, section 9).
Pure: no I/O, no clock.
"""

from exchange.bus.ports import Place
from exchange.flow.chain import Chain, Step
from exchange.registry.tracks import AnchorRow


class Probation:
    """The walk of one stream from a reader's position to the newest anchor."""

    def __init__(self, chain: Chain, anchor: AnchorRow | None) -> None:
        self._walk = Chain(chain.stream, chain.sequence, chain.head)
        self._anchor = anchor
        self._first: tuple[Place, int] | None = None
        self.proven = False

    def walk(
        self, sequence: int, previous: bytes, header_hash: bytes, at: tuple[Place, int]
    ) -> tuple[Place, int] | None:
        """Take the next header; where to read from once the chain is proven, None until then."""
        anchor = self._anchor
        if anchor is None or self._walk.judge(sequence, previous, header_hash) is not Step.NEXT:
            return None
        self._walk.advance(sequence, header_hash)
        self._first = self._first or at
        if sequence == anchor.sequence and header_hash == anchor.head:
            self.proven = True
            return self._first
        return None
