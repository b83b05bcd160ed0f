"""Who holds which role anywhere on the bus, and what may be deleted when."""

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.errors import ActRefused
from exchange.ledger.verdict import Folded
from exchange.model.lawacts import AssignRole, EndRole, PurgeRecords, RecordClass, Role
from exchange.registry.law import whole_months
from policies.register import Register
from tests.ledger.drafts import DAY_MS
from tests.ledger.world import World

CHINA = timezone(timedelta(hours=8))


def assign(member: str, holder: str, role: Role) -> AssignRole:
    return AssignRole(member=member, holder=holder, role=role)


def end(member: str, holder: str, role: Role) -> EndRole:
    return EndRole(member=member, holder=holder, role=role)


def verdict(folded: Folded) -> tuple[bool, tuple[str, ...]]:
    return folded.permit, folded.rules


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=CHINA).timestamp() * 1_000)


def test_one_person_holds_one_of_three_roles_anywhere(world: World) -> None:
    assert world.put(assign("civil", "A-017", "admin"), by="civil").permit
    others: tuple[Role, ...] = ("audit", "operate")
    for role in others:
        refused = world.put(assign("civil", "A-017", role), by="civil")
        assert verdict(refused) == (False, ("SOD-01",))
    elsewhere = world.put(assign("health", "A-017", "audit"), by="health")
    assert verdict(elsewhere) == (False, ("SOD-01",))
    assert world.put(assign("health", "A-017", "admin"), by="health").permit
    assert world.put(assign("civil", "A-018", "audit"), by="civil").permit


def test_a_role_can_be_taken_once_the_other_has_ended_everywhere(world: World) -> None:
    for member in ("civil", "health"):
        assert world.put(assign(member, "A-017", "admin"), by=member).permit
    assert world.put(end("civil", "A-017", "admin"), by="civil").permit
    still = world.put(assign("civil", "A-017", "audit"), by="civil")
    assert verdict(still) == (False, ("SOD-01",))
    assert verdict(world.put(end("health", "A-017", "admin"))) == (True, ("AUTHORITY-01",))
    assert world.put(assign("civil", "A-017", "audit"), by="civil").permit
    (role,) = world.registry.holders["A-017"].standing
    assert (role.member, role.role) == ("civil", "audit")


def test_a_role_is_given_and_ended_where_it_is(world: World) -> None:
    assert verdict(world.put(assign("civil", "A-1", "admin"), by="health")) == (
        False,
        ("BASIS-01",),
    )
    assert world.put(assign("civil", "A-1", "admin"), by="civil").permit
    for body, by in (
        (assign("civil", "A-1", "admin"), "civil"),
        (assign("nobody", "A-2", "admin"), "civil"),
        (end("civil", "A-1", "audit"), "civil"),
        (end("civil", "A-2", "admin"), "civil"),
    ):
        assert verdict(world.put(body, by=by)) == (False, ("STATE-01",))
    assert verdict(world.put(end("civil", "A-1", "admin"), by="health")) == (False, ("BASIS-01",))


def test_two_members_that_assign_at_once_do_not_both_succeed(world: World) -> None:
    entries = [
        world.entry(world.sign(assign("civil", "A-1", "admin"), by="civil")),
        world.entry(world.sign(assign("health", "A-1", "audit"), by="health")),
    ]
    first, second = map(world.take, entries)
    assert first.permit
    assert verdict(second) == (False, ("SOD-01",))


@pytest.mark.parametrize("holder", ["", "王", "a", "x" * 41, "-1", "A 1", "A-1\n"])
def test_a_holder_is_a_code_and_no_name(world: World, holder: str) -> None:
    body = AssignRole.model_construct(member="civil", holder=holder, role="admin")
    with pytest.raises(ActRefused):
        world.put(body, by="civil")


@pytest.mark.parametrize(
    ("records", "rule", "young", "old"),
    [
        ("network", "LOG-01", "2025-07-01T00:00:00.001", "2025-07-01T00:00:00"),
        ("provision", "LOG-02", "2023-01-01T00:00:00.001", "2023-01-01T00:00:00"),
        ("credit", "LOG-03", "2016-01-01T00:00:00.001", "2016-01-01T00:00:00"),
    ],
)
def test_records_are_kept_to_the_day(
    world: World, records: RecordClass, rule: str, young: str, old: str
) -> None:
    world.now_ms = ms("2026-01-01T00:00:00") + DAY_MS // 3
    too_young = PurgeRecords(records=records, up_to_ms=ms(young) + DAY_MS // 3)
    assert verdict(world.put(too_young, by="civil")) == (False, (rule,))
    old_enough = PurgeRecords(records=records, up_to_ms=ms(old) + DAY_MS // 3)
    assert verdict(world.put(old_enough, by="civil")) == (True, ("PURGE-01",))


def test_the_future_is_not_deleted(world: World) -> None:
    for up_to in (world.now_ms + 1, -1):
        body = PurgeRecords(records="network", up_to_ms=up_to)
        assert verdict(world.put(body, by="civil")) == (False, ("STATE-01",))


def test_the_terms_in_the_policies_are_those_of_the_register() -> None:
    register = Register.load()
    months = {"month": 1, "year": 12}
    for rule, term in (("LOG-01", 6), ("LOG-02", 36), ("LOG-03", 120)):
        deadline = register.rule(rule).deadline
        assert deadline is not None
        assert (deadline.kind, deadline.count * months[deadline.unit]) == ("keep", term)


@pytest.mark.parametrize(
    ("since", "until", "months"),
    [
        ("2026-01-31T00:00", "2026-02-28T23:59", 0),
        ("2026-01-31T00:00", "2026-03-01T00:00", 1),
        ("2024-02-29T12:00", "2025-02-28T12:00", 11),
        ("2024-02-29T12:00", "2025-03-01T11:59", 12),
        ("2026-01-01T08:00", "2026-02-01T07:59", 0),
        ("2026-01-01T08:00", "2026-02-01T08:00", 1),
        ("2026-05-01T00:00", "2026-04-01T00:00", 0),
    ],
)
def test_months_are_those_of_the_calendar_in_china(since: str, until: str, months: int) -> None:
    assert whole_months(ms(since), ms(until)) == months


@given(st.integers(0, 1 << 62), st.integers(0, 1 << 62))
def test_months_are_counted_for_every_time(since_ms: int, until_ms: int) -> None:
    assert 0 <= whole_months(since_ms, until_ms) <= 12 * 8_100
