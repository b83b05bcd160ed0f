"""Doors for readers of the ledger: its head, and pages of raw entries.

The hub vouches for nothing here: a reader checks signatures and hashes itself.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from exchange.flow.bodies import CBOR
from exchange.hub.access import Access
from exchange.hub.body import no_body
from exchange.hub.described import binary, problems, with_token
from exchange.hub.parts import Parts
from exchange.limits import ENTRIES_BYTES_MAX, ENTRIES_COUNT_MAX
from keys.cbor import encode

_ERRORS = problems(400, 401, 403, 429, 503)
_INDEX_MAX = 1 << 53


class HeadView(BaseModel):
    """``size`` entries; ``root`` their RFC 6962 root, hex; ``time`` ledger time, ms."""

    model_config = ConfigDict(frozen=True)

    size: int
    root: str
    time: int


def read_doors(parts: Parts, access: Access) -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["ledger"], dependencies=[Depends(access.check_open)])

    @router.get(
        "/v1/ledger/head",
        summary="Size, root and time of the ledger as this hub has read it",
        responses=_ERRORS,
        openapi_extra=with_token(),
    )
    async def head(request: Request) -> HeadView:
        access.member(request, await no_body(request))
        newest = parts.ledger.head()
        return HeadView(size=newest.size, root=newest.root.hex(), time=newest.time_ms)

    @router.get(
        "/v1/ledger/entries",
        summary="Raw entries, in order",
        response_class=Response,
        responses={
            **binary(CBOR, "Canonical CBOR array of entries; empty past the end."),
            **_ERRORS,
        },
        openapi_extra=with_token(),
    )
    async def entries(
        request: Request,
        first: Annotated[int, Query(alias="from", ge=0, le=_INDEX_MAX)],
        count: Annotated[int, Query(ge=1, le=ENTRIES_COUNT_MAX)] = ENTRIES_COUNT_MAX,
    ) -> Response:
        access.member(request, await no_body(request))
        page = await parts.ledger.entries(first, count_max=count, bytes_max=ENTRIES_BYTES_MAX)
        return Response(encode(page), media_type=CBOR)

    return router
