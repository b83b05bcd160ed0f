"""``exchange witness``: cosign the ledger's heads, so that nobody can be shown another history."""

import sys
from typing import Annotated, Final

import typer

from exchange.cli.hub import FromStdin, given_passphrase
from exchange.cli.session import session_of
from exchange.cli.work import acting, home_of, passphrase_of
from exchange.model.text import Text

app = typer.Typer(no_args_is_help=True, help="A witness: cosigns heads of the ledger.")

_MADE: Final = Text(
    "{name} has its keys; it listens at {url} once it runs: exchange witness run",
    "{name} 的密钥已生成；执行 exchange witness run 后在 {url} 监听",
)
_POLICY: Final = Text(
    "lines for the policy of hubs and auditors ([witness] policy in exchange.toml):",
    "供枢纽与审计方写入策略文件的行（exchange.toml 的 [witness] policy）：",
)


@app.command("init")
def init(
    context: typer.Context,
    name: Annotated[
        str, typer.Option("--name", help="Name it signs under, for ever; default: by the member.")
    ] = "",
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option("--port", min=1, max=65_535, help="Port to listen on.")
    ] = 8444,
) -> None:
    """Make a witness of this home: two keys of its own, and the policy lines that name them."""
    from exchange.wiring.witnesskeys import WitnessSettings, make_witness

    session = session_of(context)
    home = home_of(session)
    name = name or f"{home.table.log.origin}/witness/{acting(session, home)}"
    settings = WitnessSettings(name=name, host=host, port=port)
    made = make_witness(home, settings, passphrase_of(session))
    screen = session.screen
    screen.say(_MADE, name=name, url=made.url)
    screen.say(_POLICY)
    for line in made.policy().splitlines():
        screen.say(Text(line, line))
    screen.answer(
        {
            "name": name,
            "url": made.url,
            "vkeys": [signer.key.text() for signer in made.signers],
            "policy": made.policy(),
        }
    )


@app.command("run")
def run(context: typer.Context, passphrase_stdin: FromStdin = False) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    from exchange.wiring.logs import configure
    from exchange.witness.run import run_witness

    session = session_of(context)
    home = home_of(session)
    terminal = sys.stderr if sys.stderr.isatty() else None
    configure(level=session.settings.log_level, file=home.log_file("witness"), terminal=terminal)
    run_witness(home, given_passphrase(session, passphrase_stdin))
    session.screen.note(Text("the witness has stopped", "见证人已停止"))
