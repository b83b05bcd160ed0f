"""The options that every command has, wherever on the line they stand.

``exchange --json member list`` and ``exchange member list --json`` are the same command. The
options are taken out of the line before the parser of the command sees it; everything after a
bare ``--`` is left alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from exchange.errors import UsageError
from exchange.model.text import Language

_VALUED: Final = ("--as", "--home", "--lang")


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """What stood on the line; None where nothing did."""

    rest: tuple[str, ...]
    as_json: bool = False
    member: str | None = None
    home: Path | None = None
    language: Language | None = None


def take_globals(arguments: Sequence[str]) -> GlobalOptions:
    """The global options in ``arguments`` and the rest; `UsageError` if one lacks a value."""
    found: dict[str, str] = {}
    rest: list[str] = []
    as_json = False
    line = list(arguments)
    while line:
        word = line.pop(0)
        name, _, inline = word.partition("=")
        if word == "--":
            rest += [word, *line]
            break
        if word == "--json":
            as_json = True
        elif name in _VALUED and (inline or line):
            found[name] = inline or line.pop(0)
        elif name in _VALUED:
            raise _lacks_value(name)
        else:
            rest.append(word)
    home = found.get("--home")
    return GlobalOptions(
        rest=tuple(rest),
        as_json=as_json,
        member=found.get("--as"),
        home=Path(home).expanduser() if home else None,
        language=_language(found.get("--lang")),
    )


def _language(name: str | None) -> Language | None:
    match name:
        case None | "zh" | "en":
            return name
        case _:
            raise UsageError(
                f"--lang knows zh and en, not {name[:20]!r}",
                f"--lang 只接受 zh 或 en，不接受 {name[:20]!r}",
                remedy=("say --lang zh or --lang en", "请使用 --lang zh 或 --lang en"),
                failure="language",
            )


def _lacks_value(name: str) -> UsageError:
    return UsageError(
        f"{name} needs a value",
        f"{name} 缺少取值",
        remedy=(f"write {name} VALUE", f"请写成 {name} 取值"),
        failure="usage",
    )
