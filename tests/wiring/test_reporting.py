"""A report waits for a signed head over what stood at the call, and checks what it read by it."""

from types import SimpleNamespace
from typing import Any

import pytest

from exchange.errors import BusUnavailable, CheckFailed, NoteRefused, NotFound
from exchange.ledger.checkpoint import parse_checkpoint
from exchange.ledger.cosignature import LogKeys, log_keys, verify_head
from exchange.ledger.genesis import check_genesis
from exchange.ledger.note import Note
from exchange.ledger.policy import Policy, parse_policy
from exchange.wiring import reporting
from tests.audit.reported import signed_head, tree_of
from tests.ledger.drafts import ORIGIN
from tests.ledger.logs import PublishedLog, policy_text
from tests.ledger.world import World, exchange_world


@pytest.fixture(scope="module")
def world() -> World:
    return exchange_world()


def keys_of(world: World) -> LogKeys:
    hubs = check_genesis(world.genesis, world.pin).hubs
    return log_keys(ORIGIN, [(one.hub, one.checkpoint, one.checkpoint_mldsa) for one in hubs])


class Office:
    """What `reporting` asks of an office: the hub's head, its checkpoints in turn, a tree."""

    def __init__(
        self, world: World, wanted: int, *checkpoints: bytes | None, policy: Policy | None = None
    ) -> None:
        self.home = SimpleNamespace(policy=lambda: policy)
        self._wanted = wanted
        self._checkpoints = list(checkpoints)
        self.log_keys = keys_of(world)
        self.log = self.hub = self
        tree = tree_of(world)
        self.view = SimpleNamespace(follower=SimpleNamespace(leaves=SimpleNamespace(tree=tree)))

    async def head(self) -> SimpleNamespace:
        return SimpleNamespace(size=self._wanted)

    async def checkpoint(self) -> bytes:
        checkpoint = self._checkpoints.pop(0)
        if checkpoint is None:
            raise NotFound("nothing sealed", "尚未封存")
        return checkpoint


async def test_a_head_that_is_not_there_yet_is_waited_for(world: World) -> None:
    older = exchange_world()
    older.entries.pop()
    size = len(world.entries)
    office: Any = Office(
        world, size, None, signed_head(older).render(), signed_head(world).render()
    )
    head = await reporting.signed_head(office)
    assert (head.checkpoint.size, head.hub) == (size, "hub-1")


async def test_where_there_is_a_policy_a_report_waits_for_its_quorum(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness, bare = PublishedLog(seed=2), signed_head(world)
    lines = witness.cosigned(parse_checkpoint(bare.text))
    whole, size = Note(bare.text, (*bare.lines, *lines)), len(world.entries)
    policy = parse_policy(policy_text(witness))
    office: Any = Office(world, size, bare.render(), whole.render(), policy=policy)
    assert (await reporting.signed_head(office)).raw == whole.render()
    monkeypatch.setattr(reporting, "SEALED_S", 0.0)
    office = Office(world, size, bare.render(), bare.render(), policy=policy)
    with pytest.raises(NoteRefused) as caught:
        await reporting.signed_head(office)
    assert caught.value.failure == "quorum"


async def test_a_hub_that_does_not_seal_is_waited_for_in_vain(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporting, "SEALED_S", 0.0)
    office: Any = Office(world, len(world.entries) + 1, *[signed_head(world).render()] * 9)
    with pytest.raises(BusUnavailable) as caught:
        await reporting.signed_head(office)
    assert caught.value.failure == "unsealed"


async def test_a_head_by_somebody_else_is_no_ground_for_a_report(world: World) -> None:
    office: Any = Office(world, 1, signed_head(exchange_world(seed=9)).render())
    with pytest.raises(NoteRefused):
        await reporting.signed_head(office)


def test_another_history_than_the_signed_one_makes_no_report(world: World) -> None:
    office: Any = Office(world, 1)
    reporting._check(office, verify_head(signed_head(world).render(), keys_of(world)))
    other = exchange_world()
    other.put(other.application(), by="health")
    longer = verify_head(signed_head(other).render(), keys_of(world))
    with pytest.raises(CheckFailed) as caught:
        reporting._check(office, longer)
    assert caught.value.failure == "root"
