"""Who would be answered otherwise under another rule set, before it is adopted."""

from exchange.audit.lawdiff import Change, changes
from exchange.model import acts
from policies.engine import Engine
from policies.ruleset import RuleSet
from tests.ledger.drafts import DAY_MS
from tests.ledger.world import World, exchange_world, permitted
from tests.policies.laws import SHIPPED, with_file, with_law


def found(world: World, rules: RuleSet) -> list[Change]:
    return list(changes(world.registry, world.fold.engine, Engine(rules), world.now_ms))


NO_KEYS = with_file(
    "zz.cedar",
    '@id("MEM-01") forbid (principal, action == Action::"keys.ask", resource)'
    ' when { resource.fields.contains("phone") };',
)
NO_APPROVAL = with_file(
    "zz.cedar",
    '@id("FEE-01") forbid (principal, action == Action::"request.answer", resource)'
    " when { context.approve };",
)


def test_the_same_rules_change_nothing() -> None:
    world = exchange_world()
    world.granted("health")
    assert found(world, SHIPPED) == []


def test_each_standing_grant_that_would_open_no_more_is_listed() -> None:
    world = exchange_world()
    world.granted("health")
    wide = world.granted("human-resources", fields=("code", "name", "head", "phone"))
    gone = world.granted("health", fields=("code", "name", "head", "phone"))
    assert world.put(acts.RevokeGrant(grant=gone, reason="")).permit
    (change,) = found(world, NO_KEYS)
    assert (change.subject, change.id, change.member, change.dataset) == (
        "grant",
        wide.hex(),
        "human-resources",
        "villages",
    )
    assert (change.before.permit, change.before.rules) == (True, ("GRANT-01",))
    assert (change.after.permit, change.after.rules) == (False, ("MEM-01",))
    world.advance(70 * DAY_MS)
    assert found(world, NO_KEYS) == []


def test_open_applications_and_new_streams_are_asked_about_too() -> None:
    world = exchange_world()
    world.publish("civil", "schools", sharing="conditional", conditions=("每季度一次",))
    request = permitted(world.put(world.application("schools"), by="health"))
    (change,) = found(world, NO_APPROVAL)
    assert (change.subject, change.id, change.after.rules) == (
        "application",
        request.hex(),
        ("FEE-01",),
    )
    warned = with_law({"deployment": {"crypto-assessment": True}})
    streams = found(world, warned)
    assert [(one.subject, one.id) for one in streams] == [
        ("dataset", "villages"),
        ("dataset", "schools"),
    ]
    assert {one.after.rules for one in streams} == {("CRY-01", "OWN-01")}
    assert all(one.after.permit for one in streams)
