"""Keys of chosen levels leave only under a head that a quorum of witnesses has cosigned."""

from pathlib import Path

import pytest

from exchange.errors import HubUnavailable
from exchange.flow.release import Releases
from tests.flow.stage import ListSink, Stage, villages


@pytest.fixture
async def stage(tmp_path: Path) -> Stage:
    made = await Stage(tmp_path).start()
    await made.push(villages(3))
    return made


class Covers:
    """Witnesses that cosign up to a size, as far as a release sees them."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.asked: list[int] = []

    async def cover(self, index: int) -> None:
        self.asked.append(index)
        if index >= self.size:
            raise HubUnavailable("not cosigned", "未签署", failure="not-cosigned")


def demanding(stage: Stage, witnessed: Covers | None, levels: tuple[int, ...]) -> None:
    """The stage's hub, set to wait for cosignatures."""
    hub = stage.hub
    hub.releases = Releases(
        ledger=hub.ledger,
        registry=hub.fold.registry,
        custody=stage.world.custody,
        signer=stage.world.signer("hub/hub-1"),
        clock=stage.now_ms,
        witnessed=witnessed,
        cosigned_levels=levels,
    )


async def test_keys_leave_once_their_entry_is_cosigned(stage: Stage) -> None:
    grant, sink, witnesses = await stage.grant(), ListSink(), Covers(1 << 20)
    demanding(stage, witnesses, (2,))
    await stage.pull(grant, sink)
    assert len(sink.records) == 3
    entries = [folded for folded in witnesses.asked if folded < stage.hub.follower.size]
    assert entries == witnesses.asked != []


async def test_no_key_leaves_while_its_entry_is_not_cosigned(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    witnesses = Covers(0)
    demanding(stage, witnesses, (1, 2, 3, 4))
    size = stage.hub.follower.size
    with pytest.raises(HubUnavailable) as refusal:
        await stage.pull(grant, sink)
    assert refusal.value.failure == "not-cosigned"
    assert sink.records == {}
    assert stage.hub.follower.size > size  # the log over-reports, never under-reports
    demanding(stage, Covers(1 << 20), (1, 2, 3, 4))
    await stage.pull(grant, sink)
    assert len(sink.records) == 3


async def test_a_hub_without_witnesses_fails_closed(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    demanding(stage, None, (1,))
    with pytest.raises(HubUnavailable) as refusal:
        await stage.pull(grant, sink)
    assert refusal.value.failure == "no-witness"
    assert sink.records == {}


async def test_levels_that_need_no_witness_wait_for_nobody(stage: Stage) -> None:
    grant, sink, witnesses = await stage.grant(), ListSink(), Covers(0)
    demanding(stage, witnesses, (3, 4))
    await stage.pull(grant, sink)
    assert len(sink.records) == 3
    assert witnesses.asked == []
