"""One thing that must work before a home does its work."""

from dataclasses import dataclass

from exchange.model.text import EMPTY, Text


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that must work: ``good``, what was found, and the remedy when it is missing."""

    name: str
    title: Text
    good: bool
    found: Text
    remedy: Text = EMPTY
