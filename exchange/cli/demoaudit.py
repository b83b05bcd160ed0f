"""The auditor's part of the demo: a proof, two reconciliations, a signed report.

Each scene reads the ledger with an office of its own, as a command does. What is written lies in
HOME/demo: ``release.tlog-proof`` and ``report/``.
"""

import asyncio
import json
import shutil
import subprocess
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from exchange.cli import demoaudittexts as texts
from exchange.cli.demostage import (
    AUDITOR,
    CIVIL,
    HUMAN,
    RESULTS,
    VILLAGES,
    Stage,
    village_rows,
    write_csv,
)
from exchange.errors import ToolMissing

if TYPE_CHECKING:
    from exchange.audit.reads import Read
    from exchange.audit.reconcile import Reconciled
    from exchange.flow.ports import Admitted, Hub, KeysAnswered
    from exchange.wiring.office import Office

Fresh = Callable[[], AbstractAsyncContextManager["Office"]]
"""The auditor's office, opened anew."""

PROOF: Final = "release.tlog-proof"
REPORT: Final = "report"
WITHHELD_ROWS: Final = 300
_BUILD_S: Final = 120
_CHECK_S: Final = 30


async def prove_release(stage: Stage, reads: "Sequence[Read]", fresh: Fresh) -> dict[str, Any]:
    """Prove the last release of exam results; a program that shares no code checks it."""
    from exchange.cli.auditprove import proof_of
    from exchange.ledger.proof import parse_proof, verify_proof

    stage.open_scene(texts.PROVING)
    index = next(read for read in reads if read.dataset == RESULTS).keys[-1]
    async with fresh() as office:
        proof, proven = await proof_of(office, index)
        keys = office.log_keys
    file = stage.home.path.parent / PROOF
    file.write_text(proof.text(), "utf-8")
    stage.tell(texts.PROOF, index=index, size=proven.head.checkpoint.size, file=file.name)
    again = verify_proof(parse_proof(file.read_bytes()), keys)
    stage.must(again.index == index, texts.PROVING, "offline")
    ed25519 = [key.text() for hub in keys.hubs for key in hub.keys[:1]]
    said = await asyncio.to_thread(_checked_in_go, stage.home.path.parent, file, ed25519)
    if said is None:
        stage.tell(texts.OFFLINE)
    else:
        stage.must(said.get("proven") == index, texts.PROVING, json.dumps(said))
        stage.tell(texts.IN_GO)
    return {"entry": index, "file": PROOF, "verifier": "go" if said else "exchange"}


async def reconcile_cleanly(stage: Stage, fresh: Fresh) -> dict[str, Any]:
    """Every key has its receipt and every anchor is reached, with no time to spare."""
    stage.open_scene(texts.RECONCILING)
    found = await _reconciled(fresh)
    kinds = ", ".join(one.kind for one in found.findings)
    stage.must(not found.findings, texts.RECONCILING, kinds)
    counts = {"keys": found.keys, "receipts": found.receipts, "anchors": found.anchors}
    stage.tell(texts.CLEAN, **counts)
    return {"clean": True, **counts}


async def withhold_a_receipt(stage: Stage, fresh: Fresh) -> dict[str, Any]:
    """A consumer reads and keeps silent; reconciling names it."""
    from exchange.cli.push import push_file

    stage.open_scene(texts.WITHHOLDING)
    rows = {name: values[:WITHHELD_ROWS] for name, values in village_rows().items()}
    file = write_csv(stage.folder / CIVIL / "supplement.csv", rows)
    done = await push_file(stage.offices[CIVIL], VILLAGES, str(file), advance=lambda _: None)
    stage.pushed += done.accepted
    records = await _pull_silently(stage)
    stage.must(records == WITHHELD_ROWS, texts.WITHHOLDING, f"{records} records")
    stage.tell(texts.SILENT, records=records)
    found = await _reconciled(fresh)
    kinds = [(one.kind, one.responsible) for one in found.findings]
    stage.must(kinds == [("key-without-receipt", HUMAN)], texts.WITHHOLDING, kinds)
    (one,) = found.findings
    stage.tell(texts.FOUND, what=stage.screen.word(one.text), entry=one.entries[0])
    return {"kind": one.kind, "responsible": one.responsible, "entries": list(one.entries)}


async def report(stage: Stage, fresh: Fresh) -> dict[str, Any]:
    """A signed report about Human Resources, checked offline from the pin."""
    from exchange.audit.reportcheck import check_report
    from exchange.audit.tally import Due
    from exchange.cli.auditreport import write_folder
    from exchange.wiring.clock import now_ms
    from exchange.wiring.reporting import make_report, put_on_record

    stage.open_scene(texts.REPORTING)
    made, with_pdf = None, True
    while made is None:
        try:
            async with fresh() as office:
                made = await make_report(
                    office,
                    HUMAN,
                    from_ms=0,
                    to_ms=1 << 62,
                    issued_ms=now_ms(),
                    due=Due(receipt_ms=0, delivery_ms=0),
                    with_pdf=with_pdf,
                )
                await put_on_record(office, made, purpose="audit")
        except ToolMissing as missing:
            stage.screen.note(missing.remedy)
            with_pdf = False
    folder = stage.home.path.parent / REPORT
    shutil.rmtree(folder, ignore_errors=True)
    await asyncio.to_thread(write_folder, folder, made)
    checked = check_report(made, stage.home.pin)
    data = json.loads(made["report.json"])
    found = [one["kind"] for one in data["findings"]]
    stage.must(found == ["key-without-receipt"], texts.REPORTING, found)
    stage.tell(texts.REPORT, folder=folder, files=checked.files, proofs=checked.proofs)
    names = sorted(name for name in made if "/" not in name)
    return {"folder": REPORT, "files": names, "proofs": checked.proofs, "issuer": AUDITOR}


async def _reconciled(fresh: Fresh) -> "Reconciled":
    from exchange.audit.tally import Due
    from exchange.cli.auditreconcile import put_on_record, reconciled
    from exchange.wiring.clock import now_ms

    async with fresh() as office:
        due = Due(receipt_ms=0, delivery_ms=0)
        moment = now_ms()
        found, _ = await reconciled(office, as_of_ms=moment, due=due)
        await put_on_record(office, "", "", moment, due, why="audit")
        return found


@dataclass(frozen=True, slots=True)
class _Silent:
    """What a consumer talks through that wants keys and files no receipt."""

    hub: "Hub"

    async def submit(self, act: bytes) -> "Admitted":
        """Swallows receipts, and says that they were filed."""
        from exchange.flow.ports import Admitted
        from exchange.ledger.act import parse_act

        parsed = parse_act(act)
        if parsed.kind == "receipt.file":
            return Admitted(parsed.id, 0, bytes(32), permit=True, rules=())
        return await self.hub.submit(act)

    async def ask(self, act: bytes, headers: Sequence[bytes]) -> "KeysAnswered":
        """As it is."""
        return await self.hub.ask(act, headers)


async def _pull_silently(stage: Stage) -> int:
    from exchange.wiring.adapters import Target, open_sink
    from exchange.wiring.transfer import find_subscription, subscriber_into

    office = stage.offices[HUMAN]
    entitled = await find_subscription(office, stage.grants[VILLAGES])
    target = Target("sqlite", str(stage.received(VILLAGES)))
    sink = open_sink(target, entitled)
    try:
        subscriber = await subscriber_into(
            office, entitled, sink, sink_name=target.sink, hub=_Silent(office.hub)
        )
        delivered = await subscriber.run(follow=False)
    finally:
        sink.close()
    stage.note_pull(delivered)
    return delivered.records


def _checked_in_go(folder: Path, proof: Path, vkeys: Sequence[str]) -> dict[str, Any] | None:
    """What the verifier of tests/interop says of ``proof``; None where it or Go is missing."""
    source = Path(__file__).resolve().parents[2] / "tests" / "interop"
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None or not (source / "go.mod").is_file():
        return None
    program = folder / "logcheck"
    alone = ["env", "GOWORK=off", "GOTOOLCHAIN=local"]
    build = [*alone, go, "build", "-mod=readonly", "-buildvcs=false", "-o", str(program), "."]
    keys = [word for vkey in vkeys for word in ("-vkey", vkey)]
    try:
        subprocess.run(build, cwd=source, check=True, timeout=_BUILD_S, capture_output=True)
        done = subprocess.run(
            [str(program), *keys, "-proof", str(proof)],
            check=True,
            timeout=_CHECK_S,
            capture_output=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    finally:
        program.unlink(missing_ok=True)
    said: dict[str, Any] = json.loads(done.stdout)
    return said
