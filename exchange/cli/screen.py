"""Where a command speaks: people on a terminal, a pipe, or a program that asked for JSON.

With ``--json`` a command writes exactly one JSON object to standard output, whether it succeeded
or failed (``{"error": {...}}``), and nothing else anywhere. Without it, results go to standard
output, progress and remarks to standard error; a terminal gets Rich tables and bars, a pipe gets
tab-separated lines. No record value ever passes through here except by ``adapter rejected``.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TextIO

from exchange.cli.problems import Problem
from exchange.cli.unverified import BADGE, mark
from exchange.model.text import Language, Text, printable

Advance = Callable[[int], None]
"""Call it with the number of records (or steps) just finished."""

_WRONG: Final = Text("Error", "错误")
_PAIR: Final = Text("{name}: {value}", "{name}：{value}")
_FOLDING_MAX: Final = 1.5
"""How much wider than the terminal a table may be before its rows are shown as blocks."""
_REMEDY: Final = Text("What to do", "处理办法")


def fill(text: Text, **values: object) -> Text:
    """``text`` with its ``{names}`` filled in both languages; values bring no control code."""
    values = {
        name: printable(value) if isinstance(value, str) else value
        for name, value in values.items()
    }
    return Text(text.en.format(**values), text.zh.format(**values))


@dataclass(frozen=True, slots=True)
class Grid:
    """A table for people: a heading, column titles, rows of plain text."""

    title: Text
    columns: tuple[Text, ...]
    rows: Sequence[Sequence[object]]


class Screen:
    """One command's output. Every method but `answer` and `fail` is silent with ``--json``."""

    def __init__(self, *, language: Language, as_json: bool, out: TextIO, err: TextIO) -> None:
        self.language: Language = language
        self.as_json = as_json
        self._out = out
        self._err = err
        self._answered = False

    @property
    def interactive(self) -> bool:
        """Whether a person looks at both streams."""
        return not self.as_json and self._out.isatty() and self._err.isatty()

    def word(self, text: Text) -> str:
        """``text`` in the chosen language."""
        return text.in_language(self.language)

    def say(self, text: Text, **values: object) -> None:
        """A line of the result."""
        if not self.as_json:
            line = self.word(fill(text, **values) if values else text)
            self._write(self._out, mark(_lines(line)))

    def pair(self, name: str, value: object) -> None:
        """A line ``name: value``; of a list its items, of None nothing."""
        self.say(_PAIR, name=name, value=_cell(value))

    def heading(self, text: Text) -> None:
        """A line that begins something new."""
        if not self.as_json:
            line = self.word(text)
            shown = f"\x1b[1m{line}\x1b[0m" if self.interactive else line
            self._write(self._out, "\n" + shown)

    def note(self, text: Text, **values: object) -> None:
        """A remark beside the result: what happens now, what to do next."""
        if not self.as_json:
            self._write(self._err, mark(self.word(fill(text, **values) if values else text)))

    def grid(self, grid: Grid) -> None:
        """A table; tab-separated with one line of column titles when nobody looks."""
        if self.as_json:
            return
        rows = [_cells(row) for row in grid.rows]
        titles = [self.word(column) for column in grid.columns]
        if not self.interactive:
            for row in [titles, *rows]:
                self._write(self._out, "\t".join(row))
            return
        self._rich_grid(self.word(grid.title), titles, rows)

    def _rich_grid(self, title: str, titles: list[str], rows: list[list[str]]) -> None:
        from rich.box import SIMPLE_HEAD
        from rich.cells import cell_len
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text as RichText

        console = Console(file=self._out)
        widest = [max(map(cell_len, column)) for column in zip(titles, *rows, strict=True)]
        # Columns folded to a few characters are unreadable: then each row becomes a block.
        upright = sum(widest) <= _FOLDING_MAX * console.width
        table = Table(title=title, box=SIMPLE_HEAD, title_justify="left", title_style="bold")
        table.show_header = upright
        for heading in titles if upright else ("", ""):
            table.add_column(heading, overflow="fold")
        for row in rows:
            # As Text: a value in brackets must not turn into markup.
            cells = [RichText(cell) for cell in row]
            if upright:
                table.add_row(*cells)
                continue
            for heading, cell in zip(titles, cells, strict=True):
                table.add_row(RichText(heading, style="dim"), cell)
            table.add_section()
        console.print(table)

    def answer(self, data: Mapping[str, Any]) -> None:
        """The one JSON object of a successful (or partly successful) command."""
        if self.as_json:
            self._answered = True
            self._write(self._out, json.dumps(_plain(data), ensure_ascii=False))

    def fail(self, problem: Problem) -> None:
        """One sentence and its remedy; with ``--json`` the error object.

        What goes wrong after the answer (Ctrl-C in the last moment) is a sentence in any case: an
        answer is one object.
        """
        if self.as_json and not self._answered:
            self._write(self._out, json.dumps({"error": problem.data()}, ensure_ascii=False))
            return
        self._write(self._err, f"{self.word(_WRONG)}: {mark(_lines(self.word(problem.text)))}")
        if self.word(problem.remedy):
            self._write(self._err, f"{self.word(_REMEDY)}: {_lines(self.word(problem.remedy))}")

    @contextmanager
    def progress(self, text: Text, *, total: int | None) -> Iterator[Advance]:
        """A bar on a terminal, nothing elsewhere; ``total`` None when the end is unknown."""
        if not self.interactive:
            yield lambda _: None
            return
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeElapsedColumn,
        )

        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        with Progress(*columns, TimeElapsedColumn(), console=Console(file=self._err)) as bar:
            task = bar.add_task(self.word(text), total=total)
            yield lambda done: bar.advance(task, done)

    @staticmethod
    def _write(stream: TextIO, line: str) -> None:
        stream.write(line + "\n")
        stream.flush()


def _cells(row: Sequence[object]) -> list[str]:
    """A row as text; unverified rules are marked unless the row says so itself."""
    cells = [_cell(value) for value in row]
    return cells if any(BADGE in cell for cell in cells) else [mark(cell) for cell in cells]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(_cell(item) for item in value)
    return printable(str(value).replace("\t", " "))


def _lines(text: str) -> str:
    """A message, whose own line breaks and tabs stay."""
    return "\n".join(printable(line) for line in text.expandtabs(4).split("\n"))


def _plain(value: object) -> object:
    """What JSON can hold: bytes as hex, sentences by language, paths as text."""
    match value:
        case Text():
            return {"en": value.en, "zh": value.zh}
        case Mapping():
            return {str(key): _plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
        case bytes():
            return value.hex()
        case None | bool() | int() | float() | str():
            return value
        case _:
            return str(value)
