"""Ledgers for measurements are real ones: whoever folds their entries gets the hub's root."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from bench import evidence
from bench.bigledger import BigLedger, big_ledger, make
from exchange.bus.ports import Message
from exchange.ledger.leaves import Leaves
from exchange.ledger.verdict import Folded
from exchange.registry.fold import RegistryFold
from exchange.registry.statehash import state_hash

COUNT = 620


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def test_a_made_ledger_is_what_a_fold_of_its_entries_says(cache: Path) -> None:
    made = big_ledger(COUNT, cache=cache)
    fold = RegistryFold([made.engine()])
    fold.scrutinises = True
    leaves = Leaves(bytes.fromhex(made.pin), fold)
    folded = [
        leaves.take(Message("ledger", 0, offset, raw, (), 0))
        for offset, raw in enumerate(made.entries())
    ]
    assert made.size == leaves.size == COUNT
    assert (leaves.tree.root().hex(), state_hash(fold.registry).hex()) == (made.root, made.state)
    for one in folded:
        assert isinstance(one, Folded)
        assert one.fresh
        assert one.carried
        assert not one.disputed
    assert set(made.verdicts) == {"permit", "deny"}
    assert {"keys.ask", "receipt.file", "stream.progress", "request.new"} <= made.kinds.keys()
    assert big_ledger(COUNT, cache=cache) == made
    assert BigLedger.load(made.directory) == made


def test_fewer_entries_than_its_members_need_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="too small"):
        asyncio.run(make(tmp_path, 300))


def test_evidence_is_measured_on_it(cache: Path, tmp_path: Path) -> None:
    made = big_ledger(COUNT, cache=cache)
    replayed = evidence.replay(made, 1)
    assert (replayed["entries"], replayed["processes"]) == (COUNT, 2)
    reconciled = evidence.reconcile(made)
    assert reconciled["keys"] > 0
    proven = evidence.proofs(made, tmp_path)
    assert proven["proofs"] == evidence.PROOFS
    assert min(*replayed.values(), proven["p50_ms"], reconciled["note_us"]) > 0


def test_a_ledger_of_an_older_program_is_not_measured(cache: Path) -> None:
    made = big_ledger(COUNT, cache=cache)
    with pytest.raises(RuntimeError, match="older program"):
        evidence.replay(replace(made, state="00"), 0)
