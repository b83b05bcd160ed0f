"""``exchange rules check|adopt|diff|export``: changing the law, and what that would change."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.cli.screen import Grid, Screen
from exchange.cli.session import Session, session_of
from exchange.cli.work import as_authority, as_reader
from exchange.errors import UsageError
from exchange.model.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchange.audit.lawdiff import Change
    from exchange.flow.ports import Admitted
    from exchange.wiring.office import Office
    from policies.errors import Finding
    from policies.facts import Answer
    from policies.ruleset import RuleSet

_FINDINGS: Final = Text("Findings", "检查发现")
_FINDING_COLUMNS: Final = (
    Text("file", "文件"),
    Text("line", "行"),
    Text("failure", "类别"),
    Text("what is wrong", "问题"),
    Text("what to do", "办法"),
)
_GOOD: Final = Text(
    "{path}: a right rule set, {rules} rules; hash {hash}",
    "{path}：规则集正确，共 {rules} 条规则；哈希 {hash}",
)
_ADOPTED: Final = Text(
    "rule set {hash} is the law from the entry after {index} on",
    "规则集 {hash} 自账本条目 {index} 之后施行",
)
_CHANGES: Final = Text("What would change", "将发生的变化")
_CHANGE_COLUMNS: Final = (
    Text("what", "对象"),
    Text("id", "编号"),
    Text("member", "成员"),
    Text("dataset", "数据集"),
    Text("now", "现在"),
    Text("then", "采纳后"),
)
_SUBJECTS: Final = {
    "grant": Text("grant", "授权"),
    "application": Text("application", "申请"),
    "dataset": Text("new stream", "新开数据流"),
}
_NO_CHANGE: Final = Text(
    "no standing grant, open application or published dataset would be answered otherwise",
    "现有授权、待答复申请与已发布数据集的结果均不变",
)
_EXPORTED: Final = Text(
    "{count} files of rule set {hash} are in {path}", "规则集 {hash} 的 {count} 个文件已写入 {path}"
)

Rules = Annotated[Path, typer.Argument(help="Folder of a rule set, or one file of it.")]


def register(app: typer.Typer) -> None:
    """Put the commands under ``app``."""
    app.command("check")(check)
    app.command("diff")(diff)
    app.command("adopt")(adopt)
    app.command("export")(export)


def check(context: typer.Context, path: Rules) -> int:
    """Check a rule set before it is adopted; name file, line and remedy of every mistake."""
    screen = session_of(context).screen
    rules = _checked(screen, path)
    if rules is None:
        return 1
    from policies.register import Register
    from policies.ruleset import REGISTER

    count = len(Register.parse(rules.files[REGISTER]).rules)
    screen.say(_GOOD, path=str(path), rules=count, hash=_hash(rules)[:16])
    screen.answer({"findings": [], "rules": count, "rule_set": _hash(rules)})
    return 0


def diff(context: typer.Context, path: Rules) -> int:
    """Show which grants, applications and datasets a rule set would answer otherwise."""
    from exchange.wiring.clock import now_ms
    from exchange.wiring.lawbook import CedarRules

    session = session_of(context)
    rules = _checked(session.screen, path)
    if rules is None:
        return 1

    async def work(office: "Office") -> "list[Change]":
        from exchange.audit.lawdiff import changes

        registry = await office.registry()
        new = CedarRules().open(rules.files)
        return list(changes(registry, office.view.engine, new, now_ms()))

    found = as_reader(session, work)
    _tell_changes(session.screen, found)
    session.screen.answer(
        {"rule_set": _hash(rules), "changes": [_change_data(one) for one in found]}
    )
    return 0


def adopt(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="Folder of a rule set.")],
    reason: Annotated[str, typer.Option("--reason", help="Why; stands on the ledger.")] = "",
) -> int:
    """Adopt a rule set, as the authority: it is the law from the next entry on."""
    session = session_of(context)
    rules = _checked(session.screen, path)
    if rules is None:
        return 1

    async def work(office: "Office") -> "Admitted":
        from exchange.wiring import lawmaking

        return await lawmaking.adopt(office, rules, reason=reason)

    admitted = as_authority(session, work)
    session.screen.say(_ADOPTED, hash=_hash(rules)[:16], index=admitted.index)
    session.screen.answer({"rule_set": _hash(rules), "entry": admitted.index, "act": admitted.act})
    return 0


def export(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="A folder that is empty, or does not exist yet.")],
    shipped: Annotated[
        bool,
        typer.Option(
            "--shipped", help="The rules of this program, not those that the ledger adopted."
        ),
    ] = False,
) -> None:
    """Write the rule set in force into a folder, to be changed and adopted."""
    session = session_of(context)
    files = _in_force(session, shipped=shipped)
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise UsageError(
            f"{path} is not an empty folder",
            f"{path} 不是空目录",
            remedy=("name a new folder", "请另选新目录"),
            failure="exists",
        )
    path.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (path / name).write_bytes(content)
    from policies.ruleset import RuleSet

    shown = _hash(RuleSet(files))
    session.screen.say(_EXPORTED, count=len(files), hash=shown[:16], path=str(path))
    session.screen.answer({"rule_set": shown, "files": sorted(files), "path": str(path)})


def _in_force(session: Session, *, shipped: bool) -> dict[str, bytes]:
    from exchange.wiring.home import CONFIGURATION
    from exchange.wiring.lawbook import rules_in_force
    from policies.ruleset import RuleSet

    if shipped or not (session.home / CONFIGURATION).is_file():
        return dict(RuleSet.read().files)
    return rules_in_force(as_reader(session, lambda office: office.registry()))


def _checked(screen: Screen, path: Path) -> "RuleSet | None":
    """The rule set if it may be adopted; None after its mistakes have been told."""
    from exchange.wiring.lawmaking import read_rules
    from policies.ruleset import RuleSet

    rules, findings = read_rules(path, dict(RuleSet.read().files))
    if rules is not None and not findings:
        return rules
    _tell_findings(screen, findings)
    return None


def _tell_findings(screen: Screen, findings: "Sequence[Finding]") -> None:
    rows = [
        [
            one.file,
            one.line,
            one.failure,
            screen.word(Text(*one.text)),
            screen.word(Text(*one.remedy)),
        ]
        for one in findings
    ]
    screen.grid(Grid(_FINDINGS, _FINDING_COLUMNS, rows))
    screen.answer(
        {
            "findings": [
                {
                    "file": one.file,
                    "line": one.line,
                    "failure": one.failure,
                    "text": Text(*one.text),
                    "remedy": Text(*one.remedy),
                }
                for one in findings
            ]
        }
    )


def _tell_changes(screen: Screen, found: "Sequence[Change]") -> None:
    if not found:
        screen.say(_NO_CHANGE)
        return
    rows = [
        [
            screen.word(_SUBJECTS[one.subject]),
            one.id[:12] if one.subject != "dataset" else one.id,
            one.member,
            one.dataset,
            _said(screen, one.before),
            _said(screen, one.after),
        ]
        for one in found
    ]
    screen.grid(Grid(_CHANGES, _CHANGE_COLUMNS, rows))


def _said(screen: Screen, answer: "Answer") -> str:
    from exchange.cli.auditentries import VERDICTS

    return (
        f"{screen.word(VERDICTS['permit' if answer.permit else 'deny'])}: {', '.join(answer.rules)}"
    )


def _change_data(change: "Change") -> dict[str, Any]:
    return {
        "subject": change.subject,
        "id": change.id,
        "member": change.member,
        "dataset": change.dataset,
        "before": {"permit": change.before.permit, "rules": list(change.before.rules)},
        "after": {"permit": change.after.permit, "rules": list(change.after.rules)},
    }


def _hash(rules: "RuleSet") -> str:
    from exchange.wiring.lawmaking import rules_hash

    return rules_hash(rules).hex()
