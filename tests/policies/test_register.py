"""The register says what the texts say, as sure as we are of it, and no more."""

from datetime import date
from typing import Final

import pytest

from exchange.registry import busrules
from policies.citation import cite
from policies.errors import RuleSetInvalid, RuleUnknown
from policies.explain import explain
from policies.facts import Answer
from policies.register import Register
from policies.rule import UNVERIFIED, Language
from policies.ruleset import REGISTER, RuleSet
from policies.verification import ENGINE_RULES

LANGUAGES: Final[tuple[Language, ...]] = ("en", "zh")
SHIPPED: Final = RuleSet.read().files[REGISTER].decode()

GRADES: Final = {
    "S": "SEC-01 ACT-01 DUTY-01 OBL-01 FEE-01 FEE-02 RESP-01 CAT-01 CAT-02 CAT-03 PUR-01 SRC-01 "
    "COR-03 COR-04 PI-01 PI-02 PI-03 PI-04 LOG-01 LOG-02 LOG-03 SOD-01 REV-01",
    "P": "CAT-04 CON-02 ESC-01 TP-01 ONCE-01",
    "P/B": "NEG-01 SLA-02 REF-01 COR-01 CRY-01",
    "B": "CAT-05 CON-01 BASE-01 REQ-01 SLA-01 SLA-03 COR-02",
    "bus": "AUTHORITY-01 SELF-01 OWN-01 OPEN-01 APPLY-01 ANSWER-01 GRANT-01 REVOKE-01 RECEIPT-01 "
    "FORK-01 READ-01 AUDIT-01 MEM-01 NAME-01 SCOPE-01 PURPOSE-01 CODE-01 REFLOW-01 RENEW-01 "
    "EXP-01 ENGINE-01 BASIS-01 STATE-01 PROOF-01 CONTRACT-01 STREAM-01 STREAM-02 HEADER-01 "
    "PROVIDER-01 CUSTODY-01 DEMAND-01 OBJECT-01 REASON-01 ESCALATE-01 TIER-01 OWE-01 CONSENT-01 "
    "LIMIT-01 TERM-01 PURGE-01 RULES-01 CLASS-01",
}
"""Every row and how sure we are of it; raising a grade takes a reading of the text itself."""


def test_every_row_is_there_with_its_grade(register: Register) -> None:
    found = {grade: {rule.id for rule in register if rule.grade == grade} for grade in GRADES}
    assert found == {grade: set(ids.split()) for grade, ids in GRADES.items()}


def test_what_the_registry_and_the_hub_refuse_by_is_in_the_register(register: Register) -> None:
    stated = {rule.id for rule in register if rule.enforced == "engine"}
    assert stated == busrules.ALL | ENGINE_RULES


def test_no_unverified_row_is_ever_rendered_as_a_citation(register: Register) -> None:
    titles = {
        title
        for source in register.file.sources.values()
        for title in (source.title.en, source.title.zh)
    }
    for rule in register:
        if rule.grade in {"B", "P/B"}:
            assert rule.badge == UNVERIFIED
            for language in LANGUAGES:
                for permit in (True, False):
                    (line,) = explain(Answer(permit, (rule.id,)), register, language)
                    shown = line.text + line.citation
                    assert UNVERIFIED in line.text
                    assert UNVERIFIED in register.citation(rule.id, language)
                    assert not any(title in shown for title in titles)
                    assert "art." not in shown
                    assert "条" not in line.citation


def test_a_rule_that_rests_on_an_unverified_row_does_not_cite_it(register: Register) -> None:
    rests_on = [register.rule("SLA-01"), register.rule("OBL-01")]
    text = cite(register.rule("OPEN-01"), rests_on, register.file, "zh")
    assert "第4条第（1）项" in text
    assert "809" not in text
    assert cite(register.rule("OPEN-01"), rests_on[:1], register.file, "en") == "a rule of this bus"


def test_the_gist_is_never_quoted(register: Register) -> None:
    for rule in register:
        if rule.grade == "P":
            assert "大意" in register.citation(rule.id, "zh")
            assert "gist" in register.citation(rule.id, "en")
        if rule.grade != "S":
            assert not any(rule.quotes)
    for language in LANGUAGES:
        assert not any("“" in register.citation(r.id, language) for r in register if r.badge)


@pytest.mark.parametrize(
    ("rule", "zh", "en"),
    [
        (
            "SEC-01",
            "《政务数据共享条例》（国务院令第809号）第3条",
            "Regulations on Sharing Government Data (State Council Order No. 809), art. 3",
        ),
        (
            "PI-01",
            "《个人信息保护法》第6条、第34条",
            "Personal Information Protection Law, art. 6, 34",
        ),
        (
            "PI-02",
            "《个人信息保护法》第55–56条",
            "Personal Information Protection Law, art. 55–56",
        ),
        ("REV-01", "GB/T 39477-2020 6.2", "GB/T 39477-2020 6.2"),
        (
            "RESP-01",
            "《浙江政务服务网信息资源共享管理暂行办法》（2014年）第4条第（2）项",
            "Zhejiang Interim Measures on Sharing Information Resources (2014), art. 4(2)",
        ),
        (
            "CAT-02",
            "《政务信息资源目录编制指南（试行）》（发改高技〔2017〕1272号）",
            "Guide to Government Information Resource Catalogues (Fagai Gaoji [2017] No. 1272)",
        ),
        ("MEM-01", "总线自身规则", "a rule of this bus"),
    ],
)
def test_a_citation_reads_as_one(register: Register, rule: str, zh: str, en: str) -> None:
    assert register.citation(rule, "zh") == zh
    assert register.citation(rule, "en") == en


def test_a_quote_stands_under_its_own_source(register: Register) -> None:
    zhejiang, *others = register.citation("PUR-01", "zh").split("；")
    assert zhejiang.endswith("：“按授权范围依法合理使用，不得用于任何其他目的”")
    assert not any("“" in other for other in others)


def test_free_of_charge_is_cited_to_zhejiang_only(register: Register) -> None:
    assert register.rule("FEE-01").source == ("zj-2014",)


def test_everything_shown_is_in_both_languages(register: Register) -> None:
    for rule in register:
        for en, zh in (rule.condition, rule.needed, (rule.title_en, rule.title_zh)):
            assert en.isascii() or UNVERIFIED in en or "不予" in en or "条件" in en, en
            assert any("一" <= letter <= "鿿" for letter in zh), zh
        assert rule.title("en") == rule.title_en
        assert rule.title("zh") == rule.title_zh


def test_an_unknown_rule_is_named(register: Register) -> None:
    with pytest.raises(RuleUnknown) as raised:
        register.citation("NONE-01", "en")
    assert raised.value.rule == "NONE-01"
    assert "NONE-01" in raised.value.text[1]


@pytest.mark.parametrize(
    ("day", "profile"),
    [
        (date(2014, 11, 28), "zj-2014"),
        (date(2016, 9, 4), "zj-2014"),
        (date(2016, 9, 5), "cn-2016"),
        (date(2025, 7, 31), "cn-2016"),
        (date(2025, 8, 1), "cn-2025"),
        (date(2040, 1, 1), "cn-2025"),
    ],
)
def test_the_profile_of_a_day(register: Register, day: date, profile: str) -> None:
    assert register.profile_on(day) == profile


def test_no_profile_before_the_first(register: Register) -> None:
    with pytest.raises(RuleUnknown):
        register.profile_on(date(2014, 11, 27))


def test_the_rows_in_force_follow_the_day(register: Register) -> None:
    before = {rule.id for rule in register.in_force(date(2025, 7, 31))}
    after = {rule.id for rule in register.in_force(date(2025, 8, 1))}
    assert {"SEC-01", "CON-02"} <= after - before
    assert "FEE-01" in before & after
    assert "DUTY-01" not in {rule.id for rule in register.in_force(date(2021, 8, 31))}
    assert "DUTY-01" in {rule.id for rule in register.in_force(date(2021, 9, 1))}


def test_a_row_ends_with_its_last_day() -> None:
    ended = SHIPPED.replace(
        "    valid_from: 2021-09-01\n",
        "    valid_from: 2021-09-01\n    valid_to: 2025-12-31\n",
    )
    rule = Register.parse(ended.encode()).rule("DUTY-01")
    assert rule.holds_on(date(2025, 12, 31))
    assert not rule.holds_on(date(2026, 1, 1))


@pytest.mark.parametrize(
    ("old", "new", "failure", "line_of", "said"),
    [
        ("    grade: S\n", "    grade: S\n    colour: red\n", "bad-row", "colour", "colour"),
        ("    grade: S\n", "    grade: A\n", "bad-row", "    grade: A", "grade"),
        ("    effect: forbid\n", "", "bad-row", "- id: SEC-01", "effect"),
        ("    effect: forbid\n", "    effect: 7\n", "bad-row", "    effect: 7", "effect"),
        ("id: ACT-01", "id: act-1", "bad-row", "id: act-1", "id"),
        ("id: ACT-01", "id: SEC-01", "bad-row", "*", "stands twice"),
        ('{cn-809: "3"}', '{cn-810: "3"}', "bad-row", "- id: SEC-01", "does not list"),
        ('    cites: {cn-809: "3"}\n', "", "bad-row", "- id: SEC-01", "cites its source"),
        ("profiles: [cn-2025]", "profiles: [cn-2030]", "bad-row", "- id: SEC-01", "does not list"),
        ("profiles: [cn-2025]", "profiles: []", "bad-row", "    profiles: []", "profiles"),
        ("rests_on: [OBL-01]", "rests_on: [OBL-09]", "bad-row", "- id: OPEN-01", "not exist"),
        ("grade: S\n    cites: {zj-20", "grade: P\n    cites: {zj-20", "bad-row", "OBL", "quoted"),
        ("      zj-2014: 按授权", "      dsl: 按授权", "bad-row", "- id: PUR-01", "does not cite"),
        ("effect: forbid", "effect: track", "bad-row", "- id: SEC-01", "obligation"),
        ("    actions: [keys.ask]\n", "", "bad-row", "- id: GRANT-01", "lists its actions"),
        ("in_force: 2014-11-28", "in_force: 2014-11-31", "not-yaml", "2014-11-31", "not exist"),
        ("in_force: 2014-11-28", "in_force: today", "bad-row", "in_force: today", "in_force"),
        ("version: 1", "version: 2", "bad-row", "version: 2", "version"),
        ("version: 1", "version: 1\nversion: 1", "not-yaml", "*", "twice"),
        ("version: 1", "version: &v 1\nx: *v", "not-yaml", "version: &v 1", "alias"),
        ("version: 1", "[x]: 1", "not-yaml", "[x]: 1", "no text"),
        ("version: 1", "version: {", "not-yaml", "*", "YAML"),
        ("version: 1", "---\nversion: 1", "bad-row", "*", ""),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(
    old: str, new: str, failure: str, line_of: str, said: str
) -> None:
    assert old in SHIPPED
    wrong = SHIPPED.replace(old, new, 1)
    if new.startswith("---"):
        wrong += "\n---\nx: 1\n"
        failure = "not-yaml"
    with pytest.raises(RuleSetInvalid) as raised:
        Register.parse(wrong.encode())
    finding = raised.value.findings[0]
    assert finding.failure == failure
    assert finding.file == REGISTER
    assert said in finding.text[0]
    assert all((*finding.text, *finding.remedy))
    if line_of != "*":
        assert line_of in wrong.splitlines()[finding.line - 1]
    assert raised.value.text[0].startswith(f"{REGISTER}:{finding.line}: ")


@pytest.mark.parametrize("raw", [b"", b"7", b"[]", b"\xff", b"rules: \xc3\x28", b"a: \x07"])
def test_what_is_no_register_is_refused(raw: bytes) -> None:
    with pytest.raises(RuleSetInvalid):
        Register.parse(raw)


def test_the_shipped_register_is_loaded_by_name(register: Register) -> None:
    assert list(Register.load().rules) == list(register.rules)
