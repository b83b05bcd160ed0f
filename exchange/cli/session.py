"""What every command is given: the home, the member it acts for, and the screen."""

from dataclasses import dataclass
from pathlib import Path
from typing import cast

import typer

from exchange.cli.screen import Screen
from exchange.wiring.settings import Settings


@dataclass(frozen=True, slots=True)
class Session:
    """The global options of one call. ``member`` is None unless ``--as`` was given."""

    home: Path
    member: str | None
    screen: Screen
    settings: Settings


def session_of(context: typer.Context) -> Session:
    """The session that `exchange.cli.main` put into the parser's context."""
    return cast(Session, context.find_root().obj)
