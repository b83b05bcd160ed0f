"""Acts about duties: what is refused, and under which rule."""

from typing import Any

import pytest

from exchange.model import dutyacts
from exchange.registry.duties import standing
from tests.duties.stage import DutyStage, at_noon
from tests.ledger.drafts import engine


@pytest.fixture
def stage() -> DutyStage:
    made = DutyStage("2026-07-01")
    made.provide()
    made.on("2026-07-02").grant()
    return made


def test_a_demand_asks_another_member(stage: DutyStage) -> None:
    said: dict[str, Any] = {
        "title": "名录",
        "items": (),
        "region": "",
        "purpose": "",
        "duty": "某法 第一条",
    }
    for provider in ("health", "nobody"):
        body = dutyacts.NewDemand(provider=provider, **said)
        assert stage.put(body, by="health").rules == ("STATE-01",)
    body = dutyacts.NewDemand(provider="civil", **{**said, "purpose": "好奇"})
    assert stage.put(body, by="health").rules == ("STATE-01",)


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ({"outcome": "registers", "dataset": None}, "STATE-01"),
        ({"outcome": "refers", "dataset": "nothing"}, "STATE-01"),
        ({"outcome": "registers", "by": "2026-07-01"}, "STATE-01"),
        ({"outcome": "lacks", "dataset": None}, "REASON-01"),
    ],
)
def test_an_answer_says_what_comes_of_a_demand(
    stage: DutyStage, said: dict[str, Any], rule: str
) -> None:
    stage.on("2026-07-06").demand()
    assert stage.promise(**said).rules == (rule,)
    assert stage.promise("lacks", dataset=None, basis="本部门无此职能").permit
    assert stage.promise("lacks", dataset=None, basis="本部门无此职能").rules == ("STATE-01",)


def test_a_promise_without_a_day_has_the_term_of_the_bus(stage: DutyStage) -> None:
    stage.on("2026-07-06").demand()
    stage.on("2026-07-07").promise()
    how = stage.standing("register", as_of="2026-07-08")
    assert how.term.last_day is not None
    assert how.term.last_day.isoformat() == "2026-07-21"
    # somebody else's proposal of that id does not meet it
    stage.on("2026-07-08").put(stage.world.proposal("poverty"), by="health")
    assert stage.standing("register", as_of="2026-07-09").state == "due"


def test_an_objection_is_about_published_records_and_granted_fields(stage: DutyStage) -> None:
    assert stage.object_to(201).rules == ("STATE-01",)
    grant = stage.latest["grant"]

    def object_to(**changed: Any) -> tuple[str, ...]:
        said = {"grant": grant, "versions": (7,), "fields": ("name",), "reason": "wrong"}
        body = dutyacts.NewObjection.model_validate({**said, **changed})
        return stage.put(body, by="health").rules

    assert object_to(fields=("salary",)) == ("CONTRACT-01",)
    assert object_to(grant=bytes(32)) == ("STATE-01",)
    assert object_to() == ("OBJECT-01",)


def test_a_correction_is_a_later_version_that_is_anchored(stage: DutyStage) -> None:
    stage.object_to(150)
    assert stage.settle_objection("corrected", version=200).rules == ("STATE-01",)
    stage.on("2026-07-03").provide()
    assert stage.settle_objection("corrected", version=150).rules == ("STATE-01",)
    assert stage.settle_objection("corrected", version=301).rules == ("STATE-01",)
    assert stage.settle_objection("corrected", version=300).permit
    assert stage.settle_objection("corrected", version=300).rules == ("STATE-01",)
    row = stage.world.registry.objections[stage.latest["objection"]]
    assert (row.outcome, row.version) == ("corrected", 300)
    assert not stage.world.registry.objections_open["welfare"]


@pytest.mark.parametrize(
    "said",
    [
        {"notice": "correct-by"},
        {"notice": "correct-by", "until": "2026-06-30"},
        {"notice": "law-changed", "until": "2026-08-01"},
        {"notice": "law-changed", "dataset": "nothing"},
        {"notice": "register-by", "until": "2026-08-01"},
        {"notice": "correct-by", "until": "2026-08-01", "behalf": "nobody"},
    ],
)
def test_a_notice_names_what_exists_and_a_day_ahead(stage: DutyStage, said: dict[str, Any]) -> None:
    assert stage.notice(**said).rules == ("STATE-01",)


def test_a_notice_needs_a_provider_that_exists(stage: DutyStage) -> None:
    body = dutyacts.NewNotice(
        notice="law-changed", dataset="welfare", provider="nobody", reference="1"
    )
    assert stage.put(body, by="authority").rules == ("STATE-01",)


def test_a_notice_is_settled_once(stage: DutyStage) -> None:
    assert stage.notice("law-changed").permit
    assert stage.settle_notice().permit
    assert stage.settle_notice().rules == ("STATE-01",)
    stage.notice("law-changed")
    stage.propose("welfare")
    assert stage.settle_notice().rules == ("STATE-01",)
    stage.notice("register-by", dataset="poverty", until="2026-08-01")
    assert stage.settle_notice().rules == ("STATE-01",)
    assert stage.propose("poverty").permit
    assert stage.standing("register", as_of="2026-07-03").state == "done"


def test_nobody_extends_what_is_over_or_is_no_duty(stage: DutyStage) -> None:
    stage.on("2026-07-06").apply()
    assert stage.extend("answer", 5, by="health").rules == ("BASIS-01",)
    assert stage.consent("answer").rules == ("STATE-01",)
    assert stage.on("2026-07-21").extend("answer", 5).rules == ("LIMIT-01",)
    stage.answer(approve=True)
    assert stage.extend("answer", 5).rules == ("STATE-01",)
    assert stage.extend("first", 5).rules == ("LIMIT-01",)  # SLA-03 allows none
    nothing = dutyacts.ExtendDuty(duty="answer/00", days=5)
    assert stage.put(nothing, by="civil").rules == ("STATE-01",)


def test_extensions_add_up_to_their_limit(stage: DutyStage) -> None:
    stage.on("2026-07-06").apply()
    for days in (4, 6):
        assert stage.extend("answer", days).permit
        assert stage.consent("answer").permit
    assert stage.extend("answer", 1).rules == ("LIMIT-01",)
    how = stage.standing("answer", as_of="2026-07-22")
    assert how.state == "due"
    assert how.term.last_day is not None
    assert how.term.last_day.isoformat() == "2026-08-03"


def test_a_permit_to_extend_ends_with_the_term(stage: DutyStage) -> None:
    stage.on("2026-07-06").apply()
    how = standing(stage.duty("answer"), stage.world.registry, engine(), stage.world.now_ms)
    stage.on("2026-07-20")
    body = dutyacts.ExtendDuty(duty=stage.duty("answer").id, days=5)
    entry = stage.world.entry(stage.world.sign(body, by="civil"))
    assert entry.statement.valid_until_ms is not None
    assert how.term.ends_ms is not None
    assert entry.statement.valid_until_ms <= how.term.ends_ms


def test_a_term_that_waits_for_its_calendar_may_be_extended() -> None:
    stage = DutyStage("2026-12-20")
    stage.on("2026-12-25").apply()
    assert stage.extend("answer", 10).permit
    assert stage.consent("answer").permit
    assert stage.standing("answer", as_of="2027-06-01").term.awaiting == 2027


@pytest.mark.parametrize(
    ("year", "off", "work"),
    [
        (2027, [], []),
        (2027, [20270101, 20270101], []),
        (2027, [20270230], []),
        (2027, [20280101], []),
        (2027, [20270101], [20270104]),
        (2026, [20260301], []),
    ],
    ids=["nothing", "twice", "no-day", "other-year", "weekday-made-up", "past"],
)
def test_a_calendar_is_a_years_and_changes_nothing_past(
    stage: DutyStage, year: int, off: list[int], work: list[int]
) -> None:
    assert stage.adopt(year, off, work).rules == ("STATE-01",)
    assert not stage.world.registry.calendar


def test_a_calendar_counts_from_its_entry_on(stage: DutyStage) -> None:
    assert stage.adopt(2027, [20270101, 20261231], [20261226]).permit
    stage.on("2026-12-22").apply()
    # 23 24 25, Saturday 26, 28 29 30 | 31 and 1 January off | 4 5 6
    how = stage.standing("answer", as_of="2027-01-06")
    assert how.term.last_day is not None
    assert how.term.last_day.isoformat() == "2027-01-06"
    assert how.state == "due"


def test_a_date_that_was_set_is_extended_by_working_days(stage: DutyStage) -> None:
    stage.on("2026-07-06").demand()
    stage.promise(by="2026-07-31")
    assert stage.extend("register", 5).permit
    assert stage.consent("register").permit
    how = stage.standing("register", as_of="2026-08-03")
    assert how.term.last_day is not None
    assert how.term.last_day.isoformat() == "2026-08-07"


def test_nobody_is_late_with_what_may_no_longer_be_shared() -> None:
    """CLASS-01: provision lapses, an application is still owed its answer, which is a no."""
    stage = DutyStage("2026-03-20", cycle="monthly")
    stage.on("2026-03-23").grant()
    stage.on("2026-03-24").apply()
    stage.on("2026-03-25").classify_refused()
    assert stage.state("first", as_of="2026-06-01")[0] == "lapsed"
    assert [row.id for row, _ in stage.book(at_noon("2026-06-01")) if row.cycle] == []
    assert stage.state("answer", as_of="2026-03-26")[0] == "due"
    assert stage.on("2026-03-26").answer(approve=True).rules == ("CLASS-01",)
    assert stage.answer(approve=False, basis="统计法 第九条").permit
    assert stage.state("answer", as_of="2026-03-27")[0] == "done"


def test_nobody_is_late_towards_a_suspended_member() -> None:
    stage = DutyStage("2026-02-10")
    stage.on("2026-02-11").grant()
    stage.on("2026-02-13").apply()
    stage.demand()
    stage.on("2026-02-14").suspend("health")
    for kind in ("answer", "demand", "first"):
        assert stage.state(kind, as_of="2026-05-01")[0] == "lapsed", kind
    assert stage.answer(approve=True).rules == ("STATE-01",)
    assert stage.promise().rules == ("STATE-01",)


def test_a_suspended_reader_has_its_copy_to_delete_from_then_on(stage: DutyStage) -> None:
    """Its purpose has ended here; who it is told of owes it, and nobody confirms in its place."""
    stage.on("2026-07-03").read()
    stage.on("2026-07-06").suspend("health")
    assert stage.state("delete", as_of="2026-07-20") == ("due", ("PI-04", "TERM-01"))
    assert stage.state("delete", as_of="2026-07-21")[0] == "breached"
    assert stage.state("notify", as_of="2026-07-07")[0] == "breached"


def test_a_suspended_provider_goes_on_owing_and_its_applicant_reaches_the_authority() -> None:
    stage = DutyStage("2026-02-10")
    stage.on("2026-02-13").apply()
    stage.on("2026-02-14").suspend("civil")
    assert stage.state("answer", as_of="2026-03-06")[0] == "breached"
    assert stage.on("2026-03-06").escalate("answer").permit
    assert stage.on("2026-03-21").escalate("answer", 2).permit
    assert stage.decide("directs", by="authority", until="2026-03-27").permit
    assert stage.on("2026-03-28").withdraw_dataset(by="authority").permit
    assert stage.duty("answer").outcome == "lapsed"


def test_nobody_takes_the_name_that_another_must_register(stage: DutyStage) -> None:
    stage.notice("register-by", dataset="poverty", until="2026-07-20")
    assert stage.put(stage.world.proposal("poverty"), by="health").rules == ("NAME-01",)
    assert stage.put(stage.world.proposal("poverty-too"), by="health").permit
    assert stage.propose().permit
    assert stage.state("register", as_of="2026-07-21")[0] == "done"


def test_two_that_must_register_one_name_do_not_keep_each_other_from_it(stage: DutyStage) -> None:
    stage.notice("register-by", dataset="poverty", until="2026-07-20")
    said = {"notice": "register-by", "dataset": "poverty", "reference": "函 2 号"}
    body = dutyacts.NewNotice.model_validate(
        {**said, "provider": "health", "by_ms": at_noon("2026-07-20")}
    )
    assert stage.put(body, by="authority").permit
    assert stage.put(stage.world.proposal("poverty"), by="health").permit
