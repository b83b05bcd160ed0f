"""Questions to the search view: what they find is what a walk over the record finds."""

import pytest

from exchange.audit.cursor import Cursor, query_hash
from exchange.audit.record import Record
from exchange.audit.view import View
from exchange.audit.viewquery import (
    FILTERS,
    GROUPS,
    Found,
    Page,
    Question,
    ask,
    check,
    count,
    everything,
    known,
    strange,
)
from exchange.errors import UsageError
from tests.audit.viewed import all_of, indices
from tests.ledger.world import World


def test_every_entry_is_there_as_the_record_has_it(view: View, record: Record) -> None:
    found = all_of(view)
    assert len(found) == len(record.rows)
    for mine, row in zip(found, record.rows, strict=True):
        for name in Found.__slots__:
            if hasattr(row, name):
                assert getattr(mine, name) == getattr(row, name), (row.index, name)
        assert mine.all_rules == row.all_rules


@pytest.mark.parametrize(
    "filters",
    [
        {"member": "health"},
        {"kind": "keys."},
        {"kind": "request.new", "verdict": "deny"},
        {"rule": "PUR-01"},
        {"rule": "DUTY-01", "member": "health"},
        {"verdict": "void"},
        {"about": "villages"},
        {"member": "nobody"},
        {"rule": "PUR-01", "kind": "catalogue"},
    ],
)
def test_filters_find_what_a_walk_over_the_record_finds(
    view: View, record: Record, filters: dict[str, str]
) -> None:
    expected = [
        row.index
        for row in record.rows
        if all(
            value in row.all_rules
            if name == "rule"
            else (row.subject if name == "about" else getattr(row, name)).startswith(value)
            for name, value in filters.items()
        )
    ]
    assert indices(all_of(view, **filters)) == expected
    assert count(view, Question(filters))[1] == {"": len(expected)}


def test_datasets_grants_purposes_sections_and_regions_are_found(
    view: View, viewed_world: World
) -> None:
    grant = next(iter(viewed_world.registry.grants.values()))
    mine = all_of(view, grant=grant.id.hex()[:12])
    assert {row.kind for row in mine} == {"request.new", "keys.ask", "receipt.file", "grant.revoke"}
    assert {row.dataset for row in mine} == {"villages"}
    assert {row.purpose for row in mine} == {"collaboration"}
    posts = all_of(view, dataset="posts")
    assert [row.kind for row in posts][-1] == "request.answer"
    assert posts[-1].grant
    assert {row.kind for row in all_of(view, section="3")} == {"keys.ask"}
    assert {row.member for row in all_of(view, purpose="verification")} == {"health"}
    city, province = all_of(view, region="3302"), all_of(view, region="33")
    assert {row.kind for row in city} >= {"stream.open", "keys.ask", "request.new"}
    assert set(indices(city)) < set(indices(province))
    county = all_of(view, region="330203")  # nobody named it; what holds it is found
    assert {"3302"} <= {region for row in county for region in row.regions}
    assert not any("3301" in row.regions for row in county if len(row.regions) == 1)
    assert indices(all_of(view, region="11", kind="request.new")) == [
        row.index for row in all_of(view, kind="request.new") if "" in row.regions
    ]
    assert {"villages", "posts"} <= {row.dataset for row in all_of(view, concerns="health")}


def test_a_span_of_time_is_a_span_of_entries(view: View, record: Record) -> None:
    begin, end = record.rows[60].time_ms, record.rows[90].time_ms
    for first, last in (
        (begin, end),
        (0, end),
        (begin, 1 << 53),
        (end + 1, end),
        (1 << 52, 1 << 53),
    ):
        expected = [row.index for row in record.rows if first <= row.time_ms <= last]
        page = ask(view, Question({}, first, last), limit=1_000)
        assert [row.index for row in page.entries] == expected
        denied = [index for index in expected if record.rows[index].verdict == "deny"]
        asked = Question({"verdict": "deny"}, first, last)
        assert [row.index for row in ask(view, asked, limit=1_000).entries] == denied


@pytest.mark.parametrize("by", GROUPS)
def test_counts_add_up_to_what_is_listed(view: View, by: str) -> None:
    for filters in ({}, {"kind": "keys"}, {"verdict": "deny", "member": "health"}):
        _, counted = count(view, Question(filters), by=by)
        rows = all_of(view, **filters)
        if by in {"rule", "section", "region"}:
            lists = {"rule": "rules", "section": "sections", "region": "regions"}
            values = [value for row in rows for value in getattr(row, lists[by])]
            assert counted == {value: values.count(value) for value in sorted(set(values))}
        elif by in {"day", "month"}:
            assert sum(counted.values()) == len(rows)
            assert all(len(name) == (10 if by == "day" else 7) for name in counted)
        else:
            values = [getattr(row, by) for row in rows]
            assert counted == {v: values.count(v) for v in sorted(set(values)) if v}


def test_days_are_those_of_the_clock_that_is_named(view: View, record: Record) -> None:
    begin = record.rows[0].time_ms
    _, utc = count(view, Question({}, begin, begin), by="day")
    _, ahead = count(view, Question({}, begin, begin), by="day", offset_ms=-1)
    assert list(utc) == ["2026-01-01"]
    assert list(ahead) == ["2025-12-31"]


def test_pages_join_without_a_gap_and_say_what_they_stand_on(view: View, record: Record) -> None:
    question = Question({"kind": "keys"})
    pages: list[Page] = list(everything(view, question, portion=11))
    assert all(page.standing.size == len(record.rows) for page in pages)
    assert all(page.standing.root == pages[0].standing.root for page in pages)
    joined = [row.index for page in pages for row in page.entries]
    assert joined == indices(all_of(view, kind="keys"))
    assert [bool(page.cursor) for page in pages] == [True] * (len(pages) - 1) + [False]


def test_a_cursor_belongs_to_its_question_and_its_ledger(view: View, viewed_world: World) -> None:
    question = Question({"kind": "keys"})
    page = ask(view, question, limit=3)
    named, size, root = question.named(), page.standing.size, page.standing.root
    bad = {
        "of another question": (page.cursor, Question({"kind": "request"})),
        "no base64": ("***", question),
        "too long": ("A" * 1_000, question),
        "no CBOR": ("/w", question),
        "of a ledger never seen": (Cursor(query_hash(named), 7, root, 3).text(), question),
        "of another root": (Cursor(query_hash(named), size, bytes(32), 3).text(), question),
        "beyond its own end": (Cursor(query_hash(named), 3, root, 9).text(), question),
    }
    for name, (cursor, asked) in bad.items():
        with pytest.raises(UsageError) as caught:
            ask(view, asked, limit=3, cursor=cursor)
        assert caught.value.failure == "cursor", name


def test_unknown_filters_and_groups_are_named(view: View) -> None:
    with pytest.raises(UsageError, match="no filter 'colour'"):
        ask(view, Question({"colour": "red"}), limit=1)
    with pytest.raises(UsageError, match="no group 'colour'"):
        count(view, Question({}), by="colour")
    assert len(set(FILTERS)) == len(FILTERS)


def test_a_beginning_that_fits_too_much_is_refused(
    view: View, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exchange.audit.viewquery.WORDS_MAX", 2)
    with pytest.raises(UsageError, match="too many words"):
        ask(view, Question({"kind": "re"}), limit=1)


def test_a_word_is_known_or_not(view: View) -> None:
    assert known(view, "dataset", "villages")
    assert not known(view, "dataset", "nothing")
    assert not known(view, "concerns", "")


def test_what_no_entry_has_is_told_from_what_none_has_together(view: View) -> None:
    question = Question({"dataset": "village", "kind": "keys", "rule": "", "verdict": "void"})
    assert strange(view, question) == ["dataset"]


def test_what_no_view_can_answer_is_refused_before_it_is_asked() -> None:
    check(Question({"dataset": "villages"}), by="day")
    with pytest.raises(UsageError, match="no group 'colour'"):
        check(Question({}), by="colour")
    with pytest.raises(UsageError, match="no cursor"):
        check(Question({}), cursor="abc")
