"""Bring an organisation onto the bus: its officer key and its instance, put on the ledger.

Order, and what a crash leaves behind: the key file is made first, then the authority's act, then
the instance's. Running the same command again continues where it stopped: keys that exist are used,
acts that stand are not repeated. Where the organisation runs a machine of its own its keys never
come here: it hands over a claim (`exchange.wiring.claim`) and registers its instance itself.
"""

from exchange.errors import CheckFailed, UsageError
from exchange.flow.ports import Admitted
from exchange.model.acts import EnrolMember
from exchange.model.text import Text
from exchange.registry.state import Registry
from exchange.wiring.claim import Claim
from exchange.wiring.home import DEFAULT_INSTANCE
from exchange.wiring.homekeys import OFFICER, create_custody, open_custody
from exchange.wiring.newcomer import Newcomer, enrolment
from exchange.wiring.office import Office, furnish_office
from exchange.wiring.passphrase import Passphrase
from exchange.wiring.registration import registration, signing_key
from exchange.wiring.settings import Settings
from keys.identity import check_signing_key

_ENROL = Text("enrol a member", "接纳成员")


async def enrol_member(
    authority: Office, newcomer: Newcomer, passphrase: Passphrase, settings: Settings
) -> Admitted:
    """Make the member's key file in this home, enrol it, register its first instance.

    Returns what admitted the member (or, when it stood already, its instance). `RuleRefused` when
    the rules forbid it, `UsageError` when there is nothing left to do.
    """
    home = authority.home
    newcomer.checked()
    registry = await authority.registry()
    if registry.active(newcomer.member, DEFAULT_INSTANCE):
        raise _enrolled_already(newcomer.member)
    _check_code(registry, newcomer.member, newcomer.credit_code)
    if home.custody_file(newcomer.member).exists():
        custody = open_custody(home, newcomer.member, passphrase)
    else:
        custody = create_custody(home.custody_file(newcomer.member), passphrase)
    signing_key(custody, OFFICER)
    admitted = None
    if newcomer.member not in registry.members:
        body = enrolment(newcomer, custody, authority.origin)
        admitted = await authority.submit(body, _ENROL)
    async with furnish_office(home, settings, newcomer.member, custody, authority.bus) as office:
        registered = await register_instance(office, DEFAULT_INSTANCE)
    return admitted or registered


async def enrol_claimed(authority: Office, claim: Claim) -> Admitted:
    """Enrol the organisation of a checked claim, whose keys are on another machine.

    `CheckFailed` when the claim is for another ledger or its name stands under other keys,
    `UsageError` when it is enrolled already, `RuleRefused` when the rules forbid it.
    """
    claim.check_ledger(authority.origin, authority.home.table.log.genesis)
    registry = await authority.registry()
    _check_free(registry, claim.body)
    _check_code(registry, claim.body.member, claim.body.credit_code)
    return await authority.submit(claim.body, _ENROL)


async def register_instance(office: Office, name: str, number: int = 0) -> Admitted:
    """Register an adapter instance of the member with its ``number``-th keys, made if missing."""
    body = registration(
        office.custody, origin=office.origin, member=office.member, name=name, number=number
    )
    return await office.submit(body, Text("register an instance", "登记实例"))


def _check_free(registry: Registry, body: EnrolMember) -> None:
    row = registry.members.get(body.member)
    if row is None:
        return
    if row.officer_kid == check_signing_key(body.officer):
        raise _enrolled_already(body.member)
    raise CheckFailed(
        f"{body.member} is enrolled already, with another officer key than the claim's",
        f"{body.member} 已经加入，且其机构密钥与申请文件中的不同",
        remedy=(
            "ask who made this claim; another organisation needs another member id",
            "请核实申请文件的来源；不同机构须使用不同的成员标识",
        ),
        failure="other-keys",
    )


def _check_code(registry: Registry, member: str, credit_code: str) -> None:
    """The hub refuses it too, on the record (STATE-01); here nothing has been made yet."""
    holder = registry.organisations.get(credit_code)
    if holder is None or holder == member or not registry.members[holder].active:
        return
    raise CheckFailed(
        f"credit code {credit_code} is that of {holder}, which is enrolled",
        f"统一社会信用代码 {credit_code} 属于已加入的 {holder}",
        remedy=(
            f"check the code; that organisation acts as {holder}: exchange member show {holder}",
            f"请核对代码；该机构以 {holder} 的身份操作：exchange member show {holder}",
        ),
        failure="code-taken",
    )


def _enrolled_already(member: str) -> UsageError:
    return UsageError(
        f"{member} is enrolled already",
        f"{member} 已经加入",
        remedy=(f"see: exchange member show {member}", f"请查看：exchange member show {member}"),
        failure="enrolled",
    )
