"""``exchange``: parses the line, runs one command, tells what went wrong, returns the exit code.

Exit codes: 0 done, 1 refused or a check failed, 2 usage, 3 unavailable (try again), 130 Ctrl-C.
Command modules import what they need inside their functions, so that ``--help`` is quick.
"""

import sys
from collections.abc import Sequence
from typing import TextIO

from exchange.cli.app import build
from exchange.cli.globals import GlobalOptions, take_globals
from exchange.cli.problems import EXIT_INTERRUPTED, expected, interrupted, problem_of
from exchange.cli.screen import Screen
from exchange.cli.session import Session
from exchange.errors import UsageError
from exchange.model.text import Language
from exchange.wiring.settings import Settings, choose_allocator, environment


def main() -> None:
    """The work of the console script."""
    choose_allocator()
    sys.exit(run(sys.argv[1:], out=sys.stdout, err=sys.stderr))


def run(arguments: Sequence[str], *, out: TextIO, err: TextIO) -> int:
    """Run one command line and return its exit code."""
    language: Language = "en"
    as_json = "--json" in arguments
    try:
        settings = environment()
        language = settings.language
        options = take_globals(arguments)
    except UsageError as error:
        Screen(language=language, as_json=as_json, out=out, err=err).fail(problem_of(error))
        return error.exit_code
    screen = Screen(
        language=options.language or language, as_json=options.as_json, out=out, err=err
    )
    return _dispatch(options, settings, screen)


def _dispatch(options: GlobalOptions, settings: Settings, screen: Screen) -> int:
    home = (options.home or settings.home).absolute()
    session = Session(home=home, member=options.member, screen=screen, settings=settings)
    command = build(screen.language, helpful=not screen.as_json)
    try:
        result = command.main(
            args=list(options.rest), prog_name="exchange", standalone_mode=False, obj=session
        )
    except expected() as error:
        problem = problem_of(error)
        screen.fail(problem)
        return problem.exit_code
    if result == EXIT_INTERRUPTED:
        screen.fail(interrupted())
    return result if isinstance(result, int) else 0
