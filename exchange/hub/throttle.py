"""What a hub remembers of strangers: refusals by address, and tokens that were used.

Members' shares of appends are exchange/ledger/fairness.py's. An address is nobody's identity, so
its table is bounded and forgets the addresses seen longest ago.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from exchange.errors import RateLimited

ADDRESSES_MAX: Final = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at_s: float


class Refusals:
    """``per_s`` refusals a second for each address, ``burst`` at once. ``now_s`` is monotonic."""

    def __init__(self, *, per_s: float, burst: int, now_s: Callable[[], float]) -> None:
        self._per_s = per_s
        self._burst = float(burst)
        self._now_s = now_s
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def check(self, address: str) -> None:
        """Raise `RateLimited` while ``address`` has used up its refusals; counts nothing."""
        if self._bucket(address).left < 1.0:
            raise RateLimited(
                "this address was refused too often of late",
                "该地址近期被拒绝的请求过多",
                remedy=("wait as Retry-After says", "请按 Retry-After 等待后重试"),
                failure="address",
            )

    def count(self, address: str) -> None:
        """Count one refusal."""
        bucket = self._bucket(address)
        bucket.left = max(0.0, bucket.left - 1.0)

    def _bucket(self, address: str) -> _Bucket:
        now_s = self._now_s()
        bucket = self._buckets.get(address)
        if bucket is None:
            bucket = self._buckets[address] = _Bucket(self._burst, now_s)
            if len(self._buckets) > ADDRESSES_MAX:
                self._buckets.popitem(last=False)
        bucket.left = min(self._burst, bucket.left + (now_s - bucket.at_s) * self._per_s)
        bucket.at_s = now_s
        self._buckets.move_to_end(address)
        return bucket


class Nonces:
    """Nonces used lately; a token works once.

    What is over its member's share is not noted, so shares times the token's age bound the memory.
    """

    def __init__(self, *, keep_ms: int) -> None:
        self._keep_ms = keep_ms
        self._until_ms: OrderedDict[tuple[str, bytes], int] = OrderedDict()

    def used(self, member: str, nonce: bytes, now_ms: int) -> bool:
        """Whether this nonce of this member is still remembered."""
        while self._until_ms and next(iter(self._until_ms.values())) < now_ms:
            self._until_ms.popitem(last=False)
        return (member, nonce) in self._until_ms

    def note(self, member: str, nonce: bytes, now_ms: int) -> None:
        """Remember it for as long as a token with it could be accepted."""
        self._until_ms[member, nonce] = now_ms + self._keep_ms
