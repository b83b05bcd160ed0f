"""What an entry means for duties: begun, met, or spoken of, with the law on the duty."""

import io

from exchange.audit.owed import Tie, ties
from exchange.cli.dutytable import tell_ties
from exchange.cli.screen import Screen
from exchange.ledger.verdict import Folded
from exchange.model.text import Language
from tests.duties.stage import DutyStage, at_noon
from tests.ledger.drafts import engine


def tied(stage: DutyStage, entry: Folded, *, as_of: str) -> list[Tie]:
    registry = stage.world.registry
    return list(ties(registry, engine(), entry.act, entry.index, at_noon(as_of)))


def words(found: list[Tie]) -> list[tuple[str, str, tuple[str, ...], str]]:
    return [(tie.how, tie.duty.kind, tie.duty.rules, tie.standing.state) for tie in found]


def test_an_application_puts_its_provider_under_a_term_and_an_answer_meets_it() -> None:
    stage = DutyStage("2026-02-10")
    asked = stage.on("2026-02-13").apply()
    law = ("RESP-01", "SLA-02")
    assert words(tied(stage, asked, as_of="2026-03-05")) == [("begins", "answer", law, "due")]
    assert words(tied(stage, asked, as_of="2026-03-06")) == [("begins", "answer", law, "breached")]
    answered = stage.on("2026-03-06").answer(approve=True)
    assert words(tied(stage, answered, as_of="2026-03-09")) == [
        ("meets", "answer", law, "late"),
        ("begins", "first", ("SLA-03",), "due"),
    ]


def test_whoever_is_refused_is_told_about_which_duty() -> None:
    stage = DutyStage("2026-02-10")
    stage.on("2026-02-13").apply()
    for entry in (stage.answer(approve=False), stage.extend("answer", 11)):
        assert not entry.permit
        (found,) = tied(stage, entry, as_of="2026-02-14")
        assert (found.how, found.duty.rules) == ("about", ("RESP-01", "SLA-02"))


def test_an_application_that_was_opened_again_is_still_known_by_its_own_entry() -> None:
    stage = DutyStage("2026-02-10")
    asked = stage.on("2026-02-13").apply()
    stage.on("2026-02-14").answer(approve=False, basis="某法 第一条")
    stage.on("2026-02-24").escalate("answer")
    decided = stage.on("2026-02-25").decide("directs", until="2026-03-02")
    assert [tie.how for tie in tied(stage, asked, as_of="2026-02-26")] == ["about"]
    assert ("begins", "answer") in [
        (tie.how, tie.duty.kind) for tie in tied(stage, decided, as_of="2026-02-26")
    ]


def test_a_period_is_met_by_its_anchor_and_nothing_is_said_of_others() -> None:
    stage = DutyStage("2026-03-20", cycle="weekly", split=False)
    stage.on("2026-03-25").provide(region="")
    anchor = stage.on("2026-04-07").provide(region="")
    found = tied(stage, anchor, as_of="2026-04-08")
    assert [(tie.how, tie.duty.id.rpartition("/")[2]) for tie in found] == [
        ("meets", "2026-03-30"),
        ("meets", "2026-04-06"),
    ]
    assert [tie.standing.state for tie in found] == ["late", "done"]


def test_the_first_release_says_what_its_reader_will_owe() -> None:
    stage = DutyStage("2026-07-01")
    stage.provide()
    stage.on("2026-07-02").grant(days=30)
    keys = stage.on("2026-07-03").read()
    assert words(tied(stage, keys, as_of="2026-07-04")) == [
        ("begins", "delete", ("PI-04", "TERM-01"), "ahead"),
        ("begins", "notify", ("PI-03",), "due"),
    ]


def test_it_is_told_in_both_languages_with_the_badge() -> None:
    stage = DutyStage("2026-02-10")
    found = tied(stage, stage.on("2026-02-13").apply(), as_of="2026-02-14")
    spoken: dict[Language, str] = {"en": "puts under a duty: answer/", "zh": "产生义务：answer/"}
    for language, said in spoken.items():
        out, err = io.StringIO(), io.StringIO()
        screen = Screen(language=language, as_json=False, out=out, err=err)
        tell_ties(screen, found, engine().register)
        (line,) = out.getvalue().splitlines()
        assert line.startswith(said)
        assert "2026-03-05" in line
        assert line.endswith("RESP-01, SLA-02 待核")
        assert "待核" in err.getvalue()
