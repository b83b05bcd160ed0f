"""An error as it travels between a hub and a member: one JSON object (exchange/hub/SPEC.md).

Sentences are for people; ``category`` and ``failure`` are stable and for programs.
"""

from pydantic import BaseModel, ConfigDict

from exchange.model.text import Text


class Sentences(BaseModel):
    """One sentence in both languages."""

    model_config = ConfigDict(frozen=True, strict=True)

    en: str
    zh: str

    @classmethod
    def of(cls, text: Text | tuple[str, str]) -> "Sentences":
        """The same sentence, ready to travel."""
        en, zh = text
        return cls(en=en, zh=zh)


class Problem(BaseModel):
    """What went wrong, which rules say so, what to do, and whether trying again may help.

    Fields unknown to this version are ignored, so that a newer hub is still understood.
    """

    model_config = ConfigDict(frozen=True, strict=True)

    category: str
    failure: str
    message: Sentences
    remedy: Sentences
    rules: list[str] = []
    retriable: bool
    answer: str | None = None
    """Base64url of the signed answer for the entry that stands; with ``seen-before`` only."""
