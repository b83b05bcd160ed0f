"""How ``exchange audit search`` finds, puts on record and shows an answer."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TextIO

from exchange.cli.auditcurrent import is_current
from exchange.cli.auditentries import row_data, tell_entries
from exchange.cli.auditexport import new_export, write_counts, write_entries
from exchange.cli.auditreads import read_data, tell_reads
from exchange.cli.auditsource import replay_office
from exchange.cli.auditview import STANDS_ON, standing_data
from exchange.cli.screen import Grid, Screen
from exchange.cli.session import Session
from exchange.cli.work import as_reader
from exchange.errors import UsageError
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.audit.reads import Read, Reads
    from exchange.audit.replay import Replay
    from exchange.audit.view import Standing, View
    from exchange.audit.viewquery import Page, Question
    from exchange.ledger.verdict import Folded
    from exchange.registry.state import Registry
    from exchange.wiring.office import Office

_MORE: Final = Text("there are more: --cursor {cursor}", "还有更多：--cursor {cursor}")
ON_RECORD: Final = Text(
    "the question is on record as entry {index}", "本次查询已记入账本，条目 {index}"
)
OFF_RECORD: Final = Text(
    "no hub was asked: this question is not on record", "未经枢纽：本次查询未记入账本"
)
NARROWED: Final = Text(
    "shown is what concerns {member}; an auditor may ask about everybody",
    "仅显示与 {member} 有关的内容；审计方可查询全部",
)
PATIENCE_S: Final = 5.0
_QUICKER: Final = Text(
    "to search without reading the ledger each time, let another terminal keep the view current:"
    " exchange audit view --follow; or ask it as it stands: --as-is",
    "如不想每次检索都读取整本账本，可在另一终端持续更新视图：exchange audit view --follow；"
    "或按视图现状查询：--as-is",
)
_STRANGE: Final = Text(
    "no entry has --{name} {value}: is it written right?",
    "没有条目符合 --{name} {value}：请核对写法",
)
_COUNTED: Final = Text("Entries counted", "条目统计")
_ENTRIES: Final = Text("entries", "条数")
_ALL: Final = Text("all", "全部")
_WRITTEN: Final = Text("{count} entries stand in {file}", "{file} 现有 {count} 条")

_COUNTS_WRITTEN: Final = Text("{count} counts stand in {file}", "{file} 现有统计 {count} 项")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A question and how its answer is to be given."""

    question: "Question"
    reads: bool
    count: bool
    by: str
    limit: int
    cursor: str
    out: Path | None
    as_is: bool
    offline: bool
    why: str

    @property
    def columns(self) -> tuple[str, ...]:
        """What the answer is made of, as it is committed to."""
        return ("reads",) if self.reads else (self.by or "count",) if self.count else ()


@dataclass(slots=True)
class _Seen:
    """What reading the ledger brought beside the view."""

    registry: "Registry | None" = None
    reads: "Reads | None" = None


def ask_ledger(session: Session, wanted: Wanted) -> None:
    """Bring the view up to date, put the question on record, show the answer."""

    async def work(office: "Office") -> None:
        from exchange.audit.viewquery import check
        from exchange.wiring.auditview import opened_view
        from exchange.wiring.inquiry import check_purpose

        check(wanted.question, by=wanted.by)
        with (
            new_export(wanted.out) as target,
            opened_view(office.home, session.settings, office.member) as view,
        ):
            seen = await _read(session, office, view, wanted)
            asked = replace(wanted, question=_narrowed(session.screen, office, seen, wanted))
            check(asked.question, cursor=wanted.cursor)
            if not wanted.offline:
                check_purpose(wanted.why, seen.registry)
            standing = view.head()
            record = await _file(session.screen, office, view, asked, standing)
            _show(session.screen, view, asked, seen, record, target)

    as_reader(session, work)


async def _read(session: Session, office: "Office", view: "View", wanted: Wanted) -> _Seen:
    from exchange.audit.reads import Reads
    from exchange.audit.record import row_of
    from exchange.audit.view import Feed

    if await is_current(office, view, wanted):
        return _Seen()
    asked = wanted.question
    reads = Reads(from_ms=asked.from_ms, to_ms=asked.to_ms) if wanted.reads else None
    seen = _Seen(reads=reads)
    if wanted.as_is:
        if view.open().size == 0:
            raise _nothing_kept()
        return seen
    feed = Feed(view)

    def take(folded: "Folded", replay: "Replay") -> None:
        feed.take(folded, replay)
        if reads is not None:
            reads.take(row_of(folded))

    async def finish(replay: "Replay", _: "Office") -> None:
        feed.finish(replay)
        seen.registry = replay.fold.registry

    run = await replay_office(session, office, offline=wanted.offline, listen=take, finish=finish)
    if run.rate.seconds > PATIENCE_S and not wanted.reads:
        session.screen.note(_QUICKER)
    return seen


def _narrowed(screen: Screen, office: "Office", seen: _Seen, wanted: Wanted) -> "Question":
    """The question, about the member itself unless it oversees others or asks off the record."""
    from exchange.wiring.inquiry import OVERSEERS

    question, registry, me = wanted.question, seen.registry, office.member
    if wanted.offline or registry is None:
        return question
    row = registry.members.get(me)
    dataset = registry.datasets.get(question.filters.get("dataset", ""))
    asked = {question.filters.get("member"), question.filters.get("concerns")}
    own = me in asked or (dataset is not None and dataset.provider == me)
    if row is None or row.kind in OVERSEERS or own or question.filters.get("concerns"):
        return question
    screen.note(NARROWED, member=me)
    return replace(question, filters={**question.filters, "concerns": me})


async def _file(
    screen: Screen, office: "Office", view: "View", wanted: Wanted, standing: "Standing"
) -> int | None:
    """The entry of the question; None if it was asked off the record."""
    from exchange.audit.viewquery import known
    from exchange.wiring.inquiry import file_query

    if wanted.offline:
        screen.note(OFF_RECORD)
        return None
    filters = wanted.question.filters
    members = {filters.get("member", ""), filters.get("concerns", "")}
    admitted = await file_query(
        office,
        wanted.question.named(),
        wanted.columns,
        size=standing.size,
        root=standing.root,
        members=sorted(name for name in members if known(view, "concerns", name)),
        datasets=[name for name in (filters.get("dataset", ""),) if known(view, "dataset", name)],
        purpose=wanted.why,
    )
    return admitted.index


def _show(
    screen: Screen,
    view: "View",
    wanted: Wanted,
    seen: _Seen,
    record: int | None,
    target: TextIO | None,
) -> None:
    from exchange.audit.viewquery import ask, count, everything, strange

    for name in strange(view, wanted.question):
        screen.note(_STRANGE, name=name, value=wanted.question.filters[name])
    if seen.reads is not None and seen.registry is not None:
        found = _fitting(seen.reads.of(seen.registry), seen.registry, wanted)
        tell_reads(screen, found, seen.registry)
        _end(screen, view.head(), record, {"reads": [read_data(read) for read in found]})
    elif wanted.count:
        offset = datetime.now().astimezone().utcoffset()
        ahead_ms = int(offset.total_seconds() * 1000) if offset else 0
        standing, counted = count(view, wanted.question, by=wanted.by, offset_ms=ahead_ms)
        said: dict[str, object] = {"counts": counted} if wanted.by else {"count": counted[""]}
        if target is None:
            _tell_counts(screen, wanted.by, counted)
        else:
            number = write_counts(target, wanted.by, counted, standing)
            screen.say(_COUNTS_WRITTEN, count=number, file=str(wanted.out))
            said["file"] = str(wanted.out)
        _end(screen, standing, record, said)
    elif target is not None:
        standing, number = write_entries(target, everything(view, wanted.question))
        screen.say(_WRITTEN, count=number, file=str(wanted.out))
        _end(screen, standing, record, {"file": str(wanted.out), "count": number})
    else:
        _tell_page(
            screen, ask(view, wanted.question, limit=wanted.limit, cursor=wanted.cursor), record
        )


def _tell_page(screen: Screen, page: "Page", record: int | None) -> None:
    tell_entries(screen, page.entries)
    if page.cursor:
        screen.note(_MORE, cursor=page.cursor)
    data = [row_data(row) | _more_data(row) for row in page.entries]
    _end(screen, page.standing, record, {"entries": data, "cursor": page.cursor or None})


def _more_data(row: Any) -> dict[str, Any]:  # noqa: ANN401 - a row of the view
    return {
        "dataset": row.dataset,
        "grant": row.grant,
        "purpose": row.purpose,
        "sections": list(row.sections),
        "regions": list(row.regions),
    }


def _end(
    screen: Screen, standing: "Standing", record: int | None, data: Mapping[str, object]
) -> None:
    """What the answer stands on, and where the question stands."""
    screen.say(STANDS_ON, size=standing.size, root=standing.root.hex())
    if record is not None:
        screen.note(ON_RECORD, index=record)
    screen.answer({**data, "ledger": standing_data(standing), "on_record": record})


def _tell_counts(screen: Screen, by: str, counted: Mapping[str, int]) -> None:
    title = Text(by, by) if by else _ALL
    rows = [[name or screen.word(_ALL), number] for name, number in counted.items()]
    screen.grid(Grid(_COUNTED, (title, _ENTRIES), rows))


def _nothing_kept() -> UsageError:
    return UsageError(
        "there is no search view yet to answer from",
        "尚无可用的检索视图",
        remedy=("build it: exchange audit view", "请先建立：exchange audit view"),
        failure="view-empty",
    )


def _fitting(found: "list[Read]", registry: "Registry", wanted: Wanted) -> "list[Read]":
    """Those that the question is about."""
    question = wanted.question
    filters = question.filters
    member, about = filters.get("member", ""), filters.get("about", "")
    dataset, purpose = filters.get("dataset", ""), filters.get("purpose", "")
    concerns, bounded = filters.get("concerns", ""), question.from_ms or question.to_ms < 1 << 53

    def fits(read: "Read") -> bool:
        provider = registry.datasets[read.dataset].provider
        return (
            (not member or read.consumer == member)
            and (not concerns or concerns in {read.consumer, provider})
            and (not about or read.dataset == about or read.grant.hex().startswith(about))
            and (not dataset or read.dataset == dataset)
            and (not purpose or read.purpose == purpose)
            and bool(read.used or not bounded)
        )

    return [read for read in found if fits(read)]
