"""Find values of records in bytes of any kind: plain text, UTF-8, or escaped in JSON.

Values are indexed by their form, so that tens of thousands of them are looked for in one pass over
megabytes.
"""

import re
from collections import defaultdict
from collections.abc import Iterable

_DIGITS = re.compile(rb"[0-9]{12,}X?")
_CHINESE = re.compile(rb"(?:[\xe4-\xe9][\x80-\xbf]{2}){2,}")
_ESCAPED = re.compile(rb"(?:\\u[0-9a-f]{4}){2,}", re.IGNORECASE)


class Values:
    """The values to look for: numbers of 12 digits or more, and Chinese names."""

    def __init__(self, numbers: Iterable[str], names: Iterable[str]) -> None:
        self._numbers: dict[int, set[bytes]] = defaultdict(set)
        self._names: dict[int, set[str]] = defaultdict(set)
        for number in numbers:
            self._numbers[len(number)].add(number.encode())
        for name in names:
            self._names[len(name)].add(name)

    def found_in(self, data: bytes) -> set[str]:
        """Which of the values occur in ``data``."""
        found: set[str] = set()
        for match in _DIGITS.finditer(data):
            found |= self._windows(match.group())
        for match in _CHINESE.finditer(data):
            found |= self._named(match.group().decode("utf-8", "ignore"))
        for match in _ESCAPED.finditer(data):
            found |= self._named(match.group().decode("unicode_escape"))
        return found

    def _windows(self, run: bytes) -> set[str]:
        return {
            run[start : start + length].decode()
            for length, known in self._numbers.items()
            for start in range(len(run) - length + 1)
            if run[start : start + length] in known
        }

    def _named(self, run: str) -> set[str]:
        return {
            run[start : start + length]
            for length, known in self._names.items()
            for start in range(len(run) - length + 1)
            if run[start : start + length] in known
        }
