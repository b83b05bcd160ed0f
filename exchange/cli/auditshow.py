"""``exchange audit show``: one entry, its act, its verdict and the rules behind it."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.cli.auditentries import VERDICTS, no_entry, row_data
from exchange.cli.dutytable import duty_data, tell_ties
from exchange.cli.rules import tell_rules
from exchange.cli.session import Session, session_of
from exchange.cli.times import shown
from exchange.cli.work import ID_DIGITS_MIN, as_reader, find_id
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.audit.record import Row
    from exchange.ledger.verdict import Folded
    from exchange.registry.state import Registry
    from exchange.registry.terms import Law
    from exchange.wiring.office import Office

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


class _Sought:
    """Picks the one entry out of all that are read, and keeps no other."""

    def __init__(self, entry: str) -> None:
        self._entry = entry
        self._begins = entry.lower().removesuffix("…")
        self._size = 0
        self._at: Row | None = None
        self._by_act: dict[bytes, Row] = {}

    def take(self, folded: "Folded") -> None:
        """Note the next leaf if it may be the one."""
        from exchange.audit.record import row_of

        self._size = folded.index + 1
        if self._entry.isdecimal() and folded.index == int(self._entry):
            self._at = row_of(folded)
        act = folded.act_id
        if act and len(self._begins) >= ID_DIGITS_MIN and act.hex().startswith(self._begins):
            self._by_act[act] = row_of(folded)

    def found(self) -> "Row":
        """The one; `NotFound`, `UsageError`."""
        if self._at is not None:
            return self._at
        if self._entry.isdecimal() and len(self._entry) < ID_DIGITS_MIN:
            raise no_entry(int(self._entry), self._size)
        return self._by_act[find_id(Text("entry", "账本条目"), self._by_act, self._entry)]


def register(app: typer.Typer) -> None:
    """Put the command under ``app``."""
    app.command("show")(show)


def show(
    context: typer.Context,
    entry: Annotated[str, typer.Argument(help="Index of an entry, or id of an act.")],
) -> None:
    """Show one entry: who signed what, which verdict, under which rules, and where they stand."""
    show_entry(session_of(context), entry)


def show_entry(session: Session, entry: str) -> None:
    """One entry with its act, its verdict and the rules behind it, as they stood that day.

    Then the duties that it begins, meets or is about, with the law they rest on, as they stand now.
    """
    from exchange.audit.owed import ties
    from exchange.wiring.clock import now_ms
    from exchange.wiring.lawbook import register_in_force

    screen = session.screen
    sought = _Sought(entry)

    async def work(office: "Office") -> "tuple[Registry, Law]":
        office.view.listen(sought.take)
        return await office.registry(), office.view.engine

    registry, law = as_reader(session, work)
    row = sought.found()
    data = row_data(row) | {"body": _body(row)}
    for name, value in data.items():
        if name != "body" and value not in ("", [], {}):
            said = screen.word(_SAID.get((name, str(value)), Text(_flat(value), _flat(value))))
            label = screen.word(_LABELS[name])
            screen.pair(label, said)
    for name, value in data["body"].items():
        several = isinstance(value, list) and any(isinstance(one, dict) for one in value)
        for one in value if several else [value]:
            screen.say(Text("  {name}: {value}", "  {name}：{value}"), name=name, value=_flat(one))
    tell_rules(screen, row.all_rules, register_in_force(registry, index=row.index))
    tied = [] if row.void else list(ties(registry, law, row.parsed, row.index, now_ms()))
    tell_ties(screen, tied, law.register)
    owed = [{"how": tie.how, **duty_data(tie.duty, tie.standing, law.register)} for tie in tied]
    screen.answer({**row_data(row), "duties": owed, "body": data["body"]})


def _flat(value: object) -> str:
    """A value of an entry as people read it."""
    if isinstance(value, dict):
        return ", ".join(f"{name} {_flat(inner)}" for name, inner in value.items())
    return ", ".join(map(_flat, value)) if isinstance(value, list) else str(value)


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
