"""Check characters of national identifiers, a column at a time.

Every function takes a matrix of ASCII bytes, one row a value (``uint8``, shape n × 18), and returns
n booleans. A Python call a value would cost ten times what sealing costs.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from exchange.model.creditcode import ALPHABET, WEIGHTS

Matrix = NDArray[np.uint8]
Verdicts = NDArray[np.bool_]

_RESIDENT_WEIGHTS: Final = np.array(
    [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2], dtype=np.int64
)
_RESIDENT_CHECKS: Final = np.frombuffer(b"10X98765432", dtype=np.uint8)

_CREDIT_WEIGHTS: Final = np.array(WEIGHTS, dtype=np.int64)

_FOREIGN: Final = 255
"""Marks a byte outside the credit code alphabet (which has no I, O, S, V, Z)."""
_CREDIT_VALUES: Final = np.full(256, _FOREIGN, dtype=np.uint8)
_CREDIT_VALUES[list(ALPHABET.encode())] = np.arange(31, dtype=np.uint8)

_ID_PROVINCES: Final = (
    *(11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46),
    *(50, 51, 52, 53, 54, 61, 62, 63, 64, 65, 71, 81, 82, 83),
)
"""Provinces of resident IDs; 81, 82 and 83 also number residence permits of HK, MO and TW.

Counties are not looked up: an ID keeps the code of a county long after it was abolished.
"""
_ID_PROVINCE_KNOWN: Final = np.zeros(100, dtype=np.bool_)
_ID_PROVINCE_KNOWN[list(_ID_PROVINCES)] = True

_INT32_DIGITS_MAX: Final = 8
_YEAR_MIN: Final = 1850
_YEAR_MAX: Final = 2100


def all_digits(matrix: Matrix) -> Verdicts:
    """Rows made of ``0``-``9`` only."""
    digits = matrix - np.uint8(0x30) <= 9  # what is below "0" wraps round to above 9
    return np.ones(len(matrix), dtype=np.bool_) if digits.all() else np.asarray(digits.all(axis=1))


def number(matrix: Matrix) -> NDArray[np.int64] | NDArray[np.int32]:
    """The decimal number in each row; rows that are not digits give a meaningless one."""
    wide = matrix.shape[1] > _INT32_DIGITS_MAX
    columns = np.ascontiguousarray(matrix.T).astype(np.int64 if wide else np.int32)
    total: NDArray[np.int64] | NDArray[np.int32] = columns[0]
    for column in columns[1:]:
        total *= 10
        total += column
    total -= 0x30 * int("1" * len(columns))
    return total


def dates_exist(years: NDArray[Any], months: NDArray[Any], days: NDArray[Any]) -> Verdicts:
    """Whether year, month and day are a day of the Gregorian calendar."""
    leap = (years % 4 == 0) & ((years % 100 != 0) | (years % 400 == 0))
    lengths = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], dtype=np.int64)
    month_fits = (months >= 1) & (months <= 12)
    length = lengths[np.where(month_fits, months, 0)] + (leap & (months == 2))
    return np.asarray(month_fits & (years >= 1) & (days >= 1) & (days <= length))


def resident_ids_shaped(matrix: Matrix) -> Verdicts:
    """GB 11643: 17 digits and a digit or ``X``, a known province, a birth date that exists."""
    shaped = all_digits(matrix[:, :17]) & np.isin(matrix[:, 17], _RESIDENT_CHECKS)
    province = number(matrix[:, 0:2])
    years = number(matrix[:, 6:10])
    born = dates_exist(years, number(matrix[:, 10:12]), number(matrix[:, 12:14]))
    in_range = (years >= _YEAR_MIN) & (years <= _YEAR_MAX)
    known = _ID_PROVINCE_KNOWN[np.where(shaped, province, 0)]
    return np.asarray(shaped & known & born & in_range)


def resident_ids_checked(matrix: Matrix) -> Verdicts:
    """GB 11643: the last character is ISO 7064 MOD 11-2 of the first 17."""
    digits = matrix[:, :17].astype(np.int64) - 0x30
    remainders = (digits @ _RESIDENT_WEIGHTS) % 11
    return np.asarray(_RESIDENT_CHECKS[remainders] == matrix[:, 17])


def credit_codes_shaped(matrix: Matrix) -> Verdicts:
    """GB 32100: 18 characters of its alphabet, the third to eighth of them digits (a division)."""
    inside = (_CREDIT_VALUES[matrix] != _FOREIGN).all(axis=1)
    return np.asarray(inside & all_digits(matrix[:, 2:8]))


def credit_codes_checked(matrix: Matrix) -> Verdicts:
    """GB 32100: the last character makes the weighted sum a multiple of 31."""
    values = _CREDIT_VALUES[matrix].astype(np.int64)
    checks = (31 - (values[:, :17] @ _CREDIT_WEIGHTS) % 31) % 31
    return np.asarray(checks == values[:, 17])
