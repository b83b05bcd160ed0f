"""Members and instances: who is admitted, with which keys, and how it ends."""

import pytest

from exchange.errors import NotFound
from exchange.model import acts
from exchange.registry.possession import prove_keys
from exchange.registry.state import Registry
from tests.ledger.drafts import ORIGIN
from tests.ledger.world import World, permitted


def test_the_authority_admits_members_and_nobody_else_does(world: World) -> None:
    refused = world.put(world.enrolment("justice"), by="health")
    assert (refused.permit, refused.rules) == (False, ("BASIS-01",))
    permitted(world.put(world.enrolment("justice")))
    row = world.registry.members["justice"]
    assert (row.active, row.kind, row.officer) == (
        True,
        "department",
        world.public("office/justice"),
    )


def test_an_enterprise_is_no_party_to_an_exchange(world: World) -> None:
    refused = world.put(world.enrolment("acme-ltd", "enterprise"))
    assert (refused.permit, refused.rules) == (False, ("ACT-01",))


def test_a_member_is_enrolled_once(world: World) -> None:
    assert world.put(world.enrolment("health")).rules == ("STATE-01",)


def test_two_members_have_two_credit_codes(world: World) -> None:
    code = world.registry.members["health"].credit_code
    twin = world.enrolment("justice", credit_code=code)
    assert world.put(twin).rules == ("STATE-01",)
    authority = world.registry.members["authority"].credit_code
    assert world.put(world.enrolment("justice", credit_code=authority)).rules == ("STATE-01",)
    permitted(world.put(acts.SuspendMember(member="health", reason="")))
    permitted(world.put(twin))
    third = world.enrolment("transport", credit_code=code)
    assert world.put(third).rules == ("STATE-01",)


def test_two_hubs_do_not_admit_two_members_under_one_credit_code(world: World) -> None:
    code = world.enrolment("justice").credit_code
    bodies = [world.enrolment(name, credit_code=code) for name in ("justice", "transport")]
    first, second = [world.entry(world.sign(body)) for body in bodies]
    assert first.statement.permit
    assert second.statement.permit
    assert world.take(first).permit
    late = world.take(second)
    assert (late.permit, late.rules, late.carried) == (False, ("STATE-01",), False)


def test_a_key_comes_with_a_proof_made_by_it(world: World) -> None:
    """Attack 11: nobody enrols another's key, or one that verifies what nobody signed."""
    civil = world.public("office/civil")
    stolen = world.enrolment("justice", officer=civil)
    assert world.put(stolen).rules == ("PROOF-01",)
    identity = bytes([1, *bytes(31)])
    assert world.put(world.enrolment("finance", officer=identity)).rules == ("PROOF-01",)
    other_name = world.enrolment("transport", proof=world.enrolment("energy").proof)
    assert world.put(other_name).rules == ("PROOF-01",)
    assert world.put(world.enrolment("culture", proof=b"none")).rules == ("PROOF-01",)


def test_a_key_is_enrolled_once_for_whatever_purpose(world: World) -> None:
    label = "office/health"
    proof = prove_keys(
        origin=ORIGIN,
        member="justice",
        instance="",
        signing=world.public(label),
        kem=b"",
        signer=world.signer(label),
    )
    body = world.enrolment("justice", officer=world.public(label), proof=proof)
    assert world.put(body).rules == ("PROOF-01",)


def test_a_member_registers_its_own_adapters_under_free_names(world: World) -> None:
    body = world.registration("health", "second")
    row_kid = world.custody.public("adapter/health/second").kid
    permitted(world.put(body, by="health"))
    assert world.registry.registrations[row_kid].id == "health/second"
    again = world.registration("health", "third")
    named = acts.RegisterInstance(
        instance="main", signing=again.signing, kem=again.kem, proof=again.proof
    )
    assert world.put(named, by="health").rules == ("STATE-01",)


def test_an_adapters_proof_covers_both_its_keys(world: World) -> None:
    body = world.registration("health", "second")
    other = world.custody.generate_kem("another").raw
    spliced = acts.RegisterInstance(
        instance="second", signing=body.signing, kem=other, proof=body.proof
    )
    assert world.put(spliced, by="health").rules == ("PROOF-01",)


def test_a_kem_key_that_must_not_be_enrolled_is_refused(world: World) -> None:
    body = world.registration("health", "second")
    bad = acts.RegisterInstance(
        instance="second", signing=body.signing, kem=bytes(1216), proof=body.proof
    )
    assert world.put(bad, by="health").rules == ("PROOF-01",)


def test_the_member_and_the_authority_retire_an_adapter_nobody_else(world: World) -> None:
    body = acts.RetireInstance(member="health", instance="main")
    assert world.put(body, by="civil").rules == ("BASIS-01",)
    permitted(world.put(body))
    assert not world.registry.active("health", "main")
    assert world.put(body, by="health").rules == ("STATE-01",)
    unknown = acts.RetireInstance(member="health", instance="none")
    assert world.put(unknown, by="health").rules == ("STATE-01",)


def test_the_authority_suspends_others_not_itself(world: World) -> None:
    assert not world.put(acts.SuspendMember(member="authority", reason="")).permit
    assert not world.put(acts.SuspendMember(member="civil", reason=""), by="health").permit
    permitted(world.put(acts.SuspendMember(member="health", reason="")))
    assert world.put(acts.SuspendMember(member="health", reason="")).rules == ("STATE-01",)
    assert world.put(acts.SuspendMember(member="nobody", reason="")).rules == ("STATE-01",)


def test_a_suspension_counts_as_a_revocation_of_what_the_member_could_read(world: World) -> None:
    world.granted("health")
    before = world.registry.revocations("villages")
    world.put(acts.SuspendMember(member="health", reason=""))
    assert world.registry.revocations("villages") > before


def test_keys_are_valid_by_position(world: World) -> None:
    registry = world.registry
    first = world.public("adapter/health/main")
    registered = registry.instances["health", "main"].registered
    retired = world.put(acts.RetireInstance(member="health", instance="main"), by="health").index
    permitted(world.put(world.registration("health", fresh=True), by="health"))
    again = registry.instances["health", "main"].registered
    assert registry.instance_public("health/main", registered + 1) == first
    assert registry.instance_public("health/main", retired) == first
    assert registry.instance_public("health/main", again + 1) == world.public("adapter/health/main")
    for index in (registered, retired + 1, again):
        with pytest.raises(NotFound):
            registry.instance_public("health/main", index)
    with pytest.raises(NotFound):
        registry.instance_public("nobody/main", 1)


def test_signing_keys_are_given_for_active_parties_only(world: World) -> None:
    registry: Registry = world.registry
    assert registry.signing_key("health", "") == world.public("office/health")
    assert registry.signing_key("health", "main") == world.public("adapter/health/main")
    assert registry.signing_key("health", "none") is None
    assert registry.signing_key("nobody", "") is None
    world.put(acts.SuspendMember(member="health", reason=""))
    assert registry.signing_key("health", "main") is None


def test_the_hubs_entry_keys_are_those_of_genesis(world: World) -> None:
    assert world.registry.entry_keys() == (world.public("hub/hub-1"),)
