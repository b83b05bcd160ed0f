"""What can go wrong with a rule set; a decision itself never raises.

::

    PolicyError          category          exit
    ├── RuleSetInvalid   rule-set-invalid  2   a file of the rule set is wrong; names file and line
    └── RuleUnknown      rule-unknown      2   no such rule in this rule set

The attributes are those of every error of the bus: ``text`` and ``remedy`` as (English, Chinese),
``category`` for programs, ``failure`` for the class of the mistake inside the category.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake in a rule set: where it stands, what it is, what to do about it.

    ``text`` and ``remedy`` are (English, Chinese); ``failure`` is stable: ``not-yaml``,
    ``bad-row``, ``dangling-id``, ``unenforced-id``, ``no-id``, ``not-cedar``, ``bad-policy``,
    ``bad-schema``, ``missing-file``, ``strange-file``, ``wrong-effect``, ``wrong-actions``,
    ``bad-day``, ``lost-row``, ``changed-past``, ``last-law``.
    """

    file: str
    line: int
    failure: str
    text: tuple[str, str]
    remedy: tuple[str, str]


class PolicyError(Exception):
    """The root of this leaf's errors."""

    category: ClassVar[str] = "policy"
    retriable: ClassVar[bool] = False
    exit_code: ClassVar[int] = 2

    def __init__(
        self, en: str, zh: str, *, remedy: tuple[str, str] = ("", ""), failure: str = ""
    ) -> None:
        super().__init__(en)
        self.text = (en, zh)
        self.remedy = remedy
        self.failure = failure or self.category


class RuleSetInvalid(PolicyError):
    """A rule set that must not be adopted; ``findings`` holds every mistake that was found."""

    category = "rule-set-invalid"

    def __init__(self, findings: tuple[Finding, ...]) -> None:
        first = findings[0]
        place = f"{first.file}:{first.line}: "
        super().__init__(
            place + first.text[0],
            place + first.text[1],
            remedy=first.remedy,
            failure=first.failure,
        )
        self.findings = findings


class RuleUnknown(PolicyError):
    """No rule of that id in the register."""

    category = "rule-unknown"

    def __init__(self, rule: str) -> None:
        super().__init__(
            f"no rule {rule!r} in this rule set",
            f"本规则集中没有规则 {rule!r}",
            remedy=("list the rules with `exchange rules list`", "可用 `exchange rules list` 查看"),
        )
        self.rule = rule
