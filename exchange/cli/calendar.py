"""``exchange rules calendar``: the working days that terms are counted in, and new years."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from exchange.cli.screen import Grid
from exchange.cli.session import session_of
from exchange.cli.work import as_authority, as_reader
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.flow.ports import Admitted
    from exchange.wiring.office import Office
    from policies.workdays import Workdays

app = typer.Typer(
    no_args_is_help=True, help="Working days: State Council calendars, and adopting a year."
)

_TITLE: Final = Text("Working days of {year}", "{year} 年工作日")
_COLUMNS: Final = (Text("day", "日期"), Text("kind", "类型"))
_KINDS: Final = {
    "off": Text("weekday off", "工作日放假"),
    "work": Text("weekend day worked", "周末上班"),
}
_YEARS: Final = Text("working days are known for {years}", "已知工作日的年度：{years}")
_ADOPTED: Final = Text(
    "the working days of {year} are adopted (entry {index}); terms that waited have a last day",
    "{year} 年工作日已采纳（账本条目 {index}）；等待该年日历的期限已可确定",
)


@app.command("show")
def show(
    context: typer.Context,
    year: Annotated[int | None, typer.Option("--year", help="Only the days of this year.")] = None,
) -> None:
    """Show the years that are known, and the exceptions of one."""
    from exchange.registry.terms import calendar

    session = session_of(context)
    screen = session.screen

    async def work(office: "Office") -> "Workdays":
        return calendar(await office.registry(), office.view.engine)

    days = as_reader(session, work)
    screen.say(_YEARS, years=", ".join(_ranges(sorted(days.years))))
    found = days.of_year(year) if year is not None else ()
    if year is not None:
        title = Text(_TITLE.en.format(year=year), _TITLE.zh.format(year=year))
        rows = [[day.isoformat(), screen.word(_KINDS[kind])] for day, kind in found]
        screen.grid(Grid(title, _COLUMNS, rows))
    screen.answer(
        {
            "years": sorted(days.years),
            "days": [{"day": day.isoformat(), "kind": kind} for day, kind in found],
        }
    )


@app.command("adopt")
def adopt(
    context: typer.Context,
    file: Annotated[
        Path, typer.Argument(help="Lines YYYY-MM-DD,off and YYYY-MM-DD,work under day,kind.")
    ],
    reference: Annotated[str, typer.Option("--reference", help="Number of the notice.")],
    year: Annotated[
        int | None, typer.Option("--year", help="Which year; default: that of the last day.")
    ] = None,
) -> None:
    """Adopt the working days of a year, as the authority, by the State Council's notice."""
    from exchange.errors import InputUnreadable
    from exchange.model.dutyacts import AdoptCalendar
    from exchange.wiring.matters import file as file_act
    from policies.workdays import Workdays

    session = session_of(context)
    try:
        days = Workdays.parse(file.read_bytes(), file.name)
    except OSError as error:
        raise InputUnreadable(
            f"{file} cannot be read: {error.strerror}",
            f"无法读取 {file}：{error.strerror}",
            remedy=("check the path", "请检查路径"),
        ) from None
    which = max(days.years) if year is None else year

    async def work(office: "Office") -> "Admitted":
        return await file_act(
            office,
            AdoptCalendar,
            year=which,
            off=tuple(sorted(int(day.strftime("%Y%m%d")) for day in days.off)),
            work=tuple(sorted(int(day.strftime("%Y%m%d")) for day in days.work)),
            reference=reference,
        )

    admitted = as_authority(session, work)
    session.screen.say(_ADOPTED, year=which, index=admitted.index)
    session.screen.answer({"year": which, "entry": admitted.index})


def _ranges(years: list[int]) -> list[str]:
    """Years that follow each other as one range."""
    runs: list[list[int]] = []
    for year in years:
        if runs and runs[-1][-1] == year - 1:
            runs[-1].append(year)
        else:
            runs.append([year])
    return [str(run[0]) if len(run) == 1 else f"{run[0]}–{run[-1]}" for run in runs]
