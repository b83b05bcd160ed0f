"""Doors for signed acts: `POST /v1/acts` and `POST /v1/keys`.

An act authenticates itself; the ledger's own checks come first thing in `answer`, before anything
is appended. What these doors add is a bound on bytes and on strangers.
"""

from fastapi import APIRouter, Depends, Request, Response

from exchange.errors import ActRefused
from exchange.flow.bodies import CBOR, COSE, read_ask
from exchange.hub.access import Access
from exchange.hub.body import read_body
from exchange.hub.described import binary, body, problems
from exchange.hub.parts import Parts
from exchange.hub.problem import SeenBefore
from exchange.limits import ACT_BYTES_MAX, ASK_BYTES_MAX

_SIGNED = "The hub's signed answer, exchange/flow/SPEC.md; a denial is an answer too."
_ERRORS = problems(400, 401, 403, 408, 409, 413, 415, 422, 429, 503)


def act_doors(parts: Parts, access: Access) -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["acts"], dependencies=[Depends(access.check_open)])

    @router.post(
        "/v1/acts",
        summary="Put an act on the ledger",
        response_class=Response,
        responses={**binary(COSE, _SIGNED), **_ERRORS},
        openapi_extra=body(COSE, "One act, COSE_Sign1, exchange/ledger/SPEC.md.", ACT_BYTES_MAX),
    )
    async def submit(request: Request) -> Response:
        act = await read_body(request, bytes_max=ACT_BYTES_MAX, content_type=COSE)
        return _signed(await _admitted(parts, act))

    @router.post(
        "/v1/keys",
        summary="Ask for section keys under a grant",
        response_class=Response,
        responses={**binary(COSE, _SIGNED), **_ERRORS},
        openapi_extra=body(
            CBOR,
            "Canonical CBOR [act, [header, ...]]; a header for each item of the act.",
            ASK_BYTES_MAX,
        ),
    )
    async def ask(request: Request) -> Response:
        raw = await read_body(request, bytes_max=ASK_BYTES_MAX, content_type=CBOR)
        act, headers = read_ask(raw)
        return _signed(await parts.keys.answer(act, headers))

    return router


async def _admitted(parts: Parts, act: bytes) -> bytes:
    try:
        return await parts.acts.answer(act)
    except ActRefused as refused:
        if refused.failure != "seen-before":
            raise
        answer = await parts.recall(act)
        if answer is None:
            raise
        raise SeenBefore(refused, answer) from None


def _signed(answer: bytes) -> Response:
    return Response(answer, media_type=COSE, headers={"Cache-Control": "no-store"})
