"""``exchange audit reconcile``: releases, receipts and anchors, lined up; exit 1 if they do not."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.cli.auditasking import NARROWED, OFF_RECORD, ON_RECORD
from exchange.cli.auditsearch import ForOption, OfflineOption
from exchange.cli.screen import Grid, Screen
from exchange.cli.session import session_of
from exchange.cli.times import duration_ms, shown, span_ms
from exchange.cli.work import as_reader
from exchange.errors import NotFound, UsageError
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.audit.findings import Finding
    from exchange.audit.reconcile import Reconciled
    from exchange.audit.tally import Due
    from exchange.registry.state import Registry
    from exchange.wiring.office import Office

_CLEAN: Final = Text(
    "Everything lines up: {keys} keys, {receipts} receipts, {anchors} anchors",
    "全部对账一致：密钥 {keys} 份，回执 {receipts} 份，进度锚点 {anchors} 个",
)
_FOUND: Final = Text(
    "{count} findings in {keys} keys, {receipts} receipts, {anchors} anchors",
    "发现 {count} 处问题：密钥 {keys} 份，回执 {receipts} 份，进度锚点 {anchors} 个",
)
_STANDS_ON: Final = Text(
    "It stands on the first {size} entries of the ledger, root {root}, as of {moment}",
    "依据账本前 {size} 条，根 {root}，截至 {moment}",
)
_FINDINGS: Final = Text("What does not line up", "对账问题")
_COLUMNS: Final = (
    Text("finding", "问题"),
    Text("responsible", "责任方"),
    Text("age", "已历时"),
    Text("since", "起始"),
    Text("entries", "条目"),
    Text("what", "说明"),
    Text("what to do", "处理办法"),
)
_UNITS: Final = (
    (86_400_000, Text("d", "天")),
    (3_600_000, Text("h", "小时")),
    (60_000, Text("min", "分")),
    (1_000, Text("s", "秒")),
)


def register(app: typer.Typer) -> None:
    """Put the command under ``app``."""
    app.command("reconcile")(reconcile)


def reconcile(
    context: typer.Context,
    as_of: Annotated[
        str,
        typer.Option(
            "--as-of", help="As of this moment, or the end of this day; later entries are left out."
        ),
    ] = "now",
    dataset: Annotated[str, typer.Option("--dataset", help="Only this dataset.")] = "",
    member: Annotated[
        str, typer.Option("--member", help="Only what this member has to do with.")
    ] = "",
    receipt_due: Annotated[
        str, typer.Option("--receipt-due", help="How long after a key its receipt may come.")
    ] = "15m",
    delivery_due: Annotated[
        str,
        typer.Option("--delivery-due", help="How long what is provided may wait to be fetched."),
    ] = "1d",
    offline: OfflineOption = False,
    why: ForOption = "audit",
) -> None:
    """Line up releases, receipts and anchors: keys nobody accounts for, gaps, what is held back.

    The question goes on the ledger before the answer is shown: who asks, about whom, what for.

    A member that oversees nobody asks about what concerns itself.

    Exit 1 when something does not line up.
    """
    from exchange.audit.tally import Due
    from exchange.wiring.clock import now_ms
    from exchange.wiring.inquiry import check_purpose

    session = session_of(context)
    due = Due(receipt_ms=duration_ms(receipt_due), delivery_ms=duration_ms(delivery_due))
    _, moment = span_ms("", as_of, now_ms=now_ms())

    async def work(office: "Office") -> "tuple[Reconciled, bytes, str, int | None]":
        found, root = await reconciled(office, as_of_ms=moment, due=due)
        if found.size == 0:
            raise _before_genesis(as_of)
        _known(office.view.registry, dataset, member)
        if offline:
            return found, root, member, None
        check_purpose(why, office.view.registry)
        about = _narrowed(session.screen, office, dataset, member)
        record = await put_on_record(office, dataset, about, moment, due, why=why)
        return found, root, about, record

    found, root, about, record = as_reader(session, work)
    findings = [
        one
        for one in found.findings
        if (not dataset or one.dataset == dataset) and (not about or one.concerns(about))
    ]
    tell_reconciled(session.screen, found, findings, root)
    if record is None:
        session.screen.note(OFF_RECORD)
    else:
        session.screen.note(ON_RECORD, index=record)
    session.screen.answer(reconciled_data(found, findings, root) | {"on_record": record})
    if findings:
        raise typer.Exit(1)


async def reconciled(office: "Office", *, as_of_ms: int, due: "Due") -> "tuple[Reconciled, bytes]":
    """The reconciliation of the ledger as this member reads it, and the root it stands on."""
    from exchange.audit.reconcile import reconcile as line_up
    from exchange.audit.tally import Tally

    tally = Tally(as_of_ms=as_of_ms, due=due)
    office.view.listen(tally.take)
    registry = await office.registry()
    return line_up(tally, registry), office.view.follower.leaves.tree.root(tally.size)


def _narrowed(screen: Screen, office: "Office", dataset: str, member: str) -> str:
    """Whom it is about: the one named, else the member itself unless it may ask about all."""
    from exchange.wiring.inquiry import must_narrow

    named, me = [name for name in (dataset,) if name], office.member
    if member or not must_narrow(office.view.registry, me, named):
        return member
    screen.note(NARROWED, member=me)
    return me


async def put_on_record(
    office: "Office", dataset: str, member: str, as_of_ms: int, due: "Due", *, why: str
) -> int:
    """File the question; the index of its entry. It stands on all that was read."""
    from exchange.wiring.inquiry import file_query

    tree = office.view.follower.leaves.tree
    names = {"dataset": dataset, "member": member}
    asked: dict[str, str | int] = {name: value for name, value in names.items() if value}
    asked |= {"to": as_of_ms, "receipt-due": due.receipt_ms, "delivery-due": due.delivery_ms}
    admitted = await file_query(
        office,
        asked,
        ("reconcile",),
        size=tree.size,
        root=tree.root(),
        members=[member] if member else [],
        datasets=[dataset] if dataset else [],
        purpose=why,
    )
    return admitted.index


def _before_genesis(as_of: str) -> UsageError:
    return UsageError(
        f"the ledger has no entry as of {as_of[:40]}: there is nothing to line up",
        f"截至 {as_of[:40]} 账本尚无条目，无可对账",
        remedy=("name a later moment with --as-of", "请用 --as-of 指定更晚的时间"),
        failure="moment",
    )


def _known(registry: "Registry", dataset: str, member: str) -> None:
    """`NotFound` for a name that the ledger lacks: nothing would ever be found about it."""
    if (dataset and dataset not in registry.datasets) or (
        member and member not in registry.members
    ):
        name = dataset if dataset and dataset not in registry.datasets else member
        raise NotFound(
            f"there is no {name!r} on the ledger",
            f"账本上没有 {name!r}",
            remedy=(
                "see: exchange member list, exchange catalogue list",
                "请查看：exchange member list、exchange catalogue list",
            ),
            failure="no-such-name",
        )


def tell_reconciled(
    screen: Screen, found: "Reconciled", findings: "list[Finding]", root: bytes
) -> None:
    """The findings as a table, or that there are none."""
    from exchange.audit.findings import title

    if findings:
        rows = [
            [
                screen.word(title(one.kind)),
                one.responsible,
                age(screen, one.age_ms),
                shown(one.since_ms),
                one.entries,
                screen.word(one.text),
                screen.word(one.remedy),
            ]
            for one in findings
        ]
        screen.grid(Grid(_FINDINGS, _COLUMNS, rows))
    counts = {"keys": found.keys, "receipts": found.receipts, "anchors": found.anchors}
    screen.say(_FOUND if findings else _CLEAN, count=len(findings), **counts)
    screen.say(_STANDS_ON, size=found.size, root=root.hex(), moment=shown(found.as_of_ms))


def reconciled_data(found: "Reconciled", findings: "list[Finding]", root: bytes) -> dict[str, Any]:
    """The same for programs."""
    return {
        "clean": not findings,
        "as_of": shown(found.as_of_ms),
        "ledger_size": found.size,
        "ledger_root": root.hex(),
        "keys": found.keys,
        "receipts": found.receipts,
        "anchors": found.anchors,
        "findings": [finding_data(one) for one in findings],
    }


def finding_data(one: "Finding") -> dict[str, Any]:
    """One finding for programs."""
    return {
        "kind": one.kind,
        "responsible": one.responsible,
        "age_seconds": one.age_ms // 1_000,
        "since": shown(one.since_ms),
        "dataset": one.dataset,
        "provider": one.provider,
        "consumer": one.consumer or None,
        "grant": one.grant.hex() or None,
        "stream": one.stream.hex(),
        "first": one.first,
        "last": one.last,
        "entries": list(one.entries),
        "text": one.text,
        "remedy": one.remedy,
    }


def age(screen: Screen, age_ms: int) -> str:
    """A time span in its two largest units."""
    parts: list[str] = []
    for unit_ms, name in _UNITS:
        count, age_ms = divmod(age_ms, unit_ms)
        if (count or parts) and len(parts) < 2:
            parts.append(f"{count} {screen.word(name)}")
    return " ".join(parts) or f"0 {screen.word(_UNITS[-1][1])}"
