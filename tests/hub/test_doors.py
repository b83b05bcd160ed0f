"""What a caller meets at each door, over scripted collaborators."""

import base64
from collections.abc import AsyncIterator

import httpx
import pytest

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
from exchange.flow.bodies import CBOR, COSE, ask_body, possession_body
from exchange.flow.possession import make_challenge, verify_proof
from exchange.hub import access, body, throttle
from exchange.hub.problem import ExpectedError
from exchange.hub.throttle import Refusals
from exchange.limits import ACT_BYTES_MAX
from keys.cbor import decode, encode
from keys.errors import CustodyUnwritable
from tests.hub.doors import NOW_MS, ORIGIN, Scripted, reach

HEAD = "/v1/ledger/head"
COSE_TYPE = {"Content-Type": COSE}
CBOR_TYPE = {"Content-Type": CBOR}


@pytest.fixture
def scripted() -> Scripted:
    hub = Scripted()
    for member in ("audit-office", "data-bureau", "stranger"):
        hub.enrol(member)
    hub.enrol("audit-office", "reader")
    hub.enrol("data-bureau", "machine")
    return hub


@pytest.fixture
async def doors(scripted: Scripted) -> AsyncIterator[httpx.AsyncClient]:
    async with reach(scripted) as client:
        yield client


def problem(response: httpx.Response, status: int, category: str, failure: str) -> None:
    """The response is the one JSON object, in both languages, with a remedy."""
    assert response.headers["content-type"] == "application/json"
    said = response.json()
    assert (response.status_code, said["category"], said["failure"]) == (status, category, failure)
    assert said["message"]["en"] != said["message"]["zh"]
    assert said["remedy"]["en"]
    assert said["remedy"]["zh"]
    assert said["retriable"] is (status in {408, 429, 500, 503} and category != "ledger-broken")
    assert ("retry-after" in response.headers) is (said["retriable"] and status in {429, 503})


def raising(scripted: Scripted, error: Exception) -> None:
    def answers(_act: bytes) -> bytes:
        raise error

    scripted.answers = answers


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


# --- reads ---


async def test_a_member_reads_the_head(doors: httpx.AsyncClient, scripted: Scripted) -> None:
    response = await doors.get(HEAD, headers=scripted.token("GET", HEAD))
    assert response.json() == {"size": 3, "root": "00" * 32, "time": NOW_MS}


async def test_an_instance_reads_too(doors: httpx.AsyncClient, scripted: Scripted) -> None:
    headers = scripted.token("GET", HEAD, instance="reader")
    assert (await doors.get(HEAD, headers=headers)).status_code == 200


async def test_a_member_reads_a_page_of_entries(
    doors: httpx.AsyncClient, scripted: Scripted
) -> None:
    target = "/v1/ledger/entries?from=1&count=5"
    response = await doors.get(target, headers=scripted.token("GET", target))
    assert decode(response.content, bytes_max=100) == [b"one", b"two"]
    assert response.headers["content-type"] == CBOR


@pytest.mark.parametrize(
    "query", ["from=-1", "from=x", "count=5", "from=0&count=0", "from=0&count=1025", "from=1e9"]
)
async def test_a_page_out_of_bounds_is_refused(
    doors: httpx.AsyncClient, scripted: Scripted, query: str
) -> None:
    target = f"/v1/ledger/entries?{query}"
    response = await doors.get(target, headers=scripted.token("GET", target))
    problem(response, 400, "http", "parameter")


@pytest.mark.parametrize("target", [HEAD, "/v1/ledger/entries?from=0", "/metrics"])
async def test_nobody_reads_without_a_token(doors: httpx.AsyncClient, target: str) -> None:
    response = await doors.get(target)
    problem(response, 401, "not-authenticated", "token-missing")
    assert response.headers["www-authenticate"] == "Exchange"


async def test_an_expired_token_is_refused(doors: httpx.AsyncClient, scripted: Scripted) -> None:
    headers = scripted.token("GET", HEAD, now_ms=NOW_MS - 60_001)
    problem(await doors.get(HEAD, headers=headers), 401, "not-authenticated", "token-time")


async def test_a_hub_with_a_wrong_clock_blames_nobody_else(
    doors: httpx.AsyncClient, scripted: Scripted
) -> None:
    scripted.clock_off = ClockOff("e", "z", failure="broker", remedy=("r", "r"))
    raising(scripted, ActRefused("e", "z", failure="expired", remedy=("r", "r")))
    response = await doors.post("/v1/acts", content=b"act", headers=COSE_TYPE)
    problem(response, 503, "clock-off", "broker")
    headers = scripted.token("GET", HEAD, now_ms=NOW_MS - 3_600_000)
    problem(await doors.get(HEAD, headers=headers), 503, "clock-off", "broker")


async def test_a_token_works_once(doors: httpx.AsyncClient, scripted: Scripted) -> None:
    headers = scripted.token("GET", HEAD)
    assert (await doors.get(HEAD, headers=headers)).status_code == 200
    problem(await doors.get(HEAD, headers=headers), 401, "not-authenticated", "token-replayed")


async def test_a_token_is_forgotten_only_when_it_is_too_old_anyway(
    doors: httpx.AsyncClient, scripted: Scripted
) -> None:
    headers = scripted.token("GET", HEAD, now_ms=NOW_MS + 60_000)
    assert (await doors.get(HEAD, headers=headers)).status_code == 200
    scripted.now_ms = NOW_MS + 120_000
    problem(await doors.get(HEAD, headers=headers), 401, "not-authenticated", "token-replayed")
    scripted.now_ms = NOW_MS + 120_001
    problem(await doors.get(HEAD, headers=headers), 401, "not-authenticated", "token-time")


@pytest.mark.parametrize(
    ("method", "target"),
    [("POST", HEAD), ("GET", "/v1/ledger/entries?from=0"), ("GET", HEAD + "?x=1")],
)
async def test_a_token_for_another_request_is_refused(
    doors: httpx.AsyncClient, scripted: Scripted, method: str, target: str
) -> None:
    response = await doors.get(HEAD, headers=scripted.token(method, target))
    problem(response, 401, "not-authenticated", "token-request")


async def test_a_suspended_member_reads_nothing(
    doors: httpx.AsyncClient, scripted: Scripted
) -> None:
    headers = scripted.token("GET", HEAD)
    del scripted.members["audit-office", ""]
    problem(await doors.get(HEAD, headers=headers), 401, "not-authenticated", "token-unknown")


async def test_the_rules_decide_who_reads(doors: httpx.AsyncClient, scripted: Scripted) -> None:
    response = await doors.get(HEAD, headers=scripted.token("GET", HEAD, member="stranger"))
    problem_of_rules = response.json()
    assert (response.status_code, problem_of_rules["rules"]) == (403, ["BASIS-01"])


async def test_a_member_over_its_share_waits_and_others_do_not(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "MEMBER_REQUESTS_PER_S", 0.001)
    monkeypatch.setattr(access, "MEMBER_REQUESTS_BURST", 3)
    async with reach(scripted) as doors:
        statuses = [
            (await doors.get(HEAD, headers=scripted.token("GET", HEAD))).status_code
            for _ in range(3)
        ]
        response = await doors.get(HEAD, headers=scripted.token("GET", HEAD))
        headers = scripted.token("GET", HEAD, member="data-bureau")
        assert (await doors.get(HEAD, headers=headers)).status_code == 200
    assert statuses == [200, 200, 200]
    problem(response, 429, "rate-limited", "share")


async def test_an_address_that_is_refused_too_often_waits(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "ADDRESS_REFUSALS_PER_S", 0.001)
    monkeypatch.setattr(access, "ADDRESS_REFUSALS_BURST", 3)
    raising(scripted, ActRefused("e", "z", failure="signature", remedy=("r", "r")))
    async with reach(scripted) as doors:
        statuses = [
            (await doors.get(HEAD)).status_code,
            (await doors.post("/v1/acts", content=b"act", headers=COSE_TYPE)).status_code,
            (await doors.post("/v1/keys", content=b"junk", headers=CBOR_TYPE)).status_code,
        ]
        response = await doors.post("/v1/acts", content=b"act", headers=COSE_TYPE)
    assert statuses == [401, 401, 400]
    problem(response, 429, "rate-limited", "address")


def test_refusals_are_forgiven_and_addresses_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttle, "ADDRESSES_MAX", 2)
    now_s = 0.0
    refusals = Refusals(per_s=1.0, burst=1, now_s=lambda: now_s)
    refusals.count("a")
    refusals.count("a")
    with pytest.raises(RateLimited):
        refusals.check("a")
    now_s = 1.0
    refusals.check("a")
    refusals.count("a")
    refusals.check("b")
    refusals.check("c")  # the table is full: "a", seen longest ago, starts afresh
    refusals.check("a")


# --- dataset keys ---

PREPARE = "/v1/dataset-keys/villages"


async def prepared(doors: httpx.AsyncClient, scripted: Scripted) -> tuple[bytes, bytes]:
    headers = scripted.token("POST", PREPARE, member="data-bureau")
    response = await doors.post(PREPARE, headers=headers)
    match decode(response.content, bytes_max=2000):
        case [bytes(kid), bytes(public)]:
            return kid, public
    raise AssertionError(response.text)


async def test_the_authority_gets_one_key_until_it_is_recorded(
    doors: httpx.AsyncClient, scripted: Scripted
) -> None:
    first = await prepared(doors, scripted)
    assert await prepared(doors, scripted) == first
    scripted.recorded.append(first[0])
    second = await prepared(doors, scripted)
    assert second != first
    assert await prepared(doors, scripted) == second


@pytest.mark.parametrize(("member", "instance"), [("audit-office", ""), ("data-bureau", "machine")])
async def test_only_an_officer_of_the_authority_prepares_keys(
    doors: httpx.AsyncClient, scripted: Scripted, member: str, instance: str
) -> None:
    headers = scripted.token("POST", PREPARE, member=member, instance=instance)
    response = await doors.post(PREPARE, headers=headers)
    assert (response.status_code, response.json()["rules"]) == (403, ["AUTHORITY-01"])
    assert len(scripted.custody.publics()) == 6


async def test_a_dataset_name_is_no_path(doors: httpx.AsyncClient, scripted: Scripted) -> None:
    target = "/v1/dataset-keys/..%2Fcustody"
    headers = scripted.token("POST", target, member="data-bureau")
    assert (await doors.post(target, headers=headers)).status_code in {400, 404}


async def test_preparing_a_key_takes_no_body(doors: httpx.AsyncClient, scripted: Scripted) -> None:
    headers = scripted.token("POST", PREPARE, b"x", member="data-bureau")
    response = await doors.post(PREPARE, content=b"x", headers=headers)
    problem(response, 413, "http", "body-too-large")


async def test_the_hub_proves_that_it_holds_a_key(
    doors: httpx.AsyncClient, scripted: Scripted
) -> None:
    kid, public = await prepared(doors, scripted)
    challenge = make_challenge(origin=ORIGIN, dataset="villages", public=public)
    body = possession_body("villages", kid, challenge.wrapped)
    headers = scripted.token("POST", "/v1/possession", body) | CBOR_TYPE
    response = await doors.post("/v1/possession", content=body, headers=headers)
    assert response.headers["content-type"] == COSE
    proven = verify_proof(response.content, challenge, entry_keys=[scripted.entry_key.raw])
    assert proven.kid == kid


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (encode(["villages", bytes(16), b"wrapped"]), 404),
        (encode(["villages", bytes(16)]), 400),
        (encode([b"villages", bytes(16), b"wrapped"]), 400),
    ],
    ids=["unknown key", "short", "bytes for a name"],
)
async def test_a_challenge_to_no_key_is_refused(
    doors: httpx.AsyncClient, scripted: Scripted, body: bytes, status: int
) -> None:
    headers = scripted.token("POST", "/v1/possession", body) | CBOR_TYPE
    response = await doors.post("/v1/possession", content=body, headers=headers)
    assert response.status_code == status


async def test_a_challenge_that_does_not_open_is_refused(
    doors: httpx.AsyncClient, scripted: Scripted
) -> None:
    kid, _ = await prepared(doors, scripted)
    body = possession_body("villages", kid, b"wrapped")
    headers = scripted.token("POST", "/v1/possession", body) | CBOR_TYPE
    response = await doors.post("/v1/possession", content=body, headers=headers)
    problem(response, 422, "check-failed", "challenge")


async def test_a_token_covers_the_body(doors: httpx.AsyncClient, scripted: Scripted) -> None:
    headers = scripted.token("POST", "/v1/possession", b"another") | CBOR_TYPE
    response = await doors.post("/v1/possession", content=b"body", headers=headers)
    problem(response, 401, "not-authenticated", "token-request")
