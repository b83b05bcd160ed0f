"""Escalation: three tiers, each in its turn, and none of them opens data."""

import pytest

from exchange.model import dutyacts
from tests.duties.entrystage import EntryStage
from tests.duties.stage import DutyStage, at_noon


def overdue() -> DutyStage:
    """An application of 13 February that nobody answered by 5 March."""
    stage = DutyStage("2026-02-10")
    stage.on("2026-02-13").apply()
    return stage.on("2026-03-06")


def test_three_tiers_in_their_order() -> None:
    stage = overdue()
    assert stage.escalate("answer", 2).rules == ("TIER-01",)
    assert stage.escalate("answer", 1).permit
    assert stage.escalate("answer", 2).rules == ("TIER-01",)
    assert stage.decide("upholds", by="authority", basis="x").rules == ("BASIS-01",)
    assert stage.decide("upholds", by="civil").rules == ("REASON-01",)
    assert stage.decide("upholds", by="civil", basis="某法 第一条").permit
    assert stage.decide("upholds", by="civil", basis="某法 第一条").rules == ("STATE-01",)
    assert stage.standing("answer", as_of="2026-03-07").state == "breached"
    assert stage.on("2026-03-09").escalate("answer", 2).permit
    assert stage.duty("decide").owner == "authority"
    # the authority lets its own term pass: the next tier may be asked, and everybody sees it
    assert stage.on("2026-03-23").escalate("answer", 3).rules == ("TIER-01",)
    assert stage.on("2026-03-24").escalate("answer", 3).permit
    assert stage.decide("upholds", by="authority", basis="x").permit
    assert stage.on("2026-04-30").escalate("answer", 3).rules == ("TIER-01",)
    assert not stage.world.registry.grants


def test_a_direction_is_met_by_the_answer_and_by_nothing_else() -> None:
    stage = overdue()
    stage.escalate("answer")
    stage.on("2026-03-09").decide("directs", until="2026-03-13")
    assert stage.standing("directed", as_of="2026-03-10").state == "due"
    assert not stage.world.registry.grants
    stage.on("2026-03-12").answer(approve=True)
    assert stage.standing("directed", as_of="2026-03-13").state == "done"
    assert stage.standing("answer", as_of="2026-03-13").state == "late"
    assert stage.escalate("answer", 2).rules == ("TIER-01",)


def test_a_direction_that_is_not_met_goes_to_the_next_tier() -> None:
    stage = overdue()
    stage.escalate("answer")
    stage.on("2026-03-09").decide("directs", until="2026-03-13")
    assert stage.on("2026-03-12").escalate("answer", 2).rules == ("TIER-01",)
    assert stage.on("2026-03-16").escalate("answer", 2).permit


def test_an_answer_while_a_tier_is_open_ends_the_matter() -> None:
    stage = overdue()
    stage.escalate("answer")
    stage.on("2026-03-09").answer(approve=True)
    assert stage.standing("decide", as_of="2026-03-10").state == "lapsed"
    assert stage.standing("answer", as_of="2026-03-10").state == "late"


def test_a_refusal_that_is_directed_opens_again_and_permits_nothing() -> None:
    stage = DutyStage("2026-02-10")
    stage.on("2026-02-13").apply()
    stage.on("2026-02-24").answer(approve=False, basis="某法 第一条")
    assert stage.standing("answer", as_of="2026-02-25").state == "done"
    stage.escalate("answer")
    stage.decide("directs")
    request = stage.world.registry.requests[stage.latest["request"]]
    assert request.status == "open"
    assert not stage.world.registry.grants
    # refused anew, on a basis: the next tier is asked, and its direction opens it again
    stage.on("2026-02-26").answer(approve=False, basis="某法 第二条")
    assert stage.standing("directed", as_of="2026-02-27").state == "due"
    assert stage.escalate("answer", 1).rules == ("TIER-01",)
    assert stage.escalate("answer", 2).permit
    assert stage.decide("directs", by="authority").permit
    stage.on("2026-02-27").answer(approve=True)
    states = [how.state for row, how in stage.book(at_noon("2026-02-28")) if row.kind == "directed"]
    assert states == ["done", "done"]
    assert stage.standing("answer", as_of="2026-02-28").state == "done"


def test_refused_demands_and_explained_objections_open_again_too() -> None:
    stage = DutyStage("2026-07-01")
    stage.on("2026-07-02").demand()
    stage.promise("refuses", dataset=None, basis="某法 第一条")
    assert stage.escalate("demand").permit
    assert stage.decide("directs").permit
    demand = stage.world.registry.demands[stage.latest["demand"]]
    assert demand.outcome is None
    assert stage.promise("refers", dataset="welfare").permit
    assert stage.standing("demand", as_of="2026-07-03").state == "done"
    stage.on("2026-07-06").grant()
    stage.provide()
    stage.object_to(150)
    stage.settle_objection("explained", basis="台账一致")
    assert not stage.world.registry.objections_open["welfare"]
    assert stage.escalate("objection").permit
    assert stage.decide("directs").permit
    assert stage.world.registry.objections_open["welfare"] == [stage.latest["objection"]]
    assert stage.settle_objection("withdrawn").permit
    assert stage.standing("objection", as_of="2026-07-07").state == "lapsed"


def test_a_reader_insists_on_a_missed_period() -> None:
    stage = DutyStage("2026-06-29", cycle="weekly", split=False)
    stage.on("2026-06-30").provide("")
    stage.on("2026-07-01").grant()
    stage.on("2026-07-13")
    registry = stage.world.registry
    (name,) = registry.cycles.values()
    missed = dutyacts.Escalate(duty=f"{name}/2026-07-06", tier=1)
    assert stage.put(missed, by="civil").rules == ("BASIS-01",)
    assert stage.put(missed, by="health", keep="escalation").permit
    period = "2026-07-06"
    assert stage.standing("cycle", as_of="2026-07-13", period=period).state == "escalated"
    stage.decide("directs", until="2026-07-17")
    stage.on("2026-07-14").provide("")
    assert stage.standing("cycle", as_of="2026-07-15", period=period).state == "late"
    assert stage.standing("directed", as_of="2026-07-15").state == "done"
    nothing = dutyacts.Escalate(duty=f"{name}/2027-07-05", tier=1)
    assert stage.put(nothing, by="health").rules == ("STATE-01",)
    about = dutyacts.Escalate(duty=stage.duty("directed").id, tier=1)
    assert stage.put(about, by="health").rules == ("STATE-01",)


def test_two_who_insist_at_once_are_one() -> None:
    """The second was decided on the same state, and is judged where it stands."""
    stage = overdue()
    body = dutyacts.Escalate(duty=stage.duty("answer").id, tier=1)
    first = stage.world.entry(stage.world.sign(body, by="health"))
    second = stage.world.entry(stage.world.sign(body, by="health"))
    assert first.statement.permit
    assert second.statement.permit
    assert stage.world.take(first).permit
    folded = stage.world.take(second)
    assert (folded.permit, folded.rules, folded.carried) == (False, ("TIER-01",), False)


def test_who_answers_first_wins_the_race_against_insisting() -> None:
    stage = overdue()
    body = dutyacts.Escalate(duty=stage.duty("answer").id, tier=1)
    entry = stage.world.entry(stage.world.sign(body, by="health"))
    assert entry.statement.permit
    stage.answer(approve=True)
    assert stage.world.take(entry).rules == ("TIER-01",)


@pytest.mark.parametrize("until", ["2026-03-01", "2028-03-01"])
def test_a_direction_sets_a_day_that_lies_ahead_within_a_year(until: str) -> None:
    stage = overdue()
    stage.escalate("answer")
    assert stage.decide("directs", until=until).rules == ("STATE-01",)


def test_where_no_row_binds_anybody_to_decide_the_next_tier_may_be_asked() -> None:
    stage = EntryStage("2026-02-10")
    stage.on("2026-02-13").apply()
    stage.on("2026-03-06")
    assert stage.law(**{"ESC-01": {"enforced": "later"}}).permit
    assert stage.escalate("answer", 1).permit
    assert not [name for name in stage.world.registry.duties if name.startswith("decide/")]
    assert stage.decide("upholds", basis="某法 第一条").rules == ("STATE-01",)
    assert stage.escalate("answer", 1).rules == ("TIER-01",)
    assert stage.escalate("answer", 2).permit
    assert stage.escalate("answer", 3).permit
    assert stage.escalate("answer", 3).rules == ("TIER-01",)


def test_two_that_insist_at_once_where_nobody_is_bound_do_not_stop_the_ledger() -> None:
    stage = EntryStage("2026-02-10")
    stage.on("2026-02-13").apply()
    stage.on("2026-03-06")
    stage.law(**{"ESC-01": {"enforced": "later"}})
    body = dutyacts.Escalate(duty=stage.duty("answer").id, tier=1)
    world = stage.world
    both = [world.entry(world.sign(body, by="health")) for _ in range(2)]
    first, second = map(world.take, both)
    assert first.permit
    assert second.rules == ("TIER-01",)


def test_an_objection_is_answered_where_no_row_binds_anybody_to() -> None:
    stage = EntryStage("2026-07-01")
    stage.grant()
    stage.provide()
    assert stage.law(**{"COR-01": {"mode": False}}).permit
    assert stage.object_to(1).permit
    assert not [name for name in stage.world.registry.duties if name.startswith("objection/")]
    assert stage.settle_objection("explained").rules == ("REASON-01",)
    assert stage.settle_objection("explained", basis="某法 第一条").permit
    assert stage.settle_objection("withdrawn").rules == ("STATE-01",)
    assert stage.world.registry.objections_open == {"welfare": []}
