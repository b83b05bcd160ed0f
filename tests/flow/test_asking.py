"""Key requests: what the hub looks at, what it puts on record, and for whom an answer opens."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from exchange.envelope.header import DOMAIN
from exchange.envelope.open import parse_bundle
from exchange.errors import ActRefused, RateLimited, ReleaseRefused, RuleRefused
from exchange.flow import release
from exchange.flow.ports import Admitted, KeysAnswered
from exchange.flow.release import Releases
from exchange.flow.sealedkeys import Envelope, open_keys
from exchange.ledger.fairness import Pace
from exchange.model.acts import AskItem, AskKeys
from keys.cose import content_id
from tests.flow.stage import HANGZHOU, Hub, ListSink, Stage, joined, villages

TOPIC = "data.villages"


@pytest.fixture
async def stage(tmp_path: Path) -> Stage:
    return await Stage(tmp_path).start()


def bundles(stage: Stage) -> list[bytes]:
    """What stands where the stream of Hangzhou lies."""
    held = stage.cluster.messages(TOPIC, sum(HANGZHOU.encode()) % 4)
    return [message.value or b"" for message in held]


class Counting:
    """A hub that counts what it is asked."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self.asked = 0

    async def submit(self, act: bytes) -> Admitted:
        return await self._hub.submit(act)

    async def ask(self, act: bytes, headers: Sequence[bytes]) -> KeysAnswered:
        self.asked += 1
        return await self._hub.ask(act, headers)


async def one_ask(stage: Stage) -> tuple[AskItem, bytes, bytes]:
    """A well-formed item, its header, and the grant."""
    grant = await stage.grant()
    await stage.push(joined(villages(3), villages(3, "3302")))
    parsed = parse_bundle(bundles(stage)[0])
    said = parsed.header
    item = AskItem(
        stream=said.stream,
        epoch=said.epoch,
        header=content_id(parsed.statement, DOMAIN),
        contract=said.contract,
        from_ms=said.epoch_from_ms,
        to_ms=said.epoch_to_ms,
        levels=(1, 2),
        sequence=said.sequence,
    )
    return item, parsed.statement.raw, grant


@pytest.mark.parametrize(
    "changed",
    [
        {"epoch": bytes(16)},
        {"contract": bytes(32)},
        {"header": bytes(32)},
        {"sequence": 7},
        {"from_ms": 1},
        {"to_ms": 1_800_000_000_000},
        {"stream": bytes(32)},
    ],
)
async def test_an_item_that_says_other_than_its_header_is_refused_on_the_record(
    stage: Stage, changed: dict[str, object]
) -> None:
    item, header, grant = await one_ask(stage)
    body = AskKeys(grant=grant, purpose="collaboration", items=(item.model_copy(update=changed),))
    answered = await stage.hub.ask(stage.signs("human-resources").sign(body), [header])
    assert not answered.admitted.permit
    assert answered.sealed == b""
    assert stage.hub.follower.size == answered.admitted.index + 1


async def test_a_level_that_the_header_lacks_is_no_evidence_against_the_provider(
    stage: Stage,
) -> None:
    """Whoever asks for it would put PROVIDER-01 on the ledger against somebody else."""
    item, header, grant = await one_ask(stage)
    body = AskKeys(
        grant=grant, purpose="collaboration", items=(item.model_copy(update={"levels": (1, 4)}),)
    )
    answered = await stage.hub.ask(stage.signs("human-resources").sign(body), [header])
    assert answered.refused[0] == ("HEADER-01",)


async def test_key_requests_are_paced_before_a_header_is_looked_at(stage: Stage) -> None:
    """A member without any grant could otherwise keep a hub busy with 256 items an act."""
    item, header, grant = await one_ask(stage)
    body = AskKeys(grant=grant, purpose="collaboration", items=(item,) * 256)
    took = Pace(per_s=1.0, burst=300, wait_ms_max=0)
    stage.hub.ledger._fairness.items = took  # type: ignore[misc] # Final
    signs = stage.signs("health")
    await stage.hub.ask(signs.sign(body), [header] * 256)
    with pytest.raises(RateLimited):
        await stage.hub.ask(signs.sign(body), [b"never looked at"] * 256)


async def test_another_citys_header_under_this_citys_label_is_refused(stage: Stage) -> None:
    item, _, grant = await one_ask(stage)
    other = stage.cluster.messages(TOPIC, sum(b"3302") % 4)[0].value
    assert other is not None
    body = AskKeys(grant=grant, purpose="collaboration", items=(item,))
    raw = stage.signs("human-resources").sign(body)
    answered = await stage.hub.ask(raw, [parse_bundle(other).statement.raw])
    assert answered.refused[0] == ("HEADER-01",)


async def test_the_same_request_again_yields_no_keys(stage: Stage) -> None:
    item, header, grant = await one_ask(stage)
    raw = stage.signs("human-resources").sign(
        AskKeys(grant=grant, purpose="collaboration", items=(item,))
    )
    assert (await stage.hub.ask(raw, [header])).sealed
    with pytest.raises(ActRefused) as caught:
        await stage.hub.ask(raw, [header])
    assert caught.value.failure == "seen-before"


async def test_a_request_without_its_headers_is_refused(stage: Stage) -> None:
    item, _, grant = await one_ask(stage)
    raw = stage.signs("human-resources").sign(
        AskKeys(grant=grant, purpose="collaboration", items=(item,))
    )
    with pytest.raises(ReleaseRefused):
        await stage.hub.ask(raw, [])
    with pytest.raises(ReleaseRefused):
        await stage.hub.submit(raw)


async def test_an_answer_opens_for_nothing_but_its_own_request(stage: Stage) -> None:
    item, header, grant = await one_ask(stage)
    body = AskKeys(grant=grant, purpose="collaboration", items=(item,))
    signs = stage.signs("human-resources")
    answered = await stage.hub.ask(signs.sign(body), [header])
    registry = stage.hub.fold.registry
    envelope = Envelope(
        origin=registry.origin,
        consumer="human-resources/main",
        kid=registry.instances["human-resources", "main"].kem_kid,
        act=answered.admitted.act,
        index=answered.admitted.index,
        entry_hash=answered.admitted.entry_hash,
        sections={0: (1, 2)},
    )
    unwrap = stage.world.custody.unwrap
    opened = open_keys(answered.sealed, unwrap=unwrap, envelope=envelope)[0]
    assert set(opened) == {1, 2}
    assert repr(opened) == "{1: <secret, 32 bytes>, 2: <secret, 32 bytes>}"
    spliced = [
        replace(envelope, origin="other"),
        replace(envelope, consumer="health/main"),
        replace(envelope, kid=registry.instances["health", "main"].kem_kid),
        replace(envelope, act=bytes(32)),
        replace(envelope, index=envelope.index + 1),
        replace(envelope, entry_hash=bytes(32)),
        replace(envelope, sections={0: (1, 2, 3)}),
        replace(envelope, sections={1: (1, 2)}),
    ]
    for other in spliced:
        with pytest.raises(ReleaseRefused) as caught:
            open_keys(answered.sealed, unwrap=unwrap, envelope=other)
        assert caught.value.failure == "answer-sealed"
    for cut in (b"", answered.sealed[:-1], answered.sealed[:1000], answered.sealed + b"x"):
        with pytest.raises(ReleaseRefused):
            open_keys(cut, unwrap=unwrap, envelope=envelope)


async def test_a_keyring_asks_once_for_an_epoch(stage: Stage) -> None:
    grant, sink = await stage.grant(), ListSink()
    await stage.push(villages(50), bundle_records_max=10)
    counting = Counting(stage.hub)
    await stage.pull(grant, sink, hub=counting)
    assert counting.asked == 1


async def test_small_requests_come_one_after_the_other_and_never_wait_for_a_large_one(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(release, "SMALL_ITEMS", 2)
    item, header, grant = await one_ask(stage)
    looked_at: list[int] = []
    monkeypatch.setattr(
        Releases, "_matching_header", lambda _self, item, _raw: looked_at.append(item.sequence)
    )
    monkeypatch.setattr(Releases, "_checked_keys", lambda *_: {})

    async def ask(*sequences: int) -> None:
        items = tuple(item.model_copy(update={"sequence": one}) for one in sequences)
        body = AskKeys(grant=grant, purpose="collaboration", items=items)
        signs = stage.signs("human-resources")
        await stage.hub.ask(signs.sign(body), [header] * len(items))

    await asyncio.gather(ask(*range(10, 19)), ask(*range(20, 29)), ask(1, 2), ask(3, 4))
    assert [one for one in looked_at if one < 10] == [1, 2, 3, 4]
    assert [one for one in looked_at if one >= 10] == [*range(10, 19), *range(20, 29)]
    assert looked_at.index(4) < looked_at.index(18)


async def test_a_member_that_asks_much_at_once_keeps_only_itself_waiting(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    item, header, grant = await one_ask(stage)
    looked_at: list[int] = []
    monkeypatch.setattr(
        Releases, "_matching_header", lambda _self, item, _raw: looked_at.append(item.sequence)
    )
    monkeypatch.setattr(Releases, "_checked_keys", lambda *_: {})

    async def ask(member: str, sequence: int) -> None:
        said = item.model_copy(update={"sequence": sequence})
        body = AskKeys(grant=grant, purpose="collaboration", items=(said,))
        with suppress(RuleRefused):  # the grant is not that of health
            await stage.hub.ask(stage.signs(member).sign(body), [header])

    flood = [ask("human-resources", sequence) for sequence in range(20)]
    await asyncio.gather(*flood, ask("health", 99))
    assert sorted(looked_at) == [*range(20), 99]
    assert looked_at.index(99) <= 2
