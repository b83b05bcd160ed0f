"""Reading a rule set from files, having it adopted; roles, and the end of old records.

rules, findings = read_rules(Path("our-rules"))
if not findings: await adopt(office, rules, reason="…")
"""

from pathlib import Path

from pydantic import ValidationError

from exchange.errors import InputUnreadable
from exchange.flow.ports import Admitted
from exchange.model.lawacts import AdoptRules, AssignRole, EndRole, PurgeRecords, RecordClass, Role
from exchange.model.rulesarchive import pack_rules
from exchange.model.text import Text
from exchange.wiring.newcomer import unfit
from exchange.wiring.office import Office
from policies.engine import ENGINE_VERSION, check
from policies.errors import Finding, RuleSetInvalid
from policies.ruleset import RuleSet


def read_rules(path: Path, base: dict[str, bytes]) -> tuple[RuleSet | None, tuple[Finding, ...]]:
    """The rule set in folder ``path``, or ``base`` with the one file ``path`` in it, and mistakes.

    Without findings it may be adopted. Raises `InputUnreadable` when there is nothing to read.
    """
    try:
        if path.is_dir():
            rules = RuleSet.read(path)
        else:
            rules = RuleSet({**base, path.name: path.read_bytes()})
    except OSError as error:
        raise InputUnreadable(
            f"{path} cannot be read: {error.strerror}",
            f"无法读取 {path}：{error.strerror}",
            remedy=("name a folder or a file of a rule set", "请指定规则集目录或文件"),
            failure="no-rules",
        ) from None
    except RuleSetInvalid as invalid:
        return None, invalid.findings
    return rules, check(rules)


def rules_hash(rules: RuleSet) -> bytes:
    """What an act that adopts ``rules`` names, under the engine of this program."""
    return rules.hash(ENGINE_VERSION)


async def adopt(office: Office, rules: RuleSet, *, reason: str) -> Admitted:
    """Adopt a rule set that was checked: it is the law from the next entry on."""
    try:
        body = AdoptRules(
            rules=rules_hash(rules),
            engine=ENGINE_VERSION,
            archive=pack_rules(rules.files),
            reason=reason,
        )
    except ValidationError as error:
        raise unfit(error) from None
    return await office.submit(body, Text("adopt these rules", "采纳该规则集"))


async def assign_role(office: Office, member: str, holder: str, role: Role) -> Admitted:
    """Give a role to one of a member's people, by code."""
    try:
        body = AssignRole(member=member, holder=holder, role=role)
    except ValidationError as error:
        raise unfit(error) from None
    return await office.submit(body, Text(f"give {holder} that role", f"指定 {holder} 的角色"))


async def end_role(office: Office, member: str, holder: str, role: Role) -> Admitted:
    """End a role."""
    try:
        body = EndRole(member=member, holder=holder, role=role)
    except ValidationError as error:
        raise unfit(error) from None
    return await office.submit(body, Text(f"end that role of {holder}", f"终止 {holder} 的角色"))


async def declare_purge(office: Office, records: RecordClass, up_to_ms: int) -> Admitted:
    """State that records of a class, up to a moment, are deleted; the rules know the terms."""
    body = PurgeRecords(records=records, up_to_ms=up_to_ms)
    return await office.submit(body, Text("delete these records", "清除这些记录"))
