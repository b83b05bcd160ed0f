"""Ledger entries as tables and as data; what the commands under ``exchange audit`` share."""

from typing import TYPE_CHECKING, Any, Final

from exchange.cli.screen import Grid, Screen
from exchange.cli.times import shown
from exchange.errors import NotFound
from exchange.model.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from exchange.audit.record import Record, Row
    from exchange.audit.viewquery import Found
    from exchange.registry.state import Registry
    from exchange.wiring.office import Office

VERDICTS: Final = {
    "permit": Text("permit", "许可"),
    "deny": Text("refused", "拒绝"),
    "void": Text("void", "无效"),
}
_ENTRIES: Final = Text("Ledger entries", "账本条目")
_COLUMNS: Final = (
    Text("entry", "条目"),
    Text("time", "时间"),
    Text("who", "行为方"),
    Text("act", "行为"),
    Text("about", "对象"),
    Text("verdict", "裁决"),
    Text("rules", "规则"),
)


def no_entry(index: int, size: int) -> NotFound:
    """Somebody asked about an entry beyond the ``size`` that there are."""
    return NotFound(
        f"there is no ledger entry {index}: the last one is {size - 1}",
        f"没有第 {index} 条账本条目：最后一条是第 {size - 1} 条",
        remedy=("list them: exchange audit search", "列出全部条目：exchange audit search"),
        failure="no-such-entry",
    )


async def recorded(office: "Office") -> "tuple[Registry, Record]":
    """The whole ledger as rows, read by this member itself."""
    from exchange.audit.record import Record

    record = Record()
    office.view.listen(record.take)
    return await office.registry(), record


def tell_entries(screen: Screen, rows: "Sequence[Row | Found]") -> None:
    """Entries as a table."""
    screen.grid(Grid(_ENTRIES, _COLUMNS, [_row(row, screen) for row in rows]))


def row_data(row: "Row | Found") -> dict[str, Any]:
    """One entry for programs."""
    return {
        "entry": row.index,
        "time": shown(row.time_ms),
        "hub": row.hub,
        "act": row.act.hex(),
        "kind": row.kind,
        "member": row.member,
        "instance": row.instance,
        "about": row.subject,
        "verdict": row.verdict,
        "void": row.void,
        "rules": list(row.rules),
        "refused_items": {str(item): list(rules) for item, rules in row.refused_items},
        "carried": row.carried,
        "hash": row.entry_hash.hex(),
    }


def _row(row: "Row | Found", screen: Screen) -> list[object]:
    verdict = screen.word(VERDICTS[row.verdict])
    about = row.subject[:12] if len(row.subject) == 64 else row.subject
    who = f"{row.member}/{row.instance}" if row.instance else row.member
    partly = f" ({len(row.refused_items)})" if row.refused_items else ""
    rules = row.all_rules or row.void
    return [row.index, shown(row.time_ms), who, row.kind, about, verdict + partly, rules]
