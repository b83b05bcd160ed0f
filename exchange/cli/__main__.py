"""``exchange``, and ``python -m exchange.cli``: where a call begins.

Nothing is imported before `main` listens for Ctrl-C: the modules of the commands take some tenths
of a second, and whoever interrupts them is to see no traceback.
"""

import sys
from typing import Final

_INTERRUPTED: Final = 130
"""As exchange/cli/problems.py has it, which is not read yet when this counts."""


def main() -> None:
    """The console script."""
    try:
        from exchange.cli.main import main as start

        start()
    except KeyboardInterrupt:
        sys.exit(_INTERRUPTED)


if __name__ == "__main__":
    main()
