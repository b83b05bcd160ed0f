"""Make a report about a member and sign it: exchange/audit/REPORT-SPEC.md.

The issuer reads the ledger itself, from the pin on, and stands on a head that a hub signed. What it
hands over is files by name; who writes them, and where, is the caller's.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from exchange.audit.account import Account
from exchange.audit.reconcile import reconcile
from exchange.audit.reportcheck import DATA, PAGE, PDF, proof_name
from exchange.audit.reportdata import Data, Ground, Scope, encoded, report_data
from exchange.audit.reportpage import render
from exchange.audit.reportpdf import pdf
from exchange.audit.reportseal import STATEMENT, Statement, hashes, parse, sign
from exchange.audit.tally import Due, Tally
from exchange.errors import BusUnavailable, CheckFailed, NoteRefused, NotFound, UsageError
from exchange.flow.ports import Admitted
from exchange.ledger.cosignature import SignedHead, verify_head
from exchange.ledger.entry import parse_entry
from exchange.ledger.policy import check_quorum
from exchange.ledger.proof import Proof
from exchange.limits import LEAF_BYTES_MAX
from exchange.wiring.inquiry import check_purpose, file_query
from exchange.wiring.office import Office

SEALED_S: Final = 5.0
"""How long a hub may take to sign a head over what stood on the ledger at the call."""
_PAUSE_S: Final = 0.2


async def make_report(
    office: Office,
    member: str,
    *,
    from_ms: int,
    to_ms: int,
    issued_ms: int,
    due: Due | None = None,
    with_pdf: bool = True,
) -> dict[str, bytes]:
    """The files of a signed report about ``member``. The office must not have read anything yet.

    ``due`` is when what does not line up counts as a finding.
    Raises `NotFound` for an unknown member, `UsageError` with ``period`` for one that the ledger
    does not reach, `CheckFailed` with ``root`` when the ledger that was
    read is not the one the hub signed, `ToolMissing` when no PDF can be made here.
    """
    head = await signed_head(office)
    size = head.checkpoint.size
    (newest,) = (await office.hub.entries(size - 1, 1))[:1]
    as_of_ms = min(to_ms, parse_entry(newest).statement.time_ms)
    account = Account(member, office.view.registry, size=size)
    tally = Tally(as_of_ms=as_of_ms, due=due or Due(), size_max=size)
    office.view.listen(account.take)
    office.view.listen(tally.take)
    registry = await office.registry()
    _check(office, head)
    if member not in account.enrolled:
        raise _no_member(member)
    if to_ms < account.began_ms or from_ms > account.time_ms:
        raise _outside(account.began_ms, account.time_ms)
    findings = [one for one in reconcile(tally, registry).findings if one.concerns(member)]
    data = report_data(
        Scope(member, from_ms, to_ms, office.member, issued_ms),
        Ground(
            office.origin,
            bytes.fromhex(office.home.table.log.genesis),
            size,
            head.checkpoint.root,
            head.hub,
            head.raw.decode(),
        ),
        account,
        registry,
        findings,
        office.view.engine,
    )
    page = render(data)
    files = {DATA: encoded(data), PAGE: page.encode()}
    if with_pdf:
        files[PDF] = await asyncio.to_thread(pdf, page)
    files |= await _proofs(office, data["evidence"], head, account.raw)
    return files | {STATEMENT: _signed(office, data, files)}


async def put_on_record(office: Office, files: Mapping[str, bytes], *, purpose: str) -> Admitted:
    """File the question that a report answers; call it before the files are shown to anybody.

    Raises `RuleRefused` if this member may not have a report about that one.
    """
    check_purpose(purpose, office.view.registry)
    said = parse(files[STATEMENT]).statement
    named: dict[str, str | int] = {"member": said.member, "from": said.from_ms, "to": said.to_ms}
    return await file_query(
        office,
        named,
        ("report",),
        size=said.size,
        root=said.root,
        members=(said.member,),
        datasets=(),
        purpose=purpose,
    )


async def signed_head(office: Office) -> SignedHead:
    """A head of the hub's that covers what stood on the ledger at the call; `BusUnavailable`.

    Where the home has a witness policy its quorum has cosigned the head; `NoteRefused` if it does
    not come to that.
    """
    policy = office.home.policy()
    wanted = (await office.hub.head()).size
    loop = asyncio.get_running_loop()
    until = loop.time() + SEALED_S
    while True:
        try:
            head = verify_head(await office.log.checkpoint(), office.log_keys)
            if head.checkpoint.size >= wanted:
                if policy is not None:
                    check_quorum(head, policy)
                return head
        except NotFound:  # nothing was sealed yet
            pass
        except NoteRefused as error:
            if error.failure != "quorum" or loop.time() > until:
                raise
        if loop.time() > until:
            raise _unsealed()
        await asyncio.sleep(_PAUSE_S)


async def _proofs(
    office: Office, evidence: list[int], head: SignedHead, known: Mapping[int, bytes]
) -> dict[str, bytes]:
    tree, size = office.view.follower.leaves.tree, head.checkpoint.size
    files: dict[str, bytes] = {}
    for index in evidence:
        raw = known.get(index)
        if raw is None:
            (raw,) = await office.view.follower.entries(
                index, count_max=1, bytes_max=LEAF_BYTES_MAX
            )
        proof = Proof(index, tree.inclusion(index, size), head.raw, raw)
        files[proof_name(index)] = proof.text().encode()
    return files


def _signed(office: Office, data: Data, files: Mapping[str, bytes]) -> bytes:
    ground, period = data["ground"], data["period"]
    statement = Statement(
        office.origin,
        office.member,
        data["member"]["id"],
        period["from"],
        period["to"],
        data["issued"],
        ground["size"],
        bytes.fromhex(ground["root"]),
        hashes(files),
    )
    return sign(statement, office.officer.signer)


def _check(office: Office, head: SignedHead) -> None:
    """What was read from Kafka is what the hub signed."""
    tree = office.view.follower.leaves.tree
    size = head.checkpoint.size
    if size > tree.size or tree.root(size) != head.checkpoint.root:
        raise CheckFailed(
            f"the head that hub {head.hub} signed is not that of the entries on Kafka",
            f"枢纽 {head.hub} 签署的账本根与 Kafka 上的条目不符",
            remedy=(
                "keep every copy of the topic and of the checkpoint; stop the hub",
                "请保全主题与检查点的所有副本，同时停止枢纽",
            ),
            failure="root",
        )


def _no_member(member: str) -> NotFound:
    return NotFound(
        f"there is no member {member} on the ledger",
        f"账本上没有成员 {member}",
        remedy=("see: exchange member list", "请查看：exchange member list"),
        failure="member",
    )


def _outside(began_ms: int, time_ms: int) -> UsageError:
    first, last = (
        datetime.fromtimestamp(ms / 1_000).astimezone().isoformat(timespec="seconds")
        for ms in (began_ms, time_ms)
    )
    return UsageError(
        f"the ledger has nothing in this period: its entries are of {first} to {last}",
        f"账本在该期间内没有条目：其条目自 {first} 至 {last}",
        remedy=("name another period with --from and --to", "请用 --from、--to 指定其他期间"),
        failure="period",
    )


def _unsealed() -> BusUnavailable:
    return BusUnavailable(
        "the hub has not signed a head over the newest entries",
        "枢纽尚未对最新条目签署检查点",
        remedy=("try again; see: exchange status", "请重试，并查看 exchange status"),
        failure="unsealed",
    )
