"""A batch of the client library that knows how often it was put into a request.

The library keeps that number to itself, and without it the refusal of a message cannot be told
from the refusal of a *retry* whose first attempt was written. What the library does with the
batches it is given, it does through this object; it calls ``_build`` once for each request.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from exchange.bus.ports import Header


class Builder(Protocol):
    """The part of the library's batch that is used by name."""

    def append(
        self,
        *,
        timestamp: int | None,
        key: bytes | None,
        value: bytes | None,
        headers: Sequence[Header],
    ) -> Mapping[str, int] | None:
        """Add a message; None when the batch is full."""
        ...

    def _build(self) -> bytearray: ...


class CountedBatch:
    """`exchange.bus.lanes.Batch` around the library's own."""

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        self.attempts = 0

    def append(self, value: bytes | None, headers: Sequence[Header]) -> bool:
        """Add a message; False when full. The library takes no null value without a key."""
        key = b"" if value is None else None
        added = self._builder.append(timestamp=None, key=key, value=value, headers=list(headers))
        return added is not None

    def _build(self) -> bytearray:
        self.attempts += 1
        return self._builder._build()

    def __getattr__(self, name: str) -> object:
        return getattr(self._builder, name)
