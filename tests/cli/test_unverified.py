"""No unverified row is ever shown without 待核, and none is ever cited, on any surface."""

import io
from typing import Any, Final

import pytest

from exchange.audit import reportdata
from exchange.cli.problems import problem_of
from exchange.cli.screen import Grid, Screen
from exchange.cli.unverified import mark
from exchange.errors import RuleRefused
from exchange.model.text import Language, Text
from policies.explain import explain
from policies.facts import Answer
from policies.register import Register
from tests.cli.conftest import Terminal

REGISTER: Final = Register.load()
UNVERIFIED: Final = [rule for rule in REGISTER if rule.grade in {"B", "P/B"}]
TITLES: Final = {
    title
    for source in REGISTER.file.sources.values()
    for title in (source.title.en, source.title.zh)
}
LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")


def cites(shown: str) -> bool:
    """Whether a text reads as a citation of law."""
    return any(title in shown for title in TITLES) or "art." in shown or "依据：《" in shown


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_list_of_rules_cites_none(language: Language, terminal: Terminal) -> None:
    assert terminal("rules", "list", "--shipped", "--lang", language) == 0
    lines = {line.split("\t")[0].split()[0]: line for line in terminal.out.splitlines()}
    for rule in UNVERIFIED:
        assert "待核" in lines[rule.id]
        assert not cites(lines[rule.id]), lines[rule.id]
    assert cites(lines["SEC-01"])


@pytest.mark.parametrize("rule", [rule.id for rule in UNVERIFIED])
def test_a_rule_shown_alone_is_not_cited(rule: str, terminal: Terminal) -> None:
    for language in LANGUAGES:
        assert terminal("rules", "show", rule, "--shipped", "--lang", language) == 0
        head, *_ = terminal.out.splitlines()
        source = next(line for line in terminal.out.splitlines() if "待核" in line and line != head)
        assert "待核" in head
        assert not cites(source)
    shown = terminal.json("rules", "show", rule, "--shipped")
    assert (shown["badge"], shown["verified"]) == ("待核", False)
    assert not any(cites(text) for text in shown["citation"].values())


def test_explanations_of_decisions_cite_none() -> None:
    for rule in UNVERIFIED:
        for language in LANGUAGES:
            for answer in (Answer(False, (rule.id,)), Answer(True, ("OWN-01",), (rule.id,))):
                line = explain(answer, REGISTER, language)[-1]
                assert (line.rule, line.badge) == (rule.id, "待核")
                assert not cites(line.text)


def test_reports_cite_none() -> None:
    data: dict[str, Any] = {part: [] for part in ("provided", "refusals", "breaches")}
    data["received"] = [{"rules": [rule.id for rule in UNVERIFIED]}]
    told = reportdata._rules(data, REGISTER)
    assert len(told) == len(UNVERIFIED)
    for row in told.values():
        assert row["badge"] == "待核"
        assert not any(cites(text) for text in row["citation"].values())


def screen(language: Language = "en") -> tuple[Screen, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    return Screen(language=language, as_json=False, out=out, err=err), out, err


def test_refusals_notes_lines_and_tables_mark_the_ids() -> None:
    shown, out, err = screen()
    refused = RuleRefused("no: OBL-01, REF-01", "否：OBL-01, REF-01", rules=("OBL-01", "REF-01"))
    shown.fail(problem_of(refused))
    shown.note(Text("REQ-01 again", "REQ-01"))
    shown.say(Text("one: {r}\nother: SEC-01", "一：{r}"), r="SLA-02")
    shown.grid(Grid(Text("t", "t"), (Text("r", "r"),), [[("REF-01", "SEC-01")], ["SLA-01 待核"]]))
    assert err.getvalue() == "Error: no: OBL-01, REF-01 待核\nREQ-01 待核 again\n"
    assert out.getvalue().splitlines() == [
        "one: SLA-02 待核",
        "other: SEC-01",
        "r",
        "REF-01 待核, SEC-01",
        "SLA-01 待核",
    ]
    assert problem_of(refused).data()["unverified"] == ["REF-01"]


@pytest.mark.parametrize("text", ["", "SEC-01", "XREF-012", "REF-01-x", "NEW-99", "[待核] REF-01"])
def test_nothing_else_is_marked(text: str) -> None:
    assert mark(text) == text
