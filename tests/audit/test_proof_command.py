"""Verifying a proof where there is nothing but the proof and a policy: no home, no network."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from exchange.cli.main import run
from exchange.ledger.proof import Proof
from tests.ledger.logs import PublishedLog, policy_text

LOG = PublishedLog(seed=2).grow(40)


@pytest.fixture
def proof(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The proof of entry 7, cosigned, in a folder without a home."""
    monkeypatch.setenv("EXCHANGE_HOME", str(tmp_path / "none"))
    file = tmp_path / "entry-7.tlog-proof"
    path, head = LOG.tree.inclusion(7), LOG.signed(witnessed=True)
    file.write_text(Proof(7, path, head.render(), LOG.entries[7]).text())
    return file


def verified(*words: str | Path) -> tuple[int, dict[str, Any]]:
    out, err = io.StringIO(), io.StringIO()
    code = run(["audit", "verify", *map(str, words), "--json"], out=out, err=err)
    said = json.loads(out.getvalue() or err.getvalue())
    return code, said.get("error", said)


def policy(folder: Path, *, log: PublishedLog = LOG, quorum: str = "health") -> Path:
    file = folder / "policy"
    lines = f"log {log.keys.vkeys[0].text()}\n".encode() + policy_text(LOG, quorum)
    file.write_bytes(lines)
    return file


def test_a_policy_that_names_the_log_is_enough(proof: Path, tmp_path: Path) -> None:
    code, said = verified("--proof", proof, "--policy", policy(tmp_path))
    assert (code, said["verified"], said["entry"], said["size"]) == (0, True, 7, 40)
    assert (said["signed"], said["witnesses"]) == (None, ["health"])


def test_without_a_home_or_a_policy_nobody_is_believed(proof: Path) -> None:
    code, said = verified("--proof", proof)
    assert (code, said["failure"]) == (2, "no-home")
    assert "--policy" in said["remedy"]["en"]


def test_another_log_another_entry_and_a_missing_quorum_are_refused(
    proof: Path, tmp_path: Path
) -> None:
    stranger = PublishedLog(seed=3)
    code, said = verified("--proof", proof, "--policy", policy(tmp_path, log=stranger))
    assert (code, said["failure"]) == (1, "unsigned")
    (tmp_path / "entry").write_bytes(LOG.entries[8])
    words = ("--proof", proof, "--policy", policy(tmp_path), "--entry", tmp_path / "entry")
    assert verified(*words)[1]["failure"] == "inclusion"
    bare = Proof(7, LOG.tree.inclusion(7), LOG.signed().render(), LOG.entries[7])
    proof.write_text(bare.text())
    code, said = verified("--proof", proof, "--policy", policy(tmp_path))
    assert (code, said["failure"]) == (1, "quorum")
    assert verified("--proof", proof, "--policy", policy(tmp_path, quorum="none"))[0] == 0
    assert verified("--proof", tmp_path / "nowhere")[1]["failure"] == "unreadable"
