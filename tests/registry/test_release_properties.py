"""What holds of releases after any sequence of acts, decided by hubs that see each other late."""

from random import Random
from typing import Any, Final

from hypothesis import event, given, settings
from hypothesis import strategies as st

from exchange.ledger.act import ParsedAct, parse_act
from exchange.ledger.entry import Entry
from exchange.ledger.verdict import Folded
from exchange.model import acts
from exchange.model.actcodec import Body
from exchange.model.lawacts import AdoptRules
from exchange.model.regions import contains
from exchange.model.rulesarchive import pack_rules
from exchange.registry.state import Registry
from policies.engine import ENGINE_VERSION
from tests.ledger.drafts import DAY_MS, HOUR_MS, START_MS
from tests.ledger.world import World, exchange_world, permitted
from tests.policies.laws import SHIPPED, with_file, with_law

CONSUMERS: Final = ("health", "human-resources")
LAWS: Final = (
    SHIPPED,
    with_law({"deployment": {"crypto-assessment": True}}),
    with_file(
        "zz.cedar",
        '@id("MEM-01") forbid (principal, action == Action::"keys.ask", resource)'
        ' when { resource.fields.contains("head") };',
    ),
)
"""The shipped one, one that warns, one that is stricter: each lets nothing out without a basis."""

ADOPTIONS: Final = tuple(
    AdoptRules(rules=law.hash(ENGINE_VERSION), engine=ENGINE_VERSION, archive=pack_rules(law.files))
    for law in LAWS
)


def some_act(world: World, chance: Random) -> tuple[Body, str]:
    """Something that somebody might sign about access, sensible or not."""
    pick = chance.choice
    registry = world.registry
    grants = [*registry.grants, *list(registry.grants)[-2:], bytes(32)]
    streams = [*registry.streams, bytes(32)]
    dataset = registry.datasets["villages"]
    grant = registry.grants.get(pick(grants))
    holder = grant.consumer if grant is not None else pick(CONSUMERS)
    begins = pick((START_MS - HOUR_MS, START_MS + HOUR_MS, START_MS + 80 * DAY_MS, world.now_ms))
    item: dict[str, Any] = {
        "contract": pick((dataset.contract_hash, dataset.contract_hash, bytes(32))),
        "from_ms": begins,
        "to_ms": begins + pick((HOUR_MS, HOUR_MS, 11 * DAY_MS, 0)),
        "levels": pick(((1,), (1, 2), (1, 2, 3))),
        "sequence": pick((0, 3, 9)),
    }
    ask = world.ask(
        pick(grants) if grant is None else grant.id,
        *(world.item(pick(streams), **item) for _ in range(chance.randint(1, 3))),
        purpose=pick(("collaboration", "collaboration", "verification")),
    )
    acts_: list[tuple[Body, str]] = [
        *[(ask, f"{holder}/main")] * 6,
        (ask, f"{pick(CONSUMERS)}/main"),
        (world.application(expires_ms=START_MS + pick((1, 60)) * DAY_MS), pick(CONSUMERS)),
        (world.application(fields=("code", "name"), regions=pick((("33",), ("3302",)))), holder),
        (acts.RevokeGrant(grant=pick(grants), reason=""), pick(("civil", holder, "authority"))),
        (acts.ReportProgress(anchors=(world.anchor(streams[0], pick((3, 5))),)), "civil/main"),
        (pick(ADOPTIONS), "authority"),
    ]
    rare: list[tuple[Body, str]] = [
        (acts.SuspendMember(member=pick(CONSUMERS), reason=""), "authority"),
        (acts.WithdrawDataset(dataset="villages", reason=""), "civil"),
        (
            acts.PublishDataset(dataset="villages", proposal=registry.proposed["villages"]),
            "authority",
        ),
        (acts.RetireInstance(member="civil", instance="main"), "civil"),
    ]
    return pick(acts_ if chance.random() < 0.95 else rare)


def has_live_basis(registry: Registry, asked: ParsedAct, item: acts.AskItem, at_ms: int) -> bool:
    """When a key may leave, written a second time: what the state before the entry must say."""
    assert isinstance(asked.body, acts.AskKeys)
    grant, stream = registry.grants.get(asked.body.grant), registry.streams.get(item.stream)
    if grant is None or stream is None:
        return False
    member, dataset = registry.members[grant.consumer], registry.datasets[grant.dataset]
    fields = registry.shapes[grant.contract_hash].fields_of(item.levels) or ("nothing",)
    return (
        grant.revoked is None
        and at_ms < grant.expires_ms
        and (asked.member, member.active) == (grant.consumer, True)
        and registry.instances[grant.consumer, "main"].stopped is None
        and (dataset.status, dataset.secrecy) == ("published", "none")
        and dataset.sharing != "refused"
        and stream.dataset == grant.dataset
        and item.contract == grant.contract_hash
        and set(fields) <= set(grant.fields)
        and any(contains(region, stream.region) for region in grant.regions)
        and grant.from_ms <= item.from_ms < item.to_ms <= grant.to_ms
        and (asked.body.purpose, bool(grant.duty)) == (grant.purpose, True)
    )


def take(world: World, entry: Entry) -> Folded:
    """Fold an entry; whatever it releases must have had its basis in the state before."""
    asked = parse_act(entry.statement.act)
    items = asked.body.items if isinstance(asked.body, acts.AskKeys) else ()
    at_ms = max(world.registry.time_ms, entry.statement.time_ms)
    live = [has_live_basis(world.registry, asked, item, at_ms) for item in items]
    folded = world.take(entry)
    refused = {index for index, _ in folded.refused_items}
    if folded.permit:
        assert all(basis for index, basis in enumerate(live) if index not in refused)
    return folded


def decided(world: World, body: Body, by: str, hub: str) -> Entry | None:
    """The entry of an act as ``hub`` makes it, if its signer may still speak."""
    member, _, instance = by.partition("/")
    if not world.registry.active(member, instance or None):
        return None
    return world.entry(world.sign(body, by=by, lifetime_ms=12 * HOUR_MS), hub=hub)


def begun() -> World:
    """Two hubs, a grant, a stream, and a reviewed revision that shares the data no longer."""
    world = exchange_world(hubs=("hub-1", "hub-2"))
    world.granted("health")
    world.stream("civil")
    revision = world.proposal(sharing="refused", basis="统计法 第九条", basis_kind="law")
    world.review("villages", permitted(world.put(revision, by="civil")))
    return world


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(10, 40))
def test_no_sequence_of_acts_releases_a_key_without_a_live_basis(chance: Random, n: int) -> None:
    """Revocations, suspensions and new laws between decision and entry: whichever came first."""
    world = begun()
    waiting: list[Entry] = []
    releases = 0
    for _ in range(n):
        world.advance(chance.choice((0, 1_000, HOUR_MS)))
        entry = decided(world, *some_act(world, chance), chance.choice(world.hubs))
        waiting += [] if entry is None else [entry]
        chance.shuffle(waiting)  # hubs read each other's entries late, and in another order
        while waiting and chance.random() < 0.6:
            folded = take(world, waiting.pop())
            releases += folded.permit and folded.act is not None and folded.act.kind == "keys.ask"
    for entry in waiting:
        take(world, entry)
    event("releases" if releases else "no release")


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 400))
def test_what_was_denied_is_not_permitted_later_because_time_has_passed(
    chance: Random, days: int
) -> None:
    world = begun()
    for _ in range(20):
        world.advance(chance.choice((0, HOUR_MS)))
        body, by = some_act(world, chance)
        if not world.registry.active(*by.split("/")):
            continue
        raw = world.sign(body, by=by)
        proposal = world.fold.propose(world.fold.authenticate(raw, world.now_ms), world.now_ms, {})
        if not proposal.verdict.permit:
            later_ms = world.now_ms + days * DAY_MS
            again = world.fold.authenticate(world.sign(body, by=by), world.now_ms)
            assert not world.fold.propose(again, later_ms, {}).verdict.permit
        world.take(world.entry(raw))
