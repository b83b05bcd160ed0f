"""A rule set that is wrong makes no engine, and says where and what to do."""

from pathlib import Path

import pytest

from policies.engine import ENGINE_VERSION, Engine, check
from policies.errors import RuleSetInvalid
from policies.ruleset import REGISTER, SCHEMA, WORKDAYS, RuleSet

SHIPPED = RuleSet.read()


def with_file(name: str, content: str) -> RuleSet:
    return RuleSet({**SHIPPED.files, name: content.encode()})


def with_change(name: str, old: str, new: str) -> RuleSet:
    text = SHIPPED.files[name].decode()
    assert old in text
    return with_file(name, text.replace(old, new, 1))


def test_the_shipped_rule_set_is_right() -> None:
    assert check(SHIPPED) == ()


ACTIVE = "(principal, action, resource) when { !principal.active };"


def on_keys(condition: str) -> str:
    head = '(principal, action == Action::"keys.ask", resource)'
    return f'@id("SEC-01")\nforbid {head} when {{ {condition} }};'


@pytest.mark.parametrize(
    ("policy", "failure", "line", "said"),
    [
        (on_keys("context.colour"), "bad-policy", 2, "colour"),
        (on_keys("resource.duty == 7"), "bad-policy", 2, "not compatible"),
        (on_keys('context.time == "7"'), "bad-policy", 2, "not compatible"),
        (on_keys("7"), "bad-policy", 2, "Bool"),
        (on_keys("true").replace("keys.ask", "keys.sell"), "bad-policy", 2, "keys.sell"),
        (on_keys("true").replace("principal", "principal is Clerk"), "bad-policy", 2, "Clerk"),
        (on_keys("true") + "\n\n" + on_keys("resource.colour"), "bad-policy", 5, "colour"),
        ('@id("SEC-01") forbid (principal == ?principal, action, resource);', "bad-policy", 1, ""),
        ("forbid principal;", "not-cedar", 1, "unexpected"),
        (f"// says nothing\nforbid {ACTIVE}", "no-id", 2, "without @id"),
        (f"@id\nforbid {ACTIVE}", "no-id", 2, "without @id"),
        (f'@id("SEC-99")\nforbid {ACTIVE}', "dangling-id", 2, "SEC-99"),
        (f'@id("CAT-05")\nforbid {ACTIVE}', "dangling-id", 2, "CAT-05"),
        (f'@id("ENGINE-01")\nforbid {ACTIVE}', "dangling-id", 2, "ENGINE-01"),
        (f'@id("SEC-01")\npermit {ACTIVE}', "wrong-effect", 2, "SEC-01"),
    ],
)
def test_a_wrong_policy_is_refused(policy: str, failure: str, line: int, said: str) -> None:
    wrong = with_file("zz.cedar", policy)
    with pytest.raises(RuleSetInvalid) as raised:
        Engine(wrong)
    findings = [finding for finding in raised.value.findings if finding.file == "zz.cedar"]
    assert {(finding.failure, finding.line) for finding in findings} == {(failure, line)}
    assert any(said in finding.text[0] for finding in findings)
    assert all(all(finding.remedy) for finding in findings)
    assert check(wrong) == raised.value.findings


def test_an_enforced_rule_without_a_policy_is_refused() -> None:
    (finding,) = check(with_change("grants.cedar", '@id("REV-01")', '@id("EXP-01")'))
    assert finding.failure == "unenforced-id"
    assert "REV-01" in finding.text[0]
    line = SHIPPED.files[REGISTER].decode().splitlines()[finding.line - 1]
    assert line == "  - id: REV-01"


def test_a_permit_does_what_its_row_says() -> None:
    wider = 'action in [Action::"receipt.file", Action::"grant.revoke"]'
    (finding,) = check(with_change("grants.cedar", 'action == Action::"receipt.file"', wider))
    assert finding.failure == "wrong-actions"
    assert "grant.revoke" in finding.text[0]


def test_a_permit_of_every_action_is_refused() -> None:
    (finding,) = check(
        with_file("zz.cedar", '@id("READ-01") permit (principal, action, resource);')
    )
    assert finding.failure == "wrong-actions"
    assert "every action" in finding.text[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("enforced: engine", "enforced: later"),
        ("effect: oblige\n    enforced: duty", "effect: oblige\n    enforced: engine"),
    ],
)
def test_the_bus_answers_for_the_engine_and_never_for_the_law(old: str, new: str) -> None:
    assert [finding.failure for finding in check(with_change(REGISTER, old, new))] == [
        "unenforced-id"
    ]


def test_every_mistake_is_found_at_once() -> None:
    wrong = RuleSet(
        {
            **SHIPPED.files,
            "a.cedar": b"permit",
            "b.cedar": b"\xff",
            "c.cedar": b'@id("X") permit (principal, action, resource) when { 7 };',
        }
    )
    assert {finding.file for finding in check(wrong)} == {"a.cedar", "b.cedar", "c.cedar"}


@pytest.mark.parametrize("schema", ["entity", "entity Member = { kind: Colour };", "\x00"])
def test_a_wrong_schema_is_refused(schema: str) -> None:
    (finding,) = check(with_file(SCHEMA, schema))
    assert (finding.file, finding.failure) == (SCHEMA, "bad-schema")


def test_a_wrong_register_is_refused() -> None:
    (finding,) = check(with_file(REGISTER, "version: {"))
    assert (finding.file, finding.failure) == (REGISTER, "not-yaml")


def test_wrong_working_days_are_refused() -> None:
    (finding,) = check(with_change(WORKDAYS, "2004-01-01,off", "2004-01-01,holiday"))
    assert (finding.file, finding.line, finding.failure) == (WORKDAYS, 2, "bad-day")


def test_a_rule_set_lacks_nothing_and_has_nothing_else(tmp_path: Path) -> None:
    with pytest.raises(RuleSetInvalid) as raised:
        RuleSet.read(tmp_path)
    assert {f.file for f in raised.value.findings} == {REGISTER, SCHEMA, WORKDAYS, "*.cedar"}
    with pytest.raises(RuleSetInvalid) as raised:
        with_file("notes.txt", "")
    assert [f.failure for f in raised.value.findings] == ["strange-file"]


def test_a_rule_set_is_the_same_wherever_it_is_read(tmp_path: Path) -> None:
    for name, content in SHIPPED.files.items():
        (tmp_path / name).write_bytes(content)
    assert RuleSet.read(tmp_path).hash("v") == SHIPPED.hash("v")


def test_the_hash_covers_every_byte_name_and_version() -> None:
    hashes = {SHIPPED.hash("v"), SHIPPED.hash("w")}
    for name, content in SHIPPED.files.items():
        hashes.add(RuleSet({**SHIPPED.files, name: content + b"\n"}).hash("v"))
        if name.endswith(".cedar"):
            rest = {n: c for n, c in SHIPPED.files.items() if n != name}
            hashes.add(RuleSet({**rest, f"z{name}": content}).hash("v"))
            hashes.add(RuleSet(rest).hash("v"))
    policies = len(SHIPPED.policies)
    assert len(hashes) == 2 + len(SHIPPED.files) + 2 * policies
    assert RuleSet(dict(reversed(list(SHIPPED.files.items())))).hash("v") == SHIPPED.hash("v")


def test_an_engine_states_its_law(engine: Engine) -> None:
    assert engine.rule_set_hash == SHIPPED.hash(ENGINE_VERSION)
    assert len(engine.rule_set_hash) == 32
    assert engine.engine_version == ENGINE_VERSION
    assert "cedarpy 4.12.2" in ENGINE_VERSION


def test_the_schema_is_that_of_the_program() -> None:
    """Another one could declare what no question has, and everything would be denied."""
    findings = check(with_change(SCHEMA, "entity Log;", "entity Log = { colour: String };"))
    assert [finding.failure for finding in findings] == ["bad-schema"]
    line = SHIPPED.files[SCHEMA].decode().splitlines()[findings[0].line - 1]
    assert line == "entity Log;"
    assert "rules export" in findings[0].remedy[0]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (on_keys("true") + "\n\n// fine so far\n" + on_keys("context.a\n  nonsense"), 7),
        ("// nothing here\nnonsense;", 2),
        ('permit (principal, action, resource) when { "open };', 1),
    ],
)
def test_a_syntax_mistake_is_named_by_its_line(text: str, line: int) -> None:
    (finding,) = check(with_file("zz.cedar", text))
    assert (finding.file, finding.failure, finding.line) == ("zz.cedar", "not-cedar", line)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("valid_to: 2016-09-04", "valid_to: 2010-09-04", "zj-2014: it ends before it begins"),
        (
            "    valid_from: 2021-09-01\n",
            "    valid_from: 2021-09-01\n    valid_to: 2020-01-01\n",
            "DUTY-01: it ends before it begins",
        ),
        ("count: 10, unit: working-day", "count: 10, unit: month", "counted in working-day"),
        ("count: 10, unit: working-day", "count: 100000, unit: working-day", "less than or equal"),
        ("zh: 国家秘密、工作秘密不得共享", r'zh: "国家\e[31m秘密"', "should match pattern"),
    ],
)
def test_spans_terms_and_words_that_nobody_can_mean_are_refused(
    old: str, new: str, said: str
) -> None:
    found = check(with_change("rules.yaml", old, new))
    assert [(one.file, one.failure) for one in found] == [("rules.yaml", "bad-row")]
    assert found[0].line > 20
    assert said in found[0].text[0]


def test_a_file_that_is_no_part_of_a_rule_set_is_named(tmp_path: Path) -> None:
    """A misspelt policy must not be left out in silence, and adopted without."""
    for name, content in {**SHIPPED.files, "fees.ceder": b"x", "README.md": b"", ".x": b""}.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(RuleSetInvalid) as refused:
        RuleSet.read(tmp_path)
    assert [(one.file, one.failure) for one in refused.value.findings] == [
        ("fees.ceder", "strange-file")
    ]
