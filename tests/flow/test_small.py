"""Small parts of the flow: bodies of requests, sums of reports, hints, forgotten epochs."""

from pathlib import Path

import pytest

from exchange.flow import keyring
from exchange.flow.bodies import ask_body, possession_body, read_ask, read_possession
from exchange.flow.report import Halt, Report
from exchange.flow.resume import ResumeFile
from exchange.flow.subscription import subscription
from keys.cbor import encode
from keys.errors import MalformedCbor
from tests.flow.stage import ListSink, Stage, joined, villages


def test_the_bodies_of_requests_come_back_as_they_were() -> None:
    assert read_ask(ask_body(b"act", [b"one", b"two"])) == (b"act", [b"one", b"two"])
    body = possession_body("villages", b"kid", b"wrapped")
    assert read_possession(body) == ("villages", b"kid", b"wrapped")


@pytest.mark.parametrize("body", [[], [b"act"], [b"act", ["text"]], [b"act", [b"h"] * 257], {}])
def test_a_misshapen_key_request_is_refused(body: object) -> None:
    with pytest.raises(MalformedCbor):
        read_ask(encode(body))


@pytest.mark.parametrize("body", [[], ["villages", b"kid"], [b"villages", b"kid", b"wrapped"]])
def test_a_misshapen_challenge_is_refused(body: object) -> None:
    with pytest.raises(MalformedCbor):
        read_possession(encode(body))


def test_reports_of_one_reader_add_up_and_the_later_one_says_where_streams_stand() -> None:
    first = Report(records=3, bundles=1, duplicates=1, ignored={"null": 1}, missing={"s": 2})
    later = Report(records=4, bundles=2, ignored={"null": 2, "aead": 1})
    later.halted["s"] = Halt("denied", 5)
    first.go_on(later)
    assert (first.records, first.bundles, first.duplicates) == (7, 3, 1)
    assert first.ignored == {"null": 3, "aead": 1}
    assert (first.missing, list(first.halted)) == ({}, ["s"])


def test_a_hint_with_a_strange_entry_says_nothing_about_it(tmp_path: Path) -> None:
    hint = ResumeFile(tmp_path / "resume.json")
    hint.save({("topic", 0): 3}, {})
    path = tmp_path / "resume.json"
    path.write_bytes(path.read_bytes().replace(b'["topic",0,3]', b'["topic",0,3],["t",-1],[1]'))
    assert hint.load({}) == {("topic", 0): 3}


async def test_keys_of_old_epochs_are_forgotten_and_asked_for_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "EPOCHS_KEPT", 1)
    stage = await Stage(tmp_path).start()
    grant, sink = await stage.grant(), ListSink()
    for number in range(3):
        await stage.push(villages(2, first=2 * number))
        await stage.pull(grant, sink)
    subscriber = await stage.subscriber(grant, sink)
    assert len(subscriber._keyring._kept) <= 1
    assert len(sink.records) == 6


async def test_a_subscription_names_its_fields_in_the_order_of_the_contract(
    tmp_path: Path,
) -> None:
    stage = await Stage(tmp_path).start()
    grant = await stage.grant()
    view = stage.view("human-resources")
    await view.catch_up()
    assert subscription(view.registry, grant, "human-resources").fields == ("code", "name", "head")


async def test_a_stream_that_no_ledger_knows_is_ignored(tmp_path: Path) -> None:
    stage, other = await Stage(tmp_path).start(), await Stage(tmp_path / "other", seed=9).start()
    grant, sink = await stage.grant(), ListSink()
    (tmp_path / "other").mkdir()
    await other.push(villages(2))
    await stage.push(joined(villages(2)))
    producer = await stage.cluster.bus("mallory").producer()
    for partition in range(4):
        for message in other.cluster.messages("data.villages", partition):
            await producer.produce("data.villages", partition, message.value)
    report = await stage.pull(grant, sink)
    assert report.ignored == {"unknown-stream": 1}
    assert len(sink.records) == 2
