"""The pure fold: entries in, state and verdicts out; exchange/ledger/SPEC.md sections 4 to 8.

    fold = RegistryFold([Engine.load()])
    fold.begin(root)
    folded = fold.fold(entry)          # never refuses an entry: a void act is a leaf all the same
    fold.registry.grants[...]

No I/O and no clock: the same entries give the same state, wherever and in whatever batches they are
folded. Calls come in the order of positions; verifying entries is the follower's part.
"""

import heapq
from collections.abc import Iterable, Mapping

from exchange.errors import ActRefused
from exchange.ledger.act import Act
from exchange.ledger.entry import Entry
from exchange.ledger.genesis import Root
from exchange.ledger.verdict import Folded, Proposal, Verdict
from exchange.model.lawacts import AdoptRules
from exchange.registry.authenticate import VOID_REASONS, examine_act
from exchange.registry.busrules import EVIDENCE
from exchange.registry.case import Asked
from exchange.registry.decide import carry, evidence, examine, rule_on, until_ms, untold
from exchange.registry.effects import apply_effects, apply_genesis
from exchange.registry.footprint import footprint
from exchange.registry.lawbook import Decides, Lawbook, Opens
from exchange.registry.rows import Seen
from exchange.registry.state import Registry

_VOID = Verdict(permit=False, rules=())


class RegistryFold:
    """Folds one ledger into one `Registry`.

    ``engines`` are the rule sets this build ships, ``opens`` makes engines of adopted ones; without
    it a fold stops where one comes into force.
    """

    def __init__(self, engines: Iterable[Decides], opens: Opens | None = None) -> None:
        self.registry = Registry()
        self.book = Lawbook(engines, opens)
        self._expiries: list[tuple[int, bytes]] = []
        self.scrutinises = False
        """Ask the rules about carried verdicts too, for auditors: `Folded.disputed`. Costly."""

    @property
    def origin(self) -> str:
        """The log origin; empty before genesis."""
        return self.registry.origin

    @property
    def time_ms(self) -> int:
        """Ledger time after the last entry folded."""
        return self.registry.time_ms

    def begin(self, root: Root) -> Folded:
        """Leaf 0."""
        said = root.entry.statement
        apply_genesis(root.body, root.origin, said.time_ms, self.registry)
        self.registry.size = 1
        self._note(root.act, 0)
        verdict = Verdict(permit=True, rules=())
        return Folded(
            0, root.entry, root.act, root.act.id, said.time_ms, verdict, fresh=True, carried=True
        )

    @property
    def engine(self) -> Decides:
        """The rules in force after the last entry folded; `LedgerBroken` if unknown here."""
        return self.book.engine(self.registry)

    def hub_public(self, hub: str, kid: bytes) -> bytes | None:
        """The entry key of ``hub``, if ``kid`` names it."""
        row = self.registry.hubs.get(hub)
        return row.entry if row is not None and row.kid == kid else None

    def signing_public(self, kid: bytes) -> bytes | None:
        """A key enrolled under ``kid``."""
        row = self.registry.signing_keys.get(kid)
        return row.public if row is not None else None

    def authenticate(self, act: bytes, at_ms: int, known: Act | None = None) -> Act:
        """The act, if it would not be void at the next position; otherwise `ActRefused`."""
        return examine_act(act, self.registry, max(at_ms, self.registry.time_ms), known)

    def propose(self, act: Act, at_ms: int, refused: Mapping[int, tuple[str, ...]]) -> Proposal:
        """The verdict on the state as it stands, for a hub to carry.

        ``refused`` are refusals of items by rules of evidence (busrules.EVIDENCE); others are not a
        hub's to make, ValueError.
        """
        if any(EVIDENCE.isdisjoint(rules) for rules in refused.values()):
            raise ValueError("a hub refuses items by rules of evidence only")
        now_ms = max(at_ms, self.registry.time_ms)
        case = examine(self._asked(act, now_ms))
        verdict = rule_on(case, self.engine, refused)
        until = until_ms(act, case) if verdict.permit else None
        return Proposal(verdict, footprint(act, self.registry), until)

    def fold(self, entry: Entry, known: Act | None = None) -> Folded:
        """Take the next entry. ``known`` is its act, if this process has verified it before."""
        registry, said = self.registry, entry.statement
        index = registry.size
        at_ms = max(registry.time_ms, said.time_ms)
        try:
            act = examine_act(said.act, registry, at_ms, known)
        except ActRefused as error:
            registry.size += 1
            return self._void(index, entry, error.failure)
        asked = self._asked(act, at_ms)
        verdict, carried, anew = self._verdict(asked, act, entry)
        registry.time_ms = at_ms
        registry.size += 1
        self._forget(at_ms)
        self._note(act, index)
        if verdict.permit:
            apply_effects(asked, index)
        return Folded(
            index,
            entry,
            act,
            act.id,
            at_ms,
            verdict,
            fresh=True,
            carried=carried,
            anew=anew,
        )

    def _verdict(
        self, asked: Asked, act: Act, entry: Entry
    ) -> tuple[Verdict, bool, Verdict | None]:
        """The verdict that counts, whether the hub's was carried, and what the rules say else."""
        said = entry.statement
        if isinstance(act.body, AdoptRules):
            if untold(said):
                return Verdict(permit=False, rules=said.rules), True, None
            if not self.book.knows(act.body.engine):
                raise self.book.unknown(act.body.rules, act.body.engine)
        case = examine(asked)
        ends_ms = said.valid_until_ms if said.permit else None
        in_time = ends_ms is None or asked.at_ms < ends_ms
        if in_time and said.footprint == footprint(act, self.registry):
            carried = carry(case, said)
            if carried is not None:
                anew = rule_on(case, self.engine, evidence(said)) if self.scrutinises else None
                return carried, True, None if anew is None or _agree(carried, anew) else anew
        return rule_on(case, self.engine, evidence(said)), False, None

    def _void(self, index: int, entry: Entry, failure: str) -> Folded:
        reason = failure if failure in VOID_REASONS else "malformed"
        time_ms = self.registry.time_ms
        return Folded(index, entry, None, None, time_ms, _VOID, fresh=False, reason=reason)

    def _note(self, act: Act, index: int) -> None:
        self.registry.seen[act.id] = Seen(index, act.expires_ms)
        heapq.heappush(self._expiries, (act.expires_ms, act.id))

    def _forget(self, time_ms: int) -> None:
        """Drop acts that have expired: sent again, they are refused as such."""
        while self._expiries and self._expiries[0][0] <= time_ms:
            del self.registry.seen[heapq.heappop(self._expiries)[1]]

    def _asked(self, act: Act, at_ms: int) -> Asked:
        return Asked(act, self.registry, at_ms, lambda: self.engine, self.book)


def _agree(carried: Verdict, anew: Verdict) -> bool:
    """Whether the rules say the same; the reasons of a denial may grow with time."""
    same_rules = not carried.permit or carried.rules == anew.rules
    same_items = carried.refused.keys() == anew.refused.keys()
    return carried.permit == anew.permit and same_rules and same_items
