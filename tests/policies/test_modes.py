"""Unverified rows are configurable, verified ones are not; whoever is warned hears by what."""

import pytest

from policies.engine import ENGINE_DENIAL, Engine, check
from policies.explain import explain
from policies.facts import Answer
from policies.register import Register
from policies.rule import Language
from policies.ruleset import REGISTER
from tests.policies.laws import SHIPPED, engine_with, with_change, with_law
from tests.policies.world import ask

NEEDED = {"deployment": {"crypto-assessment": True}}


def test_a_warning_goes_with_a_permit_and_names_its_row() -> None:
    answer = engine_with(NEEDED).decide(ask("stream.open"))
    assert answer == Answer(permit=True, rules=("OWN-01",), warnings=("CRY-01",))


def test_no_warning_where_the_row_is_satisfied() -> None:
    answer = engine_with(NEEDED).decide(ask("stream.open", sm=True))
    assert answer == Answer(permit=True, rules=("OWN-01",))
    assert engine_with(NEEDED).decide(ask("keys.ask")).warnings == ()


def test_a_question_that_fails_gets_no_warning_and_no_permit() -> None:
    assert engine_with(NEEDED).decide(ask("stream.open", sm="yes")) == ENGINE_DENIAL


@pytest.mark.parametrize(("language", "word"), [("en", "Warning: CRY-01"), ("zh", "提示：CRY-01")])
def test_a_warning_is_told_and_never_cited(
    register: Register, language: Language, word: str
) -> None:
    answer = engine_with(NEEDED).decide(ask("stream.open"))
    permit, warning = explain(answer, register, language)
    assert (permit.rule, permit.warning) == ("OWN-01", False)
    assert (warning.rule, warning.warning) == ("CRY-01", True)
    assert warning.text.startswith(word)
    assert "待核" in warning.text
    assert "57" not in warning.text
    assert warning.needed in warning.text


def test_only_unverified_rows_have_a_mode(register: Register) -> None:
    everywhere = {rule.id: {"mode": "warn"} for rule in register}
    verified = [rule.id for rule in register if not rule.badge]
    findings = check(with_law(everywhere))
    assert {finding.failure for finding in findings} == {"bad-row"}
    assert [finding.text[0].split(":")[0] for finding in findings] == verified
    assert (
        check(with_law({rule: {"mode": "warn"} for rule in everywhere.keys() - {*verified}})) == ()
    )


def test_a_row_cannot_need_what_no_deployment_states() -> None:
    (finding,) = check(with_change(REGISTER, "  crypto-assessment: false\n", "  other: false\n"))
    assert "deployment" in finding.text[0]


def test_modes_and_deployment_belong_to_the_hash() -> None:
    sets = [SHIPPED, with_law(NEEDED), with_law({"CRY-01": {"mode": "off"}})]
    assert len({rules.hash("engine") for rules in sets}) == 3


def test_the_terms_of_unverified_rows_can_be_changed() -> None:
    changed = with_change(
        REGISTER,
        "{kind: within, count: 20, unit: working-day}",
        "{kind: within, count: 30, unit: working-day}",
    )
    term = Engine(changed).register.rule("SLA-03").deadline
    assert term is not None
    assert term.count == 30
