"""Verdicts at their position: carried while the footprint holds, anew otherwise (decision 6)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exchange.errors import LedgerBroken
from exchange.ledger.entry import Entry, Statement, parse_entry, sign_entry, verify_entry
from exchange.model import acts
from exchange.registry.busrules import HEADER
from exchange.registry.fold import RegistryFold
from exchange.registry.footprint import footprint
from exchange.registry.statehash import state_hash
from policies.facts import Answer, Question
from tests.ledger.drafts import HOUR_MS, engine
from tests.ledger.world import World, exchange_world, permitted


class Refuses:
    """A rule engine that permits nothing: shows whether the rules were asked at all."""

    def __init__(self) -> None:
        self.rule_set_hash = engine().rule_set_hash
        self.register = engine().register
        self.workdays = engine().workdays
        self.asked = 0

    def decide(self, question: Question) -> Answer:
        self.asked += 1
        return Answer(permit=False, rules=("BASIS-01",))


def replayed(world: World, rules: object = None) -> RegistryFold:
    fold = RegistryFold([rules or engine()])  # type: ignore[list-item]
    fold.begin(world.root)
    for entry in world.entries[1:]:
        fold.fold(entry)
    return fold


def altered(world: World, entry: Entry, **changed: object) -> Entry:
    """The same entry with another statement, signed by the same hub."""
    statement: Statement = entry.statement._replace(**changed)  # type: ignore[arg-type]
    parsed = parse_entry(sign_entry(statement, world.signer("hub/hub-1")))
    return verify_entry(parsed, world.public("hub/hub-1"))


def test_a_replay_gives_the_same_state_and_asks_no_rule_while_footprints_hold() -> None:
    world = exchange_world()
    world.granted("health")
    rules = Refuses()
    fold = replayed(world, rules)
    assert rules.asked == 0
    assert state_hash(fold.registry) == state_hash(world.registry)


def test_hub_and_fold_read_the_same_rows(world: World) -> None:
    grant, stream = world.granted("health"), world.stream("civil")
    act = world.act(world.ask(grant, world.item(stream)), by="health/main")
    keys = [key for key, _ in footprint(act, world.registry)]
    assert keys == sorted(keys)
    assert keys == [
        "d:villages",
        f"g:{grant.hex()[:24]}",
        "i:civil/main",
        "i:health/main",
        "m:civil",
        "m:health",
        "p:rules",
        f"s:{stream.hex()[:24]}",
    ]


def test_a_revocation_that_came_first_wins(world: World) -> None:
    """Attack 13: decided before, entered after."""
    grant, stream = world.granted("health"), world.stream("civil")
    asked = world.entry(world.sign(world.ask(grant, world.item(stream)), by="health/main"))
    assert asked.statement.permit
    permitted(world.put(acts.RevokeGrant(grant=grant, reason=""), by="civil"))
    folded = world.take(asked)
    assert (folded.fresh, folded.permit, folded.carried) == (True, False, False)
    assert folded.rules == ("REV-01",)


def test_a_release_that_came_first_stands(world: World) -> None:
    grant, stream = world.granted("health"), world.stream("civil")
    revoked = world.entry(world.sign(acts.RevokeGrant(grant=grant, reason=""), by="civil"))
    asked = world.put(world.ask(grant, world.item(stream)), by="health/main")
    assert asked.permit
    assert world.take(revoked).permit


def test_a_denial_is_decided_anew_when_what_it_rests_on_has_changed(world: World) -> None:
    proposal = permitted(world.put(world.proposal("schools"), by="civil"))
    early = world.entry(world.sign(acts.PublishDataset(dataset="schools", proposal=proposal)))
    assert early.statement.rules == ("CAT-04",)
    world.review("schools", proposal)
    folded = world.take(early)
    assert (folded.permit, folded.carried) == (True, False)


def test_other_members_changes_do_not_unsettle_a_verdict(world: World) -> None:
    """Attack 14: one member's acts never cost another's releases their verdict."""
    grant, stream = world.granted("health"), world.stream("civil")
    asked = world.entry(world.sign(world.ask(grant, world.item(stream)), by="health/main"))
    world.granted("human-resources")
    world.join("justice")
    permitted(world.put(acts.ReportProgress(anchors=(world.anchor(stream, 3),)), by="civil/main"))
    assert world.take(asked).carried


def test_a_permit_past_its_term_is_decided_anew(world: World) -> None:
    grant = world.granted("health", expires_ms=world.now_ms + HOUR_MS)
    stream = world.stream("civil")
    world.advance(HOUR_MS - 1_000)
    raw = world.sign(world.ask(grant, world.item(stream)), by="health/main")
    asked = world.entry(raw)
    assert asked.statement.valid_until_ms == world.registry.grants[grant].expires_ms
    world.advance(2_000)
    world.put(acts.WithdrawRequest(request=bytes(32)), by="civil")
    folded = world.take(asked)
    assert (folded.permit, folded.rules, folded.carried) == (False, ("EXP-01",), False)


@pytest.mark.parametrize(
    "changed",
    [
        {"refused_items": ((5, ("PUR-01",)),)},
        {"refused_items": ((0, ("PUR-01",)), (1, ("PUR-01",)))},
        {"permit": False, "rules": ("PUR-01",)},
        {"footprint": ()},
    ],
)
def test_a_verdict_that_is_none_is_decided_anew(world: World, changed: dict[str, object]) -> None:
    grant, stream = world.granted("health"), world.stream("civil")
    items = (world.item(stream), world.item(stream, levels=(1, 3)))
    good = world.entry(world.sign(world.ask(grant, *items), by="health/main"))
    folded = world.take(altered(world, good, **changed))
    assert (folded.permit, folded.carried) == (True, False)
    assert folded.refused_items == ((1, ("PUR-01",)),)


def test_refused_items_belong_to_key_requests_only(world: World) -> None:
    good = world.entry(world.sign(world.enrolment("justice")))
    folded = world.take(altered(world, good, refused_items=((0, ("PUR-01",)),)))
    assert (folded.permit, folded.carried) == (True, False)


def test_evidence_of_a_hub_stands_even_when_the_rest_is_decided_anew(world: World) -> None:
    grant, stream = world.granted("health"), world.stream("civil")
    items = (world.item(stream), world.item(stream, levels=(1,)))
    raw = world.sign(world.ask(grant, *items), by="health/main")
    act = world.fold.authenticate(raw, world.now_ms)
    proposal = world.fold.propose(act, world.now_ms, {0: (HEADER,)})
    entry = world.entry(
        raw,
        permit=True,
        rules=proposal.verdict.rules,
        refused_items=proposal.verdict.refused_items,
        footprint=(),
    )
    folded = world.take(entry)
    assert not folded.carried
    assert folded.refused_items == ((0, (HEADER,)),)


def test_structure_refuses_whatever_a_hub_carries(world: World) -> None:
    """A lying or broken hub cannot have an effect on rows that do not exist."""
    body = acts.RevokeGrant(grant=bytes(32), reason="")
    raw = world.sign(body, by="civil")
    act = world.fold.authenticate(raw, world.now_ms)
    held = footprint(act, world.registry)
    folded = world.take(world.entry(raw, permit=True, rules=("REVOKE-01",), footprint=held))
    assert (folded.permit, folded.rules) == (False, ("STATE-01",))
    stream = world.stream("civil")
    ask = world.ask(world.granted("health"), world.item(stream), world.item(bytes(32)))
    raw = world.sign(ask, by="health/main")
    held = footprint(world.fold.authenticate(raw, world.now_ms), world.registry)
    folded = world.take(world.entry(raw, permit=True, rules=("GRANT-01",), footprint=held))
    assert (folded.permit, folded.refused_items) == (True, ((1, ("STATE-01",)),))
    only = world.ask(world.registry.grants_by_consumer["health"][0], world.item(bytes(32)))
    raw = world.sign(only, by="health/main")
    held = footprint(world.fold.authenticate(raw, world.now_ms), world.registry)
    folded = world.take(world.entry(raw, permit=True, rules=("GRANT-01",), footprint=held))
    assert (folded.permit, folded.rules) == (False, ("STATE-01",))


def test_a_rule_set_this_build_lacks_stops_it_loudly() -> None:
    world = World()
    fold = RegistryFold([])
    fold.begin(world.root)
    raw = world.sign(world.enrolment("health"))
    good = world.entry(raw)
    act = fold.authenticate(raw, world.now_ms)
    with pytest.raises(LedgerBroken) as broken:
        fold.propose(act, world.now_ms, {})
    assert broken.value.failure == "rules-unknown"
    with pytest.raises(LedgerBroken):
        fold.fold(altered(world, good, footprint=()))
    assert fold.registry.size == 1
    assert fold.fold(good).carried


def test_the_state_hash_sees_every_table_and_no_order_of_insertion() -> None:
    one, other = exchange_world(seed=1), exchange_world(seed=1)
    assert state_hash(one.registry) == state_hash(other.registry)
    members = other.registry.members
    other.registry.members = dict(reversed(members.items()))
    assert state_hash(one.registry) == state_hash(other.registry)
    other.registry.revoked_at["villages"] = 1
    assert state_hash(one.registry) != state_hash(other.registry)


def test_hubs_of_genesis_are_known_by_name_and_key(world: World) -> None:
    kid = world.custody.public("hub/hub-1").kid
    assert world.fold.hub_public("hub-1", kid) == world.public("hub/hub-1")
    assert world.fold.hub_public("hub-2", kid) is None
    assert world.fold.hub_public("hub-1", bytes(16)) is None


@settings(max_examples=25, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(0, 2**32))
def test_any_interleaving_of_decided_acts_folds_to_one_state(chance: object, seed: int) -> None:
    """Entries made on old states, in any order, with copies: every fold agrees (invariant 5)."""
    world = exchange_world(seed=seed)
    grant, stream = world.granted("health"), world.stream("civil")
    other = world.granted("human-resources")
    bodies = [
        (world.ask(grant, world.item(stream)), "health/main"),
        (world.ask(other, world.item(stream)), "human-resources/main"),
        (acts.RevokeGrant(grant=grant, reason=""), "civil"),
        (acts.SuspendMember(member="human-resources", reason=""), "authority"),
        (acts.ReportProgress(anchors=(world.anchor(stream, 3),)), "civil/main"),
        (acts.RetireInstance(member="civil", instance="main"), "civil"),
        (acts.WithdrawDataset(dataset="villages", reason=""), "civil"),
        (world.application(), "health"),
    ]
    entries = [world.entry(world.sign(body, by=by)) for body, by in bodies]
    entries += entries[:3]
    chance.shuffle(entries)  # type: ignore[attr-defined]
    for entry in entries:
        world.take(entry)
    fresh = [folded.act_id for folded in world.folded if folded.fresh]
    assert len(fresh) == len(set(fresh))
    fold = replayed(world)
    assert state_hash(fold.registry) == state_hash(world.registry)
    revoked = world.registry.grants[grant].revoked
    for folded in world.folded:
        ask = folded.act.body if folded.act else None
        if isinstance(ask, acts.AskKeys) and ask.grant == grant and folded.permit:
            assert revoked is None or folded.index < revoked
