"""Who may ask the ledger what, and that a question must be about what there is."""

import pytest

from exchange.ledger.verdict import Folded
from exchange.model.evidenceacts import QUERY_PURPOSES, AuditQuery
from exchange.model.lifeacts import RegisterPurpose
from exchange.registry.footprint import footprint
from exchange.registry.statehash import state_hash
from tests.ledger.world import World, exchange_world


def asked(world: World, by: str, **changed: object) -> Folded:
    stated: dict[str, object] = {
        "commitment": bytes(32),
        "size": len(world.entries),
        "root": bytes(32),
        "members": (),
        "datasets": (),
        "purpose": "audit",
    }
    return world.put(AuditQuery.model_validate({**stated, **changed}), by=by)


@pytest.fixture(scope="module")
def world() -> World:
    return exchange_world()


@pytest.mark.parametrize(
    ("by", "about"),
    [
        ("audit-office", {}),
        ("authority", {"members": ("health",), "datasets": ("villages",)}),
        ("health", {"members": ("health",)}),
        ("civil", {"datasets": ("villages",)}),
        ("health", {"members": ("health",), "datasets": ("villages",)}),
    ],
)
def test_overseers_ask_anything_and_members_what_concerns_them(
    world: World, by: str, about: dict[str, object]
) -> None:
    folded = asked(world, by, **about)
    assert (folded.permit, folded.rules) == (True, ("AUDIT-01",))


@pytest.mark.parametrize(
    ("by", "about"),
    [
        ("health", {}),
        ("health", {"members": ("civil",)}),
        ("health", {"members": ("health", "civil")}),
        ("health", {"datasets": ("villages",)}),
    ],
)
def test_nobody_else_asks_about_others(world: World, by: str, about: dict[str, object]) -> None:
    assert asked(world, by, **about).rules == ("BASIS-01",)


@pytest.mark.parametrize("purpose", [*QUERY_PURPOSES, "verification"])
def test_a_question_states_what_everybody_knows(world: World, purpose: str) -> None:
    assert asked(world, "audit-office", purpose=purpose).permit
    refused = asked(world, "audit-office", purpose=f"{purpose}-7")
    assert refused.rules == ("STATE-01",)


def test_a_purpose_of_the_register_will_do_once_it_is_there() -> None:
    world = exchange_world()
    before = asked(world, "audit-office", purpose="inspection-2026")
    world.put(
        RegisterPurpose(
            purpose="inspection-2026", title_zh="检查", title_en="Check", duty="《审计法》"
        ),
        by="authority",
    )
    after = asked(world, "audit-office", purpose="inspection-2026")
    assert (before.permit, after.permit) == (False, True)


@pytest.mark.parametrize(
    "about",
    [{"members": ("nobody",)}, {"datasets": ("nothing",)}, {"size": 0}, {"size": 1 << 40}],
)
def test_a_question_is_about_what_there_is(world: World, about: dict[str, object]) -> None:
    assert asked(world, "audit-office", **about).rules == ("STATE-01",)


def test_asking_changes_nothing_but_what_was_seen(world: World) -> None:
    before = world.registry.seen
    folded = asked(world, "audit-office", members=("health",), datasets=("villages",))
    assert folded.act is not None
    read = dict(footprint(folded.act, world.registry))
    assert {"m:health", "m:civil", "d:villages", "m:audit-office"} <= read.keys()
    assert folded.act_id in before
    assert len(state_hash(world.registry)) == 32


def test_an_adapter_asks_for_nobody(world: World) -> None:
    body = AuditQuery(
        commitment=bytes(32), size=1, root=bytes(32), members=(), datasets=(), purpose="audit"
    )
    raw = world.sign(body, by="civil/main")
    assert world.take(world.entry(raw, permit=False)).reason == "kind"
