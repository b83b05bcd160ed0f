"""A hub over TLS 1.3 on a real port, and `RemoteHub` on the other side of it."""

import asyncio
import contextlib
import hashlib
import secrets
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from exchange.errors import (
    ActRefused,
    CheckFailed,
    ConfigurationInvalid,
    HubUnavailable,
    NotAuthenticated,
    PortBusy,
    ReleaseRefused,
    RuleRefused,
)
from exchange.flow.answer import Answer, sign_answer
from exchange.hub import connection
from exchange.hub.readiness import Step
from exchange.hub.serve import listen
from exchange.ledger.act import parse_act, sign_act
from exchange.limits import ACT_BYTES_MAX
from exchange.model.actcodec import Body
from exchange.model.acts import AskKeys, RetireInstance
from exchange.model.text import Text
from exchange.wiring import remote
from exchange.wiring.pinnedca import ca_hash, pinned_context
from keys.custody import MemoryCustody
from tests.hub.doors import NOW_MS, ORIGIN, Scripted
from tests.hub.live import HOST, Live, line_to, live_hub, plain_socket

RETIRE = RetireInstance(member="audit-office", instance="reader")


@pytest.fixture
async def live(tmp_path: Path) -> AsyncIterator[Live]:
    scripted = Scripted()
    for member in ("audit-office", "data-bureau"):
        scripted.enrol(member)
    scripted.answers = lambda act: signed_answer(scripted, act)
    async with live_hub(tmp_path, scripted) as hub:
        yield hub


def signed_answer(scripted: Scripted, act: bytes, *, permit: bool = True) -> bytes:
    entry = hashlib.sha256(act).digest()
    rules = ("SELF-01",) if permit else ("BASIS-01",)
    answer = Answer(ORIGIN, parse_act(act).id, 5, entry, NOW_MS, permit, rules)
    return sign_answer(answer, scripted.custody.signer("entry"))


def signed_act(scripted: Scripted, body: Body = RETIRE) -> bytes:
    return sign_act(
        body,
        origin=ORIGIN,
        member="audit-office",
        instance=None,
        signer=scripted.custody.signer("audit-office/"),
        now_ms=NOW_MS,
        lifetime_ms=60_000,
        nonce=secrets.token_bytes(16),
    )


async def test_an_act_is_admitted_from_afar(live: Live) -> None:
    act = signed_act(live.scripted)
    async with live.remote() as hub:
        admitted = await hub.submit(act)
    assert (admitted.act, admitted.index, admitted.permit) == (parse_act(act).id, 5, True)


async def test_a_denial_is_an_answer_and_no_error(live: Live) -> None:
    live.scripted.answers = lambda act: signed_answer(live.scripted, act, permit=False)
    async with live.remote() as hub:
        admitted = await hub.submit(signed_act(live.scripted))
    assert (admitted.permit, admitted.rules) == (False, ("BASIS-01",))


async def test_keys_are_asked_for_with_their_headers(live: Live) -> None:
    act = signed_act(live.scripted, AskKeys(grant=bytes(32), purpose="p", items=()))
    async with live.remote() as hub:
        answered = await hub.ask(act, [b"header"])
    assert answered.admitted.act == parse_act(act).id
    assert hub.permitted_by == set(answered.admitted.rules)
    assert live.scripted.asked == [(act, [b"header"])]


async def test_a_member_reads_the_ledger_from_afar(live: Live) -> None:
    async with live.remote() as hub:
        head = await hub.head()
        entries = await hub.entries(1, 10)
        past = await hub.entries(3, 10)
    assert (head.size, head.root, head.time) == (3, "00" * 32, NOW_MS)
    assert (entries, past) == ([b"one", b"two"], [])


async def test_the_authority_gets_a_proven_dataset_key(live: Live) -> None:
    async with live.remote(member="data-bureau") as hub:
        public, proven = await hub.prove_dataset_key("villages")
        again, _ = await hub.prove_dataset_key("villages")
    assert public == again
    assert live.scripted.custody.public("dataset/villages/0000").kid == proven.kid


async def test_readiness_is_heard_from_afar(live: Live) -> None:
    async with live.remote() as hub:
        assert await hub.ready() is None


async def test_what_is_missing_is_heard_from_afar(tmp_path: Path) -> None:
    async def down() -> None:
        raise HubUnavailable("does not answer", "无响应", remedy=("start it", "请启动"))

    scripted = Scripted(steps=[Step("kafka", Text("Kafka", "消息队列"), down)])
    scripted.enrol("audit-office")
    async with live_hub(tmp_path, scripted) as live, live.remote() as hub:
        missing = await hub.ready()
    assert missing is not None
    assert (missing.failure, missing.message.en) == ("kafka", "Kafka: does not answer")


# --- TLS ---


async def test_nothing_older_than_tls_1_3_is_spoken(live: Live) -> None:
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.load_verify_locations(live.ca_file)
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        await asyncio.open_connection(HOST, live.port, ssl=old)
    new = live.context()
    _, writer = await asyncio.open_connection(HOST, live.port, ssl=new)
    assert writer.get_extra_info("ssl_object").version() == "TLSv1.3"
    writer.close()


async def test_a_certificate_of_another_ca_is_no_outage(live: Live, tmp_path: Path) -> None:
    other = MemoryCustody().issue_ca("ca", "Other CA", now_ms=NOW_MS, days=10_000)
    other_file = tmp_path / "other.pem"
    other_file.write_bytes(other)
    live.ca_file, live.ca = other_file, ca_hash(other.decode())
    async with live.remote() as hub:
        with pytest.raises(CheckFailed) as caught:
            await hub.submit(signed_act(live.scripted))
    assert caught.value.failure == "tls-certificate"


def test_a_ca_file_that_genesis_does_not_name_is_refused(tmp_path: Path) -> None:
    pem = MemoryCustody().issue_ca("ca", "CA", now_ms=NOW_MS, days=1)
    file = tmp_path / "ca.pem"
    file.write_bytes(pem)
    with pytest.raises(ConfigurationInvalid) as caught:
        pinned_context(file, bytes(32))
    assert caught.value.failure == "ca-pin"


def test_a_second_certificate_in_the_ca_file_is_not_trusted(tmp_path: Path) -> None:
    """Decoding stops at the padding of the first: its hash says nothing about a second."""
    pinned = b""
    while b"=\n" not in pinned:  # names of some lengths leave padding
        name = f"CA {'x' * secrets.randbelow(9)}"
        pinned = MemoryCustody().issue_ca("ca", name, now_ms=NOW_MS, days=10_000)
    mallory = MemoryCustody()
    other = mallory.issue_ca("ca", "Mallory", now_ms=NOW_MS, days=10_000)
    file = tmp_path / "ca.pem"
    file.write_bytes(pinned + other)
    context = pinned_context(file, ca_hash(pinned.decode()))
    assert context.cert_store_stats()["x509"] == 1


@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"\xff\xfe"])
def test_a_missing_or_broken_ca_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationInvalid) as caught:
        pinned_context(file, bytes(32))
    assert caught.value.failure == "ca-file"
    assert str(file) in caught.value.text.en


async def test_plain_http_gets_nothing(live: Live) -> None:
    def talk() -> bytes:
        with plain_socket(live.port) as connected:
            connected.sendall(b"GET /health/live HTTP/1.1\r\nHost: hub\r\n\r\n")
            return connected.recv(100)

    assert b"live" not in await asyncio.to_thread(talk)


# --- limits ---


async def test_a_declared_gigabyte_is_refused_before_it_is_sent(live: Live) -> None:
    reader, writer = await asyncio.open_connection(HOST, live.port, ssl=live.context())
    writer.write(
        b"POST /v1/acts HTTP/1.1\r\nHost: hub\r\nContent-Type: application/cose\r\n"
        b"Content-Length: 1073741824\r\n\r\n"
    )
    answer = await asyncio.wait_for(reader.read(), timeout=30)
    writer.close()
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"body-too-large" in answer


async def test_an_undeclared_gigabyte_is_cut_off_while_it_arrives(live: Live) -> None:
    sent = 0

    async def gigabyte() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1 << 10):
            sent += 1 << 20
            yield bytes(1 << 20)

    cose = {"Content-Type": "application/cose"}
    async with httpx.AsyncClient(verify=live.context(), base_url=live.address) as client:
        with contextlib.suppress(httpx.TransportError):  # a reset may overtake the 413
            response = await client.post("/v1/acts", content=gigabyte(), headers=cose)
            assert response.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE
        assert sent < 64 << 20
        little_over = bytes(ACT_BYTES_MAX + 70_000)
        response = await client.post("/v1/acts", content=little_over, headers=cose)
    assert response.status_code == httpx.codes.REQUEST_ENTITY_TOO_LARGE


@pytest.mark.parametrize("sent", [b"", b"GET /health/live HTTP/1.1\r\nHost:"])
async def test_a_connection_that_brings_no_request_is_cut(
    live: Live, monkeypatch: pytest.MonkeyPatch, sent: bytes
) -> None:
    monkeypatch.setattr(connection, "HEAD_SECONDS_MAX", 0.5)
    reader, writer = await asyncio.open_connection(HOST, live.port, ssl=live.context())
    writer.write(b"GET /health/live HTTP/1.1\r\nHost: hub\r\n\r\n" + sent)
    assert b"live" in await asyncio.wait_for(reader.readuntil(b"}"), timeout=30)
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), timeout=30) == b""
    writer.close()


async def test_one_address_cannot_take_all_connections(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "ADDRESS_CONNECTIONS_MAX", 2)
    opened = [await asyncio.open_connection(HOST, live.port, ssl=live.context()) for _ in range(3)]
    reader, _ = opened[2]
    with contextlib.suppress(ConnectionResetError):
        assert await asyncio.wait_for(reader.read(), timeout=30) == b""
    opened[0][1].close()
    await opened[0][1].wait_closed()
    async with live.remote() as hub:
        assert await hub.ready() is None
    for _, writer in opened:
        writer.close()


# --- when things break ---


async def test_a_lost_answer_is_asked_for_again(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "SUBMIT_PAUSE_S", 0.01)
    act = signed_act(live.scripted)
    async with line_to(live.port) as line, live.remote(port=line.port) as hub:

        def answered_once(sent: bytes) -> bytes:
            if live.scripted.standing is None:
                live.scripted.standing = signed_answer(live.scripted, sent)
                line.cut()
                return live.scripted.standing
            raise ActRefused("stands already", "已存在", failure="seen-before")

        live.scripted.answers = answered_once
        admitted = await hub.submit(act)
    assert (admitted.act, admitted.index) == (parse_act(act).id, 5)


async def test_a_lost_answer_with_keys_is_not_asked_for_again(live: Live) -> None:
    act = signed_act(live.scripted, AskKeys(grant=bytes(32), purpose="p", items=()))
    async with line_to(live.port) as line, live.remote(port=line.port) as hub:

        def lost(sent: bytes) -> bytes:
            line.cut()
            return signed_answer(live.scripted, sent)

        live.scripted.answers = lost
        with pytest.raises(HubUnavailable) as caught:
            await hub.ask(act, [])
    assert caught.value.failure == "no-answer"
    assert len(live.scripted.asked) == 1


async def test_a_hub_that_is_gone_is_unavailable(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "SUBMIT_PAUSE_S", 0.01)
    live.stop.set()
    await live.serving
    async with live.remote() as hub:
        with pytest.raises(HubUnavailable) as caught:
            await hub.submit(signed_act(live.scripted))
    assert caught.value.retriable


async def test_a_busy_hub_is_asked_again(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "SUBMIT_PAUSE_S", 0.01)
    tries = 0

    def busy_once(act: bytes) -> bytes:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise HubUnavailable("starting", "启动中", remedy=("wait", "请等待"))
        return signed_answer(live.scripted, act)

    live.scripted.answers = busy_once
    async with live.remote() as hub:
        assert (await hub.submit(signed_act(live.scripted))).permit
    assert tries == 2


async def test_a_refusal_comes_back_as_what_it_was(live: Live) -> None:
    def refuse(act: bytes) -> bytes:
        raise RuleRefused("no", "不可", rules=("DUTY-01",), remedy=("ask", "请申请"))

    live.scripted.answers = refuse
    async with live.remote() as hub:
        with pytest.raises(RuleRefused) as caught:
            await hub.submit(signed_act(live.scripted))
    assert (caught.value.rules, caught.value.text) == (("DUTY-01",), Text("no", "不可"))


async def test_a_reader_with_a_wrong_clock_is_told(live: Live) -> None:
    async with live.remote() as hub:
        hub._clock = lambda: NOW_MS - 3_600_000
        with pytest.raises(NotAuthenticated) as caught:
            await hub.head()
    assert caught.value.failure == "token-time"


async def test_an_answer_that_no_hub_of_genesis_signed_is_refused(live: Live) -> None:
    live.scripted.answers = lambda act: b"not signed"
    async with live.remote() as hub:
        with pytest.raises(ReleaseRefused) as caught:
            await hub.submit(signed_act(live.scripted))
    assert caught.value.failure == "answer-malformed"


# --- start and stop ---


def test_a_taken_port_is_named() -> None:
    with listen(HOST, 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortBusy) as caught:
            listen(HOST, port)
    assert str(port) in caught.value.text.en


async def test_what_is_under_way_is_answered_before_a_stop(live: Live) -> None:
    begun = asyncio.Event()

    async def slow(act: bytes, headers: object = None) -> bytes:
        begun.set()
        await asyncio.sleep(0.3)
        return signed_answer(live.scripted, act)

    live.scripted.answer = slow  # type: ignore[method-assign]
    async with live.remote() as hub:
        answering = asyncio.create_task(hub.submit(signed_act(live.scripted)))
        await begun.wait()
        live.stop.set()
        assert (await answering).permit
        await live.serving
