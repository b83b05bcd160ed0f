"""A reader that comes back reads on where it stopped, unless its sink is not where it was."""

from pathlib import Path

import pytest

from exchange.flow.resume import ResumeFile
from tests.flow.stage import HANGZHOU, ListSink, Stage, villages

PLACE = ("data.villages", sum(HANGZHOU.encode()) % 4)


@pytest.fixture
async def stage(tmp_path: Path) -> Stage:
    return await Stage(tmp_path).start()


async def test_a_second_pull_starts_behind_the_first(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    resume = ResumeFile(stage.folder / "resume.json")
    await stage.push(villages(30), bundle_records_max=10)
    await stage.pull(grant, sink, resume=resume)
    assert resume.load(sink.positions())[PLACE] == 3
    await stage.push(villages(5, first=30))
    report = await stage.pull(grant, sink, resume=resume)
    assert (report.records, report.duplicates) == (5, 0)


async def test_an_emptied_sink_is_served_from_the_beginning(stage: Stage) -> None:
    grant = await stage.grant()
    resume = ResumeFile(stage.folder / "resume.json")
    await stage.push(villages(30))
    await stage.pull(grant, ListSink(), resume=resume)
    fresh = ListSink()
    assert (await stage.pull(grant, fresh, resume=resume)).records == 30


async def test_a_held_up_stream_leaves_no_hint(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    resume = ResumeFile(stage.folder / "resume.json")
    await stage.push(villages(30), bundle_records_max=10)
    held = [message.value for message in stage.cluster.messages(*PLACE)]
    stage.cluster.expire(*PLACE, first=3)
    producer = await stage.cluster.bus("mallory").producer()
    await producer.produce(*PLACE, held[0])
    await producer.produce(*PLACE, held[2])
    await stage.pull(grant, sink, resume=resume)
    assert resume.load(sink.positions()) == {}


@pytest.mark.parametrize(
    "torn", [b"", b"{", b"[]", b'{"format":2}', b'{"format":1,"sink":"x","offsets":[]}']
)
def test_a_torn_hint_is_no_hint(tmp_path: Path, torn: bytes) -> None:
    path = tmp_path / "resume.json"
    path.write_bytes(torn)
    assert ResumeFile(path).load({}) == {}


def test_an_unwritable_hint_is_let_go(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    ResumeFile(tmp_path / "file" / "resume.json").save({PLACE: 3}, {})
    good = ResumeFile(tmp_path / "resume.json")
    good.save({PLACE: 3}, {})
    assert good.load({}) == {PLACE: 3}
    assert good.load({"s": (0, "h")}) == {}
