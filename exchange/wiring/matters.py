"""Demands, objections, escalations, notices, deletions: what an office files about duties."""

from pydantic import ValidationError

from exchange.flow.ports import Admitted
from exchange.model.actcodec import Body
from exchange.model.text import Text
from exchange.wiring.newcomer import unfit
from exchange.wiring.office import Office

SAID = {
    "demand.new": Text("demand this", "提出该需求"),
    "demand.answer": Text("answer so", "如此答复"),
    "objection.new": Text("object to this", "提出该异议"),
    "objection.answer": Text("answer so", "如此答复"),
    "escalate.new": Text("escalate this", "提请升级处理"),
    "escalate.decide": Text("decide so", "如此决定"),
    "notice.new": Text("set this duty", "设定该义务"),
    "notice.settle": Text("settle this notice", "办结该通知"),
    "deletion.confirm": Text("confirm this deletion", "确认删除"),
    "person.notify": Text("state this notice to persons", "报告告知情况"),
    "duty.extend": Text("ask for more days", "申请延期"),
    "duty.consent": Text("answer that", "答复延期"),
    "calendar.adopt": Text("adopt a calendar", "采纳工作日历"),
}
"""What completes "may not …" when the rules refuse."""


async def file(office: Office, kind: type[Body], **said: object) -> Admitted:
    """Sign and submit an act about a duty; `UsageError` names a value that does not fit."""
    try:
        body = kind.model_validate(said)
    except ValidationError as error:
        raise unfit(error) from None
    return await office.submit(body, SAID[kind.kind])
