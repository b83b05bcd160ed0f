"""One rule as the rest of the bus sees it: a resolved row of rules.yaml."""

from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from policies.rows import Effect, Enforced, Grade, Mode, Term

Language = Literal["en", "zh"]

UNVERIFIED: Final = "待核"
"""The badge of what nobody has verified; stands wherever such a row is shown."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row. ``source``, ``article`` and ``quotes`` run in parallel; never show them bare.

    ``mode`` is ``off`` also for a row whose condition on the deployment is not met.
    """

    id: str
    title_en: str
    title_zh: str
    condition: tuple[str, str]
    effect: Effect
    enforced: Enforced
    grade: Grade
    source: tuple[str, ...]
    article: tuple[str, ...]
    rests_on: tuple[str, ...]
    actions: tuple[str, ...]
    profiles: tuple[str, ...]
    valid_from: date
    valid_to: date | None
    deadline: Term | None
    mode: Mode
    quotes: tuple[str, ...]
    needed: tuple[str, str]
    line: int

    @property
    def badge(self) -> str:
        """待核 when the row is unverified, else empty."""
        return UNVERIFIED if self.grade in {"B", "P/B"} else ""

    def title(self, language: Language) -> str:
        """The rule's title in ``language``."""
        return self.title_zh if language == "zh" else self.title_en

    def holds_on(self, day: date) -> bool:
        """Whether the row is in force on ``day`` (its last day included)."""
        return self.valid_from <= day and (self.valid_to is None or day <= self.valid_to)
