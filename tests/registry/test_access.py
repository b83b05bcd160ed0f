"""Applications, answers, revocations, key requests and receipts."""

from typing import Any

import pytest

from exchange.ledger.verdict import Folded
from exchange.model import acts
from exchange.registry.busrules import PROVIDER
from tests.ledger.drafts import DAY_MS, HOUR_MS, START_MS, contract
from tests.ledger.world import World, permitted


@pytest.fixture
def conditional(world: World) -> World:
    """The same world, with a conditional dataset beside the unconditional one."""
    world.publish(
        "civil",
        "welfare",
        sharing="conditional",
        conditions=("不得转让",),
        contract=contract("welfare").encoded,
    )
    return world


def answer(world: World, request: bytes, *, approve: bool = True, **changed: object) -> Folded:
    body = acts.AnswerRequest.model_validate({"request": request, "approve": approve, **changed})
    return world.put(body, by="civil")


def test_an_unconditional_dataset_is_granted_by_the_application_itself(world: World) -> None:
    grant = world.granted("health")
    row = world.registry.grants[grant]
    assert (row.id, row.request, row.consumer) == (grant, grant, "health")
    assert world.registry.requests[grant].status == "approved"
    assert world.registry.grants_by_consumer["health"] == [grant]
    assert world.registry.grants_by_dataset["villages"] == [grant]


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"duty": ""}, "DUTY-01"),
        ({"purpose": ""}, "PURPOSE-01"),
        ({"purpose": "curiosity"}, "PURPOSE-01"),
        ({"fields": ("code", "name", "salary")}, "SCOPE-01"),
        ({"fields": ("head",)}, "SCOPE-01"),
        ({"contract": bytes(32)}, "SCOPE-01"),
        ({"to_ms": START_MS}, "SCOPE-01"),
        ({"expires_ms": START_MS}, "SCOPE-01"),
    ],
)
def test_an_application_says_what_it_is_for(
    world: World, changed: dict[str, Any], rule: str
) -> None:
    folded = world.put(world.application(**changed), by="health")
    assert not folded.permit
    assert rule in folded.rules


def test_there_is_nothing_to_apply_for_but_datasets(world: World) -> None:
    assert world.put(world.application("nothing"), by="health").rules == ("STATE-01",)
    assert not world.put(world.application(), by="audit-office").permit


def test_a_conditional_dataset_is_applied_for_and_answered(conditional: World) -> None:
    world = conditional
    request = permitted(world.put(world.application("welfare"), by="health"))
    assert world.registry.requests[request].status == "open"
    assert not world.registry.grants
    folded = answer(world, request, fields=("code", "name"), conditions=("不得转让",))
    grant = world.registry.grants[permitted(folded)]
    assert (grant.fields, grant.regions) == (("code", "name"), ("3301",))
    assert grant.conditions == ("不得转让",)
    assert (grant.from_ms, grant.to_ms) == (START_MS, START_MS + 90 * DAY_MS)
    assert world.registry.requests[request].status == "approved"
    assert answer(world, request).rules == ("STATE-01",)


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"fields": ("code", "name", "phone")}, "SCOPE-01"),
        ({"regions": ("33",)}, "SCOPE-01"),
        ({"regions": ("3302",)}, "SCOPE-01"),
        ({"from_ms": START_MS - 1}, "SCOPE-01"),
        ({"to_ms": START_MS + 91 * DAY_MS}, "SCOPE-01"),
        ({"expires_ms": START_MS + 61 * DAY_MS}, "SCOPE-01"),
        ({"expires_ms": START_MS - 1}, "SCOPE-01"),
        ({"price": "1 yuan"}, "FEE-01"),
        ({"fields": ("head",)}, "CONTRACT-01"),
    ],
)
def test_an_answer_gives_no_more_than_was_asked(
    conditional: World, changed: dict[str, Any], rule: str
) -> None:
    request = permitted(conditional.put(conditional.application("welfare"), by="health"))
    folded = answer(conditional, request, **changed)
    assert not folded.permit
    assert rule in folded.rules
    assert conditional.registry.requests[request].status == "open"


def test_a_narrower_region_is_within_what_was_asked(conditional: World) -> None:
    request = permitted(conditional.put(conditional.application("welfare"), by="health"))
    grant = permitted(answer(conditional, request, regions=("330102",)))
    assert conditional.registry.grants[grant].regions == ("330102",)


def test_a_refusal_cites_a_basis_and_closes_the_application(conditional: World) -> None:
    world = conditional
    request = permitted(world.put(world.application("welfare"), by="health"))
    assert answer(world, request, approve=False).rules == ("OBL-01", "REF-01")
    assert answer(world, request, approve=False, basis="某法 第一条").rules == ("REF-01",)
    assert world.registry.requests[request].status == "open"
    said: dict[str, object] = {"basis": "某法 第一条", "reason": "law-forbids"}
    permitted(answer(world, request, approve=False, **said))
    row = world.registry.requests[request]
    assert (row.status, row.basis, row.reason) == ("refused", "某法 第一条", "law-forbids")
    assert not world.registry.grants


def test_only_the_provider_answers_and_only_the_applicant_withdraws(conditional: World) -> None:
    world = conditional
    request = permitted(world.put(world.application("welfare"), by="health"))
    body = acts.AnswerRequest(request=request, approve=True)
    assert not world.put(body, by="human-resources").permit
    withdrawal = acts.WithdrawRequest(request=request)
    assert not world.put(withdrawal, by="civil").permit
    permitted(world.put(withdrawal, by="health"))
    assert world.registry.requests[request].status == "withdrawn"
    assert world.put(withdrawal, by="health").rules == ("STATE-01",)
    assert world.put(body, by="civil").rules == ("STATE-01",)


def test_a_grant_ends_by_provider_consumer_or_authority(world: World) -> None:
    for by in ("civil", "health", "authority"):
        grant = world.granted("health")
        before = world.registry.revocations("villages")
        body = acts.RevokeGrant(grant=grant, reason="done")
        assert not world.put(body, by="human-resources").permit
        revoked = world.put(body, by=by)
        assert revoked.permit
        assert world.registry.grants[grant].revoked == revoked.index
        assert world.registry.revocations("villages") > before
        assert world.put(body, by=by).rules == ("STATE-01",)


def test_a_key_request_has_one_verdict_an_item(world: World) -> None:
    grant, stream = world.granted("health"), world.stream("civil")
    elsewhere = world.stream("civil", region="3302")
    folded = world.put(
        world.ask(
            grant,
            world.item(stream),
            world.item(stream, levels=(1, 3)),
            world.item(elsewhere),
            world.item(stream, from_ms=START_MS - HOUR_MS),
            world.item(stream, from_ms=START_MS - HOUR_MS, to_ms=START_MS),
            world.item(stream, levels=()),
            world.item(stream, levels=(1, 4)),
            world.item(stream, contract=bytes(32)),
            world.item(bytes(32)),
            world.item(stream, sequence=-1),
            world.item(stream, epoch=bytes([7]) * 16),
        ),
        by="health/main",
    )
    assert (folded.permit, folded.rules) == (True, ("GRANT-01",))
    assert folded.refused_items == (
        (1, ("PUR-01",)),
        (2, ("PUR-01",)),
        (3, ("PUR-01",)),
        (4, ("PUR-01",)),
        (5, ("CONTRACT-01",)),
        (6, ("CONTRACT-01",)),
        (7, ("CONTRACT-01",)),
        (8, ("STATE-01",)),
        (9, ("STREAM-01",)),
    )
    assert set(folded.verdict.refused) == set(range(1, 10))


def test_a_key_request_is_denied_when_no_item_is_permitted(world: World) -> None:
    grant, stream = world.granted("health"), world.stream("civil")
    folded = world.put(world.ask(grant, world.item(stream), purpose="好奇"), by="health/main")
    assert (folded.permit, folded.rules) == (False, ("PUR-01",))
    assert folded.refused_items == ((0, ("PUR-01",)),)
    assert world.put(world.ask(grant), by="health/main").rules == ("STATE-01",)
    nothing = world.ask(bytes(32), world.item(stream))
    assert world.put(nothing, by="health/main").rules == ("STATE-01",)


def test_nobody_asks_under_anothers_grant(world: World) -> None:
    grant, stream = world.granted("health"), world.stream("civil")
    folded = world.put(world.ask(grant, world.item(stream)), by="human-resources/main")
    assert (folded.permit, folded.rules) == (False, ("BASIS-01",))


def test_a_revoked_or_expired_grant_opens_nothing(world: World) -> None:
    stream = world.stream("civil")
    grant = world.granted("health")
    world.put(acts.RevokeGrant(grant=grant, reason=""), by="civil")
    folded = world.put(world.ask(grant, world.item(stream)), by="health/main")
    assert folded.rules == ("REV-01",)
    short = world.granted("health", expires_ms=world.now_ms + HOUR_MS)
    world.advance(HOUR_MS)
    folded = world.put(world.ask(short, world.item(stream)), by="health/main")
    assert folded.rules == ("EXP-01",)


def test_a_hub_refuses_items_on_evidence_and_for_no_other_reason(world: World) -> None:
    grant, stream = world.granted("health"), world.stream("civil")
    act = world.act(world.ask(grant, world.item(stream), world.item(stream)), by="health/main")
    proposal = world.fold.propose(act, world.now_ms, {1: (PROVIDER,)})
    assert proposal.verdict.refused == {1: (PROVIDER,)}
    with pytest.raises(ValueError, match="evidence"):
        world.fold.propose(act, world.now_ms, {1: ("PUR-01",)})


def test_a_receipt_is_about_streams_of_the_grant(world: World) -> None:
    grant, stream = world.granted("health"), world.stream("civil")

    def receipt(**changed: object) -> tuple[str, ...]:
        stated: dict[str, object] = {
            "stream": stream,
            "first": 0,
            "last": 4,
            "head": bytes(32),
            "records": 10,
            "levels": (1,),
        }
        item = acts.ReceiptItem.model_validate({**stated, **changed})
        body = acts.FileReceipt(grant=grant, purpose="collaboration", sink="sqlite", items=(item,))
        return world.put(body, by="health/main").rules

    assert receipt() == ("RECEIPT-01",)
    assert receipt(stream=bytes(32)) == ("STATE-01",)
    assert receipt(last=-1) == ("STREAM-01",)
    assert receipt(records=-1) == ("STREAM-01",)
    assert receipt(levels=()) == ("STREAM-01",)
    body = acts.FileReceipt(grant=bytes(32), purpose="", sink="sqlite", items=())
    assert world.put(body, by="health/main").rules == ("STATE-01",)
