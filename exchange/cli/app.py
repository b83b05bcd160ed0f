"""The tree of commands, with its help in English or Chinese.

Help stands in English where a command is written; `exchange.cli.chinese` holds the Chinese for
each sentence, and a test finds the one that lacks it.
"""

from collections.abc import Mapping
from typing import Any

import typer
from typer.main import get_command

from exchange.cli.adapter import app as adapter
from exchange.cli.audit import app as audit
from exchange.cli.calendar import app as calendar
from exchange.cli.catalogue import app as catalogue
from exchange.cli.chinese import help_in_chinese
from exchange.cli.contract import app as contract
from exchange.cli.demand import app as demand
from exchange.cli.demo import register as register_demo
from exchange.cli.duty import app as duty
from exchange.cli.escalate import app as escalate
from exchange.cli.grant import app as grant
from exchange.cli.grantend import register as register_grant_end
from exchange.cli.home import register as register_home
from exchange.cli.hub import app as hub
from exchange.cli.keys import app as keys
from exchange.cli.member import app as member
from exchange.cli.notice import app as notice
from exchange.cli.objection import app as objection
from exchange.cli.pull import register as register_pull
from exchange.cli.push import register as register_push
from exchange.cli.request import app as request
from exchange.cli.rules import app as rules
from exchange.cli.witness import app as witness
from exchange.model.text import Language

NOUNS = (
    ("member", member),
    ("catalogue", catalogue),
    ("request", request),
    ("grant", grant),
    ("demand", demand),
    ("objection", objection),
    ("duty", duty),
    ("escalate", escalate),
    ("notice", notice),
    ("rules", rules),
    ("contract", contract),
    ("adapter", adapter),
    ("hub", hub),
    ("keys", keys),
    ("audit", audit),
    ("witness", witness),
)


register_grant_end(grant)
rules.add_typer(calendar, name="calendar")


def build(language: Language, *, helpful: bool = True) -> Any:  # noqa: ANN401 - a private class
    """The root command, ready to parse a line, with its help in ``language``.

    Unless ``helpful`` a noun without a command is an error and nothing more: no page of help.
    """
    command = get_command(_tree())
    if not helpful:
        _withhold_help(command)
    if language == "zh":
        _translate(command, help_in_chinese())
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
    for register in (register_demo, register_home, register_push, register_pull):
        register(root)
    for name, app in NOUNS:
        root.add_typer(app, name=name)
    return root


def _withhold_help(command: Any) -> None:  # noqa: ANN401 - as above
    """Nouns below ``command`` print no help of their own accord."""
    command.no_args_is_help = False
    for child in getattr(command, "commands", {}).values():
        _withhold_help(child)


def _translate(command: Any, chinese: Mapping[str, str]) -> None:  # noqa: ANN401 - as above
    """Replace every help sentence below ``command`` that has a Chinese one."""
    for attribute in ("help", "short_help", "epilog"):
        sentence = str(getattr(command, attribute, None))
        if sentence in chinese:
            setattr(command, attribute, chinese[sentence])
    for parameter in command.params:
        sentence = str(getattr(parameter, "help", None))
        if sentence in chinese:
            parameter.help = chinese[sentence]
    for child in getattr(command, "commands", {}).values():
        _translate(child, chinese)
