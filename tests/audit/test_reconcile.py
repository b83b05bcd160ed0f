"""Releases, receipts and anchors line up, or somebody has to explain."""

from pathlib import Path
from typing import get_args

import pytest

from exchange.audit.findings import Finding, FindingKind, title
from exchange.audit.reconcile import reconcile
from exchange.audit.tally import Due, Tally
from exchange.model import acts
from tests.audit.lined import AT_ONCE, Lined
from tests.flow.stage import ListSink, Stage, joined, villages
from tests.flow.test_forks import close, two_branches
from tests.ledger.drafts import HOUR_MS


@pytest.fixture
def lined() -> Lined:
    return Lined()


def read_up_to(lined: Lined, last: int) -> None:
    """An honest provider and an honest reader."""
    lined.anchor(last)
    lined.ask(0)
    lined.receipt(0, last)


def test_an_honest_exchange_has_no_findings(lined: Lined) -> None:
    read_up_to(lined, 4)
    done = lined.reconciled()
    assert (done.findings, done.keys, done.receipts, done.anchors) == ((), 1, 1, 1)
    assert done.size == len(lined.world.folded)


def test_a_key_without_a_receipt_names_its_reader_and_its_age(lined: Lined) -> None:
    read_up_to(lined, 4)
    entry = lined.ask(5, epoch=bytes([1]) * 16).index
    lined.world.advance(HOUR_MS)
    (found,) = lined.found(due=Due())
    assert (found.kind, found.responsible, found.entries) == (
        "key-without-receipt",
        "health",
        (entry,),
    )
    assert (found.age_ms, found.first, found.dataset) == (HOUR_MS, 5, "villages")
    lined.receipt(5, 5)
    lined.anchor(5)
    assert lined.kinds() == []


def test_a_receipt_has_its_time(lined: Lined) -> None:
    lined.anchor(0)
    lined.ask(0)
    lined.world.advance(HOUR_MS - 1)
    assert lined.kinds(due=Due(receipt_ms=HOUR_MS)) == []
    lined.world.advance(1)
    assert lined.kinds(due=Due(receipt_ms=HOUR_MS)) == ["key-without-receipt"]


def test_a_receipt_that_leaves_out_a_section_answers_no_key(lined: Lined) -> None:
    lined.anchor(0)
    lined.ask(0)
    lined.receipt(0, 0, levels=(1,))
    assert lined.kinds() == ["key-without-receipt"]


def test_a_refused_key_needs_no_receipt(lined: Lined) -> None:
    lined.anchor(0)
    beyond = lined.world.item(lined.stream, levels=(1, 3))
    good = lined.world.item(lined.stream, header=lined.head(0))
    lined.put(lined.world.ask(lined.grant, good, beyond), "health/main")
    lined.receipt(0, 0)
    assert lined.kinds() == []


@pytest.mark.parametrize(
    ("first", "levels"), [(2, (1, 2)), (3, (1, 2, 3))], ids=["before-the-key", "other-section"]
)
def test_a_receipt_for_what_no_key_opened_is_found(
    lined: Lined, first: int, levels: tuple[int, ...]
) -> None:
    lined.anchor(4)
    lined.ask(3)
    entry = lined.receipt(first, 4, levels=levels).index
    (found,) = lined.found()
    assert (found.kind, found.responsible, found.entries) == (
        "receipt-without-release",
        "health",
        (entry,),
    )


def test_a_receipt_with_no_key_at_all_is_found(lined: Lined) -> None:
    lined.anchor(4)
    lined.receipt(0, 4)
    assert lined.kinds() == ["receipt-without-release"]


def test_a_receipt_over_an_epoch_that_was_never_released_is_found(lined: Lined) -> None:
    later = bytes([7]) * 16
    lined.anchor(3)
    lined.anchor(5, epoch=later)
    lined.anchor(8, epoch=later)
    lined.ask(0)
    lined.receipt(0, 3)
    assert "receipt-without-release" not in lined.kinds()
    entry = lined.receipt(4, 7).index
    assert [one.entries for one in lined.found() if one.kind == "receipt-without-release"] == [
        (entry,)
    ]


def test_a_hole_between_receipts_is_found_until_it_is_filled(lined: Lined) -> None:
    lined.anchor(9)
    lined.ask(0)
    lined.receipt(0, 2)
    entry = lined.receipt(7, 9).index
    (found,) = lined.found()
    assert (found.kind, found.first, found.last, found.entries) == ("receipt-gap", 3, 6, (entry,))
    lined.receipt(4, 5)
    assert [(one.first, one.last) for one in lined.found()] == [(3, 3), (6, 6)]
    lined.receipt(3, 6)
    assert lined.kinds() == []


def test_every_kind_of_sink_has_receipts_of_its_own(lined: Lined) -> None:
    lined.anchor(9)
    lined.ask(0)
    lined.receipt(0, 9)
    lined.receipt(0, 2, sink="jsonl")
    lined.receipt(5, 9, sink="jsonl")
    assert [(one.kind, one.first, one.last) for one in lined.found()] == [("receipt-gap", 3, 4)]


def test_a_declared_gap_is_its_providers_and_explains_the_readers(lined: Lined) -> None:
    lined.anchor(9)
    lined.ask(0)
    lined.receipt(0, 2)
    lined.receipt(5, 9)
    body = acts.DeclareGap(
        stream=lined.stream, first=3, last=4, head=lined.head(4), reason="磁盘损坏"
    )
    lined.put(body, "civil/main")
    (found,) = lined.found()
    assert (found.kind, found.responsible, found.first, found.last) == (
        "gap-declared",
        "civil",
        3,
        4,
    )


def test_what_is_provided_and_never_fetched_is_the_consumers(lined: Lined) -> None:
    entry = lined.anchor(4).index
    (found,) = lined.found()
    assert (found.kind, found.responsible, found.consumer, found.entries) == (
        "not-delivered",
        "health",
        "health",
        (entry,),
    )
    assert lined.kinds(due=Due()) == []
    lined.world.advance(Due().delivery_ms)
    assert lined.kinds(due=Due()) == ["not-delivered"]


def test_a_reader_whose_receipts_stop_short_of_the_anchor_hears_nothing(lined: Lined) -> None:
    read_up_to(lined, 4)
    lined.anchor(6)
    (found,) = lined.found()
    assert (found.kind, found.responsible, found.first, found.last) == ("withheld", "civil", 5, 6)


def test_only_standing_grants_that_cover_the_stream_have_to_deliver(lined: Lined) -> None:
    lined.world.granted("human-resources", regions=("3302",))
    lined.world.granted("human-resources", from_ms=lined.world.now_ms + 1)
    lined.anchor(4)
    assert [one.consumer for one in lined.found()] == ["health"]
    lined.put(acts.RevokeGrant(grant=lined.grant, reason="ended"), "health")
    assert lined.kinds() == []


def test_an_anchor_that_does_not_move_is_its_providers(lined: Lined) -> None:
    lined.ask(0)
    entry = lined.receipt(0, 3).index
    (found,) = lined.found()
    assert (found.kind, found.responsible, found.first, found.last, found.entries) == (
        "anchor-behind",
        "civil",
        0,
        3,
        (entry,),
    )
    lined.anchor(2)
    assert [(one.kind, one.first) for one in lined.found()] == [("anchor-behind", 3)]
    lined.anchor(3)
    assert lined.kinds() == []


@pytest.mark.parametrize("who", ["receipt", "key", "gap"])
def test_two_hashes_of_one_bundle_are_found_whoever_names_them(lined: Lined, who: str) -> None:
    anchor = lined.anchor(4).index
    lined.ask(0)
    other = bytes([9]) * 32
    match who:
        case "receipt":
            entry = lined.receipt(0, 4, head=other).index
        case "key":
            entry = lined.ask(4, header=other).index
            lined.receipt(0, 4)
        case _:
            lined.receipt(0, 4)
            lined.anchor(9)
            anchor, entry = 0, lined.receipt(5, 9, head=other).index
    found = next(one for one in lined.found() if one.kind == "head-mismatch")
    assert (found.responsible, found.entries[1]) == ("civil", entry)
    assert who == "gap" or found.entries[0] == anchor


def test_later_entries_do_not_exist_at_an_earlier_moment(lined: Lined) -> None:
    read_up_to(lined, 4)
    then = lined.world.now_ms
    lined.world.advance(HOUR_MS)
    lined.ask(5, epoch=bytes([1]) * 16)
    lined.put(acts.RevokeGrant(grant=lined.grant, reason="ended"), "health")
    before = lined.reconciled(as_of_ms=then)
    assert (before.findings, before.size) == ((), len(lined.world.folded) - 2)
    assert lined.kinds() == ["key-without-receipt"]


def test_every_kind_has_its_sentence_and_its_remedy() -> None:
    for kind in get_args(FindingKind):
        one = Finding(
            kind, 0, 1, "civil", "villages", "civil", "health", bytes(32), bytes(32), 3, 5, (7,)
        )
        assert title(kind).en != title(kind).zh
        for text in (one.text, one.remedy):
            assert "{" not in text.en + text.zh
            assert any(ord(char) > 0x4E00 for char in text.zh)
        assert one.concerns("civil")
        assert not one.concerns("audit-office")


async def test_what_the_adapters_really_do_lines_up(tmp_path: Path) -> None:
    stage = await Stage(tmp_path).start()
    view = stage.view("audit-office")
    tally = Tally(as_of_ms=stage.now_ms(), due=AT_ONCE)
    view.follower.listen(tally.take)
    grant, sink = await stage.grant(), ListSink()
    await stage.push(joined(villages(250), villages(40, "3302")))
    await stage.pull(grant, sink)
    await stage.push(villages(5, first=300))
    await stage.pull(grant, sink, filed=lambda _: -1)
    await view.catch_up()
    done = reconcile(tally, view.registry)
    assert (done.findings, done.receipts > 1, done.keys > 1) == ((), True, True)


async def test_a_proven_fork_is_found_with_its_entry(tmp_path: Path) -> None:
    stage = await Stage(tmp_path).start()
    view = stage.view("audit-office")
    tally = Tally(as_of_ms=stage.now_ms(), due=AT_ONCE)
    view.follower.listen(tally.take)
    grant = await stage.grant()
    close(*await two_branches(stage))
    await stage.pull(grant, ListSink())
    await view.catch_up()
    (found,) = [one for one in reconcile(tally, view.registry).findings if one.kind == "fork"]
    fork = view.registry.forks[found.stream]
    assert (found.responsible, found.first, found.entries) == (
        "civil",
        fork.sequence,
        (fork.index,),
    )
