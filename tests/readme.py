"""The help block of README.md, taken from the program; ``make readme`` writes it anew."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

README: Final = Path(__file__).parents[1] / "README.md"
BLOCK: Final = re.compile(r"(?<=\n```text\n\$ exchange --help\n)(.*?)(?=```\n)", re.DOTALL)


def help_text() -> str:
    """What ``exchange --help`` prints on a plain terminal of 100 columns, in English."""
    plain = {"COLUMNS": "100", "NO_COLOR": "1", "TERM": "dumb", "EXCHANGE_LANG": "en"}
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME"}}
    done = subprocess.run(
        [sys.executable, "-c", "from exchange.cli.main import main; main()", "--help"],
        env=kept | plain,
        check=True,
        capture_output=True,
        text=True,
    )
    lines = [line.rstrip() for line in done.stdout.strip("\n").splitlines()]
    return "\n".join(lines).strip() + "\n"


def block(readme: str) -> re.Match[str]:
    """Where the help stands in ``readme``; raises `ValueError` when it stands nowhere."""
    match = BLOCK.search(readme)
    if match is None:
        raise ValueError("README.md has no block that starts with `$ exchange --help`")
    return match


def main() -> None:
    """Write the block anew."""
    readme = README.read_text("utf-8")
    start, end = block(readme).span()
    README.write_text(readme[:start] + help_text() + readme[end:], "utf-8")


if __name__ == "__main__":
    main()
