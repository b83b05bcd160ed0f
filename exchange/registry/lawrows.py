"""Rows about the law and its officers; see exchange/registry/state.py."""

from dataclasses import dataclass

from exchange.model.lawacts import Role


@dataclass(frozen=True, slots=True)
class Adoption:
    """A rule set came into force by entry ``index``: it decides every later entry.

    The first one is genesis', whose ``act`` and ``engine`` are empty.
    """

    index: int
    time_ms: int
    rules: bytes
    engine: str
    act: bytes


@dataclass(frozen=True, slots=True)
class Standing:
    """A role that somebody holds at ``member``, since entry ``index``."""

    member: str
    role: Role
    index: int


@dataclass(frozen=True, slots=True)
class Holder:
    """The standing roles of one person, by code; stays when the last one has ended."""

    code: str
    standing: tuple[Standing, ...]
    version: int
