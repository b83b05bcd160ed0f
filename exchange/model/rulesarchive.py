"""A rule set as it travels inside an act: its files, named, sorted, compressed.

zstd (one frame that declares its size) of the canonical CBOR array of ``[name, content]``, by name.
The act carries the hash of the content; compression may differ, what it unpacks to may not.
"""

from collections.abc import Mapping
from typing import Final

import zstandard

from exchange.errors import InputUnreadable
from exchange.limits import RULES_ARCHIVE_BYTES_MAX, RULES_BYTES_MAX, RULES_FILES_MAX
from keys import cbor
from keys.errors import KeysError

_LEVEL: Final = 19
_WINDOW_BYTES_MAX: Final = 1 << 23


def pack_rules(files: Mapping[str, bytes]) -> bytes:
    """The archive of ``files``; `InputUnreadable` (``too-large``) if no act could carry it."""
    plain = cbor.encode([[name, files[name]] for name in sorted(files)])
    compressor = zstandard.ZstdCompressor(level=_LEVEL, write_content_size=True)
    packed = compressor.compress(plain)
    if len(plain) > RULES_BYTES_MAX or len(packed) > RULES_ARCHIVE_BYTES_MAX:
        raise InputUnreadable(
            f"the rule set has {len(plain)} bytes, {len(packed)} compressed; an act carries"
            f" {RULES_BYTES_MAX}, {RULES_ARCHIVE_BYTES_MAX} compressed",
            f"规则集 {len(plain)} 字节，压缩后 {len(packed)} 字节；"
            f"单个行为最多容纳 {RULES_BYTES_MAX} 字节，压缩后 {RULES_ARCHIVE_BYTES_MAX} 字节",
            remedy=("shorten texts that nobody needs", "请删减不必要的文字"),
            failure="too-large",
        )
    return packed


def unpack_rules(archive: bytes) -> dict[str, bytes]:
    """The files in ``archive``; `InputUnreadable` if it is not exactly what `pack_rules` makes."""
    try:
        declared = zstandard.frame_content_size(archive)
        if not 0 <= declared <= RULES_BYTES_MAX:
            raise _unreadable(f"more than {RULES_BYTES_MAX} bytes", "size")
        plain = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES_MAX).decompress(
            archive, max_output_size=declared, read_across_frames=False, allow_extra_data=False
        )
        pairs = cbor.decode(plain, bytes_max=RULES_BYTES_MAX)
    except zstandard.ZstdError:
        raise _unreadable("not one zstd frame", "zstd") from None
    except KeysError as error:
        raise _unreadable(error.failure, "cbor") from None
    return _files(pairs)


def _files(pairs: object) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    if not isinstance(pairs, list) or len(pairs) > RULES_FILES_MAX:
        raise _unreadable(f"not at most {RULES_FILES_MAX} files", "files")
    for pair in pairs:
        match pair:
            case [str(name), bytes(content)] if not files or name > max(files):
                files[name] = content
            case _:
                raise _unreadable("not files by name, each once", "files")
    return files


def _unreadable(why: str, failure: str) -> InputUnreadable:
    return InputUnreadable(
        f"this is no archive of a rule set ({why})",
        f"不是规则集归档（{why}）",
        remedy=("make it with `exchange rules adopt`", "请用 exchange rules adopt 生成"),
        failure=failure,
    )
