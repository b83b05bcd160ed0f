"""``exchange adapter``: long-running sources and sinks, and the records a contract refused."""

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, cast

import typer

from exchange.cli.hub import FromStdin, given_passphrase
from exchange.cli.newfile import write_new
from exchange.cli.screen import Grid
from exchange.cli.session import session_of
from exchange.cli.work import acting, home_of, passphrase_of
from exchange.errors import UsageError
from exchange.model.ids import slug
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.daemon.configuration import AdapterConfiguration, SourceTable
    from exchange.daemon.run import Job
    from exchange.flow.quarantine import KeptBatch

app = typer.Typer(no_args_is_help=True, help="Long-running sources and sinks.")

_MADE: Final = Text(
    "{file} is a configuration to start from; put it into members/MEMBER/adapters/ of the home and"
    " 'exchange up' runs it",
    "已生成配置模板 {file}；放入主目录 members/成员/adapters/ 后由 exchange up 运行",
)
_GOOD: Final = Text(
    "{file}: a valid configuration of a {kind} of {member}",
    "{file}：配置有效（{member} 的 {kind}）",
)
_NONE: Final = Text(
    "{member} keeps no rejected records of {dataset}", "{member} 没有 {dataset} 被拒绝的记录"
)
_TITLE: Final = Text("Rejected records", "被拒绝的记录")
_COLUMNS: Final = (
    Text("source", "来源"),
    Text("line", "行"),
    Text("field", "字段"),
    Text("what is wrong", "问题"),
    Text("what to do", "处理办法"),
    Text("record", "记录"),
)
_FORGOTTEN: Final = Text("{count} files of rejected records deleted", "已删除 {count} 个文件")

_SHOWN_CHARACTERS_MAX: Final = 200
"""Of a value in the table; ``--json`` gives all of it."""

ConfigurationFile = Annotated[Path, typer.Argument(help="A configuration (TOML).")]


@app.command("init")
def init(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A new configuration file.")],
    kind: Annotated[str, typer.Option("--kind", help="source or sink.")] = "source",
) -> None:
    """Write a configuration to start from."""
    from exchange.daemon.configuration import template

    session = session_of(context)
    if kind not in {"source", "sink"}:
        raise UsageError(
            f"--kind is source or sink, not {kind[:20]!r}",
            f"--kind 只能是 source 或 sink，不能是 {kind[:20]!r}",
            remedy=("say --kind source or --kind sink", "请使用 --kind source 或 --kind sink"),
            failure="kind",
        )
    write_new(file, template("sink" if kind == "sink" else "source", session.member or "MEMBER"))
    session.screen.say(_MADE, file=file)
    session.screen.answer({"file": str(file), "kind": kind})


@app.command("check")
def check(context: typer.Context, file: ConfigurationFile) -> None:
    """Check a configuration; name line, key and remedy of what is wrong."""
    from exchange.daemon.configuration import read_configuration

    screen = session_of(context).screen
    read = read_configuration(file)
    screen.say(_GOOD, file=file, kind=read.adapter.kind, member=read.adapter.member)
    screen.answer({"file": str(file), "kind": read.adapter.kind, "member": read.adapter.member})


@app.command("run")
def run(
    context: typer.Context, file: ConfigurationFile, passphrase_stdin: FromStdin = False
) -> None:
    """Run an adapter until SIGTERM or Ctrl-C."""
    import sys

    from exchange.daemon.configuration import read_configuration
    from exchange.daemon.run import run_adapter
    from exchange.wiring.logs import configure
    from exchange.wiring.upkeep import adapter_process

    session = session_of(context)
    home = home_of(session)
    read = read_configuration(file)
    passphrase = given_passphrase(session, passphrase_stdin)
    log = home.log_file(adapter_process(home, file.absolute()).name)
    terminal = sys.stderr if sys.stderr.isatty() else None
    configure(level=session.settings.log_level, file=log, terminal=terminal)
    asyncio.run(run_adapter(home, session.settings, passphrase, read.adapter, _job(read)))


def _job(read: "AdapterConfiguration") -> "Job":
    """Sources load what checks records; an adapter that only receives is smaller without it."""
    instance = read.adapter.instance
    if read.sink is not None:
        from exchange.daemon.incoming import deliver

        return partial(deliver, instance=instance, table=read.sink)
    from exchange.daemon.outgoing import publish

    return partial(publish, instance=instance, table=cast("SourceTable", read.source))


@app.command("rejected")
def rejected(
    context: typer.Context,
    dataset: Annotated[
        str, typer.Argument(help="Id of a dataset, or a configuration file of a source.")
    ],
    forget: Annotated[
        bool, typer.Option("--forget", help="Delete what is kept, after showing it.")
    ] = False,
) -> None:
    """Show the records that a contract refused, with the reasons. They may be personal data."""
    from exchange.flow.quarantine import Quarantine
    from exchange.wiring.homekeys import open_custody

    session = session_of(context)
    screen = session.screen
    home = home_of(session)
    name, member = _named(dataset)
    member = session.member or member or acting(session, home)
    custody = open_custody(home, member, passphrase_of(session))
    quarantine = Quarantine(home.member_directory(member) / "rejected", custody)
    batches = quarantine.batches(name)
    if not batches:
        screen.say(_NONE, member=member, dataset=name)
    else:
        _show(context, batches)
    if forget:
        screen.say(_FORGOTTEN, count=quarantine.forget(name))
    screen.answer(
        {
            "dataset": name,
            "rejected": [
                {
                    "source": batch.source,
                    "line": one.line,
                    "faults": list(one.faults),
                    "record": one.record,
                }
                for batch in batches
                for one in batch.records
            ],
        }
    )


def _named(given: str) -> tuple[str, str]:
    """(dataset, member or "") of what was named."""
    from exchange.daemon.configuration import read_configuration

    if not given.endswith(".toml"):
        return slug("dataset", given), ""
    read = read_configuration(Path(given))
    if read.source is None:
        raise UsageError(
            f"{given} is no source; only sources reject records",
            f"{given} 不是数据源配置，只有数据源会拒绝记录",
            remedy=("name a dataset or a source", "请指定数据集或数据源配置"),
            failure="kind",
        )
    return read.source.dataset, read.adapter.member


def _show(context: typer.Context, batches: "list[KeptBatch]") -> None:
    screen = session_of(context).screen
    place = 1 if screen.language == "zh" else 0
    rows = [
        [
            batch.source,
            one.line,
            fault["field"],
            fault["reason"][place],
            fault["remedy"][place],
            " ".join(f"{name}={_shown(value)}" for name, value in one.record.items()),
        ]
        for batch in batches
        for one in batch.records
        for fault in one.faults
    ]
    screen.grid(Grid(_TITLE, _COLUMNS, rows))


def _shown(value: object) -> str:
    text = str(value)
    left_out = len(text) - _SHOWN_CHARACTERS_MAX
    return text if left_out <= 0 else f"{text[:_SHOWN_CHARACTERS_MAX]}…(+{left_out})"
