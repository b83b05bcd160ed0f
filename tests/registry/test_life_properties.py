"""What holds of applications and grants after any sequence of acts about them."""

from random import Random
from typing import Any, Final

from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.model import acts, lifeacts
from exchange.model.actcodec import Body
from exchange.model.contract import Contract
from exchange.model.regions import contains
from exchange.registry.requests import wish_of_request
from exchange.registry.state import Registry
from tests.ledger.drafts import DAY_MS, START_MS, VILLAGES
from tests.ledger.world import World

PEOPLE: Final = VILLAGES.replace(
    "{name: phone, type: text, level: 3}", "{name: phone, type: resident-id, level: 3}"
)
MEMBERS: Final = ("civil", "health", "human-resources", "city")
FIELDS: Final = (
    (),
    ("code", "name"),
    ("code", "name", "head"),
    ("code", "name", "phone"),
    ("head",),
)
REGIONS: Final[tuple[tuple[str, ...], ...]] = ((), ("",), ("33",), ("3301",), ("3302", "330106"))
TERMS: Final = (0, START_MS - DAY_MS, START_MS + 30 * DAY_MS, START_MS + 90 * DAY_MS)


def begun(seed: int) -> World:
    """Conditional data that flows back, unconditional data, and a city of the province."""
    world = World(seed=seed)
    for member in MEMBERS[:3]:
        world.join(member)
    assert world.put(world.enrolment("city", region="3301")).permit
    for dataset, sharing in (("villages", "unconditional"), ("welfare", "conditional")):
        text = PEOPLE.replace("dataset: villages", f"dataset: {dataset}")
        encoded = Contract.from_yaml(text.encode()).encoded
        told: dict[str, Any] = {"sharing": sharing, "reflow": sharing == "conditional"}
        world.publish("civil", dataset, contract=encoded, conditions=("不得转让",), **told)
    return world


def some_act(world: World, chance: Random) -> tuple[Body, str]:
    """Anything that somebody might sign about applications and grants, sensible or not."""
    pick = chance.choice
    waiting = [
        row.id for row in world.registry.requests.values() if row.status in {"open", "returned"}
    ]
    requests = [*world.registry.requests, *waiting * 4, bytes(32)]
    grants = [*world.registry.grants, bytes(32)]
    said: dict[str, Any] = {
        "fields": pick(FIELDS),
        "regions": pick(REGIONS),
        "scenario": pick(("", "待遇核发")),
        "manner": pick(("", "table", "api")),
        "to_ms": pick(TERMS),
        "expires_ms": pick(TERMS),
        "necessary": pick(((), ("phone",))),
        "assessment": pick(("", "PIA-7")),
    }
    given: dict[str, Any] = {"purpose": pick(("collaboration", "curiosity")), "duty": "社会保险法"}
    request, grant = pick(requests), pick(grants)
    row = world.registry.requests.get(request)
    applicant = row.consumer if row is not None else "health"
    held = world.registry.grants.get(grant)
    consumer = held.consumer if held is not None else "health"
    dataset = pick(("villages", "welfare"))
    rest = {**said, "scenario": "待遇核发", "manner": "table", "to_ms": TERMS[3]}
    signed: list[tuple[Body, str]] = [
        (world.application(dataset, **said, **given), pick(MEMBERS[1:])),
        (world.application(dataset, **{**said, "manner": ""}), pick(MEMBERS[1:])),
        (world.application(dataset, fields=("code", "name")), pick(MEMBERS[1:])),
        (lifeacts.CompleteRequest(request=request, **said), applicant),
        (lifeacts.CompleteRequest(request=request, **rest), applicant),
        (
            acts.AnswerRequest(
                request=request,
                approve=pick((True, False)),
                fields=pick(FIELDS),
                regions=pick(REGIONS),
                basis=pick(("", "某法")),
                reason=pick(("", "no-duty")),
                price=pick(("", "", "1")),
                conditions=pick(((), ("不得转让",), ("须经批准",))),
            ),
            "civil",
        ),
        (acts.AnswerRequest(request=request, approve=False, basis="某法", reason="wider"), "civil"),
        (acts.AnswerRequest(request=request, approve=True), "civil"),
        (acts.WithdrawRequest(request=request), applicant),
        (lifeacts.RenewGrant(grant=grant, expires_ms=pick(TERMS)), pick((consumer, "civil"))),
        (acts.RevokeGrant(grant=grant, reason=""), "civil"),
    ]
    body, by = pick(signed)
    return body, by if chance.random() < 0.9 else pick((*MEMBERS, "authority"))


def check(registry: Registry) -> None:
    """Every application and grant has what the rules ask of it."""
    for request in registry.requests.values():
        whole = not wish_of_request(request).missing
        assert (request.status == "returned") <= (not whole)
        assert (request.received is not None) <= whole
        if request.status == "refused":
            assert request.basis
            assert request.reason
        assert request.duty
        assert request.purpose in registry.purposes
    for grant in registry.grants.values():
        request, dataset = registry.requests[grant.request], registry.datasets[grant.dataset]
        assert request.status == "approved"
        assert set(grant.fields) <= set(request.fields)
        for region in grant.regions:
            assert any(contains(outer, region) for outer in request.regions)
        personal = set(registry.shapes[grant.contract_hash].personal) & set(grant.fields)
        assert personal <= set(request.necessary)
        assert request.assessment or not personal
        assert set(grant.conditions) <= set(dataset.conditions)
        assert grant.expires_ms > START_MS
        assert grant.renewed or grant.expires_ms <= request.expires_ms
        if dataset.sharing == "conditional" and grant.id in (request.id, request.answer):
            at_once = grant.granted == request.received
            assert not at_once or registry.members[grant.consumer].region == "3301"


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(10, 60))
def test_no_sequence_of_acts_makes_a_grant_that_lacks_its_basis(chance: Random, acts_: int) -> None:
    world = begun(seed=0)
    returned: set[bytes] = set()
    for _ in range(acts_):
        body, by = some_act(world, chance)
        before = {key for key, row in world.registry.requests.items() if row.status == "returned"}
        world.put(body, by=by)
        after = {key for key, row in world.registry.requests.items() if row.status == "returned"}
        assert not (after - before) & returned, "returned a second time"
        returned |= after
        check(world.registry)
