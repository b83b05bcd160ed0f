"""Applications: returned once, completed once, personal data, own rows, renewal."""

from typing import Any

import pytest

from exchange.model import acts, lifeacts
from exchange.model.contract import Contract
from exchange.registry.requests import PARTS
from tests.ledger.drafts import DAY_MS, START_MS, VILLAGES, contract
from tests.ledger.world import World, permitted

PERSONAL = VILLAGES.replace(
    "{name: head, type: text, level: 2}", "{name: head, type: text, level: 2, personal: general}"
).replace(
    "{name: phone, type: text, level: 3}",
    "{name: phone, type: text, level: 3, personal: sensitive}",
)
NOTHING: dict[str, Any] = {
    "scenario": "",
    "manner": "",
    "fields": (),
    "regions": (),
    "from_ms": 0,
    "to_ms": 0,
    "expires_ms": 0,
}
REST: dict[str, Any] = {
    "scenario": "待遇核发",
    "manner": "table",
    "fields": ("code", "name"),
    "regions": ("3301",),
    "from_ms": START_MS,
    "to_ms": START_MS + 90 * DAY_MS,
    "expires_ms": START_MS + 60 * DAY_MS,
}


@pytest.fixture
def conditional(world: World) -> World:
    """The same world, with conditional welfare data that flows back to places."""
    world.publish(
        "civil",
        "welfare",
        sharing="conditional",
        reflow=True,
        conditions=("不得转让",),
        contract=contract("welfare").encoded,
    )
    return world


@pytest.fixture
def personal(world: World) -> World:
    """The villages again, with their heads and telephone numbers marked as personal data."""
    world.publish("civil", contract=Contract.from_yaml(PERSONAL.encode()).encoded)
    return world


def completion(request: bytes, **said: object) -> lifeacts.CompleteRequest:
    return lifeacts.CompleteRequest.model_validate({"request": request, **said})


def test_what_is_missing_is_returned_as_one_list(world: World) -> None:
    folded = world.put(world.application(**NOTHING), by="health")
    assert folded.rules == ("REQ-01",)
    row = world.registry.requests[permitted(folded)]
    assert (row.status, row.missing, row.received) == ("returned", PARTS, None)
    assert not world.registry.grants


@pytest.mark.parametrize(
    ("part", "changed"),
    [
        ("scenario", {"scenario": ""}),
        ("manner", {"manner": ""}),
        ("fields", {"fields": ()}),
        ("regions", {"regions": ()}),
        ("time-limit", {"expires_ms": 0}),
        ("time-limit", {"to_ms": 0}),
    ],
)
def test_each_part_counts(world: World, part: str, changed: dict[str, Any]) -> None:
    request = permitted(world.put(world.application(**changed), by="health"))
    assert world.registry.requests[request].missing == (part,)


def test_it_is_completed_by_its_applicant_whole_and_once(world: World) -> None:
    request = permitted(world.put(world.application(**NOTHING), by="health"))
    less = {name: value for name, value in REST.items() if name != "manner"}
    assert world.put(completion(request, **less), by="health").rules == ("REQ-01",)
    assert world.put(completion(request, **REST), by="civil").rules == ("BASIS-01",)
    assert world.registry.requests[request].status == "returned"
    folded = world.put(completion(request, **REST), by="health")
    assert folded.rules == ("OPEN-01", "SLA-01")
    row = world.registry.requests[request]
    assert (row.status, row.missing, row.received) == ("approved", (), folded.index)
    grant = world.registry.grants[permitted(folded)]
    assert (grant.request, grant.fields, grant.regions) == (request, ("code", "name"), ("3301",))
    assert world.put(completion(request, **REST), by="health").rules == ("STATE-01",)


def test_what_was_stated_stays(world: World) -> None:
    request = permitted(world.put(world.application(scenario=""), by="health"))
    permitted(world.put(completion(request, scenario="待遇核发"), by="health"))
    grant = next(iter(world.registry.grants.values()))
    assert (grant.fields, grant.regions) == (("code", "name", "head"), ("3301",))


def test_conditional_data_waits_for_its_provider_after_completion(conditional: World) -> None:
    world = conditional
    request = permitted(world.put(world.application("welfare", manner=""), by="health"))
    answer = acts.AnswerRequest(request=request, approve=True)
    assert world.put(answer, by="civil").rules == ("STATE-01",)
    folded = world.put(completion(request, manner="table"), by="health")
    assert folded.rules == ("APPLY-01",)
    assert world.registry.requests[request].received == folded.index
    assert world.put(answer, by="civil").rules == ("ANSWER-01",)


def test_a_returned_application_is_taken_back(world: World) -> None:
    request = permitted(world.put(world.application(manner=""), by="health"))
    permitted(world.put(acts.WithdrawRequest(request=request), by="health"))
    assert world.put(completion(request, manner="table"), by="health").rules == ("STATE-01",)


def test_a_completion_is_looked_at_like_an_application(world: World) -> None:
    request = permitted(world.put(world.application(**NOTHING), by="health"))
    for changed, rule in (
        ({"fields": ("code", "name", "salary")}, "SCOPE-01"),
        ({"fields": ("head",)}, "SCOPE-01"),
        ({"expires_ms": START_MS}, "SCOPE-01"),
        ({"to_ms": START_MS - 1}, "SCOPE-01"),
    ):
        said = {**REST, **changed}
        assert world.put(completion(request, **said), by="health").rules == (rule,)


def test_without_a_duty_it_is_refused_and_not_returned(world: World) -> None:
    folded = world.put(world.application(**NOTHING, duty=""), by="health")
    assert (folded.permit, folded.rules) == (False, ("DUTY-01",))


def test_a_hub_that_lies_about_a_completion_makes_no_grant(world: World) -> None:
    request = permitted(world.put(world.application(**NOTHING), by="health"))
    act = world.sign(completion(request, manner="table"), by="health")
    proposal = world.fold.propose(world.fold.authenticate(act, world.now_ms), world.now_ms, {})
    lie = world.entry(act, permit=True, rules=("OPEN-01",), footprint=proposal.footprint)
    assert world.take(lie).permit
    row = world.registry.requests[request]
    assert (row.status, row.missing) == (
        "returned",
        ("scenario", "fields", "regions", "time-limit"),
    )
    assert not world.registry.grants


def test_there_is_nothing_to_apply_for_before_the_publication(world: World) -> None:
    permitted(world.put(world.proposal("schools"), by="civil"))
    folded = world.put(world.application("schools"), by="health")
    assert "CAT-04" in folded.rules
    permitted(world.put(acts.WithdrawDataset(dataset="villages", reason="over"), by="civil"))
    assert world.put(world.application(), by="health").rules == ("CAT-04",)


@pytest.mark.parametrize(
    ("changed", "rules"),
    [
        ({"fields": ("code", "name")}, ("OPEN-01", "SLA-01")),
        ({}, ("PI-01", "PI-02")),
        ({"necessary": ("head",)}, ("PI-02",)),
        ({"assessment": "PIA-7"}, ("PI-01",)),
        ({"necessary": ("head",), "assessment": "PIA-7"}, ("OPEN-01", "SLA-01")),
        (
            {"fields": ("code", "name", "phone"), "necessary": ("head",), "assessment": "PIA-7"},
            ("PI-01",),
        ),
        ({"fields": ("code", "name", "phone"), "necessary": ("phone",)}, ("PI-02",)),
    ],
)
def test_personal_data_is_asked_for_as_the_duty_needs_it(
    personal: World, changed: dict[str, Any], rules: tuple[str, ...]
) -> None:
    assert personal.put(personal.application(**changed), by="health").rules == rules


def test_what_a_completion_adds_is_personal_too(personal: World) -> None:
    request = permitted(personal.put(personal.application(**NOTHING), by="health"))
    said = {**REST, "fields": ("code", "name", "phone")}
    assert personal.put(completion(request, **said), by="health").rules == ("PI-01", "PI-02")
    said |= {"necessary": ("phone",), "assessment": "PIA-7"}
    permitted(personal.put(completion(request, **said), by="health"))


def test_a_condition_that_the_catalogue_lacks_is_no_answer(world: World) -> None:
    terms: dict[str, object] = {"sharing": "conditional", "conditions": ("不得转让",)}
    world.publish("civil", "welfare", contract=contract("welfare").encoded, **terms)
    request = permitted(world.put(world.application("welfare"), by="health"))
    for conditions, rule in (
        (("须经厅长批准",), "CON-02"),
        (("不得转让", "须经厅长批准"), "CON-02"),
        (("不得转让",), "ANSWER-01"),
    ):
        body = acts.AnswerRequest(request=request, approve=True, conditions=conditions)
        assert world.put(body, by="civil").rules == (rule,)


def enrol_in(world: World, member: str, region: str) -> None:
    permitted(world.put(world.enrolment(member, region=region)))
    permitted(world.put(world.registration(member), by=member))


@pytest.mark.parametrize(
    ("region", "asked", "rules", "status"),
    [
        ("3301", ("3301",), ("APPLY-01", "REFLOW-01"), "approved"),
        ("3301", ("330102", "330106"), ("APPLY-01", "REFLOW-01"), "approved"),
        ("3301", ("3302",), ("APPLY-01",), "open"),
        ("3301", ("3301", "3302"), ("APPLY-01",), "open"),
        ("3301", ("33",), ("APPLY-01",), "open"),
        ("330102", ("3301",), ("APPLY-01",), "open"),
        ("33", ("33",), ("APPLY-01",), "open"),
        ("", ("3301",), ("APPLY-01",), "open"),
        ("11", ("11",), ("APPLY-01",), "open"),
    ],
)
def test_a_place_gets_back_its_own_rows_and_no_others(
    conditional: World,
    region: str,
    asked: tuple[str, ...],
    rules: tuple[str, ...],
    status: str,
) -> None:
    enrol_in(conditional, "county", region)
    folded = conditional.put(conditional.application("welfare", regions=asked), by="county")
    assert folded.rules == rules
    row = conditional.registry.requests[permitted(folded)]
    assert row.status == status
    granted = [(grant.regions, grant.conditions) for grant in conditional.registry.grants.values()]
    assert granted == ([(asked, ("不得转让",))] if status == "approved" else [])


def test_own_rows_flow_back_only_where_the_catalogue_says_so(world: World) -> None:
    world.publish("civil", "welfare", sharing="conditional", contract=contract("welfare").encoded)
    enrol_in(world, "city", "3301")
    folded = world.put(world.application("welfare", regions=("3301",)), by="city")
    assert folded.rules == ("APPLY-01",)


def renewal(grant: bytes, days: int) -> lifeacts.RenewGrant:
    return lifeacts.RenewGrant(grant=grant, expires_ms=START_MS + days * DAY_MS)


def test_a_grant_is_renewed_on_the_same_terms(world: World) -> None:
    grant = world.granted("health", to_ms=START_MS + 60 * DAY_MS)
    before = world.registry.grants[grant]
    assert world.put(renewal(grant, 60), by="health").rules == ("SCOPE-01",)
    assert world.put(renewal(grant, 90), by="civil").rules == ("BASIS-01",)
    assert world.put(renewal(bytes(32), 90), by="health").rules == ("STATE-01",)
    folded = world.put(renewal(grant, 90), by="health")
    assert folded.rules == ("RENEW-01",)
    after = world.registry.grants[grant]
    assert after.expires_ms == after.to_ms == START_MS + 90 * DAY_MS
    assert (after.fields, after.regions, after.purpose) == (
        before.fields,
        before.regions,
        before.purpose,
    )
    assert (after.renewed, after.version) == ((folded.index,), folded.index + 1)


def test_data_of_the_past_stays_of_the_past(world: World) -> None:
    grant = world.granted("health", to_ms=START_MS + 10 * DAY_MS)
    permitted(world.put(renewal(grant, 90), by="health"))
    assert world.registry.grants[grant].to_ms == START_MS + 10 * DAY_MS


def test_no_renewal_outlives_its_basis(world: World) -> None:
    revoked, expired, withdrawn = (world.granted("health") for _ in range(3))
    permitted(world.put(acts.RevokeGrant(grant=revoked, reason=""), by="civil"))
    assert world.put(renewal(revoked, 90), by="health").rules == ("REV-01",)
    world.publish("civil", contract=contract(split=False).encoded)
    assert world.put(renewal(withdrawn, 90), by="health").rules == ("SCOPE-01",)
    world.publish("civil")
    permitted(world.put(acts.WithdrawDataset(dataset="villages", reason=""), by="civil"))
    assert world.put(renewal(withdrawn, 90), by="health").rules == ("CAT-04",)
    world.publish("civil")
    world.advance(60 * DAY_MS)
    assert world.put(renewal(expired, 90), by="health").rules == ("EXP-01",)


def test_conditional_data_is_renewed_by_its_provider(conditional: World) -> None:
    world = conditional
    request = permitted(world.put(world.application("welfare"), by="health"))
    grant = permitted(world.put(acts.AnswerRequest(request=request, approve=True), by="civil"))
    assert world.put(renewal(grant, 90), by="health").rules == ("BASIS-01",)
    assert world.put(renewal(grant, 90), by="civil").rules == ("RENEW-01",)
    enrol_in(world, "city", "3301")
    own = permitted(world.put(world.application("welfare", regions=("3301",)), by="city"))
    assert world.put(renewal(own, 90), by="city").rules == ("RENEW-01",)


def test_the_term_for_an_answer_runs_from_the_completion(conditional: World) -> None:
    world = conditional
    request = permitted(world.put(world.application("welfare", manner=""), by="health"))
    name = f"answer/{request.hex()}"
    assert name not in world.registry.duties
    world.advance(3 * DAY_MS)
    permitted(world.put(completion(request, manner="table"), by="health"))
    duty = world.registry.duties[name]
    assert (duty.owner, duty.since_ms, duty.settled) == ("civil", world.now_ms, None)
    permitted(world.put(acts.AnswerRequest(request=request, approve=True), by="civil"))
    assert world.registry.duties[name].settled is not None


def test_a_withdrawal_before_the_completion_leaves_no_duty(conditional: World) -> None:
    request = permitted(conditional.put(conditional.application("welfare", manner=""), by="health"))
    permitted(conditional.put(acts.WithdrawRequest(request=request), by="health"))
    assert f"answer/{request.hex()}" not in conditional.registry.duties
