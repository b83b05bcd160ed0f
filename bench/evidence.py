"""What evidence costs on a long ledger: replay, reconciling, proofs; and the memory it takes.

``python -m bench.evidence WHAT COUNT [--log FOLDER]`` measures one thing in a process of its own,
so that its peak of memory is its own, and prints one JSON object. The ledger is a real one, made
entry by entry (bench/bigledger.py). Replay checks the hub's and the member's signature of every
entry, decides every verdict again, and counts processor time of all its processes.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Final

from bench.bigledger import BigLedger, big_ledger
from bench.memory import Peak
from bench.rounds import quantile
from bench.search import search
from exchange.audit.published import prove
from exchange.audit.reconcile import reconcile as line_up
from exchange.audit.replay import Replay
from exchange.audit.tally import Due, Tally
from exchange.bus.ports import Message
from exchange.ledger.act import ACT_DOMAIN
from exchange.ledger.checkpoint import Checkpoint
from exchange.ledger.cosignature import HeadSigner, LogKeys, log_keys, sign_head
from exchange.ledger.entry import leaf_hash
from exchange.ledger.logreader import LogReader
from exchange.ledger.merkle import Tree
from exchange.ledger.note import Note, SignatureType, VerifierKey
from exchange.ledger.tiles import CHECKPOINT, ENTRIES, HEIGHT, WIDTH, encode_bundle, tiles_between
from exchange.ledger.verdict import Folded
from exchange.registry.fold import RegistryFold
from exchange.wiring.logsource import FolderLog
from exchange.wiring.replaying import as_messages, seldom_collected
from keys.cose import Verified, verify_claims
from keys.custody import MemoryCustody
from keys.primitives import Signature, which_hold
from keys.verifiers import Verifiers
from tests.ledger.drafts import ORIGIN

PORTION: Final = 2_000
PROOFS: Final = 300
WHAT: Final = ("replay", "replay-entries", "replay-parallel", "search", "reconcile", "prove")


def measured(count: int, directory: Path) -> dict[str, dict[str, Any]]:
    """Everything, each in a process of its own; the ledger is made first if it is not there."""
    big_ledger(count)
    found = {}
    for what in WHAT:
        print(f"bench: evidence, {what}", file=sys.stderr, flush=True)
        command = [sys.executable, "-m", "bench.evidence", what, str(count)]
        command += ["--log", str(directory / "log")]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found[what] = json.loads(done.stdout)
    return found


class EntriesOnly(Verifiers):
    """Checks the hubs' signatures and takes the members' as checked: what one signature costs."""

    def receive(self) -> list[Verified | None]:
        """As `Verifiers`."""
        claims, _ = self._batches.popleft()
        acts = [claim.domain == ACT_DOMAIN for claim in claims]

        def check(asked: list[Signature]) -> bytes:
            entries = [one for one, act in zip(asked, acts, strict=True) if not act]
            held = iter(which_hold(entries))
            return bytes(1 if act else next(held) for act in acts)

        return verify_claims(claims, check)


def replay(big: BigLedger, processes: int, checked: Verifiers | None = None) -> dict[str, float]:
    """Entries a second, on the clock and a core."""
    began, worked = time.perf_counter(), _cpu_s()
    with checked or Verifiers(processes) as verifiers, seldom_collected():
        made = Replay(bytes.fromhex(big.pin), RegistryFold([big.engine()]), verifiers, strict=True)
        for messages in portions(big):
            made.take(messages)
        made.finish()
    took, cpu = time.perf_counter() - began, _cpu_s() - worked
    result = made.result()
    same = (result.root.hex(), result.state.hex()) == (big.root, big.state)
    if not same or result.disputed or result.overtaken or result.void:
        raise RuntimeError(f"{big.directory} was made by an older program: remove it")
    return {
        "entries": big.size,
        "processes": processes + 1,
        "entries_per_s": round(big.size / took, 1),
        "entries_per_s_core": round(big.size / cpu, 1),
    }


def reconcile(big: BigLedger) -> dict[str, float]:
    """What reconciling adds to a reading: seconds of taking notes and of lining up."""
    tally = Tally(as_of_ms=1 << 62, due=Due())
    noting = 0.0

    def note(folded: Folded) -> None:
        nonlocal noting
        began = time.perf_counter()
        tally.take(folded)
        noting += time.perf_counter() - began

    made = _read(big, note)
    tally.as_of_ms = made.fold.registry.time_ms
    began = time.perf_counter()
    found = line_up(tally, made.fold.registry)
    return {
        "entries": big.size,
        "keys": found.keys,
        "findings": len(found.findings),
        "note_us": round(noting * 1e6 / big.size, 2),
        "line_up_s": round(time.perf_counter() - began, 3),
    }


def proofs(big: BigLedger, folder: Path) -> dict[str, float]:
    """Milliseconds to prove an entry of the published log, verified before it leaves."""
    keys = publish(big, folder)
    chance = random.Random(4)
    wanted = [chance.randrange(big.size) for _ in range(PROOFS)]

    async def one(index: int) -> float:
        began = time.perf_counter()
        await prove(LogReader(FolderLog(folder)), keys, index)
        return (time.perf_counter() - began) * 1_000

    async def every() -> list[float]:
        return [await one(index) for index in wanted]

    took = asyncio.run(every())
    return {
        "entries": big.size,
        "proofs": len(took),
        "p50_ms": round(quantile(took, 0.50), 2),
        "p95_ms": round(quantile(took, 0.95), 2),
        "max_ms": round(max(took), 2),
    }


def publish(big: BigLedger, folder: Path) -> LogKeys:
    """Write the ledger as a hub publishes it, under keys of its own; the keys to check with."""
    tree = Tree()
    for raw in big.entries():
        tree.append(leaf_hash(raw))
    entries = big.entries()
    for tile in tiles_between(0, tree.size):
        file = folder / tile.path
        file.parent.mkdir(parents=True, exist_ok=True)
        if tile.level == ENTRIES:
            file.write_bytes(encode_bundle(list(islice(entries, WIDTH))))
        else:
            end = tile.first + tile.width
            file.write_bytes(tree.row(HEIGHT * tile.level, tile.first, end))
    custody = MemoryCustody()
    ed25519, mldsa = custody.generate_signing("head").raw, custody.generate_mldsa("mldsa").raw
    signers = [
        HeadSigner(VerifierKey(ORIGIN, SignatureType.ED25519, ed25519), custody.signer("head")),
        HeadSigner(VerifierKey(ORIGIN, SignatureType.MLDSA, mldsa), custody.mldsa_signer("mldsa")),
    ]
    head = Checkpoint(ORIGIN, tree.size, tree.root())
    note = Note(head.text(), sign_head(head, signers, now_s=int(time.time())))
    (folder / CHECKPOINT).write_bytes(note.render())
    return log_keys(ORIGIN, [("hub-1", ed25519, mldsa)])


def portions(big: BigLedger) -> Iterator[list[Message]]:
    """The ledger as a source gives it."""
    entries, at = big.entries(), 0
    while portion := list(islice(entries, PORTION)):
        yield as_messages(portion, at)
        at += len(portion)


def _read(big: BigLedger, listen: Callable[[Folded], None]) -> Replay:
    with Verifiers(0) as verifiers, seldom_collected():
        fold = RegistryFold([big.engine()])
        made = Replay(bytes.fromhex(big.pin), fold, verifiers, strict=True, listen=listen)
        for messages in portions(big):
            made.take(messages)
        made.finish()
    return made


def _cpu_s() -> float:
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def main() -> None:
    """Measure one thing and print it."""
    parser = argparse.ArgumentParser(prog="python -m bench.evidence", description=__doc__)
    parser.add_argument("what", choices=WHAT)
    parser.add_argument("count", type=int)
    parser.add_argument("--log", type=Path, required=True)
    given = parser.parse_args()
    big = big_ledger(given.count)
    match given.what:
        case "replay":
            found = replay(big, 0)
        case "replay-parallel":
            found = replay(big, max(1, len(os.sched_getaffinity(0)) - 1))
        case "replay-entries":
            found = replay(big, 0, checked=EntriesOnly(0))
        case "search":
            found = search(big)
        case "reconcile":
            found = reconcile(big)
        case _:
            found = proofs(big, given.log)
    peak = Peak()
    peak.look(os.getpid())
    found["peak_mb"] = round(peak.resident / 1e6, 1)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
