"""Request tokens: good for one request, by one member, at one moment."""

import base64
from dataclasses import replace

import pytest

from exchange.errors import NotAuthenticated
from exchange.flow.token import (
    READ_DOMAIN,
    Asked,
    VerifiedToken,
    parse_token,
    replayed,
    sign_token,
    verify_token,
)
from exchange.limits import TOKEN_AGE_MS_MAX, TOKEN_BYTES_MAX
from keys.cbor import encode
from keys.cose import sign1
from keys.custody import MemoryCustody

ORIGIN = "exchange.zj.example/2026"
NOW_MS = 1_700_000_000_000
NONCE = bytes(range(16))
CUSTODY = MemoryCustody()
OFFICER = CUSTODY.generate_signing("officer")
OTHER = CUSTODY.generate_signing("other")
SIGNER = CUSTODY.signer("officer")
HEAD = Asked("GET", "/v1/ledger/entries?from=0&count=10")


def signed(asked: Asked = HEAD, *, now_ms: int = NOW_MS) -> str:
    return sign_token(
        asked,
        origin=ORIGIN,
        member="audit-office",
        instance="",
        signer=SIGNER,
        now_ms=now_ms,
        nonce=NONCE,
    )


def verified(
    header: str, asked: Asked = HEAD, *, origin: str = ORIGIN, public: bytes | None = OFFICER.raw
) -> VerifiedToken:
    return verify_token(parse_token(header), asked, origin=origin, public=public, now_ms=NOW_MS)


def failure(header: str, asked: Asked = HEAD, **changed: object) -> str:
    with pytest.raises(NotAuthenticated) as caught:
        verified(header, asked, **changed)  # type: ignore[arg-type]
    assert caught.value.remedy.zh
    return caught.value.failure


def parse_failure(header: str | None) -> str:
    with pytest.raises(NotAuthenticated) as caught:
        parse_token(header)
    return caught.value.failure


def enveloped(raw: bytes) -> str:
    return "Exchange " + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def test_a_member_is_known_by_its_token() -> None:
    token = verified(signed())
    assert (token.member, token.instance, token.nonce) == ("audit-office", "", NONCE)
    assert token.time_ms == NOW_MS


def test_nobody_else_makes_a_verified_token() -> None:
    with pytest.raises(TypeError):
        VerifiedToken("a", "", NONCE, NOW_MS, object())


@pytest.mark.parametrize("header", [None, ""])
def test_no_token_is_named_as_such(header: str | None) -> None:
    assert parse_failure(header) == "token-missing"


@pytest.mark.parametrize(
    "header",
    [
        "Bearer abc",
        "Exchange",
        "Exchange !!!",
        "Exchange abcde",
        "Exchange aGVsbG8",
        "Exchange " + "A" * (TOKEN_BYTES_MAX * 2),
        enveloped(sign1(b"\xff", READ_DOMAIN, SIGNER)),
        enveloped(sign1(encode([ORIGIN]), READ_DOMAIN, SIGNER)),
        enveloped(
            sign1(
                encode([ORIGIN, "GET", "/", True, NONCE, "m", "", bytes(32)]), READ_DOMAIN, SIGNER
            )
        ),
        enveloped(
            sign1(encode([ORIGIN, "GET", "/", 1, b"n", "m", "", bytes(32)]), READ_DOMAIN, SIGNER)
        ),
    ],
)
def test_a_malformed_token_is_refused(header: str) -> None:
    assert parse_failure(header) == "token-malformed"


def test_a_token_of_another_log_is_refused() -> None:
    assert failure(signed(), origin="elsewhere/2026") == "token-origin"


def test_a_member_without_an_active_key_is_refused() -> None:
    assert failure(signed(), public=None) == "token-unknown"


def test_a_token_that_another_key_signed_is_refused() -> None:
    assert failure(signed(), public=OTHER.raw) == "token-signature"


@pytest.mark.parametrize("off_ms", [TOKEN_AGE_MS_MAX + 1, -TOKEN_AGE_MS_MAX - 1, -3_600_000])
def test_an_old_or_early_token_is_refused(off_ms: int) -> None:
    assert failure(signed(now_ms=NOW_MS + off_ms)) == "token-time"


@pytest.mark.parametrize("off_ms", [TOKEN_AGE_MS_MAX, -TOKEN_AGE_MS_MAX])
def test_a_minute_either_way_is_accepted(off_ms: int) -> None:
    assert verified(signed(now_ms=NOW_MS + off_ms)).time_ms == NOW_MS + off_ms


@pytest.mark.parametrize(
    "asked",
    [
        replace(HEAD, method="POST"),
        replace(HEAD, target="/v1/ledger/entries?from=0&count=11"),
        replace(HEAD, target="/v1/ledger/head"),
        replace(HEAD, body=b"x"),
    ],
    ids=["method", "query", "path", "body"],
)
def test_a_token_made_for_another_request_is_refused(asked: Asked) -> None:
    assert failure(signed(), asked) == "token-request"


def test_a_used_token_has_a_name_too() -> None:
    assert replayed().failure == "token-replayed"
