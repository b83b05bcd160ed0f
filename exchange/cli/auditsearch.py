"""``exchange audit search``: entries by what they are about, counts, and who read what."""

from pathlib import Path
from typing import Annotated, Final

import typer

from exchange.cli.auditasking import Wanted, ask_ledger
from exchange.cli.auditentries import VERDICTS
from exchange.cli.session import session_of
from exchange.cli.times import span_ms
from exchange.errors import UsageError

LIMIT: Final = 1_000
SECTIONS: Final = ("1", "2", "3", "4")
"""Sensitivity levels."""


MemberOption = Annotated[str, typer.Option("--member", help="Who acted.")]
ConcernsOption = Annotated[
    str, typer.Option("--concerns", help="A member that acted, provides, consumes or is named.")
]
KindOption = Annotated[str, typer.Option("--kind", help="Kind of act, for instance keys.ask.")]
AboutOption = Annotated[
    str, typer.Option("--about", help="Dataset, member, grant, request or stream it is about.")
]
DatasetOption = Annotated[str, typer.Option("--dataset", help="A dataset.")]
GrantOption = Annotated[str, typer.Option("--grant", help="A grant, by the beginning of its id.")]
SectionOption = Annotated[
    str, typer.Option("--section", help="A sensitivity level, 1 to 4, asked for or opened.")
]
RegionOption = Annotated[
    str, typer.Option("--region", help="A region: what lies in it, and what holds it.")
]
PurposeOption = Annotated[str, typer.Option("--purpose", help="Purpose of a grant.")]
RuleOption = Annotated[str, typer.Option("--rule", help="A rule that decided.")]
VerdictOption = Annotated[str, typer.Option("--verdict", help="permit, deny or void.")]
FromOption = Annotated[str, typer.Option("--from", help="From this day or moment on.")]
ToOption = Annotated[str, typer.Option("--to", help="To the end of this day, or moment.")]
ReadsOption = Annotated[
    bool, typer.Option("--reads", help="Who read what: grants, keys and receipts.")
]
CountOption = Annotated[bool, typer.Option("--count", help="Say how many there are.")]
ByOption = Annotated[
    str,
    typer.Option(
        "--by",
        help="Count by day, month, member, kind, dataset, purpose, verdict, hub, rule, section"
        " or region.",
    ),
]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="Entries on a page.")]
CursorOption = Annotated[
    str, typer.Option("--cursor", help="Where the page before this one ended.")
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", help="Write everything that is found to a new .csv or .json file."),
]
AsIsOption = Annotated[
    bool, typer.Option("--as-is", help="Answer from the view as it stands; read no Kafka.")
]
OfflineOption = Annotated[
    bool, typer.Option("--offline", help="Ask no hub: then the question is not on record.")
]
ForOption = Annotated[
    str,
    typer.Option(
        "--for",
        help="What the question is for: audit, supervision, investigation, complaint, own-affairs,"
        " or a purpose of the register.",
    ),
]


def register(app: typer.Typer) -> None:
    """Put the command under ``app``."""
    app.command("search")(search)


def search(  # noqa: PLR0913, PLR0917 - one argument an option
    context: typer.Context,
    member: MemberOption = "",
    concerns: ConcernsOption = "",
    kind: KindOption = "",
    about: AboutOption = "",
    dataset: DatasetOption = "",
    grant: GrantOption = "",
    section: SectionOption = "",
    region: RegionOption = "",
    purpose: PurposeOption = "",
    rule: RuleOption = "",
    verdict: VerdictOption = "",
    since: FromOption = "",
    until: ToOption = "",
    reads: ReadsOption = False,
    count: CountOption = False,
    by: ByOption = "",
    limit: LimitOption = LIMIT,
    cursor: CursorOption = "",
    out: OutOption = None,
    as_is: AsIsOption = False,
    offline: OfflineOption = False,
    why: ForOption = "audit",
) -> None:
    """Search the ledger; with --reads, say who read what, for what purpose, on which basis.

    The question goes on the ledger before the answer is shown: who asks, about whom, what for.

    A member that oversees nobody asks about what concerns itself.
    """
    from exchange.audit.viewquery import Question
    from exchange.wiring.clock import now_ms

    _check_words(verdict, section)
    if reads and (kind or rule or verdict or section or region or grant or count or by or cursor):
        raise _other_search()
    if reads and (as_is or out is not None):
        raise _whole_ledger()
    _check_pages(cursor, whole=count or bool(by) or out is not None)
    from_ms, to_ms = span_ms(since, until, now_ms=now_ms())
    filters = {
        "member": member,
        "concerns": concerns,
        "kind": kind,
        "about": about,
        "dataset": dataset,
        "grant": grant.lower(),
        "section": section,
        "region": region,
        "purpose": purpose,
        "rule": rule.upper(),
        "verdict": verdict,
    }
    given = {name: value for name, value in filters.items() if value}
    ask_ledger(
        session_of(context),
        Wanted(
            Question(given, from_ms, min(to_ms, 1 << 53)),
            reads=reads,
            count=count or bool(by),
            by=by,
            limit=limit,
            cursor=cursor,
            out=out,
            as_is=as_is,
            offline=offline,
            why=why,
        ),
    )


def _check_words(verdict: str, section: str) -> None:
    if verdict and verdict not in VERDICTS:
        raise _no_verdict(verdict)
    if section and section not in SECTIONS:
        raise _no_section(section)


def _no_verdict(text: str) -> UsageError:
    return UsageError(
        f"there is no verdict {text[:40]!r}",
        f"没有裁决 {text[:40]!r}",
        remedy=("write permit, deny or void", "请写 permit（许可）、deny（拒绝）或 void（无效）"),
        failure="verdict",
    )


def _no_section(text: str) -> UsageError:
    return UsageError(
        f"there is no section {text[:40]!r}",
        f"没有分段 {text[:40]!r}",
        remedy=("write a sensitivity level, 1 to 4", "请写敏感级别 1 至 4"),
        failure="section",
    )


def _other_search() -> UsageError:
    return UsageError(
        "--reads shows grants: it goes with --member, --concerns, --dataset, --about, --purpose,"
        " --from and --to",
        "--reads 按授权列出，只能与 --member、--concerns、--dataset、--about、--purpose、--from、"
        "--to 同用",
        remedy=("search without --reads for entries", "检索条目时请去掉 --reads"),
        failure="search",
    )


def _check_pages(cursor: str, *, whole: bool) -> None:
    if cursor and whole:
        raise UsageError(
            "--cursor goes on with a page of entries: --count, --by and --out give all at once",
            "--cursor 用于续查条目分页；--count、--by、--out 一次给出全部",
            remedy=("leave --cursor out", "请去掉 --cursor"),
            failure="search",
        )


def _whole_ledger() -> UsageError:
    return UsageError(
        "--reads reads the whole ledger and shows all of it: --as-is and --out do not go with it",
        "--reads 须读取整本账本并全部列出，不能与 --as-is、--out 同用",
        remedy=("use --json for a file of it", "需要文件时请用 --json"),
        failure="search",
    )
