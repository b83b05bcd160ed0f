"""Collecting cosignatures: bounded, verified, never in the way of sealing; keys wait for them."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from unittest.mock import AsyncMock

import pytest

from exchange.errors import HubUnavailable, NoteRefused
from exchange.ledger.cosignature import SignedHead, verify_head
from exchange.ledger.cosigning import Witnesses
from exchange.ledger.note import Note
from exchange.ledger.policy import check_quorum, parse_policy
from exchange.witness.app import Witness
from exchange.witness.memory import WitnessMemory
from tests.ledger.logs import NOW_S, ORIGIN, PublishedLog

URL = "https://witness.test/add-checkpoint"
LOG = PublishedLog(seed=6).grow(300)
CLASSICAL, SECOND = (signer.key for signer in LOG.witness)
POLICY = parse_policy(
    f"witness a {CLASSICAL.text()} https://witness.test/\n"
    f"witness b {SECOND.text()} https://witness.test\n"
    "group both all a b\nquorum both\n".encode()
)


def head(size: int) -> SignedHead:
    return verify_head(LOG.signed(size).render(), LOG.keys)


def asking(folder: Path) -> tuple[Callable[[str, bytes], Awaitable[tuple[int, bytes]]], list[int]]:
    """A witness without a network, and the statuses that it gave."""
    witness = Witness({ORIGIN: LOG.keys}, LOG.witness, WitnessMemory(folder), now_s=lambda: NOW_S)
    statuses: list[int] = []

    async def post(url: str, body: bytes) -> tuple[int, bytes]:
        assert url == URL
        answer = await asyncio.to_thread(witness.add_checkpoint, body)
        statuses.append(answer.status)
        return answer.status, answer.body.encode()

    return post, statuses


async def test_one_request_brings_both_lines_and_the_quorum(tmp_path: Path) -> None:
    post, statuses = asking(tmp_path)
    witnesses = Witnesses(POLICY, post)
    for size in (1, 100, 100, 300):
        lines = await witnesses.collect(head(size), LOG.tree)
        whole = Note(LOG.head(size).text(), (*LOG.signed(size).lines, *lines))
        assert check_quorum(verify_head(whole.render(), LOG.keys), POLICY).times.keys() == {
            "a",
            "b",
        }
        assert (witnesses.missing, witnesses.cosigned_size) == (0, size)
    assert statuses == [200, 200, 200]


async def test_a_hub_that_starts_again_learns_where_the_witness_is(tmp_path: Path) -> None:
    post, statuses = asking(tmp_path)
    assert len(await Witnesses(POLICY, post).collect(head(100), LOG.tree)) == 2
    assert len(await Witnesses(POLICY, post).collect(head(100), LOG.tree)) == 2
    assert len(await Witnesses(POLICY, post).collect(head(200), LOG.tree)) == 2
    assert statuses == [200, 409, 200, 409, 200]


async def test_a_hub_behind_another_waits_its_turn(tmp_path: Path) -> None:
    post, statuses = asking(tmp_path)
    await Witnesses(POLICY, post).collect(head(200), LOG.tree)
    behind = Witnesses(POLICY, post)
    assert await behind.collect(head(100), LOG.tree) == ()
    assert (behind.missing, behind.cosigned_size) == (2, 0)
    assert len(await behind.collect(head(300), LOG.tree)) == 2
    assert statuses == [200, 409, 200]


async def test_a_silent_witness_costs_a_bounded_time_once_in_a_while(tmp_path: Path) -> None:
    asked = 0

    async def never(_url: str, _body: bytes) -> tuple[int, bytes]:
        nonlocal asked
        asked += 1
        await asyncio.sleep(60)
        raise AssertionError("cancelled long before")

    witnesses = Witnesses(POLICY, never, wait_s=0.05)
    for size in (100, 200, 300):
        async with asyncio.timeout(1):
            assert await witnesses.collect(head(size), LOG.tree) == ()
    assert asked == 1
    assert witnesses.missing == 2


@pytest.mark.parametrize("status", [400, 403, 404, 422, 500, 503])
async def test_a_refusal_is_counted_and_asked_again_later(status: int) -> None:
    async def refuse(_url: str, _body: bytes) -> tuple[int, bytes]:
        return status, b"no\n"

    witnesses = Witnesses(POLICY, refuse)
    assert await witnesses.collect(head(100), LOG.tree) == ()
    assert witnesses.missing == 2


async def test_a_hostile_witness_can_withhold_and_nothing_else() -> None:
    answers = [
        (200, b"nonsense"),
        (200, "".join(line.text() for line in LOG.cosigned(LOG.head(99))).encode()),
        (409, b"many\n"),
        (409, b"7\n"),
        (200, PublishedLog(seed=9).cosigned(LOG.head(100))[0].text().encode()),
    ]
    for answer in answers:
        reply = AsyncMock(return_value=answer)
        witnesses = Witnesses(POLICY, reply)
        assert await witnesses.collect(head(100), LOG.tree) == ()
        assert witnesses.cosigned_size == 0


async def test_a_witness_that_cannot_be_reached_is_left_out() -> None:
    async def unreachable(_url: str, _body: bytes) -> tuple[int, bytes]:
        raise HubUnavailable("no", "否")

    witnesses = Witnesses(POLICY, unreachable)
    assert await witnesses.collect(head(100), LOG.tree) == ()


async def test_witnesses_without_an_address_are_not_asked() -> None:
    policy = parse_policy(f"witness a {SECOND.text()}\nquorum a".encode())

    async def nobody(_url: str, _body: bytes) -> tuple[int, bytes]:
        raise AssertionError("there is no address")

    assert await Witnesses(policy, nobody).collect(head(100), LOG.tree) == ()


async def test_covering_an_entry_waits_for_the_quorum_and_not_for_ever(tmp_path: Path) -> None:
    post, _ = asking(tmp_path)
    witnesses = Witnesses(POLICY, post, cover_s=5)
    waiting = asyncio.create_task(witnesses.cover(150))
    await witnesses.collect(head(100), LOG.tree)
    await asyncio.sleep(0)
    assert not waiting.done()
    await witnesses.collect(head(200), LOG.tree)
    await waiting
    await witnesses.cover(199)
    impatient = Witnesses(POLICY, post, cover_s=0.01)
    with pytest.raises(HubUnavailable) as refusal:
        await impatient.cover(0)
    assert refusal.value.failure == "not-cosigned"
    with pytest.raises(NoteRefused):
        check_quorum(head(100), POLICY)
