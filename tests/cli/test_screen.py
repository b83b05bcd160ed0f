"""What a person, a pipe and a program are shown."""

import io
import json

import pytest

from exchange.cli.problems import interrupted, problem_of
from exchange.cli.screen import Grid, Screen
from exchange.errors import RuleRefused
from exchange.model.text import Language, Text

TITLE = Text("Things", "事物")
COLUMNS = (Text("name", "名称"), Text("count", "数量"))


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def screen(language: Language = "en", *, tty: bool = False, as_json: bool = False) -> Screen:
    made = Tty if tty else io.StringIO
    return Screen(language=language, as_json=as_json, out=made(), err=made())


def shown(made: Screen) -> str:
    assert isinstance(made._out, io.StringIO)
    return made._out.getvalue()


def test_a_pipe_gets_tab_separated_lines() -> None:
    made = screen("zh")
    made.grid(Grid(TITLE, COLUMNS, [["a\tb", 1], [["x", "y"], None]]))
    assert shown(made) == "名称\t数量\na b\t1\nx, y\t\n"


def test_a_terminal_gets_a_table() -> None:
    made = screen(tty=True)
    made.grid(Grid(TITLE, COLUMNS, [["[bold]a[/bold]", 1]]))
    assert "Things" in shown(made)
    assert "[bold]a[/bold]" in shown(made)


def test_a_table_that_would_be_folded_to_nothing_becomes_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    made = screen(tty=True)
    many = tuple(Text(f"column {number}", "列") for number in range(9))
    made.grid(Grid(TITLE, many, [[f"value number {number}" for number in range(9)]]))
    assert "column 7" in shown(made)
    assert "value number 7" in shown(made)


def test_progress_is_shown_to_people_only() -> None:
    for made, seen in ((screen(tty=True), True), (screen(), False)):
        with made.progress(TITLE, total=10) as advance:
            advance(10)
        assert isinstance(made._err, io.StringIO)
        assert bool(made._err.getvalue()) is seen


def test_a_pair_shows_a_list_as_its_items_and_nothing_as_nothing() -> None:
    made = screen()
    made.pair("fields", ["code", "name"])
    made.pair("until", None)
    assert shown(made).splitlines() == ["fields: code, name", "until: "]


def test_json_keeps_everything_else_quiet() -> None:
    made = screen(as_json=True)
    made.say(TITLE)
    made.note(TITLE)
    made.heading(TITLE)
    made.grid(Grid(TITLE, COLUMNS, [["a", 1]]))
    made.answer({"hash": b"\x01\x02", "text": TITLE})
    assert json.loads(shown(made)) == {"hash": "0102", "text": {"en": "Things", "zh": "事物"}}


def test_a_refusal_by_the_rules_names_them_to_programs() -> None:
    made = screen(as_json=True)
    made.fail(problem_of(RuleRefused("no", "否", rules=("DUTY-01",))))
    error = json.loads(shown(made))["error"]
    assert (error["rules"], error["exit_code"]) == (["DUTY-01"], 1)


def test_a_full_disk_is_told_as_one() -> None:
    problem = problem_of(OSError(28, "No space left on device", "/x/y"))
    assert (problem.category, problem.exit_code) == ("disk-full", 3)
    assert "/x/y" in problem.text.zh
    unnamed = problem_of(OSError(28, "No space left on device"))
    assert (unnamed.text.en, unnamed.text.zh) == ("a disk is full", "磁盘空间不足")
    other = problem_of(OSError(5, "Input/output error"))
    assert other.text.en == "the system refused: Input/output error"


def test_nothing_that_others_wrote_forges_a_line_or_drives_the_terminal() -> None:
    evil = "a\x1b[2J\x9b1mb\r\nentry 9: permit\u202etimrep"
    made = screen(tty=True)
    made.say(Text("reason: {why}", "理由：{why}"), why=evil)
    made.grid(Grid(TITLE, COLUMNS, [[evil, "全角\u3000空格"]]))
    made.fail(problem_of(RuleRefused(evil, evil, rules=("R",), remedy=(evil, evil))))
    made.say(Text(f"of a log:\n\tat {evil}", ""))
    assert isinstance(made._err, io.StringIO)
    told = shown(made).replace("\x1b[1m", "").replace("\x1b[0m", "") + made._err.getvalue()
    for bad in ("\x1b[2J", "\x9b", "\r", "\u202e"):
        assert bad not in told
    assert "\u3000" in told
    assert "of a log:\n    at a" in told
    piped = screen()
    piped.grid(Grid(TITLE, COLUMNS, [[evil, 1]]))
    assert shown(piped).count("\n") == 2


def test_what_goes_wrong_after_the_answer_is_no_second_object() -> None:
    made = screen(as_json=True)
    made.answer({"done": 1})
    made.fail(interrupted())
    assert shown(made) == '{"done": 1}\n'
    assert isinstance(made._err, io.StringIO)
    assert made._err.getvalue().startswith("Error: interrupted\n")
