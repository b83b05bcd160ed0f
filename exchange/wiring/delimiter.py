"""The character between the values of a CSV file, as a person writes it."""

from typing import Final

from exchange.errors import UsageError
from exchange.model.text import Text

_TAB: Final = frozenset({"\\t", "tab"})
"""What a shell makes it hard to type."""
DELIMITER: Final = Text(
    "one character such as , ; | or tab is expected", "须为单个字符，例如 , ; | 或 tab"
)


def delimiter_of(said: str) -> str | None:
    """The character that ``said`` means: itself, or a tab; None if it cannot separate values."""
    sign = "\t" if said in _TAB else said
    if len(sign) != 1 or not sign.isascii() or sign.isalnum() or sign in '"\\':
        return None
    return sign if sign == "\t" or sign.isprintable() else None


def checked_delimiter(said: str) -> str:
    """The same for what stands behind ``--delimiter``; `UsageError` instead of None."""
    if (sign := delimiter_of(said)) is not None:
        return sign
    raise UsageError(
        f"--delimiter {said[:20]!r}: {DELIMITER.en}",
        f"--delimiter {said[:20]!r}：{DELIMITER.zh}",
        remedy=(
            "write for instance --delimiter ';' or --delimiter tab",
            "例如写成 --delimiter ';' 或 --delimiter tab",
        ),
        failure="delimiter",
    )
