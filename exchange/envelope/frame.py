"""Compression and padding of one section; SPEC.md §5.

Reading bounds memory before it allocates: `zstandard` (0.25) ignores its output limit when a frame
declares a size, and reads second frames and trailing bytes in silence.
"""

from threading import local
from typing import Final

import zstandard

from exchange.envelope.refusals import refused
from exchange.limits import PADDING_BYTES_MIN

LEVEL: Final = 2
"""Smallest and fastest on columns of real records: higher levels cost time and save nothing."""
_LENGTH_BYTES: Final = 4
_WINDOW_BYTES_MAX: Final = 1 << 23
_OF_THREAD: Final = local()


def padme(length: int) -> int:
    """``length`` (at least 2) rounded up so that its size tells little; at most 12 % more."""
    exponent = length.bit_length() - 1
    low_bits = exponent - exponent.bit_length()
    mask = (1 << low_bits) - 1
    return (length + mask) & ~mask


def is_frame_length(length: int) -> bool:
    """Whether a frame can have this length; known without a key."""
    return length >= PADDING_BYTES_MIN and padme(length) == length


def pack(plain: bytes) -> bytes:
    """The frame around ``plain``: compressed, its length in front, zeros behind."""
    packed = _compressor().compress(plain)
    length = _LENGTH_BYTES + len(packed)
    padding = bytes(padme(max(PADDING_BYTES_MIN, length)) - length)
    return b"".join((len(packed).to_bytes(_LENGTH_BYTES, "big"), packed, padding))


def _compressor() -> zstandard.ZstdCompressor:
    """The one of the calling thread: making one costs a tenth of a bundle's compression."""
    made: zstandard.ZstdCompressor | None = getattr(_OF_THREAD, "compressor", None)
    if made is None:
        made = _OF_THREAD.compressor = zstandard.ZstdCompressor(
            level=LEVEL, write_content_size=True, write_checksum=False, write_dict_id=False
        )
    return made


def unpack(frame: bytes, plain_bytes: int) -> bytes:
    """The plaintext in ``frame``, exactly ``plain_bytes`` long; steps 16 to 19 of SPEC.md §6.

    ``plain_bytes`` comes from a checked header, so it is within the limit; nothing larger is ever
    allocated.
    """
    end = _LENGTH_BYTES + int.from_bytes(frame[:_LENGTH_BYTES], "big")
    if end > len(frame) or len(frame) != padme(max(PADDING_BYTES_MIN, end)):
        raise refused("frame-length")
    if frame.count(0, end) != len(frame) - end:
        raise refused("frame-padding")
    return _decompress(frame[_LENGTH_BYTES:end], plain_bytes)


def _decompress(packed: bytes, plain_bytes: int) -> bytes:
    try:
        declared = zstandard.frame_content_size(packed)
        if declared == -1:
            raise refused("zstd-unknown")
        if declared != plain_bytes:
            raise refused("plain-size")
        # A frame that yields more or less than it declares is an error of the decompressor.
        return zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES_MAX).decompress(
            packed, max_output_size=plain_bytes, read_across_frames=False, allow_extra_data=False
        )
    except zstandard.ZstdError:
        raise refused("zstd") from None
