"""What a member makes of something on the hub's port that answers, and not as a hub does."""

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
from starlette.responses import Response

from exchange.errors import (
    ActRefused,
    CheckFailed,
    ExchangeError,
    HubUnavailable,
    Refused,
    RuleRefused,
)
from exchange.hub.serve import listen, serve
from exchange.model.problem import Problem, Sentences
from exchange.wiring import remote
from exchange.wiring.pinnedca import ca_hash, pinned_context
from exchange.wiring.remote import Reader, RemoteHub
from keys.cbor import encode
from keys.custody import MemoryCustody
from tests.hub.doors import NOW_MS, ORIGIN, Scripted
from tests.hub.live import HOST, identity_in
from tests.hub.test_live import signed_act

CUSTODY = MemoryCustody()
CUSTODY.generate_signing("reader")
KEM = CUSTODY.generate_kem("kem")
WORDS = Sentences(en="e", zh="z")


@contextlib.asynccontextmanager
async def answering(
    directory: Path,
    content: bytes,
    *,
    status: int = 200,
    reader: bool = True,
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[RemoteHub]:
    """A member's view of a port that answers everything with ``content``."""
    custody = MemoryCustody()
    identity, ca = identity_in(directory, custody)
    (directory / "ca.pem").write_text(ca)
    bound = listen(HOST, 0)
    stop, started = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(
        serve(Response(content, status, headers), bound, identity, stop=stop, started=started.set)
    )
    await started.wait()
    hub = RemoteHub(
        f"https://{HOST}:{bound.getsockname()[1]}",
        tls=pinned_context(directory / "ca.pem", ca_hash(ca)),
        origin=ORIGIN,
        entry_keys=tuple,
        clock=lambda: NOW_MS,
        reader=Reader("audit-office", "", CUSTODY.signer("reader")) if reader else None,
    )
    try:
        yield hub
    finally:
        await hub.close()
        stop.set()
        await serving


async def failure(hub: RemoteHub, door: str) -> str:
    doors = {
        "head": hub.head,
        "entries": lambda: hub.entries(0, 10),
        "dataset key": lambda: hub.prove_dataset_key("villages"),
        "ready": hub.ready,
    }
    with pytest.raises(ExchangeError) as caught:
        await doors[door]()
    assert caught.value.remedy.zh
    return caught.value.failure


@pytest.mark.parametrize(
    ("door", "content"),
    [
        ("head", b"<html>"),
        ("head", b'{"size": "3", "root": "", "time": 0}'),
        ("entries", b"\xff"),
        ("entries", encode({0: 1})),
        ("entries", encode(["text"])),
        ("dataset key", encode([bytes(16), KEM.raw])),
        ("dataset key", encode([KEM.kid, b"no key"])),
        ("dataset key", encode([])),
    ],
    ids=["html", "head-size", "not-cbor", "map", "text", "other-kid", "no-key", "empty"],
)
async def test_what_is_no_hub_is_called_so(tmp_path: Path, door: str, content: bytes) -> None:
    async with answering(tmp_path, content) as hub:
        assert await failure(hub, door) == "no-hub"


@pytest.mark.parametrize("door", ["head", "ready"])
async def test_an_error_without_its_object_is_no_hub_either(tmp_path: Path, door: str) -> None:
    async with answering(tmp_path, b"Bad Gateway", status=502) as hub:
        assert await failure(hub, door) == "no-hub"


async def test_an_endless_answer_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "ANSWER_WIRE_BYTES_MAX", 1_000)
    async with answering(tmp_path, bytes(2_000)) as hub:
        assert await failure(hub, "head") == "no-hub"


async def test_a_packed_answer_is_not_unpacked(tmp_path: Path) -> None:
    """Four megabytes on the wire would be four gigabytes here."""
    packed = gzip.compress(b'{"size": 3, "root": "", "time": 0}')
    async with answering(tmp_path, packed, headers={"Content-Encoding": "gzip"}) as hub:
        assert await failure(hub, "head") == "no-hub"


async def test_reading_needs_a_reader(tmp_path: Path) -> None:
    async with answering(tmp_path, b"", reader=False) as hub:
        with pytest.raises(ValueError, match="reader"):
            await hub.head()


@pytest.mark.parametrize(
    ("category", "retriable", "kind"),
    [
        ("rule-refused", False, RuleRefused),
        ("act-refused", False, ActRefused),
        ("check-failed", False, CheckFailed),
        ("bus-unavailable", True, HubUnavailable),
        ("of-a-later-version", False, Refused),
    ],
)
async def test_an_error_becomes_what_it_was_at_the_hub(
    tmp_path: Path, category: str, *, retriable: bool, kind: type[ExchangeError]
) -> None:
    said = Problem(
        category=category,
        failure="why",
        message=WORDS,
        remedy=WORDS,
        rules=["DUTY-01"],
        retriable=retriable,
    )
    async with answering(tmp_path, said.model_dump_json().encode(), status=422) as hub:
        with pytest.raises(kind) as caught:
            await hub.head()
    assert (type(caught.value), caught.value.failure) == (kind, "why")
    assert caught.value.text == ("e", "z")


@pytest.mark.parametrize("answer", [None, "", "%%%"])
async def test_a_conflict_without_a_signed_answer_proves_nothing(
    tmp_path: Path, answer: str | None
) -> None:
    said = Problem(
        category="act-refused",
        failure="seen-before",
        message=WORDS,
        remedy=WORDS,
        retriable=False,
        answer=answer,
    )
    scripted = Scripted()
    scripted.enrol("audit-office")
    async with answering(tmp_path, said.model_dump_json().encode(), status=409) as hub:
        with pytest.raises(ExchangeError) as caught:
            await hub.submit(signed_act(scripted))
    assert caught.value.failure in {"seen-before", "answer-malformed"}


async def test_a_hub_that_stays_busy_is_unavailable_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "SUBMIT_PAUSE_S", 0.01)
    said = Problem(
        category="bus-unavailable", failure="kafka", message=WORDS, remedy=WORDS, retriable=True
    )
    scripted = Scripted()
    scripted.enrol("audit-office")
    async with answering(tmp_path, said.model_dump_json().encode(), status=503) as hub:
        with pytest.raises(HubUnavailable) as caught:
            await hub.submit(signed_act(scripted))
    assert caught.value.failure == "kafka"
