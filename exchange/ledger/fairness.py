"""Each member's share of a hub's appends, and denials that were given before.

A member that files trivial acts in a loop spends its own share and nobody else's; denials, which
change nothing and still cost a leaf for ever, have a much smaller share. Only authenticated acts
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
            raise RateLimited(
                f"{member} has used up its share of {self._per_s:g} a second",
                f"{member} 已用尽每秒 {self._per_s:g} 次的份额",
                remedy=("wait a moment, and ask for more in one act", "请稍候，并合并为一次请求"),
                failure="share",
            )
        bucket.left -= 1.0


@dataclass(frozen=True, slots=True)
class _Denial:
    index: int
    rules: tuple[str, ...]
    footprint: Footprint
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
        if kept is None or kept.footprint != footprint or now_ms - kept.at_ms > self._window_ms:
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
        self._kept[content] = _Denial(index, rules, footprint, now_ms)
        self._kept.move_to_end(content)
        while len(self._kept) > self._kept_max:
            self._kept.popitem(last=False)


class Fairness:
    """What one hub keeps of both."""

    def __init__(
        self,
        *,
        acts: Shares | None = None,
        denials: Shares | None = None,
        before: Denials | None = None,
    ) -> None:
        self.acts: Final = acts or Shares(per_s=ACTS_PER_S, burst=ACTS_BURST)
        self.denials: Final = denials or Shares(per_s=DENIALS_PER_S, burst=DENIALS_BURST)
        self.before: Final = before or Denials()


def _content(act: Act) -> bytes:
    """Names what is asked and by whom, whenever it is signed."""
    said = [act.member, act.instance, act.kind, act.body.to_map()]
    return hashlib.sha256(cbor.encode(said)).digest()
