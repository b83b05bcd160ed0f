"""A sentence in the two languages of the bus.

Everything that a department or an auditor reads exists in English and in Chinese; programs read
neither, they read stable categories and rule ids.
"""

from typing import Literal, NamedTuple

Language = Literal["en", "zh"]


class Text(NamedTuple):
    """One sentence, in English and in Chinese."""

    en: str
    zh: str

    def in_language(self, language: Language) -> str:
        """The sentence in ``language``."""
        return self.zh if language == "zh" else self.en


EMPTY = Text("", "")
