"""The rules that this program ships, and how it opens those that a ledger adopts.

fold = follow_rules()                                  # follows every adoption
register_in_force(fold.registry, index=7).rule("SEC-01")   # as it was when 7 was decided
"""

from collections.abc import Mapping, Set
from functools import cache, lru_cache
from typing import Protocol

from exchange.model.rulesarchive import unpack_rules
from exchange.registry.fold import RegistryFold
from exchange.registry.lawbook import Decides
from exchange.registry.state import Registry
from policies.engine import ENGINE_VERSION, Engine
from policies.register import Register
from policies.rule import Rule
from policies.ruleset import REGISTER, RuleSet


class CedarRules:
    """Opens rule sets for the engine of this program."""

    engine_version = ENGINE_VERSION

    def open(self, files: Mapping[str, bytes]) -> Engine:
        """The engine of ``files``; raises `policies.errors.RuleSetInvalid` with every finding."""
        return _opened(tuple(sorted(files.items())))


@lru_cache(maxsize=8)
def _opened(files: tuple[tuple[str, bytes], ...]) -> Engine:
    """Engines are immutable: the hub, its readers and a replay in one process share them."""
    return Engine(RuleSet(dict(files)))


@cache
def shipped_rules() -> Engine:
    """The engine of the rule set that ships with this program; immutable, and made once."""
    return Engine.load()


def follow_rules() -> RegistryFold:
    """An empty fold that knows the shipped rules and opens adopted ones."""
    return RegistryFold([shipped_rules()], CedarRules())


def rules_in_force(registry: Registry, *, index: int | None = None) -> dict[str, bytes]:
    """The files of the rule set that decides now, or that decided entry ``index``.

    Raises `LedgerBroken` (``rules-unknown``) for one that this program has never seen.
    """
    rules = registry.rules if index is None else registry.rules_at(index)
    archive = registry.rule_sets.get(rules)
    if archive is not None:
        return unpack_rules(archive)
    if rules == shipped_rules().rule_set_hash:
        return dict(RuleSet.read().files)
    raise follow_rules().book.unknown(rules, "")


def register_in_force(registry: Registry, *, index: int | None = None) -> Register:
    """The register of `rules_in_force`: explain a decision with the rules that made it."""
    rules = registry.rules if index is None else registry.rules_at(index)
    if rules == shipped_rules().rule_set_hash:
        return shipped_rules().register
    return Register.parse(rules_in_force(registry, index=index)[REGISTER])


class Follows(Protocol):
    """A ledger that somebody follows; `exchange.wiring.ledgerview.FollowedLedger`."""

    @property
    def registry(self) -> Registry:
        """State at the position reached."""

    @property
    def engine(self) -> Decides:
        """The rules in force there."""


def warnings_of(permitted_by: Set[str], view: Follows) -> list[Rule]:
    """The prohibitions among rules that stand on permits: told of, and not enforced.

    Where nobody has read the ledger yet, the program's own register names them.
    """
    if not permitted_by:
        return []
    read = bool(view.registry.rules)
    register = view.engine.register if read else shipped_rules().register
    rows = (register.rules[rule] for rule in sorted(permitted_by & register.rules.keys()))
    return [row for row in rows if row.effect == "forbid"]
