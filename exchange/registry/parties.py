"""Members and their instances: enrolment, suspension, registration, retirement."""

from exchange.model import acts
from exchange.model.text import Text
from exchange.registry import busrules, facts, possession
from exchange.registry.case import Asked, Case, Denied, nothing_there
from keys.errors import KeysError
from keys.identity import check_kem_key, check_signing_key
from policies.facts import LogFacts


def examine_enrol(body: acts.EnrolMember, asked: Asked) -> Case | Denied:
    """A new organisation with an officer key of its own, and a credit code no member has.

    The code of a suspended member is free: it may come back, under another id.
    """
    registry = asked.registry
    if body.member in registry.members:
        return nothing_there(f"{body.member} is a member already", f"{body.member} 已是成员")
    holder = registry.organisations.get(body.credit_code)
    if holder is not None and registry.members[holder].active:
        return nothing_there(
            f"this credit code is that of the member {holder}",
            f"该统一社会信用代码属于成员 {holder}",
        )
    denied = _keys_denied(asked, body.member, "", body.officer, b"", body.proof)
    if denied:
        return denied
    log = LogFacts(registry.origin)
    return Case((asked.question(log, member_kind=body.member_kind),))


def examine_suspend(body: acts.SuspendMember, asked: Asked) -> Case | Denied:
    """A member that still stands."""
    row = asked.registry.members.get(body.member)
    if row is None or not row.active:
        return nothing_there(f"{body.member} is no active member", f"{body.member} 不是在册成员")
    return Case((asked.question(facts.member_facts(row)),))


def examine_register(body: acts.RegisterInstance, asked: Asked) -> Case | Denied:
    """Fresh keys under a name that no running instance has."""
    member = asked.act.member
    if asked.registry.active(member, body.instance):
        name = f"{member}/{body.instance}"
        return nothing_there(f"{name} is registered already", f"{name} 已登记")
    denied = _keys_denied(asked, member, body.instance, body.signing, body.kem, body.proof)
    return denied or Case((asked.question(asked.actor),))


def examine_retire(body: acts.RetireInstance, asked: Asked) -> Case | Denied:
    """An instance that still runs."""
    row = asked.registry.instances.get((body.member, body.instance))
    if row is None or row.stopped is not None:
        name = f"{body.member}/{body.instance}"
        return nothing_there(f"{name} is no running instance", f"{name} 不是在用实例")
    owner = facts.member_facts(asked.registry.members[body.member])
    return Case((asked.question(owner),))


def _keys_denied(
    asked: Asked, member: str, instance: str, signing: bytes, kem: bytes, proof: bytes
) -> Denied | None:
    try:
        kids = {check_signing_key(signing)}
        if kem:
            kids.add(check_kem_key(kem))
        possession.check_keys(
            proof,
            origin=asked.registry.origin,
            member=member,
            instance=instance,
            signing=signing,
            kem=kem,
        )
    except KeysError as error:
        return Denied(busrules.PROOF, Text(*error.text))
    if not kids.isdisjoint(asked.registry.kids):
        return Denied(busrules.PROOF, Text("this key was enrolled before", "该密钥曾经登记"))
    return None
