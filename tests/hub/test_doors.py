"""What a caller meets at each door, over scripted collaborators."""

import asyncio
import base64
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request

from exchange.errors import (
    ActRefused,
    BusUnavailable,
    ClockOff,
    HubUnavailable,
    LedgerBroken,
    NotFound,
    RateLimited,
    ReleaseRefused,
    RuleRefused,
)
from exchange.flow.bodies import CBOR, COSE, ask_body
from exchange.hub import body
from exchange.hub.problem import ExpectedError, WithStatus
from exchange.limits import ACT_BYTES_MAX
from keys.cbor import encode
from keys.errors import CustodyUnwritable
from tests.hub.doors import Scripted, problem, raising

HEAD = "/v1/ledger/head"
COSE_TYPE = {"Content-Type": COSE}
CBOR_TYPE = {"Content-Type": CBOR}


async def test_an_act_gets_the_signed_answer(doors: httpx.AsyncClient) -> None:
    response = await doors.post("/v1/acts", content=b"act", headers=COSE_TYPE)
    assert (response.status_code, response.content) == (200, b"signed act")
    assert response.headers["content-type"] == COSE
    assert response.headers["cache-control"] == "no-store"


async def test_a_key_request_brings_its_headers(
    doors: httpx.AsyncClient, scripted: Scripted
) -> None:
    body = ask_body(b"act", [b"header 0", b"header 1"])
    response = await doors.post("/v1/keys", content=body, headers=CBOR_TYPE)
    assert response.content == b"signed act"
    assert scripted.asked == [(b"act", [b"header 0", b"header 1"])]


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        (b"", "truncated"),
        (encode([b"act"]), "shape"),
        (encode([b"act", ["text"]]), "shape"),
        (encode([b"act", [b"h"] * 257]), "shape"),
        (encode({0: b"act"}), "shape"),
        (encode([b"act", []]) + b"\x00", "trailing-bytes"),
    ],
    ids=["empty", "short", "text", "many", "map", "trailing"],
)
async def test_a_key_request_of_another_shape_is_refused(
    doors: httpx.AsyncClient, body: bytes, failure: str
) -> None:
    response = await doors.post("/v1/keys", content=body, headers=CBOR_TYPE)
    problem(response, 400, "malformed-cbor", failure)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ActRefused("e", "z", failure="tag", remedy=("r", "r")), 400),
        (ActRefused("e", "z", failure="signature", remedy=("r", "r")), 401),
        (ActRefused("e", "z", failure="unknown-key", remedy=("r", "r")), 401),
        (ActRefused("e", "z", failure="inactive", remedy=("r", "r")), 401),
        (ActRefused("e", "z", failure="expired", remedy=("r", "r")), 422),
        (ActRefused("e", "z", failure="seen-before", remedy=("r", "r")), 409),
        (RuleRefused("e", "z", rules=("DUTY-01",), remedy=("r", "r")), 403),
        (ReleaseRefused("e", "z", remedy=("r", "r")), 422),
        (NotFound("e", "z", remedy=("r", "r")), 404),
        (RateLimited("e", "z", remedy=("r", "r")), 429),
        (BusUnavailable("e", "z", remedy=("r", "r")), 503),
        (ClockOff("e", "z", remedy=("r", "r")), 503),
        (LedgerBroken("e", "z", remedy=("r", "r")), 503),
        (CustodyUnwritable("e", "z", remedy=("r", "r")), 503),
    ],
    ids=lambda value: getattr(value, "failure", str(value)),
)
async def test_every_error_has_its_status(
    doors: httpx.AsyncClient, scripted: Scripted, error: ExpectedError, status: int
) -> None:
    raising(scripted, error)
    response = await doors.post("/v1/acts", content=b"act", headers=COSE_TYPE)
    problem(response, status, error.category, error.failure)


async def test_a_denial_names_its_rules(doors: httpx.AsyncClient, scripted: Scripted) -> None:
    raising(scripted, RuleRefused("e", "z", rules=("DUTY-01", "CAT-01")))
    response = await doors.post("/v1/acts", content=b"act", headers=COSE_TYPE)
    assert response.json()["rules"] == ["DUTY-01", "CAT-01"]


async def test_an_act_that_stands_already_is_told_where(
    doors: httpx.AsyncClient, scripted: Scripted
) -> None:
    raising(scripted, ActRefused("e", "z", failure="seen-before", remedy=("r", "r")))
    scripted.standing = b"\xff signed"
    response = await doors.post("/v1/acts", content=b"act", headers=COSE_TYPE)
    problem(response, 409, "act-refused", "seen-before")
    assert base64.urlsafe_b64decode(response.json()["answer"] + "==") == b"\xff signed"


async def test_a_repeated_key_request_gets_no_answer_at_all(
    doors: httpx.AsyncClient, scripted: Scripted
) -> None:
    raising(scripted, ActRefused("e", "z", failure="seen-before", remedy=("r", "r")))
    scripted.standing = b"signed"
    response = await doors.post("/v1/keys", content=ask_body(b"a", []), headers=CBOR_TYPE)
    problem(response, 409, "act-refused", "seen-before")
    assert "answer" not in response.json()


async def test_an_unforeseen_failure_says_nothing_of_itself(
    doors: httpx.AsyncClient, scripted: Scripted
) -> None:
    raising(scripted, KeyError("a record's value"))
    response = await doors.post("/v1/acts", content=b"act", headers=COSE_TYPE)
    problem(response, 500, "http", "unforeseen")
    assert "record" not in response.text


async def test_a_declared_length_over_the_limit_is_refused_unread(
    doors: httpx.AsyncClient,
) -> None:
    sent = 0

    async def watched() -> AsyncIterator[bytes]:
        nonlocal sent
        sent += 1
        yield bytes(1 << 14)

    headers = COSE_TYPE | {"Content-Length": str(1 << 30)}
    response = await doors.post("/v1/acts", content=watched(), headers=headers)
    problem(response, 413, "http", "body-too-large")
    assert response.headers["connection"] == "close"
    assert sent == 0


async def test_a_body_a_little_too_long_is_let_pass_and_refused(doors: httpx.AsyncClient) -> None:
    content = bytes(ACT_BYTES_MAX + 1)
    response = await doors.post("/v1/acts", content=content, headers=COSE_TYPE)
    problem(response, 413, "http", "body-too-large")


async def test_an_undeclared_body_is_refused_at_the_limit(doors: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield bytes(1 << 14)

    response = await doors.post("/v1/acts", content=endless(), headers=COSE_TYPE)
    problem(response, 413, "http", "body-too-large")
    assert sent << 14 < 2 * (ACT_BYTES_MAX + body.LET_PASS_BYTES_MAX)


async def test_a_body_that_trickles_is_refused(doors: httpx.AsyncClient) -> None:
    async def stuck() -> AsyncIterator[bytes]:
        yield b"a"
        raise TimeoutError

    response = await doors.post("/v1/acts", content=stuck(), headers=COSE_TYPE)
    problem(response, 408, "http", "body-too-slow")


@pytest.mark.parametrize("content_type", ["application/json", "", "application/cbor"])
async def test_another_content_type_is_refused(doors: httpx.AsyncClient, content_type: str) -> None:
    response = await doors.post("/v1/acts", content=b"act", headers={"Content-Type": content_type})
    problem(response, 415, "http", "content-type")


async def test_an_unknown_path_is_named_as_such(doors: httpx.AsyncClient) -> None:
    problem(await doors.get("/v1/nothing"), 404, "http", "not-found")
    problem(await doors.get("/v1/acts"), 405, "http", "method-not-allowed")


@pytest.mark.parametrize(
    ("method", "target"),
    [("POST", "/v1/acts"), ("POST", "/v1/keys"), ("GET", HEAD), ("POST", "/v1/possession")],
)
async def test_nothing_is_decided_before_the_ledger_is_read(
    doors: httpx.AsyncClient, scripted: Scripted, method: str, target: str
) -> None:
    scripted.closed = HubUnavailable("e", "z", failure="starting", remedy=("r", "r"))
    problem(await doors.request(method, target), 503, "hub-unavailable", "starting")


async def test_a_body_of_a_million_items_is_refused_unread(doors: httpx.AsyncClient) -> None:
    body = b"\x82\x41a\x9a" + (1 << 20).to_bytes(4, "big") + b"\x80" * (1 << 20)
    response = await doors.post("/v1/keys", content=body, headers=CBOR_TYPE)
    problem(response, 400, "malformed-cbor", "too-many")


async def test_a_body_that_is_promised_to_a_door_that_takes_none_times_out() -> None:
    async def silent() -> dict[str, object]:
        await asyncio.Event().wait()
        return {}

    scope = {"type": "http", "method": "GET", "headers": [], "path": "/", "query_string": b""}
    with pytest.raises(WithStatus) as caught:
        await body.no_body(Request(scope, silent), seconds_max=0.01)
    assert (caught.value.status, caught.value.failure) == (408, "body-too-slow")
