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


def printable(text: str) -> str:
    """``text`` without line breaks, terminal escapes and marks that turn writing round.

    Names, reasons and messages come from other members and from hubs: they must not forge a line,
    or repaint the screen, of whoever reads them.
    """
    return "".join(
        c if c.isprintable() or c in _SPACES else "\N{REPLACEMENT CHARACTER}" for c in text
    )


_SPACES = "\u00a0\u2002\u2003\u3000"
