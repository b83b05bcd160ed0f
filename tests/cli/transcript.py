"""Transcripts: what is typed and what comes back, in files that read like a terminal.

::

    # a remark
    $ exchange member list --json            a command; {NAME} stands for what was captured before
    > {"members": [{"member": "…"            its standard output, … stands for anything
    ! Error: …                               its standard error
    ? 3                                      its exit code, 0 if not stated
    < code,name                              a line of standard input, before the command

A ``{NAME}`` in an expected line captures a word the first time and must match it afterwards.
"""

import io
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from exchange.cli.main import run


@dataclass(slots=True)
class Exchange:
    """One command and what is expected of it; ``line`` is where it stands."""

    line: int
    command: str
    stdin: list[str] = field(default_factory=list)
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)
    code: int = 0


def read(path: Path) -> list[Exchange]:
    """The commands of a transcript, in order."""
    found: list[Exchange] = []
    waiting: list[str] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        sign, text = line[:2].strip(), line[2:]
        match sign:
            case "" | "#" | "##":
                continue
            case "<":
                waiting.append(text)
            case "$":
                found.append(Exchange(number, text, waiting))
                waiting = []
            case ">":
                found[-1].out.append(text)
            case "!":
                found[-1].err.append(text)
            case "?":
                found[-1].code = int(text)
            case _:
                raise ValueError(f"{path.name}:{number}: a line begins with one of # $ > ! ? <")
    return found


def play(path: Path, feed: Callable[[str], None], known: Mapping[str, str] | None = None) -> None:
    """Run a transcript; ``feed`` puts text into standard input, ``known`` fills names."""
    captured = dict(known or {})
    for step in read(path):
        words = shlex.split(_filled(step.command, captured))
        assert words[0] == "exchange", f"{path.name}:{step.line}"
        feed("".join(line + "\n" for line in step.stdin))
        out, err = io.StringIO(), io.StringIO()
        code = run(words[1:], out=out, err=err)
        where = f"{path.name}:{step.line}: {step.command}"
        told = f"{where}\n--- stdout\n{out.getvalue()}--- stderr\n{err.getvalue()}"
        assert code == step.code, f"exit {code} instead of {step.code}\n{told}"
        for expected, actual in ((step.out, out.getvalue()), (step.err, err.getvalue())):
            _compare(expected, actual.splitlines(), captured, told)


def _compare(expected: list[str], actual: list[str], captured: dict[str, str], told: str) -> None:
    assert len(expected) == len(actual), f"other lines than expected\n{told}"
    for wanted, line in zip(expected, actual, strict=True):
        found = re.fullmatch(_pattern(wanted, captured), line)
        assert found, f"expected: {wanted}\n{told}"
        captured.update(found.groupdict())


def _pattern(wanted: str, captured: dict[str, str]) -> str:
    pattern = re.escape(wanted).replace("…", ".*")
    for name in re.findall(r"\\\{([A-Z_]+)\\\}", pattern):
        known = captured.get(name)
        replacement = re.escape(known) if known is not None else f'(?P<{name}>[^ ,"]+)'
        pattern = pattern.replace(rf"\{{{name}\}}", replacement, 1)
    return pattern


def _filled(command: str, captured: dict[str, str]) -> str:
    for name, value in captured.items():
        command = command.replace(f"{{{name}}}", value)
    return command
