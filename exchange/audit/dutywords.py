"""What duties and their states are called, in both languages."""

from typing import Final

from exchange.model.text import Text
from exchange.registry.duties import State
from exchange.registry.dutyrows import DutyKind

KINDS: Final[dict[DutyKind, Text]] = {
    "answer": Text("answer an application", "答复申请"),
    "catalogue": Text("update the entry", "更新目录"),
    "correct": Text("correct by a date", "限期更正"),
    "cycle": Text("provide a period", "按周期提供"),
    "decide": Text("decide an escalation", "处理升级事项"),
    "delete": Text("delete the copy", "删除副本"),
    "demand": Text("answer a demand", "答复需求"),
    "directed": Text("do what was directed", "执行决定"),
    "first": Text("provide first", "首次提供"),
    "notify": Text("tell the persons", "告知个人"),
    "objection": Text("answer an objection", "答复异议"),
    "register": Text("register the data", "登记目录"),
}
STATES: Final[dict[State, Text]] = {
    "due": Text("due", "待办"),
    "done": Text("done in time", "按期办结"),
    "late": Text("done late", "逾期办结"),
    "breached": Text("breached", "逾期未办"),
    "escalated": Text("escalated", "已升级"),
    "awaiting-calendar": Text("awaiting calendar", "待日历"),
    "lapsed": Text("lapsed", "已失效"),
}
