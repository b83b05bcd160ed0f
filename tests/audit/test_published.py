"""The published log against one's own reading: old heads, forks, flipped bits, by index."""

import pytest

from exchange.audit.published import (
    agree,
    check_checkpoint,
    first_difference,
    old_checkpoint,
    prove,
)
from exchange.errors import CheckFailed, NoteRefused, NotFound
from exchange.ledger.logreader import LogReader
from exchange.ledger.policy import parse_policy
from exchange.ledger.proof import parse_proof, verify_proof
from exchange.ledger.tiles import CHECKPOINT
from tests.ledger.logs import PublishedLog, Served, policy_text

LOG = PublishedLog(seed=2).grow(700)


def forked(at: int, size: int = 700) -> PublishedLog:
    """The same keys, and another history from entry ``at`` on."""
    other = PublishedLog(seed=2).grow(at)
    other.chance.random()
    return other.grow(size - at)


async def failure_of(reader: LogReader, log: PublishedLog = LOG) -> tuple[str, str]:
    with pytest.raises((CheckFailed, NoteRefused, NotFound)) as refusal:
        await agree(reader, LOG.keys, log.tree)
    return refusal.value.failure, refusal.value.text.en


async def test_a_log_of_the_same_ledger_agrees() -> None:
    for size in (1, 256, 700):
        agreed = await agree(LogReader(Served(LOG.files(size))), LOG.keys, LOG.tree)
        assert (agreed.head.checkpoint, agreed.witnessed) == (LOG.head(size), None)


@pytest.mark.parametrize("at", [0, 1, 255, 256, 257, 511, 699])
async def test_a_fork_is_traced_to_its_first_entry(at: int) -> None:
    failure, said = await failure_of(LogReader(Served(forked(at).files())))
    assert failure == "checkpoint-fork"
    assert f"from entry {at} on" in said


async def test_a_fork_that_shows_honest_tiles_is_a_fork_all_the_same() -> None:
    """Two readers get one set of tiles and two signed heads: only the heads differ."""
    files = LOG.files() | {CHECKPOINT: forked(300).signed().render()}
    failure, said = await failure_of(LogReader(Served(files)))
    assert failure == "checkpoint-fork"
    assert "somewhere before entry 700" in said
    del files["tile/0/000"]
    files["tile/1/000.p/2"] = files["tile/1/000.p/2"][::-1]
    reader = LogReader(Served(files))
    assert await first_difference(reader, LOG.tree, 700) is None


async def test_a_log_that_is_ahead_of_the_reading_is_waited_for() -> None:
    shorter = PublishedLog(seed=2).grow(699)
    failure, said = await failure_of(LogReader(Served(LOG.files())), shorter)
    assert failure == "not-sealed"
    assert "entry 699" in said


async def test_one_flipped_bit_in_the_checkpoint_is_noticed() -> None:
    raw = LOG.signed().render()
    for position in range(0, len(raw), 97):
        flipped = bytearray(raw)
        flipped[position] ^= 1
        with pytest.raises((NoteRefused, CheckFailed)):
            await agree(
                LogReader(Served(LOG.files() | {CHECKPOINT: bytes(flipped)})), LOG.keys, LOG.tree
            )


def test_a_kept_checkpoint_shows_that_the_ledger_was_cut_or_rewritten() -> None:
    kept = LOG.signed(600).render()
    assert check_checkpoint(kept, LOG.keys, LOG.tree).checkpoint == LOG.head(600)
    with pytest.raises(CheckFailed, match="ends before entry 599") as cut:
        check_checkpoint(kept, LOG.keys, PublishedLog(seed=2).grow(599).tree)
    assert cut.value.failure == "checkpoint-ahead"
    with pytest.raises(CheckFailed, match="somewhere before entry 600") as rewritten:
        check_checkpoint(kept, LOG.keys, forked(10).tree)
    assert rewritten.value.failure == "checkpoint-fork"
    with pytest.raises(NoteRefused):
        check_checkpoint(kept[:-40], LOG.keys, LOG.tree)


async def test_an_old_checkpoint_is_named_by_where_it_ends() -> None:
    agreed = await agree(LogReader(Served(LOG.files(600))), LOG.keys, LOG.tree)
    error = old_checkpoint(agreed.head, 700)
    assert error.failure == "checkpoint-old"
    assert "before entry 600" in error.text.en
    assert "第 600 条" in error.text.zh


async def test_a_quorum_is_demanded_where_there_is_a_policy() -> None:
    policy = parse_policy(policy_text(LOG))
    files = LOG.files() | {CHECKPOINT: LOG.signed(witnessed=True).render()}
    agreed = await agree(LogReader(Served(files)), LOG.keys, LOG.tree, policy=policy)
    assert agreed.witnessed is not None
    with pytest.raises(NoteRefused) as refusal:
        await agree(LogReader(Served(LOG.files())), LOG.keys, LOG.tree, policy=policy)
    assert refusal.value.failure == "quorum"


async def test_a_proof_reads_little_and_verifies_alone() -> None:
    served = Served(LOG.files())
    proof, proven = await prove(LogReader(served), LOG.keys, 300)
    assert len(served.asked) <= 6
    assert proven.entry == LOG.entries[300]
    again = parse_proof(proof.text().encode())
    assert verify_proof(again, LOG.keys).entry == LOG.entries[300]
    with pytest.raises(NotFound) as refusal:
        await prove(LogReader(served), LOG.keys, 700)
    assert refusal.value.failure == "not-sealed"


@pytest.mark.parametrize(
    ("path", "index"), [("tile/0/001", 257), ("tile/1/000.p/2", 600), ("tile/entries/001", 256)]
)
async def test_no_proof_comes_out_of_a_log_with_a_flipped_bit(path: str, index: int) -> None:
    files = LOG.files()
    flipped = bytearray(files[path])
    flipped[3] ^= 1
    with pytest.raises((CheckFailed, NoteRefused)):
        await prove(LogReader(Served(files | {path: bytes(flipped)})), LOG.keys, index)
