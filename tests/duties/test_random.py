"""Whatever anybody files about duties, in any order: the book stays a book and opens nothing."""

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.ledger.verdict import Folded
from exchange.registry.duties import book, open_book
from exchange.registry.fold import RegistryFold
from exchange.registry.statehash import state_hash
from tests.duties.stage import DutyStage
from tests.ledger.drafts import DAY_MS, engine

Step = Callable[[DutyStage], Any]
FIRST: Final = date(2026, 7, 1)
STEPS: Final[dict[str, Step]] = {
    "apply": lambda stage: stage.apply(),
    "approve": lambda stage: stage.answer(approve=True),
    "refuse": lambda stage: stage.answer(approve=False, basis="某法 第一条"),
    "withdraw": lambda stage: stage.withdraw(),
    "provide": lambda stage: stage.provide(),
    "elsewhere": lambda stage: stage.provide("3302"),
    "read": lambda stage: stage.read(),
    "revoke": lambda stage: stage.revoke(),
    "delete": lambda stage: stage.delete(),
    "notify": lambda stage: stage.notify(),
    "demand": lambda stage: stage.demand(),
    "promise": lambda stage: stage.promise(),
    "lack": lambda stage: stage.promise("lacks", dataset=None, basis="无此数据"),
    "propose": lambda stage: stage.propose(),
    "object": lambda stage: stage.object_to(150),
    "explain": lambda stage: stage.settle_objection("explained", basis="台账一致"),
    "concede": lambda stage: stage.settle_objection("withdrawn"),
    "law": lambda stage: stage.notice("law-changed"),
    "settle": lambda stage: stage.settle_notice(),
    "escalate answer": lambda stage: stage.escalate("answer"),
    "escalate demand": lambda stage: stage.escalate("demand"),
    "escalate again": lambda stage: stage.escalate("answer", 2),
    "direct": lambda stage: stage.decide("directs"),
    "direct above": lambda stage: stage.decide("directs", by="authority"),
    "uphold": lambda stage: stage.decide("upholds", basis="某法 第一条"),
    "extend": lambda stage: stage.extend("answer", 5),
    "consent": lambda stage: stage.consent("answer"),
    "leave": lambda stage: stage.withdraw_dataset(),
}


def take(stage: DutyStage, name: str) -> Folded | None:
    """One step, if what it is about was ever named."""
    try:
        done = STEPS[name](stage)
    except (KeyError, IndexError):
        return None
    return done if isinstance(done, Folded) else None


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.integers(0, 9)), min_size=15, max_size=40)
)
def test_any_order_of_acts_leaves_a_book_that_everybody_has_and_opens_nothing(
    steps: list[tuple[str, int]],
) -> None:
    stage = DutyStage("2026-07-01", cycle="weekly")
    for name in ("provide", "apply", "approve", "read", "object", "demand", "apply"):
        take(stage.on("2026-07-01"), name)
    day = FIRST
    for name, passed in steps:
        day += timedelta(days=passed)
        before = set(stage.world.registry.grants)
        take(stage.on(day.isoformat()), name)
        if name != "approve":
            assert set(stage.world.registry.grants) == before
    check(stage)


def check(stage: DutyStage) -> None:
    """What holds of every book."""
    registry = stage.world.registry
    assert registry.duties_open == {n for n, row in registry.duties.items() if row.settled is None}
    pending = {name for names in registry.objections_open.values() for name in names}
    assert pending == {n for n, row in registry.objections.items() if row.outcome is None}
    for ahead in (0, 30 * DAY_MS, 400 * DAY_MS):
        at_ms = stage.world.now_ms + ahead
        whole = {row.id: how.state for row, how in book(registry, engine(), at_ms)}
        opened = {row.id: how.state for row, how in open_book(registry, engine(), at_ms)}
        assert opened.items() <= whole.items()
        missing = {n for n, state in whole.items() if state == "due"} - opened.keys()
        assert not missing
    again = RegistryFold([engine()])
    again.begin(stage.world.root)
    for entry in stage.world.entries[1:]:
        again.fold(entry)
    assert state_hash(again.registry) == state_hash(registry)
