"""A report says what the ledger says, in both languages, and escapes what members wrote."""

import re
from html.parser import HTMLParser

import pytest

from exchange.audit import charts
from exchange.audit.buckets import COUNT_MAX, STEPS_MS, buckets
from exchange.audit.reportdata import Data, encoded, shown
from exchange.audit.reportpage import render
from tests.audit.lined import Lined
from tests.audit.reported import busy, data_of, signed_head
from tests.ledger.drafts import DAY_MS


@pytest.fixture(scope="module")
def lined() -> Lined:
    return busy()


def about(lined: Lined, member: str, *, from_ms: int = 0, to_ms: int = 1 << 62) -> Data:
    note = signed_head(lined.world)
    return data_of(lined.world, member, note, from_ms=from_ms, to_ms=to_ms)[0]


def test_a_provider_sees_who_read_what_of_it(lined: Lined) -> None:
    data = about(lined, "civil")
    assert data["received"] == []
    (one,) = [one for one in data["provided"] if one["keys"]]
    parties = (one["consumer"], one["provider"], one["purpose"])
    assert parties == ("health", "civil", "collaboration")
    assert (one["records"], one["epochs"], len(one["receipts"])) == (500, 2, 1)
    assert one["unanswered"] == one["keys"][1:]
    refused = [(one["member"], one["rules"]) for one in data["refusals"]]
    assert refused == [("human-resources", ["DUTY-01"]), ("health", ["PUR-01"])]
    statuses = [(one["consumer"], one["dataset"], one["status"]) for one in data["applications"]]
    assert statuses == [
        ("health", "villages", "approved"),
        ("human-resources", "clinics", "refused"),
        ("health", "clinics", "open"),
    ]
    assert [one["kind"] for one in data["findings"]] == ["key-without-receipt"]
    assert data["findings"][0]["responsible"] == "health"


def test_a_purpose_is_shown_by_its_title(lined: Lined) -> None:
    data = about(lined, "civil")
    code = data["provided"][0]["purpose"]
    row = lined.world.registry.purposes.get(code)
    expected = {"en": row.title_en, "zh": row.title_zh} if row else {"en": "", "zh": code}
    assert data["purposes"][code] == expected
    assert expected["zh"] in render(data)


def test_a_consumer_sees_what_it_read(lined: Lined) -> None:
    data = about(lined, "health")
    assert data["provided"] == []
    assert [one["dataset"] for one in data["received"]] == ["villages"]
    assert sum(map(sum, data["activity"]["series"].values())) == 3
    assert about(lined, "late")["received"] == []


def test_everything_named_is_proven(lined: Lined) -> None:
    data = about(lined, "civil")
    named = {one["entry"] for one in data["refusals"]} | {data["provided"][0]["granted"], 0}
    assert named <= set(data["evidence"])
    assert data["evidence"] == sorted(set(data["evidence"]))
    assert max(data["evidence"]) < len(lined.world.entries)


def test_a_period_leaves_out_what_lies_outside(lined: Lined) -> None:
    data = about(lined, "civil", from_ms=lined.world.now_ms - 1)
    assert (data["refusals"], data["applications"]) == ([], [])
    assert data["period"]["from"] == lined.world.now_ms - 1


def test_a_period_leaves_out_what_came_after_it(lined: Lined) -> None:
    (grant,) = about(lined, "health")["received"]
    granted_ms = lined.world.folded[grant["granted"]].time_ms
    assert about(lined, "health", to_ms=granted_ms - 1)["received"] == []
    (then,) = about(lined, "health", to_ms=granted_ms)["received"]
    assert then["grant"] == grant["grant"]


def test_the_same_ledger_gives_the_same_bytes(lined: Lined) -> None:
    note = signed_head(lined.world)
    one, other = (data_of(lined.world, "civil", note)[0] for _ in range(2))
    assert encoded(one) == encoded(other)
    assert render(one) == render(other)
    later = dict(other, issued=other["issued"] + 86_400_000)
    changed = [
        (a, b)
        for a, b in zip(render(one).splitlines(), render(later).splitlines(), strict=True)
        if a != b
    ]
    assert 0 < len(changed) <= 3


class Reader(HTMLParser):
    """Tags that are open, and every address."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "url"}]
        if tag not in {"meta", "br", "line", "rect"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in {"line", "rect"}:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_whole_bilingual_and_refers_to_nothing_outside(lined: Lined) -> None:
    page = render(about(lined, "civil"))
    reader = Reader()
    reader.feed(page)
    assert (reader.open, reader.addresses) == ([], [])
    assert not re.search(r"url\(|@import|<script|https?://(?!www\.w3\.org)", page)
    for words in ("他人读取其数据", "What others read of it", "依规则的拒绝", "有密钥无回执"):
        assert words in reader.text
    assert page.count("<svg") == 2


def test_what_members_wrote_is_escaped(lined: Lined) -> None:
    page = render(about(lined, "health"))
    assert "<b>资格审核" not in page
    assert "&lt;b&gt;资格审核" in page


def test_an_unverified_rule_is_shown_as_such_and_never_cited(lined: Lined) -> None:
    data = about(lined, "civil")
    data["rules"]["DUTY-01"] |= {
        "badge": "待核",
        "grade": "B",
        "citation": {"en": "待核 (unverified, no citation)", "zh": "待核：依据尚未核实"},
    }
    page = render(data)
    assert '<span class="badge">待核</span>' in page
    assert "《数据安全法》" not in page
    assert "《数据安全法》" in render(about(lined, "civil"))


def test_a_page_without_anything_says_so(lined: Lined) -> None:
    page = render(about(lined, "late"))
    assert page.count("本期无") == 4
    assert "未发现问题" in page
    assert "<svg" not in page


def test_long_lists_name_their_ends() -> None:
    assert shown([1, 2, 3]) == [1, 2, 3]
    assert shown(list(range(10))) == [0, 1, 2, 9]


def test_moments_are_counted_in_spans_that_fit() -> None:
    for step in STEPS_MS:
        found = buckets({"a": [0, 20 * step], "b": [step]})
        values = found["series"]["a"]
        assert len(values) <= COUNT_MAX
        assert (sum(values), sum(found["series"]["b"])) == (2, 1)
    assert buckets({"a": [5]})["series"]["a"] == [0, 0, 1, 0, 0, 0]
    assert buckets({"a": []})["series"] == {"a": []}
    assert buckets({"a": [0, 1 << 45]})["step"] == STEPS_MS[-1]


@pytest.mark.parametrize("value", [1, 5, 9, 21, 79, 121, 4_001, 1_234_567])
def test_a_chart_holds_its_columns(value: int) -> None:
    chart = charts.columns(buckets({"received": [0] * min(value, 5_000), "refused": [1]}))
    assert chart is not None
    for rect in chart.rects:
        assert rect.y >= 0
        assert rect.y + rect.height <= chart.height
        assert rect.x + rect.width <= chart.width
    assert chart.marks[0].text == "0"


def test_bars_are_the_largest_first() -> None:
    rows = [(f"dataset-{number}", number, "received") for number in range(20)]
    chart = charts.bars(rows)
    assert chart is not None
    assert [label.text for label in chart.labels][:2] == ["dataset-19", "dataset-18"]
    assert len(chart.rects) == charts.BARS_MAX
    assert charts.bars([("a", 0, "received")]) is None


def test_a_duty_that_nobody_met_is_a_breach_with_its_rule() -> None:
    lined = busy()
    assert about(lined, "civil")["breaches"] == []
    lined.world.advance(60 * DAY_MS)
    lined.world.put(lined.world.enrolment("later"))
    data = about(lined, "civil")
    owed = [
        (one["kind"], one["owner"], one["beneficiary"], one["state"]) for one in data["breaches"]
    ]
    assert ("answer", "civil", "health", "breached") in owed
    (answer,) = [one for one in data["breaches"] if one["kind"] == "answer"]
    before = about(lined, "civil", to_ms=answer["since"] - 1)["breaches"]
    assert "answer" not in {one["kind"] for one in before}
    assert answer["rules"] == ["RESP-01", "SLA-02"]
    assert data["rules"]["SLA-02"]["badge"] == "待核"
    assert {answer["entry"]} <= set(data["evidence"])
    page = render(data)
    assert "逾期未办" in page
    assert "SLA-02</span>" in page
    assert "国务院令第809号）第22条" not in page
