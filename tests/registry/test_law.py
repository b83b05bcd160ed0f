"""Changing the law is an act: whole, right, by the authority, from the next entry on."""

import pytest

from exchange.errors import LedgerBroken
from exchange.ledger.entry import Entry, parse_entry, sign_entry, verify_entry
from exchange.ledger.verdict import Folded
from exchange.model import acts
from exchange.model.lawacts import AdoptRules
from exchange.model.rulesarchive import pack_rules, unpack_rules
from exchange.registry.fold import RegistryFold
from exchange.registry.footprint import footprint
from exchange.registry.statehash import state_hash
from exchange.wiring.lawbook import CedarRules, follow_rules, register_in_force, rules_in_force
from policies.engine import ENGINE_VERSION
from policies.errors import RuleSetInvalid
from policies.ruleset import REGISTER, RuleSet
from tests.ledger.drafts import engine
from tests.ledger.world import World, exchange_world
from tests.policies.laws import SHIPPED, with_change, with_file, with_law

STRICT = with_law({"deployment": {"crypto-assessment": True}, "CRY-01": {"mode": "enforce"}})
"""Under it nobody opens a stream with the suite that there is."""
WARNING = with_law({"deployment": {"crypto-assessment": True}})
NO_KEYS = with_file(
    "zz.cedar",
    '@id("MEM-01") forbid (principal, action == Action::"keys.ask", resource)'
    ' when { resource.purpose == "collaboration" };',
)


def adoption(law: RuleSet, **changed: object) -> AdoptRules:
    """The act that adopts ``law``; ``changed`` fields make it a wrong one."""
    stated = {
        "rules": law.hash(ENGINE_VERSION),
        "engine": ENGINE_VERSION,
        "archive": pack_rules(law.files),
    }
    return AdoptRules.model_validate({**stated, **changed})


def verdict(folded: Folded) -> tuple[bool, tuple[str, ...]]:
    return folded.permit, folded.rules


def replayed(world: World) -> RegistryFold:
    fold = follow_rules()
    fold.begin(world.root)
    for entry in world.entries[1:]:
        fold.fold(entry)
    return fold


def resigned(world: World, entry: Entry, **changed: object) -> Entry:
    """The entry as a hub that lies would have made it."""
    statement = entry.statement._replace(**changed)  # type: ignore[arg-type]
    parsed = parse_entry(sign_entry(statement, world.signer("hub/hub-1")))
    return verify_entry(parsed, world.public("hub/hub-1"))


def test_an_adopted_rule_set_decides_from_the_next_entry_on(world: World) -> None:
    assert world.put(world.opening(region="3301"), by="civil/main").permit
    adopted = world.put(adoption(STRICT))
    assert verdict(adopted) == (True, ("AUTHORITY-01",))
    assert verdict(world.put(world.opening(region="3302"), by="civil/main")) == (
        False,
        ("CRY-01",),
    )
    registry = world.registry
    assert registry.rules == STRICT.hash(ENGINE_VERSION)
    assert registry.rules_at(adopted.index) == SHIPPED.hash(ENGINE_VERSION)
    assert registry.rules_at(adopted.index + 1) == registry.rules
    assert registry.rules_at(0) == SHIPPED.hash(ENGINE_VERSION)
    assert state_hash(replayed(world).registry) == state_hash(registry)


def test_a_warning_stands_on_the_entry_and_is_carried(world: World) -> None:
    world.put(adoption(WARNING))
    folded = world.put(world.opening(), by="civil/main")
    assert verdict(folded) == (True, ("CRY-01", "OWN-01"))
    assert folded.carried
    world.fold.scrutinises = True
    again = world.put(world.opening(region="3302"), by="civil/main")
    assert (again.carried, again.disputed) == (True, False)


def test_the_files_of_the_day_can_be_read_back(world: World) -> None:
    index = world.put(adoption(STRICT)).index
    assert rules_in_force(world.registry) == STRICT.files
    assert rules_in_force(world.registry, index=index) == SHIPPED.files
    assert register_in_force(world.registry).rule("CRY-01").mode == "enforce"
    assert register_in_force(world.registry, index=index).rule("CRY-01").mode == "off"


def test_an_earlier_rule_set_can_be_adopted_again(world: World) -> None:
    for rules in (STRICT, SHIPPED, STRICT):
        assert world.put(adoption(rules)).permit
    assert [one.rules for one in world.registry.adoptions[1:]] == [
        rules.hash(ENGINE_VERSION) for rules in (STRICT, SHIPPED, STRICT)
    ]
    assert state_hash(replayed(world).registry) == state_hash(world.registry)


def test_only_the_authority_adopts_and_never_what_is_in_force(world: World) -> None:
    assert verdict(world.put(adoption(STRICT), by="civil")) == (False, ("BASIS-01",))
    assert verdict(world.put(adoption(SHIPPED))) == (False, ("STATE-01",))
    assert world.registry.rules_version == 1


LOCKED_OUT = with_change(
    "law.cedar", 'when { principal.kind == "authority" };', "when { context.time < 7 };"
)


@pytest.mark.parametrize(
    "body",
    [
        adoption(STRICT, rules=bytes(32)),
        adoption(STRICT, archive=pack_rules(SHIPPED.files)),
        adoption(STRICT, archive=b"no archive"),
        adoption(STRICT, archive=pack_rules(STRICT.files) + b"x"),
        adoption(STRICT, engine="cedarpy 9.9.9, slices 1"),
        adoption(with_file("zz.cedar", "forbid principal;")),
        adoption(with_change(REGISTER, "effect: forbid", "effect: frobid")),
        adoption(LOCKED_OUT),
        adoption(with_law({"AUTHORITY-01": {"valid_from": "2030-01-01"}})),
    ],
    ids=[
        "hash",
        "content",
        "archive",
        "trailing",
        "engine",
        "policy",
        "register",
        "locked-out",
        "locked-out-until-2030",
    ],
)
def test_a_wrong_rule_set_is_refused_on_the_record(world: World, body: AdoptRules) -> None:
    assert verdict(world.put(body)) == (False, ("RULES-01",))
    assert world.registry.rules == SHIPPED.hash(ENGINE_VERSION)
    assert world.put(world.opening(), by="civil/main").permit


def test_a_hub_that_permits_a_wrong_rule_set_is_not_followed(world: World) -> None:
    body = adoption(with_file("zz.cedar", "forbid principal;"))
    entry = world.entry(world.sign(body))
    lied = resigned(world, entry, permit=True, rules=("AUTHORITY-01",))
    assert verdict(world.take(lied)) == (False, ("RULES-01",))


def test_a_file_that_is_missing_is_named_in_the_finding() -> None:
    files = {name: raw for name, raw in SHIPPED.files.items() if name != REGISTER}
    with pytest.raises(RuleSetInvalid) as invalid:
        CedarRules().open(files)
    assert invalid.value.findings[0].failure == "missing-file"


def test_a_release_that_was_decided_under_the_old_law_is_decided_anew(world: World) -> None:
    grant, stream = world.granted("health"), world.stream("civil")
    ask = world.ask(grant, world.item(stream))
    before = world.entry(world.sign(ask, by="health/main"))
    assert before.statement.permit
    world.put(adoption(NO_KEYS))
    late = world.take(before)
    assert verdict(late) == (False, ("MEM-01",))
    assert not late.carried


def test_a_release_that_stands_before_the_new_law_stands(world: World) -> None:
    grant, stream = world.granted("health"), world.stream("civil")
    released = world.entry(world.sign(world.ask(grant, world.item(stream)), by="health/main"))
    adopted = world.entry(world.sign(adoption(NO_KEYS)))
    assert world.take(released).permit
    assert world.take(adopted).permit


def test_of_two_adoptions_decided_at_once_both_stand_in_their_order(world: World) -> None:
    one, other = (world.entry(world.sign(adoption(rules))) for rules in (STRICT, WARNING))
    again = world.entry(world.sign(adoption(STRICT)))
    assert world.take(one).permit
    assert world.take(other).permit
    assert world.registry.rules == WARNING.hash(ENGINE_VERSION)
    assert world.take(again).permit
    same = world.entry(world.sign(adoption(STRICT)), permit=True, rules=("AUTHORITY-01",))
    assert verdict(world.take(same)) == (False, ("STATE-01",))


def test_a_revocation_decided_under_the_old_law_still_revokes(world: World) -> None:
    grant, stream = world.granted("health"), world.stream("civil")
    revocation = world.entry(world.sign(acts.RevokeGrant(grant=grant, reason=""), by="civil"))
    world.put(adoption(WARNING))
    asked = world.entry(world.sign(world.ask(grant, world.item(stream)), by="health/main"))
    assert world.take(revocation).permit
    assert verdict(world.take(asked)) == (False, ("REV-01",))


def test_a_program_without_the_engine_stops_where_the_law_changes(world: World) -> None:
    entry = world.entry(world.sign(adoption(STRICT)))
    fold = RegistryFold([engine()])
    fold.begin(world.root)
    for earlier in world.entries[1:]:
        fold.fold(earlier)
    size = fold.registry.size
    with pytest.raises(LedgerBroken) as broken:
        fold.fold(entry)
    assert broken.value.failure == "rules-unknown"
    assert ENGINE_VERSION in broken.value.text.en
    assert fold.registry.size == size


def test_and_goes_on_where_a_hub_refused_the_rule_set(world: World) -> None:
    """Whatever happened in between: otherwise one act of the authority could stop everybody."""
    refused = world.entry(world.sign(adoption(STRICT, engine="cedarpy 9.9.9, slices 1")))
    world.put(adoption(WARNING))
    folded = world.take(refused)
    assert verdict(folded) == (False, ("RULES-01",))
    assert folded.act is not None
    assert refused.statement.footprint != footprint(folded.act, world.registry)


def test_a_hub_that_permits_an_engine_nobody_has_stops_everybody(world: World) -> None:
    raw = world.sign(adoption(STRICT, engine="cedarpy 9.9.9, slices 1"))
    with pytest.raises(LedgerBroken):
        world.fold.fold(world.entry(raw, permit=True, rules=("AUTHORITY-01",)))


def test_an_archive_is_what_was_packed() -> None:
    assert unpack_rules(pack_rules(SHIPPED.files)) == dict(SHIPPED.files)
    assert len(pack_rules(SHIPPED.files)) < 32_000
    assert exchange_world().registry.rule_sets == {}
