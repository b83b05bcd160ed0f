"""Whether policies and register say the same: every id both ways, effects, and permitted actions.

An obligation (``oblige``) is carried by permits, which fulfil it, and forbids, which keep it from
being broken; other rows by policies of their own effect.

Cedar checks each policy against the schema; what stands here is what Cedar cannot know, because it
does not read the register. Both run when an engine is made and before a rule set is adopted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from policies.errors import Finding
from policies.register import Register
from policies.rule import Rule
from policies.ruleset import REGISTER

ENGINE_RULES: Final = frozenset({"BASIS-01", "ENGINE-01"})
"""What the engine itself answers with; the register must have these as ``engine``."""


@dataclass(frozen=True, slots=True)
class PolicyHead:
    """What the register must agree with in one Cedar policy; ``actions`` empty means all."""

    file: str
    line: int
    id: str
    effect: str
    actions: tuple[str, ...]


def disagreements(register: Register, policies: tuple[PolicyHead, ...]) -> tuple[Finding, ...]:
    """Every place where ``policies`` and ``register`` differ, policies first, in file order."""
    return (
        *(
            finding
            for head in policies
            for finding in _of_policy(head, register.rules.get(head.id))
        ),
        *(finding for rule in register for finding in _of_rule(rule, policies)),
        *_of_engine(register),
    )


def lost_rows(before: Register, after: Register, *, of_law: bool = False) -> tuple[Finding, ...]:
    """Rows of ``before`` (of law only, if so asked) that ``after`` lacks: ids are for ever.

    The ledger holds them: duties, entries and reports name rules that were in force when they came
    about, and whoever reads them must still find the row.
    """
    return tuple(
        Finding(
            REGISTER,
            1,
            "lost-row",
            (
                f"{rule.id} is gone: ids of rules are for ever, the ledger holds them",
                f"缺少 {rule.id}：规则编号永久有效，账本中已有引用",
            ),
            (
                f"restore the row {rule.id}; if it holds no longer, give it a valid_to",
                f"请恢复条目 {rule.id}；若已不再施行，请填写 valid_to",
            ),
        )
        for rule in before
        if rule.id not in after.rules and not (of_law and rule.grade == "bus")
    )


def _of_policy(head: PolicyHead, rule: Rule | None) -> Iterator[Finding]:
    if not head.id:
        yield Finding(
            head.file,
            head.line,
            "no-id",
            ("a policy without @id", "策略缺少 @id"),
            (f"name a row of {REGISTER}", f"请写明 {REGISTER} 中的规则编号"),
        )
    elif rule is None or rule.enforced != "policy":
        yield Finding(
            head.file,
            head.line,
            "dangling-id",
            (
                f"{head.id} names no rule that policies enforce",
                f"{head.id} 不是由策略执行的规则",
            ),
            (
                f"add the row to {REGISTER}, or set `enforced: policy` there",
                f"请在 {REGISTER} 中补充该行，或设为 `enforced: policy`",
            ),
        )
    elif rule.effect not in {head.effect, "oblige"}:
        yield Finding(
            head.file,
            head.line,
            "wrong-effect",
            (
                f"{head.id} is a {head.effect} here and a {rule.effect} in {REGISTER}",
                f"{head.id} 在此为 {head.effect}，在 {REGISTER} 中为 {rule.effect}",
            ),
            ("make them agree", "请使两处一致"),
        )


def _of_rule(rule: Rule, policies: tuple[PolicyHead, ...]) -> Iterator[Finding]:
    heads = [head for head in policies if head.id == rule.id]
    if rule.enforced == "policy" and not heads:
        yield Finding(
            REGISTER,
            rule.line,
            "unenforced-id",
            (f"no policy carries {rule.id}", f"没有策略带有 {rule.id}"),
            ("write the policy, or set `enforced: later`", "请编写策略，或设为 `enforced: later`"),
        )
    # A head that names no action speaks of all of them, also of those yet to be invented.
    permits = [head for head in heads if head.effect == "permit"]
    permitted = {action for head in permits for action in head.actions or ("every action",)}
    if heads and permitted != set(rule.actions):
        differing = ", ".join(sorted(permitted ^ set(rule.actions)))
        yield Finding(
            REGISTER,
            rule.line,
            "wrong-actions",
            (
                f"{rule.id}: actions and policies differ in {differing}",
                f"{rule.id}：actions 与策略不一致：{differing}",
            ),
            ("list exactly what the policies permit", "请准确列出策略许可的动作"),
        )


def _of_engine(register: Register) -> Iterator[Finding]:
    stated = {rule.id for rule in register if rule.enforced == "engine"}
    for name in sorted(ENGINE_RULES - stated):
        yield Finding(
            REGISTER,
            1,
            "unenforced-id",
            (f"{name} must be `enforced: engine`", f"{name} 须设为 `enforced: engine`"),
            ("restore the row", "请恢复该行"),
        )
    for name in sorted(stated):
        rule = register.rules[name]
        if rule.grade != "bus":
            yield Finding(
                REGISTER,
                rule.line,
                "unenforced-id",
                (
                    f"{name} is law: only a policy can enforce it",
                    f"{name} 属于法定规则，只能由策略执行",
                ),
                (
                    "write the policy, or set `enforced: later`",
                    "请编写策略，或设为 `enforced: later`",
                ),
            )
