"""The tree of commands, with its help in English or Chinese.

Help stands in English where a command is written; `exchange.cli.chinese` holds the Chinese for
each sentence, and a test finds the one that lacks it.
"""

from typing import Any

import typer
from typer.main import get_command

from exchange.cli import (
    adapter,
    audit,
    catalogue,
    contract,
    demo,
    grant,
    home,
    hub,
    keys,
    member,
    pull,
    push,
    request,
    rules,
)
from exchange.cli.chinese import HELP
from exchange.model.text import Language

NOUNS = (
    ("member", member.app),
    ("catalogue", catalogue.app),
    ("request", request.app),
    ("grant", grant.app),
    ("rules", rules.app),
    ("contract", contract.app),
    ("adapter", adapter.app),
    ("hub", hub.app),
    ("keys", keys.app),
    ("audit", audit.app),
)


def build(language: Language) -> Any:  # noqa: ANN401 - the parser's command class is private
    """The root command, ready to parse a line, with its help in ``language``."""
    command = get_command(_tree())
    if language == "zh":
        _translate(command)
    return command


def _tree() -> typer.Typer:
    root = typer.Typer(
        no_args_is_help=True,
        rich_markup_mode="rich",
        pretty_exceptions_enable=False,
        help="A bus between departments: sealed bundles on Kafka, keys only by written rules and on"
        " the record.",
        epilog="Everywhere on the line: --json, --as MEMBER, --home DIR, --lang zh|en. Exit codes:"
        " 0 done, 1 refused or a check failed, 2 usage, 3 unavailable (try again).",
    )
    for register in (demo, home, push, pull):
        register.register(root)
    for name, app in NOUNS:
        root.add_typer(app, name=name)
    return root


def _translate(command: Any) -> None:  # noqa: ANN401 - as above
    """Replace every help sentence below ``command`` that has a Chinese one."""
    for attribute in ("help", "short_help", "epilog"):
        sentence = getattr(command, attribute, None)
        if sentence in HELP:
            setattr(command, attribute, HELP[sentence])
    for parameter in command.params:
        if getattr(parameter, "help", None) in HELP:
            parameter.help = HELP[parameter.help]
    for child in getattr(command, "commands", {}).values():
        _translate(child)
