"""One hash of the whole state, the same for every fold of one prefix (invariant 5).

SHA-256 over the domain, then every field of `Registry` in the order of its name: rows as arrays of
their fields, maps and sets sorted by encoded key, lists as they stand. It walks everything, so it
is for checks and comparisons, not for every request.
"""

import hashlib
from dataclasses import fields, is_dataclass
from typing import Final

from exchange.registry import lawrows, liferows, state
from exchange.registry.state import Registry
from keys import cbor

_DOMAIN: Final = b"exchange/v1/state"


def state_hash(registry: Registry) -> bytes:
    """32 bytes."""
    digest = hashlib.sha256(_DOMAIN)
    for name in sorted(field.name for field in fields(registry)):
        digest.update(cbor.encode(name))
        _update(digest, getattr(registry, name))
    return digest.digest()


def _update(digest: "hashlib._Hash", table: object) -> None:
    """A table is hashed row by row, so that no copy of it is ever encoded as one value."""
    if isinstance(table, dict):
        rows = sorted((cbor.encode(_plain(key)), value) for key, value in _keyed(table))
        digest.update(cbor.encode(len(rows)))
        for key, value in rows:
            digest.update(key)
            digest.update(value)
    else:
        digest.update(cbor.encode(_plain(table)))


def _keyed(table: dict[object, object]) -> list[tuple[object, bytes]]:
    return [(key, cbor.encode(_plain(value))) for key, value in table.items()]


_ROWS: Final[dict[type[object], tuple[str, ...]]] = {
    row: tuple(field.name for field in fields(row))
    for module in (state, lawrows, liferows)
    for row in vars(module).values()
    if isinstance(row, type) and is_dataclass(row)
}
"""The fields of every kind of row."""


def _plain(value: object) -> object:
    columns = _ROWS.get(type(value))
    if columns is not None:
        return [_plain(getattr(value, name)) for name in columns]
    if isinstance(value, set):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
