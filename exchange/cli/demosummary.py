"""How the demo ended: a table for people, summary.json for programs."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exchange.cli import demotexts as texts
from exchange.cli.screen import Grid, Screen

if TYPE_CHECKING:
    from exchange.audit.record import Record
    from exchange.audit.verify import Examined
    from exchange.cli.demostage import Stage

FILE = "summary.json"


def summarise(stage: "Stage", record: "Record", found: "Examined") -> dict[str, Any]:
    """All but version and time; refusals are what the auditor found on the ledger."""
    return {
        "records_pushed": stage.pushed,
        "records_delivered": stage.delivered,
        "refusals": [
            {
                "rule": rule,
                "entry": row.index,
                "member": row.member,
                "act": row.kind,
                "about": row.subject,
            }
            for row in record.refusals()
            for rule in row.all_rules
        ],
        "tampered_refused": stage.tampered_refused,
        "duties": stage.duties,
        "ledger_entries": found.entries,
        "ledger_root": found.root.hex(),
        "verified": True,
    }


def write_summary(folder: Path, summary: dict[str, Any]) -> Path:
    """Put the summary into ``folder`` in one piece."""
    file = folder / FILE
    draft = folder / f".{FILE}.part"
    draft.write_text(json.dumps(summary, ensure_ascii=False, indent=2) + "\n", "utf-8")
    draft.replace(file)
    return file


def tell_summary(screen: Screen, summary: dict[str, Any], file: Path) -> None:
    """The table at the end."""
    refusals = ", ".join(f"{one['rule']} (#{one['entry']})" for one in summary["refusals"])
    overdue = ", ".join(
        f"{'/'.join(one['rules'])} {one['owner']} (#{one['entry']})"
        for one in summary["duties"]["overdue"]
    )
    word = screen.word
    rows = [
        ["Kafka", summary["kafka"]],
        [word(texts.RECORDS_PUSHED), f"{summary['records_pushed']:,}"],
        [word(texts.RECORDS_DELIVERED), f"{summary['records_delivered']:,}"],
        [word(texts.REFUSALS), refusals],
        [word(texts.TAMPERED_COUNT), summary["tampered_refused"]],
        [word(texts.OVERDUE), overdue],
        [word(texts.ENTRIES), summary["ledger_entries"]],
        [word(texts.ROOT), summary["ledger_root"]],
        [word(texts.VERIFIED), word(texts.YES if summary["verified"] else texts.NO)],
        [word(texts.SECONDS), summary["seconds"]],
    ]
    screen.grid(Grid(texts.SUMMARY, (texts.WHAT, texts.RESULT), rows))
    screen.say(texts.HONEST)
    screen.say(texts.WRITTEN, file=file)
    screen.answer(summary)
