"""Ledgers for measurements are real ones: whoever folds their entries gets the hub's root."""

import asyncio
from pathlib import Path

import pytest

from bench.bigledger import BigLedger, big_ledger, make
from exchange.bus.ports import Message
from exchange.ledger.leaves import Leaves
from exchange.ledger.verdict import Folded
from exchange.registry.fold import RegistryFold
from exchange.registry.statehash import state_hash
from tests.ledger.drafts import engine

COUNT = 620


def test_a_made_ledger_is_what_a_fold_of_its_entries_says(tmp_path: Path) -> None:
    made = big_ledger(COUNT, cache=tmp_path)
    fold = RegistryFold([engine()])
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
    assert big_ledger(COUNT, cache=tmp_path) == made
    assert BigLedger.load(made.directory) == made


def test_fewer_entries_than_its_members_need_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="too small"):
        asyncio.run(make(tmp_path, 300))
