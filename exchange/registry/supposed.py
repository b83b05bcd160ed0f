"""An act that nobody signed, to ask what would become of it: for explanations and comparisons.

It never reaches a fold: entries hold acts that were verified, and only those take effect.
"""

from dataclasses import dataclass

from exchange.model.actcodec import Body


@dataclass(frozen=True, slots=True)
class Supposed:
    """What `exchange.registry.case.Asked` needs to know of an act; ids are empty."""

    kind: str
    member: str
    body: Body | None = None
    instance: str | None = None
    id: bytes = b""
    kid: bytes = b""
    expires_ms: int = 1 << 62
