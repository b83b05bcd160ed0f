"""One unified social credit code at a time (GB 32100); whole columns are for checkdigits.

A process that only receives judges the codes of members and is smaller without numpy.
"""

import re
from typing import Final

WIDTH: Final = 18
"""Characters of a unified social credit code, and of a resident ID as well."""
ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
WEIGHTS: Final = tuple(pow(3, i, 31) for i in range(WIDTH - 1))

_SHAPE: Final = re.compile(f"[{ALPHABET}]{{2}}[0-9]{{6}}[{ALPHABET}]{{10}}")


def credit_code_valid(code: str) -> bool:
    """Whether ``code`` is a unified social credit code, check character included."""
    if _SHAPE.fullmatch(code) is None:
        return False
    *values, check = map(ALPHABET.index, code)
    total = sum(value * weight for value, weight in zip(values, WEIGHTS, strict=True))
    return (total + check) % 31 == 0
