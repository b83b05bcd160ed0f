"""Deterministic CBOR (RFC 8949 §4.2.1) restricted to what the Exchange writes; SPEC.md §2.

What is hashed or signed must have one encoding. `encode` writes it; `decode` refuses every other
spelling and everything `encode` would not have written, so ``encode(decode(b)) == b`` always holds.
The check runs over the raw bytes before `cbor2` sees them: `cbor2` decodes non-shortest integers,
unsorted maps and trailing bytes in silence, and its tags build regular expressions and cycles.

Values: integers of 64 bits, byte strings, text, booleans, null, lists, and maps whose keys are all
unsigned integers or all text (for these the RFC 7049 order that ``canonical=True`` sorts by and the
RFC 8949 order are the same).

>>> encode({1: b"x", 0: [True, None]}).hex()
'a20082f5f6014178'
"""

from typing import Final

import cbor2

from keys.errors import MalformedCbor

DEPTH_MAX: Final = 16
"""Nested containers; the deepest format of the Exchange uses five."""

ITEMS_MAX: Final = 1 << 16
"""Items of one value, unless the reader says less: each costs far more memory than its byte."""

_WHOLE: Final = bytes(
    1 + (lead & 0x1F)
    if 0x40 <= lead < 0x58 or 0x60 <= lead < 0x78
    else int(lead < 0x18 or 0x20 <= lead < 0x38 or lead in (0xF4, 0xF5, 0xF6))
    for lead in range(256)
)
"""By lead byte, the length of the items that it alone determines; 0 for all others."""

_LONG: Final = {
    lead: (1 << (lead & 7), 24 if lead & 7 == 0 else 1 << (4 << (lead & 7)), lead >> 5 > 1)
    for lead in (0x18, 0x19, 0x1A, 0x1B, 0x38, 0x39, 0x3A, 0x3B, 0x58, 0x59, 0x5A, 0x78, 0x79, 0x7A)
}
"""Lead bytes with an argument behind them: its length, its least value, whether content follows."""
_MEMBERS: Final = {0x80 + n: (n, -1) for n in range(24)} | {0xA0 + n: (2 * n, 0) for n in range(24)}
"""Lead bytes of short arrays and maps: how many items follow, and 0 where keys are among them."""

_TEXT = {
    "too-large": ("is longer than the limit", "超过长度上限"),
    "truncated": ("ends too early", "不完整"),
    "trailing-bytes": ("has bytes after its end", "末尾有多余字节"),
    "not-shortest": ("has a number not in its shortest form", "数值未采用最短编码"),
    "indefinite": ("has an item of indefinite length", "含不定长数据项"),
    "reserved": ("has a reserved lead byte", "含保留的首字节"),
    "tag": ("has a tag", "含标签"),
    "float": ("has a floating point number", "含浮点数"),
    "simple": ("has a simple value other than true, false and null", "含不允许的简单值"),
    "too-many": ("has too many items", "数据项过多"),
    "depth": ("is nested too deep", "嵌套过深"),
    "key-type": ("has a map with keys of another or mixed kind", "映射的键类型不合规"),
    "duplicate-key": ("has a map with one key twice", "映射的键重复"),
    "unsorted": ("has a map whose keys are not in order", "映射的键未按规定排序"),
    "not-utf8": ("has text that is not UTF-8", "文本不是 UTF-8"),
    "type": ("has a value of a type that has no encoding", "含无法编码的类型"),
    "range": ("has an integer of more than 64 bits", "整数超过 64 位"),
}


_AS_THEY_ARE: Final = frozenset({bytes, str, bool, type(None)})


def encode(value: object) -> bytes:
    """The one encoding of ``value``; `MalformedCbor` for a value that has none."""
    _check_value(value, DEPTH_MAX)
    try:
        return cbor2.dumps(value, canonical=True)
    except UnicodeEncodeError:  # a lone surrogate
        raise _malformed("not-utf8") from None


def byte_string_head(size: int) -> bytes:
    """What `encode` puts before a byte string of ``size`` bytes."""
    if size < 24:
        return bytes((0x40 + size,))
    if size < 1 << 8:
        return bytes((0x58, size))
    if size < 1 << 16:
        return b"\x59" + size.to_bytes(2, "big")
    return b"\x5a" + size.to_bytes(4, "big")


def byte_string(data: bytes, start: int, end: int) -> bytes | None:
    """The content of ``data[start:end]`` if that is the encoding of one byte string, else None."""
    lead = data[start]
    content = start + (1 if lead < 0x58 else {0x58: 2, 0x59: 3}.get(lead, 5))
    if content > end or data[start:content] != byte_string_head(end - content):
        return None
    return data[content:end]


def decode(data: bytes, *, bytes_max: int, items_max: int = ITEMS_MAX) -> object:
    """The value of ``data``, all of it; `MalformedCbor` naming the first thing wrong.

    ``items_max`` bounds the members of all arrays and maps together, keys included.
    """
    if len(data) > bytes_max:
        raise _malformed("too-large")
    if _usual(data, items_max) != len(data) and _scan(data, 0, DEPTH_MAX, [items_max]) != len(data):
        raise _malformed("trailing-bytes")
    try:
        return cbor2.loads(data, allow_duplicate_keys=False, allow_indefinite=False)
    except cbor2.CBORDecodeError:  # the one rule that the scan leaves to the decoder
        raise _malformed("not-utf8") from None


def _usual(data: bytes, items_max: int) -> int:
    """The length of a canonical value made as messages are: maps with small keys, in order.

    -1 for every other value, canonical or not, and for one that ends too early: `_scan` judges
    those, by the same rules and one call an item. Replay spends its time here, so this is one loop
    with nothing called in it.
    """
    at, left, key = 0, 1, -1
    outer: list[tuple[int, int]] = []
    try:
        while True:
            while not left:
                if not outer:
                    return at
                left, key = outer.pop()
            left -= 1
            lead = data[at]
            if key >= 0 and left & 1:  # a key: below 24, and larger than the one before it
                if not key <= lead < 0x18:
                    return -1
                key = lead + 1
                at += 1
            elif whole := _WHOLE[lead]:
                at += whole
            elif form := _LONG.get(lead):
                width, least, of_content = form
                body = at + 1 + width
                argument = int.from_bytes(data[at + 1 : body], "big")
                if argument < least:
                    return -1
                at = body + argument * of_content
            else:
                outer.append((left, key))
                left, key = _MEMBERS[lead]
                items_max -= left
                at += 1
                if items_max < 0 or len(outer) > DEPTH_MAX:
                    return -1
    except (IndexError, KeyError):
        return -1


def _malformed(failure: str) -> MalformedCbor:
    en, zh = _TEXT[failure]
    return MalformedCbor(
        f"the CBOR value {en}",
        f"CBOR 数据{zh}",
        remedy=("have its sender encode it again", "请发送方重新编码"),
        failure=failure,
    )


def _check_value(value: object, depth: int) -> None:
    if type(value) in _AS_THEY_ARE or isinstance(value, bytes | str):
        return
    if isinstance(value, int):
        if not -(1 << 64) <= value < 1 << 64:
            raise _malformed("range")
    elif depth == 0:
        raise _malformed("depth")
    elif isinstance(value, list | tuple):
        for item in value:
            if type(item) not in _AS_THEY_ARE:
                _check_value(item, depth - 1)
    elif isinstance(value, dict):
        _check_keys(value)
        for item in value.values():
            if type(item) not in _AS_THEY_ARE:
                _check_value(item, depth - 1)
    else:
        raise _malformed("type")


def _check_keys(value: dict[object, object]) -> None:
    kinds = set(map(type, value))
    if kinds <= {str}:
        return
    if kinds != {int} or not all(0 <= key < 1 << 64 for key in value if isinstance(key, int)):
        raise _malformed("key-type")


def _scan(data: bytes, at: int, depth: int, left: list[int]) -> int:
    """The offset just after the item that starts at ``at``; refuses whatever is not canonical.

    ``left`` holds one number: how many more items there may be.
    """
    lead, argument, at = _head(data, at)
    match lead >> 5:
        case 0 | 1:
            return at
        case 2 | 3:
            if argument > len(data) - at:
                raise _malformed("truncated")
            return at + argument
        case 4:
            if depth == 0:
                raise _malformed("depth")
            _spend(left, argument, len(data) - at)
            for _ in range(argument):
                after = at + _whole(data, at)
                at = after if at < after <= len(data) else _scan(data, at, depth - 1, left)
            return at
        case 5:
            if depth == 0:
                raise _malformed("depth")
            _spend(left, 2 * argument, len(data) - at)
            return _scan_map(data, at, argument, depth - 1, left)
        case 6:
            raise _malformed("tag")
    if lead in (0xF4, 0xF5, 0xF6):
        return at
    raise _malformed("float" if lead in (0xF9, 0xFA, 0xFB) else "simple")


def _spend(left: list[int], items: int, bytes_left: int) -> None:
    """Refuse a container before its members are looked at: an item takes a byte at least."""
    if items > bytes_left:
        raise _malformed("truncated")
    if items > left[0]:
        raise _malformed("too-many")
    left[0] -= items


def _whole(data: bytes, at: int) -> int:
    """Length of the item at ``at`` if it is one that messages are mostly made of, else 0.

    Replay spends its time here. What a lead byte alone determines stands in a table; the others are
    hashes and keys (0x58) and times (0x1b) in their shortest form. `_scan` judges all the rest.
    """
    try:
        lead = data[at]
        if lead == 0x58:
            return 2 + data[at + 1] if data[at + 1] >= 24 else 0
        if lead == 0x1B:
            return 9 if data[at + 3] or data[at + 4] else 0
    except IndexError:
        return 0
    return _WHOLE[lead]


def _scan_map(data: bytes, at: int, pairs: int, depth: int, left: list[int]) -> int:
    previous, kind, end = b"", None, len(data)
    for _ in range(pairs):
        start, small = at, at < end and data[at] < 0x18
        major = 0 if small else _head(data, at)[0] >> 5
        if major not in (0, 3) or kind not in (None, major):
            raise _malformed("key-type")
        at = at + 1 if small else _scan(data, at, 0, left)
        key = data[start:at]
        if key <= previous:
            raise _malformed("duplicate-key" if key == previous else "unsorted")
        previous, kind = key, major
        after = at + _whole(data, at)
        at = after if at < after <= end else _scan(data, at, depth, left)
    return at


def _head(data: bytes, at: int) -> tuple[int, int, int]:
    """Lead byte, argument, offset after both; an argument has its shortest form or is refused."""
    if at >= len(data):
        raise _malformed("truncated")
    lead = data[at]
    short = lead & 0x1F
    if short < 24:
        return lead, short, at + 1
    if short == 31:
        raise _malformed("indefinite")
    if short > 27:
        raise _malformed("reserved")
    width: int = 1 << (short - 24)
    if at + 1 + width > len(data):
        raise _malformed("truncated")
    argument = int.from_bytes(data[at + 1 : at + 1 + width], "big")
    if lead >> 5 < 6 and argument < (24 if width == 1 else 1 << (4 * width)):
        raise _malformed("not-shortest")
    return lead, argument, at + 1 + width
