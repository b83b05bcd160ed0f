"""A command whose every byte to and from the hub is written down before TLS hides it.

``python -m tests.system.recorder FILE WORDS…`` is ``exchange WORDS…``; it gives each TLS connection
of the process an object that copies what it encrypts and decrypts, whatever library uses it.
"""

import ssl
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from exchange.cli.main import run

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer


def record_into(file: Path) -> None:
    """Append the plaintext of all TLS connections of this process to ``file``."""

    class Recorded(ssl.SSLObject):
        """Copies both directions."""

        def write(self, data: "ReadableBuffer") -> int:
            """Encrypt."""
            with file.open("ab") as copy:
                copy.write(data)
            return super().write(data)

        def read(
            self,
            len: int = 1024,  # noqa: A002 - the names are those of the class
            buffer: "WriteableBuffer | None" = None,
        ) -> bytes:
            """Decrypt."""
            assert buffer is None, "asked for in another way than httpx does"
            got = super().read(len)
            with file.open("ab") as copy:
                copy.write(got)
            return got

    ssl.SSLContext.sslobject_class = Recorded


if __name__ == "__main__":
    record_into(Path(sys.argv[1]))
    sys.exit(run(sys.argv[2:], out=sys.stdout, err=sys.stderr))
