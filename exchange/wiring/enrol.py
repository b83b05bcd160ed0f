"""Bring an organisation onto the bus: keys made here, proven, put on the ledger.

Order, and what a crash leaves behind: the key file is made first, then the authority's act, then
the instance's. Running the same command again continues where it stopped: keys that exist are used,
acts that stand are not repeated.
"""

from dataclasses import dataclass
from typing import cast

from pydantic import ValidationError

from exchange.errors import UsageError
from exchange.flow.ports import Admitted
from exchange.model.acts import EnrolMember, MemberKind, RegisterInstance
from exchange.model.ids import slug
from exchange.model.regions import check_region
from exchange.model.text import Text
from exchange.registry.possession import prove_keys
from exchange.wiring.home import DEFAULT_INSTANCE
from exchange.wiring.homekeys import (
    OFFICER,
    create_custody,
    kem_label,
    open_custody,
    signing_label,
)
from exchange.wiring.office import Office, furnish_office
from exchange.wiring.passphrase import Passphrase
from exchange.wiring.settings import Settings
from keys.custody import Custody, PublicKey
from keys.errors import KeyExists


@dataclass(frozen=True, slots=True)
class Newcomer:
    """What the ledger says about an organisation; ``region`` is a GB/T 2260 code or ""."""

    member: str
    kind: str
    name_zh: str
    name_en: str
    credit_code: str
    region: str


async def enrol_member(
    authority: Office, newcomer: Newcomer, passphrase: Passphrase, settings: Settings
) -> Admitted:
    """Make the member's key file in this home, enrol it, register its first instance.

    Returns what admitted the member (or, when it stood already, its instance). `RuleRefused` when
    the rules forbid it, `UsageError` when there is nothing left to do.
    """
    home = authority.home
    slug("member", newcomer.member)
    check_region(newcomer.region)
    registry = await authority.registry()
    if registry.active(newcomer.member, DEFAULT_INSTANCE):
        raise _enrolled_already(newcomer.member)
    if home.custody_file(newcomer.member).exists():
        custody = open_custody(home, newcomer.member, passphrase)
    else:
        custody = create_custody(home.custody_file(newcomer.member), passphrase)
    officer = signing_key(custody, OFFICER)
    admitted = None
    if newcomer.member not in registry.members:
        body = _enrolment(newcomer, officer, custody, authority.origin)
        admitted = await authority.submit(body, Text("enrol a member", "接纳成员"))
    async with furnish_office(home, settings, newcomer.member, custody, authority.bus) as office:
        registered = await register_instance(office, DEFAULT_INSTANCE)
    return admitted or registered


async def register_instance(office: Office, name: str, number: int = 0) -> Admitted:
    """Register an adapter instance of the member with its ``number``-th keys, made if missing."""
    custody = office.custody
    signing = signing_key(custody, signing_label(name, number))
    kem = agreement_key(custody, kem_label(name, number))
    proof = prove_keys(
        origin=office.origin,
        member=office.member,
        instance=name,
        signing=signing.raw,
        kem=kem.raw,
        signer=custody.signer(signing.label),
    )
    body = RegisterInstance(instance=name, signing=signing.raw, kem=kem.raw, proof=proof)
    return await office.submit(body, Text("register an instance", "登记实例"))


def signing_key(custody: Custody, label: str) -> PublicKey:
    """The signing key of that label, made if missing."""
    try:
        return custody.generate_signing(label)
    except KeyExists:
        return custody.public(label)


def agreement_key(custody: Custody, label: str) -> PublicKey:
    """The key agreement pair of that label, made if missing."""
    try:
        return custody.generate_kem(label)
    except KeyExists:
        return custody.public(label)


def _enrolment(
    newcomer: Newcomer, officer: PublicKey, custody: Custody, origin: str
) -> EnrolMember:
    proof = prove_keys(
        origin=origin,
        member=newcomer.member,
        instance="",
        signing=officer.raw,
        kem=b"",
        signer=custody.signer(officer.label),
    )
    try:
        return EnrolMember(
            member=newcomer.member,
            member_kind=cast(MemberKind, newcomer.kind),
            name_zh=newcomer.name_zh,
            name_en=newcomer.name_en,
            credit_code=newcomer.credit_code,
            region=newcomer.region,
            officer=officer.raw,
            proof=proof,
        )
    except ValidationError as error:
        raise unfit(error) from None


def _enrolled_already(member: str) -> UsageError:
    return UsageError(
        f"{member} is enrolled already",
        f"{member} 已经加入",
        remedy=(f"see: exchange member show {member}", f"请查看：exchange member show {member}"),
        failure="enrolled",
    )


_OPTIONS = {"member_kind": "kind"}


def unfit(error: ValidationError) -> UsageError:
    """What a person typed does not fit an act: names the option, never the value."""
    first = error.errors(include_input=False, include_url=False)[0]
    name = str(first["loc"][0])
    option = "--" + _OPTIONS.get(name, name).replace("_", "-")
    return UsageError(
        f"{option}: {first['msg']}",
        f"{option} 的取值不合规（{first['msg']}）",
        remedy=(f"correct {option}", f"请修改 {option}"),
        failure="bad-value",
    )
