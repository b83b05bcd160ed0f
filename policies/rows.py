"""The shape of rules.yaml. Unknown keys are refused, and nothing is converted between types."""

from datetime import date
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

RuleId = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,9}-[0-9]{2}\z")]
_SHOWN = r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*\z"
"""No control characters and none that turn the direction of a line: an adopted register is shown on
terminals for ever."""
Plain = Annotated[str, StringConstraints(min_length=1, max_length=400, pattern=_SHOWN)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{1,39}\z")]

TERM_MAX = 1_000
"""The longest term, in its own unit."""

Grade = Literal["S", "P", "P/B", "B", "bus"]
"""How sure we are: S read in a stored copy, P gist of a secondary copy, B unverified (待核).

``P/B`` mixes the two and is treated as B; ``bus`` marks a rule of the bus itself, which no text of
law states word for word.
"""

Effect = Literal["permit", "forbid", "oblige", "track", "escalate", "allow-service"]
"""What a rule does when its condition holds. ``permit`` and ``forbid`` decide a question, and so
does ``oblige`` where policies carry it: by permits that fulfil it, by forbids of what breaks it."""

Enforced = Literal["policy", "engine", "duty", "later"]
"""Who applies the row today: a Cedar policy, the bus itself (engine, registry, hub), nobody yet.

``duty``: the duty book (exchange/registry/duties.py) puts it under a term and shows who is late.
"""


Mode = Literal["enforce", "warn", "off"]
"""How an unverified row is applied: as it stands, by telling people only, or not at all."""

StatedMode = Annotated[Mode, BeforeValidator(lambda said: "off" if said is False else said)]
"""YAML reads a bare ``off`` as false."""


class Row(BaseModel):
    """Strict: unknown keys, missing keys and other types are errors with a line."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class Words(Row):
    """One sentence in the two languages of the bus."""

    en: Plain
    zh: Plain

    def in_language(self, language: Literal["en", "zh"]) -> str:
        """The sentence in ``language``."""
        return self.zh if language == "zh" else self.en


class Term(Row):
    """A deadline: act within, or keep for, ``count`` units, extensible once by ``extension``.

    What is to be done is counted in working days, what is to be kept in months or years: the duty
    book reads nothing else, and a term that nobody counts would never end.
    """

    kind: Literal["within", "keep"]
    count: Annotated[int, Field(ge=1, le=TERM_MAX)]
    unit: Literal["working-day", "month", "year"]
    extension: Annotated[int, Field(ge=0, le=TERM_MAX)] = 0

    @model_validator(mode="after")
    def counted(self) -> "Term":
        """Refuse a unit that this kind of term is never counted in."""
        if (self.kind == "within") != (self.unit == "working-day"):
            raise ValueError("within is counted in working-day, keep in month or year")
        return self


class SourceRow(Row):
    """A text of law, with the day since which it holds and how sure we are of that day."""

    title: Words
    division: Literal["article", "clause"] = "article"
    in_force: date
    until: date | None = None
    dated: Grade


class ProfileRow(Row):
    """The set of rows that holds from a day on; the later profile ranks above the earlier."""

    title: Words
    valid_from: date
    valid_to: date | None = None


class RuleRow(Row):
    """One rule. ``cites`` maps a source to the article, or to "" when the whole text is meant.

    ``quotes`` gives a cited source's own words. ``mode`` is for unverified rows only, ``needs``
    names a flag of ``deployment`` without which the row does not apply.
    """

    id: RuleId
    title: Words
    condition: Words
    effect: Effect
    enforced: Enforced
    grade: Grade
    cites: dict[Slug, Annotated[str, StringConstraints(max_length=40, pattern=_SHOWN)]] = {}
    rests_on: tuple[RuleId, ...] = ()
    actions: tuple[Plain, ...] = ()
    profiles: Annotated[tuple[Slug, ...], Field(min_length=1)]
    valid_from: date | None = None
    valid_to: date | None = None
    deadline: Term | None = None
    mode: StatedMode | None = None
    needs: Slug | None = None
    quotes: dict[Slug, Plain] = {}
    needed: Words


class RegisterFile(Row):
    """The whole file."""

    version: Literal[1]
    deployment: dict[Slug, bool] = {}
    profiles: dict[Slug, ProfileRow]
    sources: dict[Slug, SourceRow]
    rules: tuple[RuleRow, ...]
