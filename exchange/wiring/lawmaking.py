"""Reading a rule set from files, having it adopted; roles, and the end of old records.

rules, findings = read_rules(Path("our-rules"))
if not findings: await adopt(office, rules, reason="…")
"""

from pathlib import Path
from typing import Final

from pydantic import ValidationError

from exchange.errors import InputUnreadable, UsageError
from exchange.flow.ports import Admitted
from exchange.model.lawacts import AdoptRules, AssignRole, EndRole, PurgeRecords, RecordClass, Role
from exchange.model.rulesarchive import pack_rules
from exchange.model.text import Text
from exchange.registry.lawbook import unfit_after
from exchange.wiring.clock import now_ms
from exchange.wiring.lawbook import CedarRules
from exchange.wiring.newcomer import unfit
from exchange.wiring.office import Office
from policies.engine import ENGINE_VERSION, check
from policies.errors import Finding, RuleSetInvalid
from policies.register import Register
from policies.ruleset import REGISTER, RuleSet
from policies.verification import lost_rows

_UNSIGNED: Final = ("; nothing was signed", "；未签署任何行为")


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
    findings = check(rules)
    if findings:
        return rules, findings
    # Rows of law only: a set made before this program need not have the bus's newest rules.
    before, after = (Register.parse(one[REGISTER]) for one in (base, rules.files))
    return rules, lost_rows(before, after, of_law=True)


def rules_hash(rules: RuleSet) -> bytes:
    """What an act that adopts ``rules`` names, under the engine of this program."""
    return rules.hash(ENGINE_VERSION)


async def adopt(office: Office, rules: RuleSet, *, reason: str) -> Admitted:
    """Adopt a rule set that was checked: it is the law from the next entry on.

    What the ledger could only deny is not signed: the set in force (`UsageError`, ``in-force``),
    one that drops a row of it (``lost-row``) or counts past days otherwise (``changed-past``), and
    one under which the authority could never adopt another, or not for a time (``last-law``).
    """
    registry = await office.registry()
    named = rules_hash(rules)
    if named == registry.rules:
        raise UsageError(
            f"rule set {named.hex()[:16]} is in force already: nothing was signed",
            f"规则集 {named.hex()[:16]} 已在施行：未签署任何行为",
            remedy=(
                "change a file of it first; 'exchange rules export' writes the set in force",
                "请先修改其中文件；exchange rules export 可导出现行规则集",
            ),
            failure="in-force",
        )
    new = CedarRules().open(rules.files)
    wrong = unfit_after(new, registry, office.view.engine, now_ms())
    if wrong is not None:
        en, zh = (f"{said}{end}" for said, end in zip(wrong.text, _UNSIGNED, strict=True))
        raise UsageError(en, zh, remedy=wrong.remedy, failure=wrong.failure)
    try:
        body = AdoptRules(
            rules=named,
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
