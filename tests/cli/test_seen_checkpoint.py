"""The checkpoint that a member verified last: kept whole, and named when it is spoiled."""

from pathlib import Path

import pytest

from exchange.cli.auditlog import SEEN_FILE, check_log
from exchange.errors import CheckFailed, InputUnreadable
from exchange.ledger.logreader import LogReader
from exchange.ledger.merkle import Tree
from tests.ledger.logs import PublishedLog, Served

LOG = PublishedLog(seed=5).grow(40)


class Office:
    """As much of one as reading a log takes; each layer of it is itself."""

    def __init__(self, folder: Path, log: PublishedLog) -> None:
        self.home = self.view = self.follower = self.leaves = self
        self.member = "audit-office"
        self.folder = folder
        self.tree: Tree = log.tree
        self.log_keys = LOG.keys
        self.log = LogReader(Served(log.files()))

    def member_directory(self, _member: str) -> Path:
        return self.folder

    async def catch_up(self) -> None:
        """Nothing comes."""


async def test_what_was_verified_is_kept_and_compared_next_time(tmp_path: Path) -> None:
    office = Office(tmp_path, LOG)
    await check_log(office)  # type: ignore[arg-type]
    assert (tmp_path / SEEN_FILE).read_bytes() == await office.log.checkpoint()
    assert [file.name for file in tmp_path.iterdir()] == [SEEN_FILE]
    forked = PublishedLog(seed=5).grow(30)
    forked.chance.random()
    with pytest.raises(CheckFailed) as caught:
        await check_log(Office(tmp_path, forked.grow(20)))  # type: ignore[arg-type]
    assert caught.value.failure == "checkpoint-fork"


@pytest.mark.parametrize("spoiled", [b"", b"garbage\n", LOG.signed().render()[:-40]])
async def test_a_spoiled_file_is_named(tmp_path: Path, spoiled: bytes) -> None:
    (tmp_path / SEEN_FILE).write_bytes(spoiled)
    with pytest.raises(InputUnreadable) as caught:
        await check_log(Office(tmp_path, LOG))  # type: ignore[arg-type]
    assert str(tmp_path / SEEN_FILE) in caught.value.text.en
    assert caught.value.failure == "seen-checkpoint"
