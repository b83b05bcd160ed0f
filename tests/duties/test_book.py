"""The duty book: the same for everybody who folds the ledger, whenever they look."""

from dataclasses import replace
from datetime import date

import pytest

from exchange.audit.scoreboard import scoreboard
from exchange.model.contract import Contract
from exchange.registry.contractfacts import personal_fields
from exchange.registry.cycles import next_period, period_of
from exchange.registry.duties import book, find, open_book
from exchange.registry.fold import RegistryFold
from exchange.registry.statehash import state_hash
from exchange.registry.terms import row_on
from policies.register import Register
from tests.duties.stage import TEXT, DutyStage, at_noon
from tests.ledger.drafts import engine


def eventful() -> DutyStage:
    """Something of everything."""
    stage = DutyStage("2026-07-01", cycle="weekly")
    stage.grant(days=60)
    stage.provide()
    stage.on("2026-07-03").read()
    stage.on("2026-07-06").demand()
    stage.on("2026-07-07").object_to(150, proof=True)
    stage.on("2026-07-08").notice("correct-by", until="2026-07-10", behalf="health")
    stage.on("2026-07-13").escalate("correct")
    stage.on("2026-07-14").decide("directs", until="2026-07-20")
    stage.on("2026-07-14").adopt(2027, [20270101])
    stage.on("2026-07-15").apply()
    return stage


def test_everybody_who_folds_the_ledger_has_the_same_book() -> None:
    stage = eventful()
    again = RegistryFold([engine()])
    again.begin(stage.world.root)
    for entry in stage.world.entries[1:]:
        again.fold(entry)
    assert state_hash(again.registry) == state_hash(stage.world.registry)
    for day in ("2026-07-02", "2026-07-14", "2026-09-30", "2027-03-01"):
        at_ms = at_noon(day)
        assert list(book(again.registry, again.engine, at_ms)) == stage.book(at_ms)


def test_every_verdict_was_carried_and_stands_when_the_rules_are_asked() -> None:
    stage = eventful()
    auditor = RegistryFold([engine()])
    auditor.scrutinises = True
    auditor.begin(stage.world.root)
    for entry in stage.world.entries[1:]:
        folded = auditor.fold(entry)
        assert folded.carried
        assert not folded.disputed


def test_the_open_book_is_the_book_without_what_is_settled() -> None:
    stage = eventful()
    for day in ("2026-07-15", "2026-08-20"):
        at_ms = at_noon(day) + 3_600_000
        whole = {row.id for row, how in stage.book(at_ms) if how.state in {"due", "escalated"}}
        opened = list(open_book(stage.world.registry, engine(), at_ms))
        assert whole <= {row.id for row, _ in opened}
        assert {how.state for _, how in opened} <= {"due", "breached", "escalated"}


def test_looking_back_shows_what_stood_then() -> None:
    stage = DutyStage("2026-07-01")
    stage.on("2026-07-06").apply()
    stage.on("2026-07-10").answer(approve=True)
    assert stage.standing("answer", as_of="2026-07-09").state == "due"
    assert stage.standing("answer", as_of="2026-07-11").state == "done"
    assert not [row for row, _ in stage.book(at_noon("2026-07-05")) if row.kind == "answer"]


def test_looking_ahead_permits_nothing_and_changes_nothing() -> None:
    stage = eventful()
    before = state_hash(stage.world.registry)
    assert any(how.state == "breached" for _, how in stage.book(at_noon("2030-01-01")))
    assert state_hash(stage.world.registry) == before


def test_a_withdrawn_application_is_owed_no_answer() -> None:
    stage = DutyStage("2026-07-01")
    stage.on("2026-07-06").apply()
    stage.on("2026-07-10").withdraw()
    assert stage.standing("answer", as_of="2026-08-30").state == "lapsed"
    late = DutyStage("2026-07-01")
    late.on("2026-07-06").apply()
    late.on("2026-08-10").withdraw()
    assert late.standing("answer", as_of="2026-08-30").state == "breached"


def test_a_dataset_that_leaves_the_catalogue_takes_its_duties_along() -> None:
    stage = DutyStage("2026-07-01", cycle="daily")
    stage.grant()
    stage.on("2026-07-02").notice("law-changed")
    stage.on("2026-07-03").apply()
    stage.provide()
    stage.on("2026-07-06").withdraw_dataset()
    at_ms = at_noon("2026-09-01")
    later = [
        how.state
        for row, how in stage.book(at_ms)
        if row.kind in {"answer", "catalogue", "cycle"} and how.since_ms >= at_noon("2026-07-06")
    ]
    assert set(later) <= {"lapsed"}
    assert stage.standing("answer", as_of="2026-09-01").state == "lapsed"
    assert stage.standing("catalogue", as_of="2026-09-01").state == "lapsed"
    assert not stage.world.registry.cycles


def test_a_first_provision_is_owed_while_the_grant_lasts() -> None:
    stage = DutyStage("2026-07-01")
    stage.grant(days=5)
    assert stage.standing("first", as_of="2026-07-30").state == "lapsed"
    revoked = DutyStage("2026-07-01")
    revoked.grant()
    revoked.on("2026-07-06").revoke()
    assert revoked.standing("first", as_of="2026-08-30").state == "lapsed"
    revoked.on("2026-07-07").provide()
    assert revoked.standing("first", as_of="2026-08-30").state == "lapsed"


def test_nothing_is_to_be_deleted_that_was_never_read() -> None:
    stage = DutyStage("2026-07-01")
    stage.grant()
    stage.on("2026-07-06").revoke()
    assert not [name for name in stage.world.registry.duties if name.startswith("delete/")]
    assert stage.delete().rules == ("STATE-01",)


def test_only_personal_data_is_to_be_told_of() -> None:
    stage = DutyStage("2026-07-01")
    stage.provide()
    stage.on("2026-07-02").grant(fields=("code", "name", "head"))
    stage.latest["stream/3301"]
    item = stage.world.item(
        stage.latest["stream/3301"],
        from_ms=stage.world.now_ms - 3_600_000,
        to_ms=stage.world.now_ms,
    )
    stage.put(stage.world.ask(stage.latest["grant"], item), by="health/main")
    kinds = {row.kind for row in stage.world.registry.duties.values()}
    assert "delete" in kinds
    assert "notify" not in kinds


def test_a_cycle_that_changes_begins_anew() -> None:
    stage = DutyStage("2026-07-01", cycle="daily", split=False)
    stage.on("2026-07-02").provide(region="")
    stage.on("2026-07-03").republish(cycle="monthly")
    (name,) = stage.world.registry.cycles.values()
    assert stage.world.registry.duties[name].cycle == "monthly"
    states = [how.state for row, how in stage.book(at_noon("2026-07-20")) if row.kind == "cycle"]
    assert states == ["done", "lapsed"]


def test_a_cycle_stays_when_the_contract_is_published_again_as_it_is() -> None:
    stage = DutyStage("2026-07-01", cycle="daily", split=False)
    before = dict(stage.world.registry.cycles)
    stage.on("2026-07-03").republish(cycle="daily")
    assert stage.world.registry.cycles == before


def test_each_region_is_owed_each_period() -> None:
    stage = DutyStage("2026-06-29", cycle="weekly")
    stage.on("2026-06-30").provide("3301")
    stage.on("2026-06-30").provide("3302")
    stage.on("2026-07-07").provide("3301")
    week = [
        (row.region, how.state)
        for row, how in stage.book(at_noon("2026-07-13"))
        if row.kind == "cycle" and row.id.endswith("2026-07-06")
    ]
    assert sorted(week) == [("", "done"), ("3301", "done"), ("3302", "breached")]
    assert stage.world.registry.duty_counts["OBL-01", "done"] == 2


def test_a_period_is_found_by_its_id() -> None:
    stage = DutyStage("2026-07-01", cycle="daily", split=False)
    registry = stage.world.registry
    (name,) = registry.cycles.values()
    at_ms = at_noon("2026-07-05")
    found = find(registry, f"{name}/2026-07-04", at_ms)
    assert found is not None
    assert found.dataset == "welfare"
    assert find(registry, f"{name}/2026-07-01", at_ms) is None
    assert find(registry, f"{name}/2026-07-06", at_ms) is None
    assert find(registry, name, at_ms) is None
    assert find(registry, "nothing/at/all", at_ms) is None


@pytest.mark.parametrize(
    ("cycle", "day", "start", "following"),
    [
        ("real-time", "2026-02-28", "2026-02-28", "2026-03-01"),
        ("daily", "2026-12-31", "2026-12-31", "2027-01-01"),
        ("weekly", "2026-07-05", "2026-06-29", "2026-07-06"),
        ("monthly", "2026-12-15", "2026-12-01", "2027-01-01"),
        ("quarterly", "2026-11-15", "2026-10-01", "2027-01-01"),
        ("half-yearly", "2026-07-01", "2026-07-01", "2027-01-01"),
        ("yearly", "2026-07-01", "2026-01-01", "2027-01-01"),
    ],
)
def test_periods_are_those_of_the_calendar(
    cycle: str, day: str, start: str, following: str
) -> None:
    found = period_of(cycle, date.fromisoformat(day))
    assert found == date.fromisoformat(start)
    assert next_period(cycle, found) == date.fromisoformat(following)


def test_a_scoreboard_counts_each_duty_once() -> None:
    stage = eventful()
    rows = stage.book(at_noon("2026-09-30"))
    scores = {score.member: score for score in scoreboard(rows)}
    assert sum(sum(score.counts.values()) for score in scores.values()) == len(rows)
    assert scores["civil"]["breached"] > 0
    assert 0 < (scores["civil"].in_time or 0) < 1
    (quiet,) = scoreboard([(row, how) for row, how in rows if how.state == "due"][:1] or rows[:1])
    assert quiet.in_time is None or quiet.in_time == 1.0


def test_a_rule_that_does_not_hold_yet_puts_nobody_under_a_duty() -> None:
    stage = DutyStage("2020-03-02")
    stage.on("2020-03-03").grant()
    kinds = {row.kind for row in stage.world.registry.duties.values()}
    assert "first" not in kinds  # SLA-03 came in 2025
    assert stage.state("answer", as_of="2020-03-04") == ("done", ("RESP-01", "SLA-02"))


def test_a_region_stays_owed_after_a_withdrawal_unless_the_contract_splits_otherwise() -> None:
    stage = DutyStage("2026-07-01", cycle="weekly")
    stage.provide("3301")
    stage.on("2026-07-02").withdraw_dataset()
    stage.on("2026-07-03").republish(cycle="weekly")
    assert set(stage.world.registry.cycles) == {("welfare", ""), ("welfare", "3301")}
    text = TEXT.replace("cycle: yearly", "cycle: weekly").replace("level: city", "level: county")
    stage.on("2026-07-06").republish_as(text)
    assert set(stage.world.registry.cycles) == {("welfare", "")}


def test_a_row_of_law_holds_on_its_days_and_unless_it_is_off() -> None:
    law = engine()
    assert row_on(law, "SLA-03", at_noon("2026-07-01")) is not None
    assert row_on(law, "SLA-03", at_noon("2025-07-31")) is None
    assert row_on(law, "SLA-03", at_noon("2014-01-01")) is None
    assert row_on(law, "NONE-01", at_noon("2026-07-01")) is None
    for off in ({"mode": "off"}, {"enforced": "later"}):  # what nobody enforces binds nobody
        changed = replace(law.register.rule("SLA-03"), **off)  # type: ignore[arg-type]
        other = Off(replace(law.register, rules={**law.register.rules, "SLA-03": changed}))
        assert row_on(other, "SLA-03", at_noon("2026-07-01")) is None


class Off:
    """A rule set with another register."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self.workdays = engine().workdays


def test_an_organisation_is_no_person() -> None:
    plain = TEXT.replace("type: resident-id", "type: text")
    subject = plain.replace("cycle:", "subject: head\ncycle:")
    company = subject.replace("name: head, type: text", "name: head, type: credit-code")
    encoded = [Contract.from_yaml(text.encode()).encoded for text in (plain, subject, company)]
    assert [personal_fields(one) for one in encoded] == [set(), {"head"}, set()]
