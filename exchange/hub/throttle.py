"""Shares: how many requests a second each member, or each unknown address, may make.

A token bucket a name, in a table that forgets the names seen longest ago, so that inventing names
costs the inventor nothing else and the hub no memory.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from exchange.errors import RateLimited

NAMES_MAX = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at_s: float


class Shares:
    """``per_s`` requests a second for each name, ``burst`` at once. ``now_s`` is monotonic."""

    def __init__(self, *, per_s: float, burst: int, now_s: Callable[[], float]) -> None:
        self._per_s = per_s
        self._burst = float(burst)
        self._now_s = now_s
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, name: str) -> None:
        """Count one request of ``name``, or raise `RateLimited`."""
        self.check(name)
        self.spend(name)

    def spend(self, name: str) -> None:
        """Count one request of ``name`` that is over and done with."""
        bucket = self._bucket(name)
        bucket.left = max(0.0, bucket.left - 1.0)

    def check(self, name: str) -> None:
        """Raise `RateLimited` if ``name`` has used up its share; counts nothing."""
        if self._bucket(name).left < 1.0:
            raise RateLimited(
                f"more than {self._per_s:g} requests a second",
                f"请求超过每秒 {self._per_s:g} 次",
                remedy=("wait as Retry-After says", "请按 Retry-After 等待后重试"),
                failure="share",
            )

    def _bucket(self, name: str) -> _Bucket:
        now_s = self._now_s()
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = _Bucket(self._burst, now_s)
            if len(self._buckets) > NAMES_MAX:
                self._buckets.popitem(last=False)
        bucket.left = min(self._burst, bucket.left + (now_s - bucket.at_s) * self._per_s)
        bucket.at_s = now_s
        self._buckets.move_to_end(name)
        return bucket


class Nonces:
    """Nonces used lately; a token works once. Memory is bounded by shares times the token's age."""

    def __init__(self, *, keep_ms: int) -> None:
        self._keep_ms = keep_ms
        self._until_ms: OrderedDict[tuple[str, bytes], int] = OrderedDict()

    def use(self, member: str, nonce: bytes, now_ms: int) -> bool:
        """True the first time; False for a nonce of this member that is still remembered."""
        while self._until_ms and next(iter(self._until_ms.values())) < now_ms:
            self._until_ms.popitem(last=False)
        if (member, nonce) in self._until_ms:
            return False
        self._until_ms[member, nonce] = now_ms + self._keep_ms
        return True
