"""``exchange demo``."""

import typer


def register(root: typer.Typer) -> None:
    """Add the command to the root."""
