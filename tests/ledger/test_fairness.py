"""One member's acts and denials cost nobody else anything (attack 14)."""

import asyncio

import pytest

from exchange.errors import (
    RateLimited,
    RuleRefused,
)
from exchange.ledger import waits
from exchange.ledger.append import Appended
from exchange.ledger.fairness import Denials, Fairness, Pace, Shares
from exchange.ledger.waits import Waits
from exchange.model import acts, lifeacts
from tests.ledger.scene import Scene
from tests.ledger.world import exchange_world

NOTHING = acts.WithdrawRequest(request=bytes(32))
"""An application that nobody filed."""


async def test_a_denial_is_not_appended_again_while_nothing_has_changed(scene: Scene) -> None:
    """Attack 14: denials cannot flood the ledger."""
    hub = await scene.hub()
    denied = await hub.append(scene.world.sign(NOTHING, by="health"))
    size = hub.follower.size
    for _ in range(5):
        with pytest.raises(RuleRefused) as refused:
            await hub.append(scene.world.sign(NOTHING, by="health"))
        assert refused.value.rules == denied.rules
        assert str(denied.index) in refused.value.text.en
    await hub.follower.catch_up()
    assert hub.follower.size == size
    assert not (await hub.append(scene.world.sign(NOTHING, by="civil"))).permit
    scene.cluster.advance(60_001)
    scene.world.advance(60_001)
    assert not (await hub.append(scene.world.sign(NOTHING, by="health"))).permit


async def test_a_denial_is_decided_again_once_its_ground_has_moved(scene: Scene) -> None:
    hub = await scene.hub()
    proposal = scene.world.sign(scene.world.proposal("schools"), by="civil")
    body = acts.PublishDataset(dataset="schools", proposal=hub.appender.authenticate(proposal).id)
    assert not (await hub.append(scene.world.sign(body))).permit
    admitted = await hub.append(proposal)
    assert (await hub.append(scene.world.sign(body))).verdict.rules == ("CAT-04",)
    review = lifeacts.ReviewDataset(dataset="schools", proposal=admitted.act.id, approve=True)
    assert (await hub.append(scene.world.sign(review))).permit
    assert (await hub.append(scene.world.sign(body))).permit


async def test_one_member_in_a_loop_spends_its_own_share_only(scene: Scene) -> None:
    """Attack 14."""
    fairness = Fairness(acts=Shares(per_s=10.0, burst=20))
    hub = await scene.hub(fairness=fairness)
    came = await asyncio.gather(
        *(hub.append(scene.ask()) for _ in range(40)), return_exceptions=True
    )
    assert sum(isinstance(one, Appended) for one in came) == 20
    assert sum(isinstance(one, RateLimited) for one in came) == 20
    progress = acts.ReportProgress(anchors=(scene.world.anchor(scene.stream, 1),))
    assert (await hub.append(scene.world.sign(progress, by="civil/main"))).permit
    scene.cluster.advance(1_000)
    scene.world.advance(1_000)
    assert (await hub.append(scene.ask())).permit


async def test_denials_have_a_smaller_share(scene: Scene) -> None:
    hub = await scene.hub(fairness=Fairness(denials=Shares(per_s=1.0, burst=3)))
    for number in range(3):
        body = acts.WithdrawRequest(request=bytes([number]) * 32)
        assert not (await hub.append(scene.world.sign(body, by="health"))).permit
    body = acts.WithdrawRequest(request=bytes([9]) * 32)
    with pytest.raises(RateLimited):
        await hub.append(scene.world.sign(body, by="health"))
    assert (await hub.append(scene.ask())).permit


def test_only_so_many_denials_are_remembered() -> None:
    world, before = exchange_world(), Denials(kept_max=2)
    bodies = (acts.WithdrawRequest(request=bytes([number]) * 32) for number in range(3))
    first, second, third = (world.act(body, by="health") for body in bodies)
    for act in (first, second, third):
        before.note(act, 7, ("STATE-01",), (), 0)
    before.check(first, (), 0)
    for act in (second, third):
        with pytest.raises(RuleRefused):
            before.check(act, (), 0)


def test_shares_fill_up_again_and_never_beyond_the_burst() -> None:
    shares = Shares(per_s=2.0, burst=2)
    for now_ms in (0, 0, 500, 100_000, 100_000):
        shares.take("health", now_ms)
    with pytest.raises(RateLimited) as limited:
        shares.take("health", 100_000)
    assert limited.value.retriable
    shares.take("civil", 100_000)


def test_pieces_of_work_wait_in_turn_and_not_for_ever() -> None:
    pace = Pace(per_s=100.0, burst=10, wait_ms_max=1_000)
    assert pace.take("health", 10, 0) == 0
    assert [pace.take("health", 5, 0) for _ in range(2)] == [50, 100]
    assert pace.take("civil", 10, 0) == 0
    with pytest.raises(RateLimited):
        pace.take("health", 200, 0)
    assert pace.take("health", 10, 200) == 0
    assert pace.take("health", 10, 60_000) == 0
    assert pace.take("health", 1, 60_000) == 10


def test_outcomes_that_are_remembered_have_a_bound_in_bytes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world, recent = exchange_world(), Waits()
    newest = world.folded[-3:]
    monkeypatch.setattr(waits, "RECENT_BYTES", sum(len(one.entry.raw) for one in newest[1:]))
    for folded in newest:
        recent.resolve(folded)
    known = [recent.recall(folded.act_id or b"") for folded in newest]
    assert known == [None, *newest[1:]]
