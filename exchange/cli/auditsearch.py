"""``exchange audit search``: entries by what they are about, and who read what."""

from typing import Annotated

import typer

from exchange.cli.auditentries import VERDICTS, recorded, row_data, tell_entries
from exchange.cli.auditreads import read_data, tell_reads
from exchange.cli.session import session_of
from exchange.cli.times import span_ms
from exchange.cli.work import as_reader
from exchange.errors import UsageError


def register(app: typer.Typer) -> None:
    """Put the command under ``app``."""
    app.command("search")(search)


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
        tell_reads(screen, found, registry)
        screen.answer({"reads": [read_data(read) for read in found]})
        return
    rows = list(record.search(wanted))
    tell_entries(screen, rows)
    screen.answer({"entries": [row_data(row) for row in rows]})


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
