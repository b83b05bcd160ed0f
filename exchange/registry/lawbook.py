"""The rule engines of one fold: those this program ships, and those that acts adopt.

    book = Lawbook([Engine.load()], opens)
    book.engine(registry).decide(question)

Which rule set is in force is state (`Registry.rules`); the engines that read them are not, and are
made again by whoever folds. An adopted set is opened by whatever wiring hands in: the registry
knows no Cedar. Pure but for what it remembers.
"""

from collections.abc import Iterable, Mapping
from typing import Final, Protocol

from exchange.errors import InputUnreadable, LedgerBroken
from exchange.model.lawacts import AdoptRules
from exchange.model.rulesarchive import unpack_rules
from exchange.model.text import Text
from exchange.registry.state import Registry
from exchange.registry.terms import Law
from policies.errors import RuleSetInvalid
from policies.facts import Answer, LogFacts, MemberFacts, Question
from policies.ruleset import RuleSet
from policies.verification import lost_rows

FAR_OFF_MS: Final = 4_102_444_800_000
"""The year 2100: a rule set must still let the authority adopt another one then."""


def adopting_later(authority: MemberFacts, log: LogFacts) -> Question:
    """Whether the authority may adopt a rule set far off: what every set must leave permitted."""
    return Question(AdoptRules.kind, authority, log, (), {"time": FAR_OFF_MS})


class Decides(Law, Protocol):
    """The rules in force; `policies.engine.Engine`."""

    @property
    def rule_set_hash(self) -> bytes:
        """Names the rule set and the engine's reading of it, 32 bytes."""

    def decide(self, question: Question) -> Answer:
        """Pure and thread-safe; never raises."""


class Opens(Protocol):
    """Makes an engine of the files of a rule set."""

    @property
    def engine_version(self) -> str:
        """The version whose sets it opens; part of their hash."""

    def open(self, files: Mapping[str, bytes]) -> Decides:
        """Raises `policies.errors.RuleSetInvalid` with every finding of the check."""


class Lawbook:
    """Engines by the hash of their rule set."""

    def __init__(self, engines: Iterable[Decides], opens: Opens | None = None) -> None:
        self._engines = {engine.rule_set_hash: engine for engine in engines}
        self._opens = opens

    def engine(self, registry: Registry) -> Decides:
        """The engine of the rule set in force; `LedgerBroken` (``rules-unknown``) if there is none.

        Nothing may be decided then: this program does not know the law.
        """
        engine = self._engines.get(registry.rules)
        if engine is not None:
            return engine
        archive = registry.rule_sets.get(registry.rules)
        if archive is None or self._opens is None:
            raise self.unknown(registry.rules, "")
        return self._open(self._opens, registry.rules, unpack_rules(archive))

    def knows(self, version: str) -> bool:
        """Whether sets of this engine version can be opened here."""
        return self._opens is not None and self._opens.engine_version == version

    def finding(
        self, body: AdoptRules, authority: MemberFacts, log: LogFacts, before: Law
    ) -> Text | None:
        """Why this set may not be adopted after ``before``; None if it may. Opened once each."""
        if self._opens is None or not self.knows(body.engine):
            return Text(
                f"this program does not have the engine {body.engine!r}",
                f"本程序没有引擎 {body.engine!r}",
            )
        try:
            files = unpack_rules(body.archive)
            if RuleSet(files).hash(body.engine) != body.rules:
                return Text("the files are not those of the hash", "文件与哈希不符")
            engine = self._engines.get(body.rules) or self._open(self._opens, body.rules, files)
        except InputUnreadable as error:
            return error.text
        except RuleSetInvalid as error:
            return Text(*error.text)
        for lost in lost_rows(before.register, engine.register):
            return Text(*lost.text)
        if not engine.decide(adopting_later(authority, log)).permit:
            return Text(
                "under it the authority could never adopt another rule set",
                "采纳后主管部门将无法再采纳其他规则集",
            )
        return None

    def unknown(self, rules: bytes, version: str) -> LedgerBroken:
        """What stops a program that does not have the law in force."""
        named = f"{rules.hex()[:16]} {version}".strip()
        known = ", ".join(name.hex()[:16] for name in self._engines) or "-"
        return LedgerBroken(
            f"the rule set in force ({named}) is not one this version knows ({known})",
            f"现行规则集（{named}）不被本版本支持（{known}）",
            remedy=("install the version that has it", "请安装包含该规则集的版本"),
            failure="rules-unknown",
        )

    def _open(self, opens: Opens, rules: bytes, files: Mapping[str, bytes]) -> Decides:
        engine = opens.open(files)
        self._engines[rules] = engine
        return engine
