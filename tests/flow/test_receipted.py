"""What a reader delivered and did not live to receipt is receipted by the next run."""

from functools import partial
from pathlib import Path

import pytest

from exchange.errors import HubUnavailable
from exchange.flow.ports import Admitted, Hub
from exchange.flow.receipted import Receipted
from tests.flow.stage import ListSink, Stage, villages

MEMBER = "human-resources"


class Deaf:
    """A hub that answers key requests and takes no act: every receipt is lost."""

    def __init__(self, hub: Hub) -> None:
        self.ask = hub.ask

    async def submit(self, act: bytes) -> Admitted:
        raise HubUnavailable("away", "离线")


@pytest.fixture
async def stage(tmp_path: Path) -> Stage:
    return await Stage(tmp_path).start()


def receipts_of(stage: Stage, member: str) -> Receipted:
    receipted = Receipted(member)
    stage.hub.follower.listen(receipted.take)
    return receipted


async def test_the_next_run_files_for_what_the_sink_already_has(stage: Stage) -> None:
    receipted, others = receipts_of(stage, MEMBER), receipts_of(stage, "civil-affairs")
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(6), bundle_records_max=2)
    with pytest.raises(HubUnavailable):
        await stage.pull(grant, sink, hub=Deaf(stage.hub))
    ((stream, (sequence, _)),) = sink.positions().items()
    filed = partial(receipted.upto, grant, "list")
    assert (sequence, filed(bytes.fromhex(stream))) == (2, -1)
    await stage.push(villages(2, first=6), bundle_records_max=2)
    report = await stage.pull(grant, sink, filed=filed)
    assert (report.records, report.whole) == (2, True)
    assert filed(bytes.fromhex(stream)) == 3
    assert others.upto(grant, "list", bytes.fromhex(stream)) == -1


async def test_what_has_a_receipt_gets_no_other(stage: Stage) -> None:
    receipted = receipts_of(stage, MEMBER)
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(6), bundle_records_max=2)
    filed = partial(receipted.upto, grant, "list")
    await stage.pull(grant, sink, filed=filed)
    entries = stage.hub.follower.size
    await stage.pull(grant, sink, filed=filed)
    assert stage.hub.follower.size == entries


async def test_each_kind_of_sink_is_receipted_for_itself(stage: Stage) -> None:
    receipted = receipts_of(stage, MEMBER)
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(2))
    await stage.pull(grant, sink, filed=partial(receipted.upto, grant, "list"))
    (stream,) = sink.positions()
    assert receipted.upto(grant, "postgres", bytes.fromhex(stream)) == -1
    entries = stage.hub.follower.size
    await stage.pull(grant, sink, filed=partial(receipted.upto, grant, "postgres"))
    assert stage.hub.follower.size == entries + 1
