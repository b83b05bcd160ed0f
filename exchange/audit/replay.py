"""The ledger folded once more from entry 0, believing nothing that it can check. Pure.

Every signature is verified, of entries and of acts; every verdict is decided again with the rule
set in force at its position and compared with what the hub wrote down. Nothing is kept of an entry
once it is folded, so memory is that of the state, whatever the length of the ledger::

    replay = Replay(pin, fold, verifiers)
    for messages in source:
        replay.take(messages)
    replay.finish()
    replay.result().disputed

Signatures are checked by ``verifiers`` while this process folds (exchange/ledger/ahead.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from exchange.bus.ports import Message
from exchange.errors import CheckFailed
from exchange.ledger.ahead import BATCH, Ahead
from exchange.ledger.genesis import Root, read_genesis
from exchange.ledger.leaves import Checked, Junk, Leaves
from exchange.ledger.verdict import Folded, RefusedItems, Verdict
from exchange.registry.fold import RegistryFold
from exchange.registry.statehash import state_hash
from keys.verifiers import Verifiers

SHOWN_MAX: Final = 1_000
"""Differences that are kept to be shown, of each kind; all are counted."""

Why = Literal["disputed", "overtaken"]


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict as it is compared: recorded by a hub, or decided here."""

    permit: bool
    rules: tuple[str, ...]
    refused_items: RefusedItems


@dataclass(frozen=True, slots=True)
class Difference:
    """Entry ``index``, where what ``hub`` recorded is not what was decided here.

    ``disputed``: the hub saw this very state, and the rules do not give its verdict: it lied or
    erred, and every fold has to take its word. ``overtaken``: another entry came in between, so the
    verdict was decided anew by everybody, as it must be.
    """

    index: int
    hub: str
    why: Why
    recorded: Decision
    decided: Decision


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a whole replay found; counts are of entries."""

    entries: int
    root: bytes
    state: bytes
    time_ms: int
    members: int
    grants: int
    denials: int
    disputed: int
    overtaken: int
    rejudged: int
    """Verdicts that did not hold where they came to stand: those overtaken, and those that come to
    the same when they are decided anew."""
    differences: tuple[Difference, ...]
    void: dict[str, int]
    junk: dict[str, int]


@dataclass(slots=True)
class _Found:
    """Running counts."""

    denials: int = 0
    rejudged: int = 0
    counts: dict[Why, int] = field(default_factory=lambda: {"disputed": 0, "overtaken": 0})
    differences: list[Difference] = field(default_factory=list)
    void: dict[str, int] = field(default_factory=dict)


class Replay:
    """One replay. ``strict`` sources hold entries only: whatever is none is an error there."""

    def __init__(
        self,
        pin: bytes,
        fold: RegistryFold,
        verifiers: Verifiers,
        *,
        strict: bool = False,
        listen: Callable[[Folded], None] | None = None,
    ) -> None:
        fold.scrutinises = True
        self.fold = fold
        self.leaves = Leaves(pin, fold)
        self.root: Root | None = None
        """The root of trust, once entry 0 is folded."""
        self._ahead = Ahead(fold, verifiers)
        self._strict = strict
        self._listen = listen
        self._found = _Found()

    def take(self, messages: Sequence[Message]) -> None:
        """Take the next messages of the source.

        Raises `LedgerBroken` for a history that is not the pinned one, `CheckFailed` for what is no
        entry in a strict source.
        """
        rest = list(messages)
        while rest and self.leaves.size == 0:
            self._fold(rest.pop(0), None)  # until genesis no key is known
        for first in range(0, len(rest), BATCH):
            self._ahead.send(rest[first : first + BATCH])
            while self._ahead.full:
                self._fold_batch()

    def finish(self) -> None:
        """Fold what is still being checked."""
        while self._ahead.waiting:
            self._fold_batch()

    def result(self) -> Replayed:
        """What was found; call it after `finish`."""
        registry, found = self.fold.registry, self._found
        return Replayed(
            entries=self.leaves.size,
            root=self.leaves.tree.root(),
            state=state_hash(registry),
            time_ms=registry.time_ms,
            members=len(registry.members),
            grants=len(registry.grants),
            denials=found.denials,
            disputed=found.counts["disputed"],
            overtaken=found.counts["overtaken"],
            rejudged=found.rejudged,
            differences=tuple(found.differences),
            void=dict(found.void),
            junk=dict(self.leaves.junk),
        )

    def _fold_batch(self) -> None:
        for message, checked in self._ahead.receive():
            self._fold(message, checked)

    def _fold(self, message: Message, checked: Checked | None) -> None:
        match self.leaves.take(message, checked):
            case Folded() as folded:
                if folded.index == 0:
                    self.root = read_genesis(folded.entry.raw)
                self._compare(folded)
                if self._listen is not None:
                    self._listen(folded)
            case Junk() as junk if self._strict:
                raise _no_entry(self.leaves.size, junk.failure)

    def _compare(self, folded: Folded) -> None:
        found = self._found
        if not folded.fresh:
            found.void[folded.reason] = found.void.get(folded.reason, 0) + 1
            return
        if not folded.permit or folded.refused_items:
            found.denials += 1
        found.rejudged += not folded.carried
        if folded.anew is not None:
            self._differs(folded, "disputed", folded.anew)
        elif not folded.carried:
            self._differs(folded, "overtaken", folded.verdict)

    def _differs(self, folded: Folded, why: Why, decided: Verdict) -> None:
        said = folded.entry.statement
        recorded = Decision(said.permit, said.rules, said.refused_items)
        here = Decision(decided.permit, decided.rules, decided.refused_items)
        if recorded == here:
            return
        found = self._found
        found.counts[why] += 1
        if found.counts[why] <= SHOWN_MAX:
            found.differences.append(Difference(folded.index, said.hub, why, recorded, here))


def _no_entry(index: int, failure: str) -> CheckFailed:
    return CheckFailed(
        f"what stands in the place of entry {index} is no entry signed by a hub ({failure})",
        f"第 {index} 条处的内容不是由枢纽签署的条目（{failure}）",
        remedy=(
            "do not use this copy of the ledger; compare it with another member's",
            "请勿使用该账本副本，并与其他成员的副本比对",
        ),
        failure="entry",
    )
