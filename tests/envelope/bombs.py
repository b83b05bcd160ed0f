"""Decompression and parsing bombs, and a process that reads them and reports its peak of memory.

    python -m tests.envelope.bombs FOLDER

They are made in one process and read in another: making them takes more memory than reading may.
"""

import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import zstandard

from exchange.errors import BundleRefused
from exchange.limits import BUNDLE_RECORDS_MAX, SECTION_PLAIN_BYTES_MAX
from exchange.model.batch import Batch
from tests.envelope.bad_cases import HONEST, KEYS, LIVE
from tests.envelope.bad_contents import declaring
from tests.envelope.forging import SIGNING, VERSION, VILLAGES, frame, resealed
from tests.envelope.reading import read

FULL = SECTION_PLAIN_BYTES_MAX
_COMPRESSOR = zstandard.ZstdCompressor(level=3)


def filled(start: bytes, again: bytes, end: bytes = b"") -> bytes:
    """As much plaintext as a section may have."""
    times = (FULL - len(start) - len(end)) // len(again)
    return start + again * times + end


def plaintexts() -> Iterator[bytes]:
    """Small when compressed, large when parsed."""
    yield bytes(FULL)
    yield filled(b"", b"[")
    yield filled(b"[", b"[],", b"[]]")
    yield filled(b"[", b"{},", b"{}]")
    yield filled(b"[", b'{"":', b"0")
    yield filled(b"[", b"1,", b"1]")
    yield filled(b"[null,null,[", b'"",', b'""],[]]')
    yield filled(b"[null,null,[", b'"a",', b'"a"],[]]')
    yield filled(b"[null,null,[", b'",",', b'""],[]]')
    yield filled(b"[null,null,[", b'",",,', b'""],[]]')
    yield filled(b'[null,null,["', b"\\\\", b'"],[]]')
    yield filled(b'[null,null,["', b'\\"', b'"],[]]')
    yield filled(b'[null,null,["', b"\\n", b'"],[]]')
    yield filled(b"[null,null,[", b"0.1,", b"0.1],[]]")


def bombs() -> Iterator[bytes]:
    """Bundles that the provider signed, claiming as many records as a bundle may have."""
    claim = {"records": BUNDLE_RECORDS_MAX, "versions": [VERSION, VERSION + BUNDLE_RECORDS_MAX - 1]}
    for plain in plaintexts():
        packed = frame(_COMPRESSOR.compress(plain))
        yield resealed(HONEST, LIVE, {1: (packed, len(plain))}, **claim)
    for declared in (1 << 30, 1 << 40, (1 << 64) - 3):
        yield resealed(HONEST, LIVE, {1: (frame(declaring(declared)), FULL)}, **claim)
    yield b"\x81" * (4 << 20)
    yield b"\x9a" + ((4 << 20) - 5).to_bytes(4, "big") + b"\x80" * ((4 << 20) - 5)
    yield b"\x82\x40\x9a" + ((4 << 20) - 7).to_bytes(4, "big") + b"\x40" * ((4 << 20) - 7)
    yield b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff" + bytes(4 << 20)[:-9]
    yield b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff"
    yield b"\x82\x40\x9a\x00\x3f\xff\xf0" + b"\x40" * ((4 << 20) - 16)


def write(folder: Path) -> int:
    """Put them into ``folder``, one file each; how many there are."""
    count = 0
    for count, raw in enumerate(bombs(), 1):
        (folder / f"{count}.bundle").write_bytes(raw)
    return count


def main(folder: Path) -> None:
    """Read the bombs of ``folder``; print how many were refused and the peak's growth in KiB."""
    assert _read(HONEST.raw).records == 2
    before, refusals = _peak_kib(), 0
    for path in folder.glob("*.bundle"):
        try:
            _read(path.read_bytes())
        except BundleRefused:
            refusals += 1
    sys.stdout.write(f"{refusals} {_peak_kib() - before}\n")


def _read(raw: bytes) -> Batch:
    return read(raw, public=SIGNING.raw, contract=VILLAGES, keys=KEYS)


def _peak_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    main(Path(sys.argv[1]))
