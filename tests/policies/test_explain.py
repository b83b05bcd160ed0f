"""Every decision in words: which rule, where it stands, what would be needed."""

import pytest

from policies.engine import Engine
from policies.errors import PolicyError, RuleUnknown
from policies.explain import explain
from policies.facts import Answer
from policies.register import Register
from policies.rule import Language
from tests.policies.world import ask


def test_a_denial_names_rule_source_and_remedy(engine: Engine, register: Register) -> None:
    answer = engine.decide(ask("request.new", duty=""))
    (line,) = explain(answer, register, "en")
    assert line.text == (
        "DUTY-01 A request rests on a statutory duty "
        "(Regulations on Sharing Government Data (State Council Order No. 809), art. 3; "
        "Data Security Law, art. 38; Personal Information Protection Law, art. 34). "
        "Needed: name the statutory duty that needs the data, with law and article"
    )
    (line,) = explain(answer, register, "zh")
    assert line.text == (
        "DUTY-01 申请须基于法定职责（《政务数据共享条例》（国务院令第809号）第3条；"
        "《数据安全法》第38条；《个人信息保护法》第34条）。"
        "需要：请写明需要该数据的法定职责及其法律条款"
    )


def test_a_permit_needs_nothing(engine: Engine, register: Register) -> None:
    for language in ("en", "zh"):
        (line,) = explain(engine.decide(ask("keys.ask")), register, language)
        assert line.rule == "GRANT-01"
        assert line.needed == ""
        assert line.badge == ""


def test_secrecy_is_spoken_of_first(register: Register) -> None:
    lines = explain(Answer(permit=False, rules=("CAT-01", "FEE-01", "SEC-01")), register, "en")
    assert [line.rule for line in lines] == ["SEC-01", "CAT-01", "FEE-01"]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_default_denial_tells_what_could_have_permitted_it(
    register: Register, language: Language
) -> None:
    denial = Answer(permit=False, rules=("BASIS-01",))
    lines = explain(denial, register, language, action="request.new")
    assert [line.rule for line in lines] == ["BASIS-01", "OPEN-01", "APPLY-01", "REFLOW-01"]
    assert all(line.needed in line.text and line.needed for line in lines)
    assert [line.rule for line in explain(denial, register, language)] == ["BASIS-01"]


def test_every_rule_can_be_explained(register: Register) -> None:
    for rule in register:
        for permit in (True, False):
            for language in ("en", "zh"):
                (line,) = explain(Answer(permit, (rule.id,)), register, language)
                assert line.text.startswith(f"{rule.id} {rule.title(language)}")


def test_a_rule_of_another_rule_set_is_an_error_with_a_remedy(register: Register) -> None:
    with pytest.raises(RuleUnknown) as raised:
        explain(Answer(permit=False, rules=("OLD-01",)), register, "en")
    assert isinstance(raised.value, PolicyError)
    assert all(raised.value.remedy)
    assert (raised.value.category, raised.value.exit_code) == ("rule-unknown", 2)
