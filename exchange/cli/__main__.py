"""``exchange``, and ``python -m exchange.cli``: where a call begins.

Nothing is imported before `main` listens for Ctrl-C: the modules of the commands take some tenths
of a second, and whoever interrupts them is to see no traceback.
"""

import sys
from typing import Final

_INTERRUPTED: Final = 130
_SAID: Final = "interrupted / 已中断"
"""As exchange/cli/problems.py has them, which is not read yet when this counts; nor is what
language is wanted."""


def main() -> None:
    """The console script."""
    try:
        from exchange.cli.main import main as start

        start()
    except KeyboardInterrupt:
        sys.stderr.write(_SAID + "\n")
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
