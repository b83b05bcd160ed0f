"""Who read what, as a table and as data."""

from typing import TYPE_CHECKING, Any, Final

from exchange.cli.requestpurposes import purpose_shown
from exchange.cli.screen import Grid, Screen
from exchange.cli.times import shown
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.audit.reads import Read
    from exchange.registry.state import Registry

_READS: Final = Text("Who read what", "数据读取情况")
READ_COLUMNS: Final = (
    Text("consumer", "使用方"),
    Text("dataset", "数据集"),
    Text("fields", "字段"),
    Text("regions", "区划"),
    Text("purpose", "用途"),
    Text("duty", "法定职责"),
    Text("last keys", "最近发放密钥"),
    Text("keys (entries)", "密钥（条目）"),
    Text("refused (entries)", "拒绝（条目）"),
    Text("receipts", "回执"),
    Text("keys without receipt", "无回执的密钥（条目）"),
    Text("records", "记录数"),
    Text("rules", "规则"),
)
_NO_RECEIPT: Final = Text("none", "无")
_EVERYWHERE: Final = Text("everywhere", "全部")


def tell_reads(screen: Screen, found: "list[Read]", registry: "Registry") -> None:
    """Who read what, as a table."""
    rows = [
        [
            read.consumer,
            read.dataset,
            read.fields,
            [region or screen.word(_EVERYWHERE) for region in read.regions],
            purpose_shown(registry, read.purpose, screen),
            read.duty,
            shown(read.last_ms),
            read.keys,
            read.refused,
            read.receipts or screen.word(_NO_RECEIPT),
            read.unreceipted,
            read.records,
            sorted(read.rules),
        ]
        for read in found
    ]
    screen.grid(Grid(_READS, READ_COLUMNS, rows))


def read_data(read: "Read") -> dict[str, Any]:
    """One grant's use for programs."""
    return {
        "grant": read.grant.hex(),
        "consumer": read.consumer,
        "dataset": read.dataset,
        "fields": list(read.fields),
        "regions": list(read.regions),
        "purpose": read.purpose,
        "duty": read.duty,
        "granted_at_entry": read.granted,
        "revoked_at_entry": read.revoked,
        "first_keys": shown(read.first_ms) or None,
        "last_keys": shown(read.last_ms) or None,
        "key_entries": read.keys,
        "refused_entries": read.refused,
        "receipt_entries": read.receipts,
        "records_received": read.records,
        "levels": sorted(read.levels),
        "rules": sorted(read.rules),
        "key_entries_without_receipt": read.unreceipted,
    }
