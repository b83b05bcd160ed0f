"""Bytes that must not be shown, compared or stored by accident."""

from typing import Literal, NoReturn, SupportsIndex


class Secret(bytes):
    """Key material: usable wherever bytes are, silent wherever bytes would be printed.

    ``==`` and ``hash`` raise, because an ordinary comparison leaks how many bytes agree: use
    `hmac.compare_digest`. Pickling raises, so no cache or process pool writes one down. Python
    cannot wipe immutable bytes; a secret lives until it is collected, and the honest limit is
    stated in SPEC.md §7.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<secret, {len(self)} bytes>"

    def __str__(self) -> str:
        return repr(self)

    def __format__(self, format_spec: str) -> str:
        return repr(self)

    def __eq__(self, other: object) -> bool:
        raise TypeError("compare secrets with hmac.compare_digest")

    def __ne__(self, other: object) -> bool:
        raise TypeError("compare secrets with hmac.compare_digest")

    def __hash__(self) -> int:
        raise TypeError("a secret is no dictionary key")

    def __reduce_ex__(self, protocol: SupportsIndex | Literal[2]) -> NoReturn:
        raise TypeError("a secret is not pickled")
