"""``exchange request``: apply for data, answer an application, see how it stands."""

from typing import TYPE_CHECKING, Any, Final

import typer

from exchange.cli.requestanswer import RequestId
from exchange.cli.requestanswer import register as register_answer
from exchange.cli.requestnew import KIND
from exchange.cli.requestnew import register as register_new
from exchange.cli.requestpurposes import purpose_shown
from exchange.cli.requestpurposes import register as register_purposes
from exchange.cli.rules import tell_rules
from exchange.cli.screen import Grid
from exchange.cli.session import session_of
from exchange.cli.times import shown
from exchange.cli.work import as_reader, find_id, short
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.registry.rows import Request

app = typer.Typer(no_args_is_help=True, help="Applications for data and the answers to them.")

STATUS: Final = {
    "open": Text("open", "待答复"),
    "returned": Text("returned, to be completed", "已退回，待补全"),
    "approved": Text("approved", "已同意"),
    "refused": Text("refused", "已拒绝"),
    "withdrawn": Text("withdrawn", "已撤回"),
}
_TITLE: Final = Text("Applications", "申请")
_COLUMNS: Final = (
    Text("application", "申请编号"),
    Text("consumer", "申请方"),
    Text("dataset", "数据集"),
    Text("status", "状态"),
    Text("missing", "缺少"),
    Text("purpose", "用途"),
    Text("duty", "法定职责"),
    Text("regions", "区划"),
    Text("fields", "字段"),
)
_LABELS: Final = {
    "request": Text("application", "申请编号"),
    "consumer": Text("consumer", "申请方"),
    "dataset": Text("dataset", "数据集"),
    "status": Text("status", "状态"),
    "missing": Text("missing", "缺少"),
    "purpose": Text("purpose", "用途"),
    "duty": Text("duty", "法定职责"),
    "scenario": Text("scenario", "使用场景"),
    "manner": Text("manner", "提供方式"),
    "fields": Text("fields", "字段"),
    "necessary": Text("necessary personal fields", "履职必需的个人信息字段"),
    "assessment": Text("impact assessment", "影响评估编号"),
    "regions": Text("regions", "区划"),
    "from": Text("from", "数据起"),
    "to": Text("to", "数据止"),
    "expires": Text("expires", "到期"),
    "basis": Text("basis of the refusal", "拒绝依据"),
    "reason": Text("reason of the refusal", "拒绝理由"),
    "entry": Text("entry", "账本条目"),
}
MODES: Final = {
    "table": Text("table", "库表"),
    "api": Text("API", "接口"),
    "file": Text("file", "文件"),
}

for register in (register_new, register_answer, register_purposes):
    register(app)


@app.command("list")
def list_requests(context: typer.Context) -> None:
    """List the applications on the ledger."""
    session = session_of(context)
    screen = session.screen
    registry = as_reader(session, lambda office: office.registry())
    rows = [
        [
            short(row.id),
            row.consumer,
            row.dataset,
            screen.word(STATUS[row.status]),
            row.missing,
            purpose_shown(registry, row.purpose, screen),
            row.duty,
            row.regions,
            row.fields,
        ]
        for row in registry.requests.values()
    ]
    screen.grid(Grid(_TITLE, _COLUMNS, rows))
    screen.answer({"requests": [request_data(row) for row in registry.requests.values()]})


@app.command("show")
def show(context: typer.Context, request: RequestId) -> None:
    """Show one application: how it stands, what is missing, under which rules it came to that."""
    from exchange.cli.auditentries import recorded
    from exchange.model.reasons import REASONS
    from exchange.wiring.applications import PARTS

    session = session_of(context)
    screen = session.screen
    registry, record = as_reader(session, recorded)
    row = registry.requests[find_id(KIND, registry.requests, request)]
    data = request_data(row)
    words = {
        "status": screen.word(STATUS[row.status]),
        "missing": ", ".join(screen.word(PARTS[part]) for part in row.missing),
        "purpose": purpose_shown(registry, row.purpose, screen),
        "manner": screen.word(MODES[row.manner]) if row.manner else "",
        "reason": screen.word(REASONS[row.reason]) if row.reason else "",
    }
    for name, label in _LABELS.items():
        value = words.get(name, data[name])
        if value or name == "regions":
            screen.pair(screen.word(label), value)
    acts = {row.id, row.answer}
    rules = dict.fromkeys(
        rule for entry in record.rows if entry.act in acts for rule in entry.all_rules
    )
    tell_rules(screen, rules)
    screen.answer(data | {"rules": list(rules)})


def request_data(row: "Request") -> dict[str, Any]:
    """One application for programs."""
    return {
        "request": row.id.hex(),
        "consumer": row.consumer,
        "dataset": row.dataset,
        "status": row.status,
        "missing": list(row.missing),
        "purpose": row.purpose,
        "duty": row.duty,
        "scenario": row.scenario,
        "manner": row.manner,
        "fields": list(row.fields),
        "necessary": list(row.necessary),
        "assessment": row.assessment,
        "regions": list(row.regions),
        "from": shown(row.from_ms),
        "to": shown(row.to_ms),
        "expires": shown(row.expires_ms),
        "basis": row.basis,
        "reason": row.reason,
        "entry": row.opened,
    }
