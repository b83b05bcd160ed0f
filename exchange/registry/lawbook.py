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
from exchange.registry.facts import member_facts
from exchange.registry.state import Registry
from exchange.registry.terms import Law, calendar
from policies.errors import Finding, RuleSetInvalid
from policies.facts import Answer, LogFacts, Question
from policies.periods import day_of, periods
from policies.ruleset import REGISTER, WORKDAYS, RuleSet
from policies.verification import lost_rows

FAR_OFF_MS: Final = 4_102_444_800_000
"""The year 2100: a rule set must still let the authority adopt another one then, as it must at once
and whenever other rows come to hold: with a gap between, nobody could mend it for years."""


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


def unfit_after(new: Decides, registry: Registry, before: Law, at_ms: int) -> Finding | None:
    """Why a right set may not follow ``before`` on this ledger at that moment; None if it may."""
    for lost in lost_rows(before.register, new.register):
        return lost
    today = day_of(at_ms)
    moved = calendar(registry, before).changed_past(calendar(registry, new), today=today)
    if moved is not None:
        return _changes_past(moved.isoformat())
    authority, log = member_facts(registry.members[registry.authority]), LogFacts(registry.origin)
    ahead = {one.from_ms for one in periods(new.register) if one.from_ms > at_ms}
    for moment in sorted({at_ms, FAR_OFF_MS, *ahead}):
        question = Question(AdoptRules.kind, authority, log, (), {"time": moment})
        if not new.decide(question).permit:
            return _LAST_LAW
    return None


def _changes_past(day: str) -> Finding:
    return Finding(
        WORKDAYS,
        1,
        "changed-past",
        (
            f"it counts {day} otherwise, or not at all: terms that have ended would end anew",
            f"其对 {day} 的计日不同或缺失：已届满的期限将重新起算",
        ),
        (
            f"restore {WORKDAYS} of the set in force up to today; days ahead may change",
            f"请恢复现行规则集 {WORKDAYS} 中截至今日的内容；今日之后的可以调整",
        ),
    )


_LAST_LAW: Final = Finding(
    REGISTER,
    1,
    "last-law",
    (
        "under it the authority could never adopt another rule set, or not for a time",
        "采纳后主管部门将无法（或在一段时间内无法）再采纳其他规则集",
    ),
    (
        "let AUTHORITY-01 permit rules.adopt at once, without an end, a gap or a condition",
        "请使 AUTHORITY-01 即时、不间断、长期且无条件许可 rules.adopt",
    ),
)


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

    def finding(self, body: AdoptRules, registry: Registry, before: Law, at_ms: int) -> Text | None:
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
        wrong = unfit_after(engine, registry, before, at_ms)
        return Text(*wrong.text) if wrong is not None else None

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
