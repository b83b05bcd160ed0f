"""Check a report offline, from the pin of genesis alone: REPORT-SPEC.md section 5. Pure."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from exchange.audit.reportdata import FORMAT
from exchange.audit.reportseal import STATEMENT, Statement, parse, verify
from exchange.errors import ActRefused, CheckFailed, EntryRefused, LedgerBroken, NoteRefused
from exchange.ledger.act import parse_act, verify_act
from exchange.ledger.cosignature import LogKeys, log_keys
from exchange.ledger.entry import ParsedEntry, parse_entry, verify_entry
from exchange.ledger.genesis import Root, check_genesis
from exchange.ledger.policy import Policy
from exchange.ledger.proof import SUFFIX, parse_proof, verify_proof
from exchange.model.acts import EnrolMember

DATA: Final = "report.json"
PAGE: Final = "report.html"
PDF: Final = "report.pdf"
PROOFS: Final = "proofs/"


@dataclass(frozen=True, slots=True)
class Checked:
    """A report that passed every step. ``proofs`` entries were proven to stand on the ledger."""

    statement: Statement
    issuer_kind: str
    hub: str
    proofs: int
    files: int
    unlisted: tuple[str, ...]
    """Files that lie beside it and are no part of it."""


def proof_name(index: int) -> str:
    """The file that proves entry ``index``."""
    return f"{PROOFS}{index}{SUFFIX}"


def check_report(files: Mapping[str, bytes], pin: bytes, policy: Policy | None = None) -> Checked:
    """The report in ``files`` (by name), if all of it holds; else `CheckFailed` with the step.

    Failure classes: ``report-malformed``, ``report-file``, ``report-genesis``, ``report-proof``,
    ``report-issuer``, ``report-signature``, ``report-data``. With a ``policy`` the head must have
    its quorum of cosignatures (``report-proof``).
    """
    claimed = parse(_file(files, STATEMENT))  # 1. a statement
    said = claimed.statement
    for name, digest in said.files:  # 2. about exactly these bytes
        if hashlib.sha256(_file(files, name)).digest() != digest:
            raise _failed("report-file", f"{name} was changed", f"{name} 已被改动")
    data = _data(_file(files, DATA))
    root = _genesis(files, pin, said)  # 3. the ledger is the pinned one
    keys = _log(root)
    try:
        entries = _proven(files, said, keys, policy)  # 4. every proof leads to the root it states
        officer, kind = _officer(entries, root, said.issuer)  # 5. the issuer is on the ledger
        verify(claimed, officer)  # 6. and signed
        _agrees(data, said, entries)  # 7. the data are about these entries
    except (EntryRefused, ActRefused) as error:
        raise _failed("report-proof", error.text.en, error.text.zh) from None
    except (KeyError, TypeError):
        raise _failed("report-data", "something is missing in it", "内容缺失") from None
    listed = {name for name, _ in said.files} | {STATEMENT}
    return Checked(
        statement=said,
        issuer_kind=kind,
        hub=entries.hub,
        proofs=len(entries.parsed),
        files=len(said.files),
        unlisted=tuple(sorted(set(files) - listed)),
    )


@dataclass(frozen=True, slots=True)
class _Entries:
    """The proven entries by index, and the hub that signed the head they stand under."""

    parsed: Mapping[int, ParsedEntry]
    hub: str


def _genesis(files: Mapping[str, bytes], pin: bytes, said: Statement) -> Root:
    try:
        root = check_genesis(parse_proof(_file(files, proof_name(0))).extra, pin)
    except (LedgerBroken, NoteRefused) as error:
        raise _failed("report-genesis", error.text.en, error.text.zh) from None
    if root.origin != said.origin:
        raise _failed("report-genesis", "it is of another ledger", "属于另一账本")
    return root


def _log(root: Root) -> LogKeys:
    hubs = [(hub.hub, hub.checkpoint, hub.checkpoint_mldsa) for hub in root.hubs]
    return log_keys(root.origin, hubs)


def _proven(
    files: Mapping[str, bytes], said: Statement, keys: LogKeys, policy: Policy | None
) -> _Entries:
    parsed: dict[int, ParsedEntry] = {}
    hubs: set[str] = set()
    for name, _ in said.files:
        if not name.startswith(PROOFS):
            continue
        try:
            proven = verify_proof(parse_proof(files[name]), keys, policy=policy)
            parsed[proven.index] = parse_entry(proven.entry)
        except (NoteRefused, CheckFailed) as error:
            raise _failed(
                "report-proof", f"{name}: {error.text.en}", f"{name}：{error.text.zh}"
            ) from None
        head = proven.head.checkpoint
        if name != proof_name(proven.index) or (head.size, head.root) != (said.size, said.root):
            raise _failed("report-proof", f"{name} is about another head", f"{name} 属于另一检查点")
        hubs.add(proven.head.hub)
    return _Entries(parsed, ", ".join(sorted(hubs)))


def _officer(entries: _Entries, root: Root, issuer: str) -> tuple[bytes, str]:
    """The issuer's officer key, as an entry of the authority has it."""
    if issuer == root.authority:
        return root.body.officer, "authority"
    hubs = {hub.hub: hub.entry for hub in root.hubs}
    for entry in entries.parsed.values():
        said = entry.statement
        act = parse_act(said.act)
        body = act.body
        if isinstance(body, EnrolMember) and body.member == issuer and said.permit:
            verify_entry(entry, hubs[said.hub])
            verify_act(act, root.body.officer)
            return body.officer, body.member_kind
    raise _failed(
        "report-issuer",
        f"no entry shows that {issuer} is a member",
        f"没有条目表明 {issuer} 是成员",
    )


def _agrees(data: dict[str, Any], said: Statement, entries: _Entries) -> None:
    """The data name the same subject and head, and say of each proven entry what it says."""
    ground, period = data["ground"], data["period"]
    stated = (data["member"]["id"], data["issuer"]["id"], period["from"], period["to"])
    if (
        stated != (said.member, said.issuer, said.from_ms, said.to_ms)
        or (ground["size"], ground["root"]) != (said.size, said.root.hex())
        or sorted(data["evidence"]) != sorted(entries.parsed)
    ):
        raise _failed("report-data", "it is about something else", "与签名内容不一致")
    for one in data["refusals"]:
        _says(entries, one["entry"], one["member"], one["kind"])
    for one in (*data["received"], *data["provided"]):
        for name, kind in (("keys", "keys.ask"), ("receipts", "receipt.file")):
            for index in one[name]:
                _says(entries, index, one["consumer"], kind, one["grant"])


def _says(entries: _Entries, index: int, member: str, kind: str, grant: str = "") -> None:
    """The entry, if it is proven here, is this member's act of this kind (and under this grant)."""
    entry = entries.parsed.get(index)
    if entry is None:
        return
    act = parse_act(entry.statement.act)
    under = getattr(act.body, "grant", b"").hex() if grant else ""
    if (act.member, act.kind, under) != (member, kind, grant):
        raise _failed(
            "report-data",
            f"entry {index} does not say what the report says",
            f"第 {index} 条与报告所述不符",
        )


def _data(raw: bytes) -> dict[str, Any]:
    try:
        data = json.loads(raw)
    except ValueError:
        data = None
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise _failed("report-data", f"{DATA} is no report of this format", f"{DATA} 格式不符")
    return data


def _file(files: Mapping[str, bytes], name: str) -> bytes:
    if name not in files:
        raise _failed("report-file", f"{name} is missing", f"缺少 {name}")
    return files[name]


def _failed(failure: str, en: str, zh: str) -> CheckFailed:
    return CheckFailed(
        f"the report does not hold: {en}",
        f"报告核验未通过：{zh}",
        remedy=(
            "do not rely on it; ask its issuer for the report again",
            "请勿采信，并向出具机构重新索取",
        ),
        failure=failure,
    )
