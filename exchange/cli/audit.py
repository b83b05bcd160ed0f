"""``exchange audit``: read the ledger oneself, search it, explain an entry, verify it all."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.cli.rules import tell_rules
from exchange.cli.screen import Grid, Screen
from exchange.cli.session import Session, session_of
from exchange.cli.times import shown, span_ms
from exchange.cli.work import ID_DIGITS_MIN, as_reader, find_id
from exchange.errors import NotFound, UsageError
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.audit.reads import Read
    from exchange.audit.record import Record, Row
    from exchange.audit.verify import Examined
    from exchange.registry.state import Registry
    from exchange.wiring.office import Office

app = typer.Typer(
    no_args_is_help=True, help="Who did what, who read what, and whether the ledger is whole."
)

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
_LABELS: Final = {
    "entry": Text("entry", "条目"),
    "time": Text("time", "时间"),
    "hub": Text("hub", "枢纽"),
    "act": Text("act", "行为编号"),
    "kind": Text("kind", "行为"),
    "member": Text("member", "成员"),
    "instance": Text("instance", "实例"),
    "about": Text("about", "对象"),
    "verdict": Text("verdict", "裁决"),
    "void": Text("void", "无效原因"),
    "rules": Text("rules", "规则"),
    "refused_items": Text("refused items", "拒绝的项"),
    "carried": Text("the hub's verdict stands", "枢纽裁决是否有效"),
    "hash": Text("hash", "散列值"),
}
_SAID: Final = {
    **{("verdict", name): said for name, said in VERDICTS.items()},
    ("carried", "True"): Text("yes", "是"),
    ("carried", "False"): Text("no, decided anew", "否，已重新裁决"),
}
_NO_RECEIPT: Final = Text("none", "无")
_EVERYWHERE: Final = Text("everywhere", "全部")
_WHOLE: Final = Text(
    "the ledger is whole: {entries} entries from the pinned genesis on, root {root}",
    "账本完整：自固定的创世条目起共 {entries} 条，根 {root}",
)
_FOUND: Final = Text(
    "every signature and every verdict was checked here; {denials} refusals, {rejudged} verdicts"
    " decided anew, {void} void acts, {junk} foreign messages skipped",
    "所有签名与裁决均在本机核验；拒绝 {denials} 项，重新裁决 {rejudged} 项，无效行为 {void} 项，"
    "跳过外来消息 {junk} 条",
)
_HUB_AGREES: Final = Text(
    "the hub states the same {size} entries and root", "枢纽给出的 {size} 条及其根与此一致"
)
_HUB_SILENT: Final = Text("no hub was asked", "未向枢纽核对")


@app.command("verify")
def verify(
    context: typer.Context,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not compare with the hub's word.")
    ] = False,
) -> None:
    """Read the whole ledger from Kafka, check every signature and verdict, compare with the hub."""
    session = session_of(context)
    screen = session.screen

    async def work(office: "Office") -> "Examined":
        return await verify_ledger(office, offline=offline)

    found = as_reader(session, work)
    tell_examined(screen, found)
    screen.answer(
        {
            "verified": True,
            "entries": found.entries,
            "root": found.root,
            "time": shown(found.time_ms),
            "denials": found.denials,
            "rejudged": found.rejudged,
            "void": found.void,
            "junk": found.junk,
            "hub_size": found.hub_size,
        }
    )


@app.command("search")
def search(
    context: typer.Context,
    member: Annotated[str, typer.Option("--member", help="Who acted.")] = "",
    kind: Annotated[str, typer.Option("--kind", help="Kind of act, for instance keys.ask.")] = "",
    about: Annotated[
        str, typer.Option("--about", help="Dataset, member, grant, request or stream it is about.")
    ] = "",
    rule: Annotated[str, typer.Option("--rule", help="A rule that decided.")] = "",
    verdict: Annotated[str, typer.Option("--verdict", help="permit, deny or void.")] = "",
    since: Annotated[str, typer.Option("--from", help="From this day or moment on.")] = "",
    until: Annotated[str, typer.Option("--to", help="To the end of this day, or moment.")] = "",
    reads: Annotated[
        bool, typer.Option("--reads", help="Who read what: grants, keys and receipts.")
    ] = False,
) -> None:
    """Search the ledger; with --reads, say who read what, for what purpose, on which basis."""
    from exchange.audit.reads import reads as all_reads
    from exchange.audit.record import Search
    from exchange.wiring.clock import now_ms

    session = session_of(context)
    screen = session.screen
    if verdict and verdict not in VERDICTS:
        raise _no_verdict(verdict)
    if reads and (kind or rule or verdict):
        raise _other_search()
    from_ms, to_ms = span_ms(since, until, now_ms=now_ms())
    wanted = Search(
        member=member,
        kind=kind,
        subject=about,
        rule=rule.upper(),
        verdict=verdict,
        from_ms=from_ms,
        to_ms=to_ms,
    )
    registry, record = as_reader(session, recorded)
    if reads:
        found = [
            read
            for read in all_reads(record.rows, registry, from_ms=from_ms, to_ms=to_ms)
            if (not member or read.consumer == member)
            and (not about or read.dataset == about or read.grant.hex().startswith(about))
            and (read.used or not (since or until))
        ]
        tell_reads(screen, found)
        screen.answer({"reads": [read_data(read) for read in found]})
        return
    rows = list(record.search(wanted))
    screen.grid(Grid(_ENTRIES, _COLUMNS, [_row(row, screen) for row in rows]))
    screen.answer({"entries": [row_data(row) for row in rows]})


@app.command("show")
def show(
    context: typer.Context,
    entry: Annotated[str, typer.Argument(help="Index of an entry, or id of an act.")],
) -> None:
    """Show one entry: who signed what, which verdict, under which rules, and where they stand."""
    show_entry(session_of(context), entry)


def show_entry(session: Session, entry: str) -> None:
    """One entry with its act, its verdict and the rules behind it."""
    screen = session.screen
    _, record = as_reader(session, recorded)
    row = _find(record, entry)
    data = row_data(row) | {"body": _body(row)}
    for name, value in data.items():
        if name != "body" and value not in ("", [], {}):
            said = screen.word(_SAID.get((name, str(value)), Text(_flat(value), _flat(value))))
            label = screen.word(_LABELS[name])
            screen.say(Text("{name}: {value}", "{name}：{value}"), name=label, value=said)
    for name, value in data["body"].items():
        several = isinstance(value, list) and any(isinstance(one, dict) for one in value)
        for one in value if several else [value]:
            screen.say(Text("  {name}: {value}", "  {name}：{value}"), name=name, value=_flat(one))
    tell_rules(screen, row.all_rules)
    screen.answer(data)


async def recorded(office: "Office") -> "tuple[Registry, Record]":
    """The whole ledger as rows, read by this member itself."""
    from exchange.audit.record import Record

    record = Record()
    office.view.listen(record.take)
    return await office.registry(), record


async def verify_ledger(office: "Office", *, offline: bool = False) -> "Examined":
    """Read everything from the pin on, then compare with what the hub says."""
    from exchange.audit.verify import examine

    office.view.scrutinise()
    head = None if offline else await office.hub.head()
    registry, record = await recorded(office)
    hub = None if head is None else (head.size, head.root)
    return examine(office.view.follower, record, registry, hub=hub)


def tell_examined(screen: Screen, found: "Examined") -> None:
    """The findings in words."""
    screen.say(_WHOLE, entries=found.entries, root=found.root.hex())
    screen.say(
        _FOUND,
        denials=found.denials,
        rejudged=found.rejudged,
        void=found.void,
        junk=sum(found.junk.values()),
    )
    if found.hub_size < 0:
        screen.say(_HUB_SILENT)
    else:
        screen.say(_HUB_AGREES, size=found.hub_size)


def tell_reads(screen: Screen, found: "list[Read]") -> None:
    """Who read what, as a table."""
    rows = [
        [
            read.consumer,
            read.dataset,
            read.fields,
            [region or screen.word(_EVERYWHERE) for region in read.regions],
            read.purpose,
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


def row_data(row: "Row") -> dict[str, Any]:
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


def _flat(value: object) -> str:
    """A value of an entry as people read it."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_flat(inner)}" for name, inner in value.items())
    return ", ".join(map(_flat, value)) if isinstance(value, list) else str(value)


def _no_verdict(text: str) -> UsageError:
    return UsageError(
        f"there is no verdict {text[:40]!r}",
        f"没有裁决 {text[:40]!r}",
        remedy=("write permit, deny or void", "请写 permit（许可）、deny（拒绝）或 void（无效）"),
        failure="verdict",
    )


def _other_search() -> UsageError:
    return UsageError(
        "--reads shows grants, so --kind, --rule and --verdict say nothing about it",
        "--reads 按授权列出，--kind、--rule、--verdict 对其无意义",
        remedy=("search without --reads for entries", "检索条目时请去掉 --reads"),
        failure="search",
    )


def _row(row: "Row", screen: Screen) -> list[object]:
    verdict = screen.word(VERDICTS[row.verdict])
    about = row.subject[:12] if len(row.subject) == 64 else row.subject
    who = f"{row.member}/{row.instance}" if row.instance else row.member
    partly = f" ({len(row.refused_items)})" if row.refused_items else ""
    rules = row.all_rules or row.void
    return [row.index, shown(row.time_ms), who, row.kind, about, verdict + partly, rules]


def _find(record: "Record", entry: str) -> "Row":
    if entry.isdigit() and int(entry) < len(record.rows):
        return record.rows[int(entry)]
    if entry.isdigit() and len(entry) < ID_DIGITS_MIN:
        raise NotFound(
            f"there is no ledger entry {entry}: the last one is {len(record.rows) - 1}",
            f"没有第 {entry} 条账本条目：最后一条是第 {len(record.rows) - 1} 条",
            remedy=("list them: exchange audit search", "列出全部条目：exchange audit search"),
            failure="no-such-entry",
        )
    by_act = {row.act: row for row in record.rows if row.act}
    return by_act[find_id(Text("entry", "账本条目"), by_act, entry)]


def _body(row: "Row") -> dict[str, Any]:
    """What the act says: times for people, ids in hex, long bytes by their length."""
    if row.parsed is None:
        return {}
    from exchange.audit.forks import stated
    from exchange.model.acts import ReportFork

    body = row.parsed.body
    said = {name: _said(name, value) for name, value in body.model_dump().items()}
    return said | stated(body) if isinstance(body, ReportFork) else said


def _said(name: str, value: Any) -> Any:  # noqa: ANN401 - any plain value of an act
    match value:
        case bytes():
            return value.hex() if len(value) <= 32 else f"({len(value)} bytes)"
        case dict():
            return {key: _said(key, inner) for key, inner in value.items()}
        case list() | tuple():
            return [_said(name, inner) for inner in value]
        case int() if name.endswith("_ms") and value > 1_000_000_000_000:
            return shown(value)
    return value
