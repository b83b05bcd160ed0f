"""``exchange hub``: serve the hub of this home in the foreground."""

import asyncio
import sys
from typing import Annotated

import typer

from exchange.cli.session import Session, session_of
from exchange.cli.work import home_of, passphrase_of
from exchange.model.text import Text
from exchange.wiring.passphrase import Passphrase

app = typer.Typer(no_args_is_help=True, help="The hub of this home.")

FromStdin = Annotated[
    bool,
    typer.Option(
        "--passphrase-stdin", help="Read the passphrase from standard input.", hidden=True
    ),
]


@app.command("run")
def run(context: typer.Context, passphrase_stdin: FromStdin = False) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    from exchange.hub.garbage import spared
    from exchange.hub.run import run_hub
    from exchange.wiring.logs import configure

    session = session_of(context)
    home = home_of(session)
    terminal = sys.stderr if sys.stderr.isatty() else None
    configure(level=session.settings.log_level, file=home.log_file("hub"), terminal=terminal)
    passphrase = given_passphrase(session, passphrase_stdin)

    async def serve() -> None:
        async with spared() as spare:
            await run_hub(home, session.settings, passphrase, caught_up=spare)

    asyncio.run(serve())
    session.screen.note(Text("the hub has stopped", "枢纽已停止"))


def given_passphrase(session: Session, stdin: bool) -> Passphrase:
    """One line of standard input for background processes, else the usual places."""
    if not stdin:
        return passphrase_of(session)
    return Passphrase(sys.stdin.readline().rstrip("\r\n"))
