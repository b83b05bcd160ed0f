"""Division codes of a whole column at once, by numpy.

A process that only receives asks about single codes and is smaller without it.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from exchange.model.regions import names


@cache
def known_prefixes(digits: int) -> NDArray[np.bool_]:
    """For ``digits`` of 2, 4 or 6: at index n, whether n is a code."""
    known = np.zeros(10**digits, dtype=np.bool_)
    known[[int(code) for code in names() if len(code) == digits]] = True
    return known
