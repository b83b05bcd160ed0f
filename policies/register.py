"""The register of rules: every row of rules.yaml, checked, by id.

    register = Register.load()
    register.rule("SEC-01").title_zh
    register.citation("SEC-01", "en")

A row says what a rule is called, where it stands, how sure we are of that (its grade) and what a
person can do about it. Only grades S and P are ever rendered as a citation of law, and only S in
its own words; see `policies.citation`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import orjson
from pydantic import ValidationError

from policies.citation import cite
from policies.errors import Finding, RuleSetInvalid, RuleUnknown
from policies.rows import ProfileRow, RegisterFile, RuleRow
from policies.rule import UNVERIFIED, Language, Rule
from policies.ruleset import REGISTER, RuleSet
from policies.yamltext import Document, parse_yaml


@dataclass(frozen=True, slots=True)
class Register:
    """All rules by id, in the order of the file, with the texts and profiles they refer to."""

    rules: Mapping[str, Rule]
    file: RegisterFile

    @classmethod
    def load(cls) -> "Register":
        """The register that ships with this version."""
        return cls.parse(RuleSet.read().files[REGISTER])

    @classmethod
    def parse(cls, raw: bytes, name: str = REGISTER) -> "Register":
        """Read ``raw``. Raises `RuleSetInvalid` naming every mistake with its line."""
        document = parse_yaml(raw, name)
        try:
            # Through JSON: arrays and dates are what they are there, and nothing else converts.
            file = RegisterFile.model_validate_json(orjson.dumps(document.data))
        except ValidationError as error:
            raise RuleSetInvalid(tuple(_shape_findings(error, document))) from None
        findings = (*_profile_findings(file, document), *_row_findings(file, document))
        if findings:
            raise RuleSetInvalid(findings)
        rules = {
            row.id: _rule(row, file, document.line(("rules", at)))
            for at, row in enumerate(file.rules)
        }
        return cls(rules, file)

    def __iter__(self) -> Iterator[Rule]:
        return iter(self.rules.values())

    def rule(self, rule: str) -> Rule:
        """The row of that id. Raises `RuleUnknown`."""
        try:
            return self.rules[rule]
        except KeyError:
            raise RuleUnknown(rule) from None

    def citation(self, rule: str, language: Language) -> str:
        """Where ``rule`` stands, as far as we may say so; an unverified row says only 待核."""
        found = self.rule(rule)
        return cite(found, [self.rule(name) for name in found.rests_on], self.file, language)

    def day_badge(self, rule: Rule) -> str:
        """待核 where nobody verified since when ``rule`` holds: a row may be sure, its day not."""
        days = [self.file.sources[source] for source in rule.source]
        unsure = any(one.in_force == rule.valid_from and one.dated in _UNSURE for one in days)
        return UNVERIFIED if rule.badge or unsure else ""

    def profile_on(self, day: date) -> str:
        """The profile in force on ``day``. Raises `RuleUnknown` when none is."""
        for name, profile in reversed(self.file.profiles.items()):
            if _covers(profile, day):
                return name
        raise RuleUnknown(f"profile on {day.isoformat()}")

    def in_force(self, day: date) -> tuple[Rule, ...]:
        """The rows of the profile in force on ``day`` that hold on that day and are not off."""
        profile = self.profile_on(day)
        return tuple(
            rule
            for rule in self
            if profile in rule.profiles and rule.holds_on(day) and rule.mode != "off"
        )


_UNSURE: Final = frozenset({"B", "P/B"})


def _covers(profile: ProfileRow, day: date) -> bool:
    return profile.valid_from <= day and (profile.valid_to is None or day <= profile.valid_to)


def _rule(row: RuleRow, file: RegisterFile, line: int) -> Rule:
    since = [file.sources[source].in_force for source in row.cites]
    since += [file.profiles[profile].valid_from for profile in row.profiles] if not since else []
    return Rule(
        id=row.id,
        title_en=row.title.en,
        title_zh=row.title.zh,
        condition=(row.condition.en, row.condition.zh),
        effect=row.effect,
        enforced=row.enforced,
        grade=row.grade,
        source=tuple(row.cites),
        article=tuple(row.cites.values()),
        rests_on=row.rests_on,
        actions=row.actions,
        profiles=row.profiles,
        valid_from=row.valid_from or min(since),
        valid_to=row.valid_to,
        deadline=row.deadline,
        mode="off" if row.needs and not file.deployment.get(row.needs) else row.mode or "enforce",
        quotes=tuple(row.quotes.get(source, "") for source in row.cites),
        needed=(row.needed.en, row.needed.zh),
        line=line,
    )


def _shape_findings(error: ValidationError, document: Document) -> Iterator[Finding]:
    for mistake in error.errors(include_url=False, include_input=False, include_context=False):
        path = mistake["loc"]
        where = ".".join(str(part) for part in path)
        yield Finding(
            document.name,
            document.line(path),
            "bad-row",
            (f"{where}: {mistake['msg']}", f"{where}：{mistake['msg']}"),
            ("see the neighbouring rows for the keys a row has", "可参照相邻行的键名与写法"),
        )


def _profile_findings(file: RegisterFile, document: Document) -> Iterator[Finding]:
    """Profiles that end before they begin. Between two of them nothing is permitted (SPEC 1.4)."""
    for name, row in file.profiles.items():
        if row.valid_to is not None and row.valid_to < row.valid_from:
            yield _bad_row(document, document.line(("profiles", name)), name, *_BACKWARDS)


def _bad_row(
    document: Document, line: int, name: str, text: tuple[str, str], remedy: tuple[str, str]
) -> Finding:
    said = (f"{name}: {text[0]}", f"{name}：{text[1]}")
    return Finding(document.name, line, "bad-row", said, remedy)


_BACKWARDS: Final = (
    ("it ends before it begins", "结束日早于开始日"),
    ("correct valid_from or valid_to", "请更正 valid_from 或 valid_to"),
)


def _row_findings(file: RegisterFile, document: Document) -> Iterator[Finding]:
    known: set[str] = set()
    every = {row.id for row in file.rules}
    for at, row in enumerate(file.rules):
        for wrong, (en, zh), (fix_en, fix_zh) in _mistakes(row, file, known, every):
            if wrong:
                line = document.line(("rules", at))
                yield _bad_row(document, line, row.id, (en, zh), (fix_en, fix_zh))
        known.add(row.id)


def _mistakes(
    row: RuleRow, file: RegisterFile, known: set[str], every: set[str]
) -> Iterator[tuple[bool, tuple[str, str], tuple[str, str]]]:
    """Each thing that a single row can get wrong, its sentence and its remedy."""
    yield (
        row.id in known,
        ("the id stands twice", "编号重复"),
        ("give every rule its own id", "请为每条规则使用唯一编号"),
    )
    yield (
        not set(row.cites) <= set(file.sources) or not set(row.profiles) <= set(file.profiles),
        ("a source or profile that the file does not list", "引用了未列出的来源或配置集"),
        ("list it under sources or profiles", "请在 sources 或 profiles 中列出"),
    )
    yield (
        not set(row.rests_on) <= every,
        ("it rests on a rule that does not exist", "所依据的规则不存在"),
        ("name rows of this file", "请写明本文件中的规则编号"),
    )
    since = row.valid_from or min(
        (file.sources[name].in_force for name in row.cites if name in file.sources),
        default=date.min,
    )
    yield (row.valid_to is not None and row.valid_to < since, *_BACKWARDS)
    yield (
        (row.grade == "bus") == bool(row.cites),
        (
            "a rule of law cites its source, a rule of the bus cites none",
            "缺少来源，或总线规则引用了来源",
        ),
        ("add cites, or grade it `bus`", "请补充 cites，或将等级设为 bus"),
    )
    yield (
        bool(row.quotes) and row.grade != "S",
        ("only a row of grade S may be quoted", "仅 S 级条目可以引用原文"),
        ("drop the quotes", "请删除 quotes"),
    )
    yield (
        row.mode is not None and row.grade not in {"B", "P/B"},
        ("only an unverified row (B, P/B) has a mode", "只有待核条目（B、P/B）可以设置 mode"),
        ("drop `mode`: what is verified is enforced", "请删除 mode：已核实的条目一律执行"),
    )
    yield (
        row.needs is not None and row.needs not in file.deployment,
        ("it needs something that `deployment` does not list", "所需条件未在 deployment 中列出"),
        ("list it under deployment, true or false", "请在 deployment 中列出，取 true 或 false"),
    )
    yield (
        not set(row.quotes) <= set(row.cites),
        ("a quote from a source that the row does not cite", "引用了该行未列出来源的原文"),
        ("cite the source, too", "请同时列出该来源"),
    )
    yield (
        row.enforced == "policy" and row.effect not in {"permit", "forbid", "oblige"},
        (
            "a policy can only permit, forbid, or carry an obligation",
            "策略只能许可、禁止或落实义务",
        ),
        ("change effect, or enforce it later", "请修改 effect，或设为 later"),
    )
    yield (
        (row.effect == "permit") != bool(row.actions)
        and not (row.effect == "oblige" and row.enforced == "policy"),
        (
            "a permit lists its actions, and so does an obligation that permits; nothing else does",
            "许可规则须列出 actions，以许可落实的义务亦然，其他规则不列",
        ),
        ("list the actions it permits", "请列出其许可的动作"),
    )
