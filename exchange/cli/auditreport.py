"""``exchange audit report``: a signed document about one member, and the check of one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from exchange.cli.auditasking import ON_RECORD
from exchange.cli.auditground import policy_known
from exchange.cli.auditprove import PolicyOption
from exchange.cli.auditsearch import ForOption
from exchange.cli.screen import Screen
from exchange.cli.session import Session, session_of
from exchange.cli.times import shown, span_ms
from exchange.cli.work import as_reader
from exchange.errors import CheckFailed, UsageError
from exchange.model.text import Text

if TYPE_CHECKING:
    from exchange.audit.reportcheck import Checked
    from exchange.wiring.office import Office

_MADE: Final = Text(
    "{folder}: a report about {member}, signed by {issuer}, on the first {size} ledger entries",
    "{folder}：关于 {member} 的报告，由 {issuer} 签署，依据账本前 {size} 条",
)
_FILES: Final = Text(
    "{files} files, {proofs} of them proofs; check it: exchange audit report --check {folder}",
    "共 {files} 个文件，其中证明 {proofs} 个；核验：exchange audit report --check {folder}",
)
_HOLDS: Final = Text(
    "the report holds: about {member}, signed by {issuer} ({kind}) on {issued}",
    "报告核验通过：关于 {member}，由 {issuer}（{kind}）于 {issued} 签署",
)
_PROVEN: Final = Text(
    "{proofs} entries are proven under the head of {size} entries that {hub} signed, root {root}",
    "{proofs} 条条目已在 {hub} 签署的前 {size} 条的根下得到证明，根 {root}",
)
_UNLISTED: Final = Text("not part of it: {names}", "不属于报告的文件：{names}")


def register(app: typer.Typer) -> None:
    """Put the command under ``app``."""
    app.command("report")(report)


def report(
    context: typer.Context,
    member: Annotated[str, typer.Option("--member", help="Whom it is about.")] = "",
    since: Annotated[str, typer.Option("--from", help="From this day or moment on.")] = "",
    until: Annotated[str, typer.Option("--to", help="To the end of this day, or moment.")] = "",
    out: Annotated[
        Path | None, typer.Option("--out", help="Folder to write into; must be new or empty.")
    ] = None,
    no_pdf: Annotated[bool, typer.Option("--no-pdf", help="Only HTML.")] = False,
    why: ForOption = "audit",
    check: Annotated[
        Path | None, typer.Option("--check", help="Check the report in this folder; no network.")
    ] = None,
    pin: Annotated[
        str, typer.Option("--pin", help="With --check: the pin of genesis; otherwise this home's.")
    ] = "",
    policy: PolicyOption = None,
) -> None:
    """Write a signed report about a member, in Chinese and English, with the proofs to check it.

    The question goes on the ledger before the report is written: who asks, about whom, what for.

    Or check one, offline, from the pin of genesis alone: --check FOLDER.
    """
    session = session_of(context)
    if check is not None:
        tell_checked(session.screen, check_folder(session, check, pin, policy))
        return
    if not member:
        raise _whom()
    _make(session, member, since, until, out, why=why, with_pdf=not no_pdf)


def _make(
    session: Session,
    member: str,
    since: str,
    until: str,
    out: Path | None,
    *,
    why: str,
    with_pdf: bool,
) -> None:
    from exchange.wiring.clock import now_ms
    from exchange.wiring.reporting import make_report, put_on_record

    moment = now_ms()
    from_ms, to_ms = span_ms(since, until, now_ms=moment)
    folder = _empty(out or Path(f"report-{member}"))

    async def work(office: "Office") -> "tuple[str, dict[str, bytes], int]":
        files = await make_report(
            office,
            member,
            from_ms=from_ms,
            to_ms=to_ms,
            issued_ms=moment,
            with_pdf=with_pdf,
        )
        asked = await put_on_record(office, files, purpose=why)
        return office.member, files, asked.index

    issuer, files, record = as_reader(session, work)
    write_folder(folder, files)
    tell_made(session.screen, folder, files)
    session.screen.note(ON_RECORD, index=record)
    session.screen.answer(made_data(folder, files) | {"issuer": issuer, "on_record": record})


def write_folder(folder: Path, files: dict[str, bytes]) -> None:
    """Put a report's files into ``folder``, which is made if need be."""
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)


def made_data(folder: Path, files: dict[str, bytes]) -> dict[str, Any]:
    """What was written, for programs."""
    from exchange.audit.reportcheck import PROOFS
    from exchange.audit.reportseal import STATEMENT, parse

    said = parse(files[STATEMENT]).statement
    return {
        "folder": str(folder),
        "member": said.member,
        "issuer": said.issuer,
        "ledger_size": said.size,
        "ledger_root": said.root.hex(),
        "files": sorted(name for name in files if not name.startswith(PROOFS)),
        "proofs": sum(name.startswith(PROOFS) for name in files),
    }


def tell_made(screen: Screen, folder: Path, files: dict[str, bytes]) -> None:
    """What was written, for people."""
    data = made_data(folder, files)
    screen.say(
        _MADE,
        folder=folder,
        member=data["member"],
        issuer=data["issuer"],
        size=data["ledger_size"],
    )
    screen.say(_FILES, files=len(files), proofs=data["proofs"], folder=folder)


def check_folder(session: Session, folder: Path, pin: str, policy: Path | None = None) -> "Checked":
    """Check the report in ``folder`` against ``pin``, or the pin of this home. `CheckFailed`.

    The quorum of ``policy`` is demanded, or of this home's own if the ledger is its own.
    """
    from exchange.audit.reportcheck import check_report
    from exchange.cli.work import home_of
    from exchange.ledger.genesis import parse_pin

    if not folder.is_dir():
        raise _no_folder(folder)
    files = {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }
    known = parse_pin(pin) if pin else parse_pin(home_of(session).table.log.genesis)
    return check_report(files, known, policy_known(session, known, policy))


def tell_checked(screen: Screen, found: "Checked") -> None:
    """What was checked."""
    said = found.statement
    screen.say(
        _HOLDS,
        member=said.member,
        issuer=said.issuer,
        kind=found.issuer_kind,
        issued=shown(said.issued_ms),
    )
    screen.say(_PROVEN, proofs=found.proofs, size=said.size, hub=found.hub, root=said.root.hex())
    if found.unlisted:
        screen.note(_UNLISTED, names=", ".join(found.unlisted))
    screen.answer(
        {
            "holds": True,
            "member": said.member,
            "issuer": said.issuer,
            "issuer_kind": found.issuer_kind,
            "issued": shown(said.issued_ms),
            "ledger_size": said.size,
            "ledger_root": said.root.hex(),
            "hub": found.hub,
            "files": found.files,
            "proofs": found.proofs,
            "unlisted": list(found.unlisted),
        }
    )


def _empty(folder: Path) -> Path:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            f"{folder} is not an empty folder",
            f"{folder} 不是空文件夹",
            remedy=("name another one with --out", "请用 --out 指定其他文件夹"),
            failure="folder",
        )
    return folder


def _no_folder(folder: Path) -> CheckFailed:
    return CheckFailed(
        f"there is no folder {folder}",
        f"没有文件夹 {folder}",
        remedy=("name the folder of a report", "请指定报告所在的文件夹"),
        failure="report-file",
    )


def _whom() -> UsageError:
    return UsageError(
        "a report is about a member",
        "报告须指明成员",
        remedy=(
            "say --member MEMBER, or --check FOLDER to check a report",
            "请加 --member 成员；核验报告请用 --check 文件夹",
        ),
        failure="usage",
    )
