"""``exchange push``: a file, or standard input, sealed and published as a dataset."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.cli.problems import EXIT_REFUSED
from exchange.cli.screen import Advance, Grid, Screen
from exchange.cli.session import session_of
from exchange.cli.work import at_work
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.daemon.pushing import Pushing
    from exchange.wiring.office import Office

_SEALING: Final = Text("sealing and sending", "加密并发送")
_EMPTY: Final = Text(
    "{file} holds no records; nothing was published", "{file} 中没有记录，未发布任何数据"
)
_DONE: Final = Text(
    "{dataset}: {accepted} records published, {rejected} rejected",
    "{dataset}：已发布 {accepted} 条记录，拒绝 {rejected} 条",
)
_UNREADABLE: Final = Text(
    "{count} lines are no records and were left out", "{count} 行不是有效记录，已跳过"
)
_KEPT: Final = Text(
    "the rejected records are kept, encrypted; see them with: exchange adapter rejected {dataset}"
    " --as {member}",
    "被拒绝的记录已加密保存，查看：exchange adapter rejected {dataset} --as {member}",
)
_AGAIN: Final = Text(
    "then push all of it again: records before that line may be published, and none doubles",
    "然后重新推送整个文件：该行之前的记录可能已发布，不会重复",
)
_FAULTS: Final = Text("Rejected records", "被拒绝的记录")
_COLUMNS: Final = (
    Text("line", "行"),
    Text("field", "字段"),
    Text("what is wrong", "问题"),
    Text("what to do", "处理办法"),
)
_MORE: Final = Text("… and {count} more", "……另有 {count} 条")


def register(root: typer.Typer) -> None:
    """Add the command to the root."""
    root.command("push")(push)


def push(
    context: typer.Context,
    dataset: Annotated[str, typer.Argument(help="Id of a dataset that this member provides.")],
    file: Annotated[
        str, typer.Argument(help="CSV or JSON Lines (also .gz); - reads standard input.")
    ],
    form: Annotated[
        str, typer.Option("--format", help="csv or jsonl; default: what the name says.")
    ] = "",
    delimiter: Annotated[str, typer.Option("--delimiter", help="Of a CSV file, or tab.")] = ",",
    instance: Annotated[str, typer.Option("--instance", help="Which adapter instance.")] = "main",
) -> int:
    """Publish the records of a file: validated, sealed, sent.

    Exit 0 when every record was accepted, 1 when some were rejected (the rest is published).

    A column _operation says upsert or delete; a record to delete needs its key fields only.
    """
    session = session_of(context)
    screen = session.screen

    async def work(office: "Office") -> "tuple[str, Pushing]":
        with screen.progress(_SEALING, total=None) as advance:
            return office.member, await push_file(
                office,
                dataset,
                file,
                form=form,
                delimiter=delimiter,
                instance=instance,
                advance=advance,
            )

    member, done = at_work(session, work)
    tell(screen, done, dataset=dataset, file=file, member=member)
    return 0 if done.clean else EXIT_REFUSED


async def push_file(
    office: "Office",
    dataset: str,
    file: str,
    *,
    advance: Advance,
    form: str = "",
    delimiter: str = ",",
    instance: str = "main",
) -> "Pushing":
    """Publish all of ``file`` as ``dataset``; a file of zero bytes is an empty one."""
    from exchange.wiring.librarypages import give_back_library_pages

    give_back_library_pages()  # of what was loaded so far, before sources load as much again
    from adapters.errors import SourceUnreadable
    from exchange.daemon.pushing import Pushes, Pushing
    from exchange.wiring.clock import now_ms
    from exchange.wiring.publishers import contract_of, open_publisher
    from exchange.wiring.sources import open_source

    contract = await contract_of(office, dataset)
    async with open_publisher(office, contract, instance=instance) as publisher:
        pushes = Pushes(publisher, office.quarantine(), dataset, clock=now_ms)
        source = open_source(file, contract.names, form=form, delimiter=delimiter)
        try:
            return await pushes.push(source, file, advance=advance)
        except SourceUnreadable as error:
            if error.failure == "empty":
                return Pushing()
            if pushes.begun:
                en, zh = error.remedy
                error.remedy = (f"{en}; {_AGAIN.en}", f"{zh}；{_AGAIN.zh}")
            raise


def tell(screen: Screen, done: "Pushing", *, dataset: str, file: str, member: str) -> None:
    """The outcome, with the first faults by line, field, reason and remedy."""
    if done.empty:
        screen.say(_EMPTY, file=file)
    else:
        screen.say(_DONE, dataset=dataset, accepted=done.accepted, rejected=done.rejected)
    if done.unreadable:
        screen.say(_UNREADABLE, count=done.unreadable)
    if done.faults:
        rows = [
            [one.line, one.field, screen.word(one.reason), screen.word(one.remedy)]
            for one in done.faults
        ]
        screen.grid(Grid(_FAULTS, _COLUMNS, rows))
        if (more := done.rejected + done.unreadable - len({one.line for one in done.faults})) > 0:
            screen.say(_MORE, count=more)
    if done.kept:
        screen.say(_KEPT, dataset=dataset, member=member)
    screen.answer(_data(done, dataset))


def _data(done: "Pushing", dataset: str) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "accepted": done.accepted,
        "rejected": done.rejected,
        "unreadable": done.unreadable,
        "faults": [
            {
                "line": one.line,
                "field": one.field,
                "reason": {"en": one.reason.en, "zh": one.reason.zh},
                "remedy": {"en": one.remedy.en, "zh": one.remedy.zh},
            }
            for one in done.faults
        ],
        "kept": [str(path) for path in done.kept],
    }
