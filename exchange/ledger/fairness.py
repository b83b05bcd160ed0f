"""Each member's share of a hub's appends, and denials that were given before.

A member that files trivial acts in a loop spends its own share and nobody else's; denials, which
change nothing and still cost a leaf for ever, have a much smaller share. Items of key requests,
which cost a hub a millisecond each before anything is decided, are paced. Only authenticated acts
count, so nobody can spend another's. Times are monotonic milliseconds, given by the caller.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from exchange.errors import RateLimited, RuleRefused
from exchange.ledger.act import Act
from exchange.ledger.verdict import Footprint
from exchange.limits import (
    ACTS_BURST,
    ACTS_PER_S,
    DENIALS_BURST,
    DENIALS_KEPT,
    DENIALS_PER_S,
    DENIALS_WINDOW_MS,
    ITEMS_BURST,
    ITEMS_PER_S,
    ITEMS_WAIT_MS_MAX,
)
from keys import cbor


@dataclass(slots=True)
class _Bucket:
    left: float
    at_ms: int


class Shares:
    """A token bucket a member: ``per_s`` acts each second, ``burst`` at once.

    >>> shares = Shares(per_s=1.0, burst=1)
    >>> shares.take("health", 0)
    >>> shares.take("health", 1_000)
    """

    def __init__(self, *, per_s: float, burst: int) -> None:
        self._per_s = per_s
        self._burst = burst
        self._buckets: dict[str, _Bucket] = {}

    def take(self, member: str, now_ms: int) -> None:
        """Spend one act of ``member``'s share, or raise `RateLimited`."""
        bucket = self._buckets.setdefault(member, _Bucket(float(self._burst), now_ms))
        gained = (now_ms - bucket.at_ms) * self._per_s / 1_000
        bucket.left = min(float(self._burst), bucket.left + gained)
        bucket.at_ms = now_ms
        if bucket.left < 1.0:
            raise _over(member, self._per_s)
        bucket.left -= 1.0


class Pace:
    """Work by the piece: ``burst`` at once, then ``per_s``, and who wants more waits for it.

    >>> pace = Pace(per_s=100.0, burst=10, wait_ms_max=1_000)
    >>> pace.take("health", 10, 0), pace.take("health", 5, 0)
    (0, 50)
    """

    def __init__(self, *, per_s: float, burst: int, wait_ms_max: int) -> None:
        self._per_s = per_s
        self._burst = burst
        self._wait_ms_max = wait_ms_max
        self._buckets: dict[str, _Bucket] = {}

    def take(self, member: str, pieces: int, now_ms: int) -> int:
        """How long to wait, ms, before these pieces are worked on; `RateLimited` if too long."""
        bucket = self._buckets.setdefault(member, _Bucket(float(self._burst), now_ms))
        gained = (now_ms - bucket.at_ms) * self._per_s / 1_000
        bucket.left = min(float(self._burst), bucket.left + gained)
        bucket.at_ms = now_ms
        wait_ms = max(0, round((pieces - bucket.left) * 1_000 / self._per_s))
        if wait_ms > self._wait_ms_max:
            raise _over(member, self._per_s)
        bucket.left -= pieces
        return wait_ms


def _over(member: str, per_s: float) -> RateLimited:
    return RateLimited(
        f"{member} has used up its share of {per_s:g} a second",
        f"{member} 已用尽每秒 {per_s:g} 次的份额",
        remedy=("wait a moment, and ask for more in one act", "请稍候，并合并为一次请求"),
        failure="share",
    )


@dataclass(frozen=True, slots=True)
class _Denial:
    index: int
    rules: tuple[str, ...]
    footprint: bytes
    """Its hash: that of a key request has hundreds of pairs, and thousands of denials are kept."""
    at_ms: int


class Denials:
    """The newest denials, by member, kind and content.

    Asking again for what was denied, while nothing that the denial rests on has changed, is
    answered from here and leaves no second leaf.
    """

    def __init__(self, *, window_ms: int = DENIALS_WINDOW_MS, kept_max: int = DENIALS_KEPT) -> None:
        self._window_ms = window_ms
        self._kept_max = kept_max
        self._kept: OrderedDict[bytes, _Denial] = OrderedDict()

    def check(self, act: Act, footprint: Footprint, now_ms: int) -> None:
        """Raise the earlier `RuleRefused` if this act is but a denied one once more."""
        kept = self._kept.get(_content(act))
        if (
            kept is None
            or kept.footprint != _hash(footprint)
            or now_ms - kept.at_ms > self._window_ms
        ):
            return
        raise RuleRefused(
            f"refused before, see ledger entry {kept.index}: {', '.join(kept.rules)}",
            f"此前已被拒绝，见账本条目 {kept.index}：{', '.join(kept.rules)}",
            rules=kept.rules,
            remedy=(
                "change the request, or wait until what it rests on has changed",
                "请修改请求，或待相关依据变更后再试",
            ),
            failure="denied-before",
        )

    def note(
        self, act: Act, index: int, rules: tuple[str, ...], footprint: Footprint, now_ms: int
    ) -> None:
        """Remember that this act was denied at ``index`` on a state with this footprint."""
        content = _content(act)
        self._kept[content] = _Denial(index, rules, _hash(footprint), now_ms)
        self._kept.move_to_end(content)
        while len(self._kept) > self._kept_max:
            self._kept.popitem(last=False)


class Fairness:
    """What one hub keeps of all these."""

    def __init__(
        self,
        *,
        acts: Shares | None = None,
        denials: Shares | None = None,
        before: Denials | None = None,
        items: Pace | None = None,
    ) -> None:
        self.acts: Final = acts or Shares(per_s=ACTS_PER_S, burst=ACTS_BURST)
        self.denials: Final = denials or Shares(per_s=DENIALS_PER_S, burst=DENIALS_BURST)
        self.before: Final = before or Denials()
        self.items: Final = items or Pace(
            per_s=ITEMS_PER_S, burst=ITEMS_BURST, wait_ms_max=ITEMS_WAIT_MS_MAX
        )


def _content(act: Act) -> bytes:
    """Names what is asked and by whom, whenever it is signed."""
    said = [act.member, act.instance, act.kind, act.body.to_map()]
    return hashlib.sha256(cbor.encode(said)).digest()


def _hash(footprint: Footprint) -> bytes:
    return hashlib.sha256(cbor.encode(footprint)).digest()
