"""The only place that runs Cedar: a question in, an answer with its rules out.

    engine = Engine.load()
    engine.decide(question)        # Answer(permit=False, rules=("DUTY-01",))

Pure and thread-safe: no clock, no I/O after loading, the same question gets the same answer. A
permit is `Decision.Allow`, no evaluation error, and a question that the schema accepts; everything
else is a denial, because an erroring `forbid` would otherwise count as no forbid at all:

1. the question becomes a slice; what is no fact ends here (ENGINE-01), and so does a time at which
   no profile is in force;
2. Cedar validates the entities and then the request against the schema (else ENGINE-01);
3. Cedar evaluates every policy whose row holds at the question's time (policies/periods.py); one
   error anywhere spoils the answer (ENGINE-01);
4. a denial without a determining forbid is the default one (BASIS-01);
5. a permit is asked again about the prohibitions that are only told of: they become its warnings.

Cedar's own error texts quote the entities and are therefore dropped, never logged.
"""

import hashlib
import re
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from threading import Lock
from typing import Any, Final, TypeVar

import cedarpy
import orjson

from policies.errors import Finding, RuleSetInvalid
from policies.facts import Answer, ContextValue, Question
from policies.likeness import Likeness
from policies.periods import Period, period_at, periods
from policies.register import Register
from policies.ruleset import REGISTER, SCHEMA, WORKDAYS, RuleSet
from policies.slices import SLICE_FORMAT, QuestionMalformed, Slice, slice_of
from policies.verification import PolicyHead, disagreements
from policies.workdays import Workdays

_SHIPPED_SCHEMA: Final = (Path(__file__).parent / SCHEMA).read_bytes()
_FACTS: Final = hashlib.sha256(_SHIPPED_SCHEMA).hexdigest()[:8]
ENGINE_VERSION: Final = f"cedarpy {version('cedarpy')}, slices {SLICE_FORMAT}, facts {_FACTS}"
"""Part of the rule set's hash: another Cedar, another reading of facts, or other facts are another
law. Programs of one engine version must find the same rule sets right."""

ENGINE_DENIAL: Final = Answer(permit=False, rules=("ENGINE-01",))
DEFAULT_DENIAL: Final = Answer(permit=False, rules=("BASIS-01",))

_REMEMBERED_MAX: Final = 2048
_REMEMBERED_CHARS_MAX: Final = 8192
_ANSWERS_MAX: Final = 16_384
"""Answers remembered: as many grants may be in use at once before one is decided twice."""
T = TypeVar("T")
_WORD: Final = re.compile(r"[`:] ?([^`: ]+)`?$")
_ANNOTATIONS: Final = re.compile(r"(?m)^[ \t]*(?:@|//).*(?:\n|\Z)")
_STATEMENT: Final = re.compile(r"^[ \t]*(?:permit|forbid)\b", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class _Policies:
    """What is asked in one period; ``telling`` are prohibitions that only warn, or None."""

    deciding: cedarpy.PolicySet
    telling: cedarpy.PolicySet | None


class Engine:
    """A checked rule set, parsed once. Answers and entity handles are remembered, bounded."""

    def __init__(self, rules: RuleSet) -> None:
        """Check and parse ``rules``. Raises `RuleSetInvalid` with every finding."""
        findings: list[Finding] = []
        register = _tried(lambda: Register.parse(rules.files[REGISTER]), findings)
        workdays = _tried(lambda: Workdays.parse(rules.files[WORKDAYS], WORKDAYS), findings)
        schema = _tried(lambda: _schema(rules), findings)
        for name in rules.policies:
            findings += _policy_findings(rules, name, schema)
        if register is not None and all(one.failure != "not-cedar" for one in findings):
            heads = tuple(head for name in rules.policies for head in _heads(rules, name))
            findings += disagreements(register, heads)
        if findings or register is None or workdays is None or schema is None:
            raise RuleSetInvalid(tuple(findings))
        self.register = register
        self.workdays = workdays
        self._schema = schema
        self.periods = periods(self.register)
        self._parsed = _by_row(rules)
        self._policies = lru_cache(maxsize=None)(self._policies_of)
        self.engine_version = ENGINE_VERSION
        self.rule_set_hash = rules.hash(ENGINE_VERSION)
        self._entities = lru_cache(_REMEMBERED_MAX)(self._parse_entities)
        self._likeness = Likeness(
            _as_json(self._select(frozenset(self._parsed))), rules.files[SCHEMA].decode()
        )
        # A plain dict would look for its oldest entry past all those that went before.
        self._answers: OrderedDict[Hashable, Answer] = OrderedDict()
        self._remembering = Lock()

    @classmethod
    def load(cls) -> "Engine":
        """The engine for the rule set that ships with this version."""
        return cls(RuleSet.read())

    def decide(self, question: Question) -> Answer:
        """Answer ``question``. Never raises: what cannot be decided is denied.

        Questions of one period that the rules cannot tell apart (`policies.likeness`) are asked
        once.
        """
        like = self._likeness.key(question)
        key = None if like is None else (like, self._period(question.context.get("time")))
        known = self._answers.get(key)
        if known is not None:
            return known
        try:
            asked = slice_of(question)
        except QuestionMalformed:
            return ENGINE_DENIAL
        answer = self.decide_slice(asked)
        if key is not None and len(asked.entities) + len(asked.context) <= _REMEMBERED_CHARS_MAX:
            self._remember(key, answer)
        return answer

    def _remember(self, key: Hashable, answer: Answer) -> None:
        with self._remembering:
            while len(self._answers) >= _ANSWERS_MAX:
                self._answers.popitem(last=False)
            self._answers[key] = answer

    def _period(self, time_ms: ContextValue | None) -> Period | None:
        return period_at(self.periods, time_ms) if type(time_ms) is int else None

    def _policies_of(self, period: Period) -> _Policies:
        telling = self._select(period.warned)
        return _Policies(
            deciding=cedarpy.PolicySet.from_json_str(_as_json(self._select(period.enforced))),
            telling=cedarpy.PolicySet.from_json_str(_as_json(telling)) if telling else None,
        )

    def _select(self, rows: frozenset[str]) -> dict[str, Any]:
        """The policies of ``rows`` in Cedar's JSON, by ids of their own."""
        return {
            f"{row}/{at}": policy
            for row in sorted(rows & self._parsed.keys())
            for at, policy in enumerate(self._parsed[row])
        }

    def _parse_entities(self, entities: str) -> cedarpy.Entities:
        return cedarpy.Entities.from_json_str(entities, self._schema)

    def decide_slice(self, asked: Slice) -> Answer:
        """Answer a question that is already cut, by asking Cedar."""
        period = self._period(asked.time_ms)
        if period is None or not period.profile:
            return ENGINE_DENIAL
        policies = self._policies(period)
        small = len(asked.entities) <= _REMEMBERED_CHARS_MAX
        request = {
            "principal": {"type": asked.principal[0], "id": asked.principal[1]},
            "action": {"type": "Action", "id": asked.action},
            "resource": {"type": asked.resource[0], "id": asked.resource[1]},
            "context": asked.context,
        }
        try:
            entities = (self._entities if small else self._parse_entities)(asked.entities)
            answer = _answer(
                cedarpy.is_authorized(request, policies.deciding, entities, self._schema)
            )
            if not answer.permit or policies.telling is None:
                return answer
            told = _answer(cedarpy.is_authorized(request, policies.telling, entities, self._schema))
        except (ValueError, TypeError):
            return ENGINE_DENIAL
        if told == ENGINE_DENIAL:
            return told
        return answer if told == DEFAULT_DENIAL else replace(answer, warnings=told.rules)


def _answer(result: cedarpy.AuthzResult) -> Answer:
    diagnostics = result.diagnostics
    named = diagnostics.id_annotations_by_reason
    if diagnostics.errors or not named.keys() >= set(diagnostics.reasons):
        return ENGINE_DENIAL
    rules = tuple(sorted({named[reason] for reason in diagnostics.reasons}))
    match result.decision:
        case cedarpy.Decision.Allow if rules:
            return Answer(permit=True, rules=rules)
        case cedarpy.Decision.Deny:
            return Answer(permit=False, rules=rules) if rules else DEFAULT_DENIAL
        case _:
            return ENGINE_DENIAL


def check(rules: RuleSet) -> tuple[Finding, ...]:
    """Every mistake in ``rules`` with file, line and remedy; empty when they may be adopted."""
    try:
        Engine(rules)
    except RuleSetInvalid as invalid:
        return invalid.findings
    return ()


def _tried(parse: Callable[[], T], findings: list[Finding]) -> T | None:
    """What ``parse`` gives; None if it found mistakes, which go to ``findings``."""
    try:
        return parse()
    except RuleSetInvalid as invalid:
        findings += invalid.findings
        return None


def _schema(rules: RuleSet) -> cedarpy.Schema:
    """The shipped one: another could declare what no question has, and everything be denied."""
    raw = rules.files[SCHEMA]
    try:
        schema = cedarpy.Schema.from_str(raw.decode())
    except ValueError as error:
        remedy = ("correct the schema there", "请更正该处的模式定义")
        text = (f"not a Cedar schema: {error}", f"不是合法的 Cedar 模式：{error}")
        line = _line_of(str(error), raw.decode("utf-8", "replace"))
        raise RuleSetInvalid((Finding(SCHEMA, line, "bad-schema", text, remedy),)) from None
    if raw != _SHIPPED_SCHEMA:
        pairs = zip(raw.splitlines(), _SHIPPED_SCHEMA.splitlines(), strict=False)
        line = next((at for at, (one, other) in enumerate(pairs, 1) if one != other), 1)
        text = ("not the schema of this engine version", "不是本引擎版本的模式")
        remedy = (
            "take it from `exchange rules export`; what rules may read changes with the program",
            "请用 `exchange rules export` 取得；规则可读取的内容随程序版本变化",
        )
        raise RuleSetInvalid((Finding(SCHEMA, line, "bad-schema", text, remedy),))
    return schema


def _policy_findings(rules: RuleSet, name: str, schema: cedarpy.Schema | None) -> list[Finding]:
    """What Cedar itself finds in one policy file: syntax first, then types."""
    remedy = ("use only what the schema declares", "请仅使用模式中声明的内容")
    try:
        text = rules.files[name].decode()
        policies = cedarpy.PolicySet.from_str(text)
    except ValueError as error:
        not_cedar = (f"not Cedar: {error}", f"不是合法的 Cedar 策略：{error}")
        line = _wrong_line(rules.files[name].decode("utf-8", "replace"), str(error))
        return [Finding(name, line, "not-cedar", not_cedar, ("correct the syntax", "请更正语法"))]
    if schema is None:
        return []
    if policies.templates():
        template = ("templates decide nothing here", "此处不使用策略模板")
        return [
            Finding(name, 1, "bad-policy", template, ("write plain policies", "请编写普通策略"))
        ]
    lines = _lines(text)
    mistakes = {
        (lines.get(mistake.policy_id, 1), mistake.error.split("`, ", 1)[-1])
        for mistake in cedarpy.validate_policies(text, schema).errors
    }
    return [
        Finding(
            name,
            line,
            "bad-policy",
            (f"does not fit the schema: {said}", f"不符合模式：{said}"),
            remedy,
        )
        for line, said in sorted(mistakes)
    ]


def _heads(rules: RuleSet, name: str) -> list[PolicyHead]:
    text = rules.files[name].decode()
    parsed = orjson.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]
    lines = _lines(text)
    return [
        PolicyHead(
            file=name,
            line=lines.get(key, 1),
            id=policy.get("annotations", {}).get("id") or "",
            effect=policy["effect"],
            actions=_actions(policy["action"]),
        )
        for key, policy in sorted(parsed.items(), key=lambda item: lines.get(item[0], 1))
    ]


def _as_json(policies: dict[str, Any]) -> str:
    whole = {"templates": {}, "staticPolicies": policies, "templateLinks": []}
    return orjson.dumps(whole).decode()


def _by_row(rules: RuleSet) -> dict[str, list[dict[str, Any]]]:
    """Every policy in Cedar's JSON, by the row that its @id names."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name in rules.policies:
        parsed = orjson.loads(cedarpy.policies_to_json_str(rules.files[name].decode()))
        for policy in parsed["staticPolicies"].values():
            found.setdefault(policy["annotations"]["id"], []).append(policy)
    return found


def _actions(scope: dict[str, Any]) -> tuple[str, ...]:
    """The action names in a policy's head; empty when it speaks of every action."""
    named = scope.get("entities") or ([scope["entity"]] if "entity" in scope else [])
    return tuple(entity["id"] for entity in named)


def _wrong_line(text: str, said: str) -> int:
    """The line of what Cedar cannot read, which it does not tell: tried statement by statement."""
    starts = [found.start() for found in _STATEMENT.finditer(text)] or [0]
    for start, end in zip(starts, [*starts[1:], len(text)], strict=True):
        statement = _ANNOTATIONS.sub("\n", text[start:end])
        try:
            cedarpy.PolicySet.from_str(statement)
        except ValueError:
            return text.count("\n", 0, start) + _line_of(said, statement)
    return _line_of(said, text)


def _line_of(said: str, text: str) -> int:
    """The first line with the word that a message of Cedar ends in; 1 if it names none."""
    word = _WORD.search(said)
    edge = r"\b" if word and word[1].isidentifier() else ""
    found = re.search(f"{edge}{re.escape(word[1])}{edge}", text) if word else None
    return text.count("\n", 0, found.start()) + 1 if found else 1


def _lines(text: str) -> dict[str, int]:
    """The line of each policy by Cedar's positional id (``policy0`` is the first statement)."""
    return {
        f"policy{at}": text.count("\n", 0, statement.start()) + 1
        for at, statement in enumerate(_STATEMENT.finditer(text))
    }
