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
NAMED: Final = [
    *(source.title for source in REGISTER.file.sources.values()),
    *(profile.title for profile in REGISTER.file.profiles.values()),
]
TITLES: Final = {title for named in NAMED for title in (named.en, named.zh)}
"""Of texts of law, and of profiles, which are named after them."""
PROSE: Final = ("  when:", "  remedy:", "  mode:", "  情形：", "  办法：", "  方式：")
"""Lines under the head of a rule that state no value of it."""
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
        head, *lines = terminal.out.splitlines()
        assert "待核" in head
        assert not cites(terminal.out)
        values = [line for line in lines if not line.startswith(PROSE)]
        assert all("待核" in line for line in values), values
    shown = terminal.json("rules", "show", rule, "--shipped")
    assert (shown["badge"], shown["verified"]) == ("待核", False)
    assert not any(cites(text) for text in shown["citation"].values())


def test_the_day_since_which_a_row_holds_is_marked_where_nobody_verified_it(
    terminal: Terminal,
) -> None:
    """FEE-02 was read (S), the day its text came into force was not; SEC-01's day was."""
    for rule, verified in (("FEE-02", False), ("SEC-01", True), ("SLA-03", False)):
        assert terminal("rules", "show", rule, "--shipped", "--lang", "en") == 0
        (line,) = [one for one in terminal.out.splitlines() if one.startswith("  in force:")]
        assert ("待核" in line) is not verified, line
        assert terminal.json("rules", "show", rule, "--shipped")["valid_from_verified"] is verified


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
