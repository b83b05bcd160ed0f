"""Who may read, with which token, and how dataset keys are prepared and proven."""

import httpx
import pytest

from exchange.errors import (
    ActRefused,
    ClockOff,
    RateLimited,
)
from exchange.flow.bodies import CBOR, COSE, possession_body
from exchange.flow.possession import make_challenge, verify_proof
from exchange.hub import access, throttle
from exchange.hub.throttle import Nonces, Refusals
from keys.cbor import decode, encode
from tests.hub.doors import NOW_MS, ORIGIN, Scripted, problem, raising, reach

HEAD = "/v1/ledger/head"
COSE_TYPE = {"Content-Type": COSE}
CBOR_TYPE = {"Content-Type": CBOR}


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


@pytest.mark.parametrize("failure", ["wrong-origin", "kind", "expired", "seen-before"])
async def test_acts_that_anybody_can_copy_cost_the_address_that_sends_them(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch, failure: str
) -> None:
    monkeypatch.setattr(access, "ADDRESS_REFUSALS_PER_S", 0.001)
    monkeypatch.setattr(access, "ADDRESS_REFUSALS_BURST", 2)
    scripted.standing = b"signed"
    raising(scripted, ActRefused("e", "z", failure=failure, remedy=("r", "r")))
    async with reach(scripted) as doors:
        for _ in range(2):
            await doors.post("/v1/acts", content=b"act", headers=COSE_TYPE)
        response = await doors.post("/v1/acts", content=b"act", headers=COSE_TYPE)
    problem(response, 429, "rate-limited", "address")


def test_a_nonce_is_remembered_as_long_as_its_token_lives() -> None:
    nonces = Nonces(keep_ms=10)
    assert not nonces.used("a", b"n", 0)
    nonces.note("a", b"n", 0)
    assert nonces.used("a", b"n", 10)
    assert not nonces.used("b", b"n", 10)
    assert not nonces.used("a", b"n", 11)


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
