"""A witness answers as c2sp.org/tlog-witness says, and signs one history, whoever asks how."""

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from exchange.errors import InputUnreadable, NoteRefused
from exchange.ledger.checkpoint import parse_checkpoint
from exchange.ledger.cosignature import log_keys, sign_head, verified_time, verify_head
from exchange.ledger.merkle import EMPTY_ROOT
from exchange.ledger.note import Note, SignatureLine, encode64, parse_lines, parse_note
from exchange.ledger.witnessing import (
    REQUEST_BYTES_MAX,
    parse_submission,
    read_answer,
    read_size,
    request_body,
)
from exchange.witness import app as witness_module
from exchange.witness.app import Witness, witness_app
from exchange.witness.memory import WitnessMemory, named
from tests.ledger.logs import NOW_S, ORIGIN, PublishedLog

LOG = PublishedLog(seed=6).grow(300)


def witness(folder: Path, log: PublishedLog = LOG) -> Witness:
    return Witness({ORIGIN: LOG.keys}, log.witness, WitnessMemory(folder), now_s=lambda: NOW_S)


def body(size: int, old: int, *, log: PublishedLog = LOG, hub: str = "hub-1") -> bytes:
    proof = log.tree.consistency(old, size) if 0 < old <= size else ()
    return request_body(old, proof, verify_head(log.signed(size, hub=hub).render(), log.keys))


def added(witness: Witness, raw: bytes) -> int:
    return witness.add_checkpoint(raw).status


def test_a_first_checkpoint_is_cosigned_with_both_keys(tmp_path: Path) -> None:
    answer = witness(tmp_path).add_checkpoint(body(100, 0))
    assert answer.status == 200
    lines = parse_lines(answer.body)
    note = Note(LOG.head(100).text(), lines)
    times = [verified_time(signer.key, note, LOG.head(100)) for signer in LOG.witness]
    assert times == [NOW_S, NOW_S]


def test_growth_is_cosigned_by_whichever_hub_it_comes(tmp_path: Path) -> None:
    one = witness(tmp_path)
    growth = ((0, 1, "hub-1"), (1, 200, "hub-2"), (200, 200, "hub-1"), (200, 300, "hub-1"))
    for old, size, hub in growth:
        assert added(one, body(size, old, hub=hub)) == 200


@pytest.mark.parametrize("old", [0, 99, 101])
def test_another_old_size_conflicts_and_tells_the_right_one(tmp_path: Path, old: int) -> None:
    one = witness(tmp_path)
    assert added(one, body(100, 0)) == 200
    answer = one.add_checkpoint(body(200, old))
    assert (answer.status, answer.body) == (409, "100\n")
    assert answer.content_type == "text/x.tlog.size"


def test_an_old_size_above_the_checkpoint_is_a_bad_request(tmp_path: Path) -> None:
    one = witness(tmp_path)
    assert added(one, body(100, 0)) == 200
    assert added(one, body(50, 100)) == 400


def test_an_older_checkpoint_is_never_cosigned_again(tmp_path: Path) -> None:
    one = witness(tmp_path)
    assert added(one, body(100, 0)) == 200
    assert added(one, body(50, 50)) == 409
    assert added(one, body(50, 0)) == 409


def test_unknown_logs_and_unsigned_checkpoints_are_told_apart(tmp_path: Path) -> None:
    one = witness(tmp_path)
    head = LOG.head(10)
    unknown = Note(head.text().replace(ORIGIN, "another.test"), LOG.signed(10).lines)
    assert added(one, b"old 0\n\n" + unknown.render()) == 404
    stranger = PublishedLog(seed=7).grow(10)
    assert added(one, body(10, 0, log=stranger)) == 403
    line = LOG.signed(10).lines[0]
    spoilt = SignatureLine(line.name, line.id, line.signature[:-1] + b"x")
    note = Note(head.text(), (spoilt, *LOG.signed(10).lines[1:]))
    assert added(one, b"old 0\n\n" + note.render()) == 403
    classical_only = Note(head.text(), LOG.signed(10).lines[:1])
    assert added(one, b"old 0\n\n" + classical_only.render()) == 200


def test_what_is_not_proven_consistent_is_unprocessable(tmp_path: Path) -> None:
    one = witness(tmp_path)
    assert added(one, body(100, 0)) == 200
    forked = PublishedLog(seed=6).grow(50)
    forked.chance.random()
    forked.grow(250)
    assert added(one, body(200, 100, log=forked)) == 422
    assert added(one, body(100, 100, log=forked)) == 422
    good = body(200, 100)
    first, rest = good.split(b"\n", 1)
    assert added(one, first + b"\n" + encode64(bytes(32)).encode() + b"\n" + rest) == 422
    assert added(one, body(200, 100)) == 200


def test_a_proof_where_none_may_be_is_unprocessable(tmp_path: Path) -> None:
    raw = body(100, 0).replace(b"old 0\n", b"old 0\n" + encode64(bytes(32)).encode() + b"\n")
    assert added(witness(tmp_path), raw) == 422


def test_an_empty_log_has_the_root_of_no_leaves(tmp_path: Path) -> None:
    one, empty = witness(tmp_path), PublishedLog(seed=6)
    assert added(one, body(0, 0, log=empty)) == 200
    text = f"{ORIGIN}\n0\n{encode64(bytes(32))}\n"
    lines = sign_head(parse_checkpoint(text), LOG.signers(), now_s=NOW_S)
    assert added(one, b"old 0\n\n" + Note(text, lines).render()) == 422
    with pytest.raises(NoteRefused):
        verify_head(Note(text, lines).render(), LOG.keys)
    assert added(one, body(300, 0)) == 200
    assert bytes(32) != EMPTY_ROOT


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"old 0\n",
        b"old 0\n\n",
        b"old 0\n\nno checkpoint",
        b"new 0\n\n" + LOG.signed().render(),
        b"old 00\n\n" + LOG.signed().render(),
        b"old -1\n\n" + LOG.signed().render(),
        b"old  1\n\n" + LOG.signed().render(),
        b"old 0\nAAAA\n\n" + LOG.signed().render(),
        b"old 0\n" + encode64(bytes(32)).encode() + b" \n\n" + LOG.signed().render(),
        b"old 0\n" + (encode64(bytes(32)) + "\n").encode() * 64 + b"\n" + LOG.signed().render(),
        b"old 0\n\n" + LOG.signed().render().replace(b"\n300\n", b"\n0300\n"),
        b"a" * (REQUEST_BYTES_MAX + 1),
    ],
)
def test_malformed_requests_are_bad_requests(tmp_path: Path, raw: bytes) -> None:
    assert added(witness(tmp_path), raw) == 400


def test_sixty_three_lines_of_proof_are_read(tmp_path: Path) -> None:
    lines = (encode64(bytes(32)) + "\n").encode() * 63
    assert len(parse_submission(b"old 1\n" + lines + b"\n" + LOG.signed().render()).proof) == 63
    assert added(witness(tmp_path), b"old 1\n" + lines + b"\n" + LOG.signed().render()) == 409


def test_a_restart_remembers(tmp_path: Path) -> None:
    assert added(witness(tmp_path), body(100, 0)) == 200
    assert added(witness(tmp_path), body(200, 0)) == 409
    assert added(witness(tmp_path), body(200, 100)) == 200


def test_a_torn_memory_signs_nothing(tmp_path: Path) -> None:
    assert added(witness(tmp_path), body(100, 0)) == 200
    file = tmp_path / f"{named(ORIGIN)}.checkpoint"
    for bad in (b"", b"junk", file.read_bytes().replace(ORIGIN.encode(), b"another.test")):
        file.write_bytes(bad)
        assert added(witness(tmp_path), body(200, 100)) == 503
        with pytest.raises(InputUnreadable):
            WitnessMemory(tmp_path).last(ORIGIN)


def test_a_full_disk_signs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = witness(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(WitnessMemory, "keep", full)
    assert added(one, body(100, 0)) == 503
    monkeypatch.undo()
    assert added(one, body(100, 0)) == 200


def test_what_many_ask_at_once_is_one_history(tmp_path: Path) -> None:
    """Two processes' worth of witnesses on one folder, and two histories that race."""
    forked = PublishedLog(seed=6).grow(1)
    forked.chance.random()
    forked.grow(299)
    both = [witness(tmp_path), witness(tmp_path)]
    start = threading.Barrier(8)

    def ask(number: int) -> tuple[int, bytes]:
        log = (LOG, forked)[number % 2]
        start.wait()
        return added(both[number % 2], body(200 + number, 0, log=log)), log.tree.root(200 + number)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(8)))
    assert sorted(status for status, _ in answers) == [200] + [409] * 7
    last = WitnessMemory(tmp_path).last(ORIGIN)
    assert last is not None
    assert (200, last.root) in answers


async def test_the_doors_speak_http(tmp_path: Path) -> None:
    transport = httpx.ASGITransport(app=witness_app(witness(tmp_path)))
    async with httpx.AsyncClient(transport=transport, base_url="http://witness.test") as client:
        newest = f"/{named(ORIGIN)}/checkpoint"
        assert (await client.get(newest)).status_code == 404
        assert (await client.get("/abc/checkpoint")).status_code == 404
        response = await client.post("/add-checkpoint", content=body(100, 0))
        assert response.status_code == 200
        assert response.text.count("— ") == 2
        kept = (await client.get(newest)).content
        assert verify_head(kept, LOG.keys).checkpoint == LOG.head(100)
        assert len(parse_note(kept).lines) == 4
        conflict = await client.post("/add-checkpoint", content=body(200, 0))
        assert (conflict.status_code, conflict.text) == (409, "100\n")
        assert conflict.headers["content-type"] == "text/x.tlog.size"
        large = await client.post("/add-checkpoint", content=b"a" * (REQUEST_BYTES_MAX + 1))
        assert large.status_code == 413
        assert (await client.get("/add-checkpoint")).status_code == 405


async def test_a_body_that_never_comes_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(witness_module, "BODY_SECONDS_MAX", 0.01)

    async def slowly() -> AsyncIterator[bytes]:
        yield b"old 0\n"
        await asyncio.sleep(1)
        yield b"\n"

    transport = httpx.ASGITransport(app=witness_app(witness(tmp_path)))
    async with httpx.AsyncClient(transport=transport, base_url="http://witness.test") as client:
        assert (await client.post("/add-checkpoint", content=slowly())).status_code == 408


def test_a_log_believes_only_lines_that_verify() -> None:
    head = verify_head(LOG.signed(100).render(), LOG.keys)
    keys = [signer.key for signer in LOG.witness]
    lines = LOG.cosigned(LOG.head(100))
    text = "".join(line.text() for line in lines).encode()
    assert read_answer(text, head, keys) == lines
    assert read_answer(text, head, keys[:1]) == lines[:1]
    stranger = PublishedLog(seed=7).cosigned(LOG.head(100))[0].text().encode()
    assert read_answer(stranger, head, keys) == ()
    for bad in (b"", b"hello\n", text[:-1], text * 40, text[:30] + text[31:]):
        with pytest.raises(NoteRefused):
            read_answer(bad, head, keys)
    other = "".join(line.text() for line in LOG.cosigned(LOG.head(99))).encode()
    with pytest.raises(NoteRefused) as refusal:
        read_answer(other, head, keys)
    assert refusal.value.failure == "signature"
    assert read_size(b"100\n") == 100
    for bad in (b"100", b"", b"1" * 40, b"-1\n", b"\xff\n"):
        with pytest.raises(NoteRefused):
            read_size(bad)


def test_a_witness_for_another_log_knows_none_of_this() -> None:
    other = log_keys("another.test", [])
    assert other.vkeys == ()
