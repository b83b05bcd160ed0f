"""The report as one HTML page in both languages, without anything from elsewhere.

The page is made from the data alone (REPORT-SPEC.md section 3): the same data give the same bytes.
What comes from members (names, purposes, duties) is escaped by the template engine.
"""

from datetime import UTC, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, Final

from jinja2 import Environment, FunctionLoader, StrictUndefined, Template

from exchange.audit import charts
from exchange.audit.buckets import BEIJING_MS
from exchange.audit.reportdata import SHOWN_MAX, shown
from exchange.model.text import printable

_PAGE: Final = "report.html"
_KINDS: Final = {
    "department": ("Department", "政务部门"),
    "authorised": ("Authorised organisation", "法律授权组织"),
    "authority": ("Authority", "主管部门"),
    "auditor": ("Auditor", "审计"),
}
_STATUS: Final = {
    "approved": ("approved", "同意"),
    "refused": ("refused", "不同意"),
    "open": ("not answered", "未答复"),
}
_COLOURS: Final = {"received": "#1f5c99", "provided": "#7aa6d1", "refused": "#b3121f"}
"""Of the charts' series; the drawing does not read the style sheet."""


def render(data: dict[str, Any]) -> str:
    """The page."""
    return _template().render(
        data=data,
        kinds=_KINDS,
        statuses=_STATUS,
        colours=_COLOURS,
        figures=_figures(data),
        activity=charts.columns(data["activity"]),
        records=charts.bars(_records(data)),
        shown_max=SHOWN_MAX,
    )


def _figures(data: dict[str, Any]) -> dict[str, int]:
    """The numbers at the top."""
    received, provided = data["received"], data["provided"]
    return {
        "received_grants": len(received),
        "received_keys": sum(one["epochs"] for one in received),
        "received_records": sum(one["records"] for one in received),
        "provided_grants": len(provided),
        "provided_keys": sum(one["epochs"] for one in provided),
        "provided_records": sum(one["records"] for one in provided),
        "applications": len(data["applications"]),
        "unanswered": sum(one["status"] == "open" for one in data["applications"]),
        "refusals": len(data["refusals"]),
        "findings": len(data["breaches"]) + len(data["findings"]),
    }


def _records(data: dict[str, Any]) -> list[tuple[str, int, str]]:
    """Records by dataset and side, for the second chart."""
    sums: dict[tuple[str, str], int] = {}
    for side in ("received", "provided"):
        for one in data[side]:
            place = (one["dataset"], side)
            sums[place] = sums.get(place, 0) + one["records"]
    return [(dataset, number, side) for (dataset, side), number in sums.items()]


def _moment(time_ms: int | None, *, day: bool = False) -> str:
    """A moment in Beijing."""
    if time_ms is None:
        return ""
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms + BEIJING_MS)
    return moment.strftime("%Y-%m-%d" if day else "%Y-%m-%d %H:%M")


def _number(value: int) -> str:
    return f"{value:,}"


def _span(value_ms: int) -> tuple[str, str]:
    """A length of time in both languages, in its largest unit."""
    for unit_ms, en, zh in (
        (86_400_000, "d", "天"),
        (3_600_000, "h", "小时"),
        (60_000, "min", "分"),
    ):
        if value_ms >= unit_ms:
            return f"{value_ms // unit_ms} {en}", f"{value_ms // unit_ms} {zh}"
    return f"{value_ms // 1_000} s", f"{value_ms // 1_000} 秒"


def _entries(entries: list[int]) -> list[int | None]:
    """What the page names of a list; None where some are left out."""
    named: list[int | None] = list(shown(entries))
    if len(named) < len(entries):
        named.insert(-1, None)
    return named


@cache
def _template() -> Template:
    folder = files("exchange.audit") / "page"
    environment = Environment(
        autoescape=True,
        loader=FunctionLoader(lambda name: (folder / name).read_text("utf-8")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "moment": _moment,
        "number": _number,
        "span": _span,
        "entries": _entries,
        "plain": lambda text: printable(str(text)),
    }
    return environment.get_template(_PAGE)
