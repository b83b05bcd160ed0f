"""Doors to the published log: the checkpoint, the tiles, the entry bundles.

The same files lie in the hub's folder for a web server or rsync to serve; exchange/ledger/
LOG-SPEC.md says what they are. The hub vouches for nothing but its signature on the checkpoint.
"""

import asyncio
import gzip
from typing import Final

from fastapi import APIRouter, Depends, Request, Response

from exchange.errors import NoteRefused, NotFound
from exchange.hub.access import Access
from exchange.hub.body import no_body
from exchange.hub.described import binary, problems, with_token
from exchange.hub.parts import Parts
from exchange.ledger.tiles import CHECKPOINT

PREFIX: Final = "/log/"
TEXT: Final = "text/plain; charset=utf-8"
TILE: Final = "application/octet-stream"
BRIEFLY: Final = "private, no-cache"
FOR_EVER: Final = "private, max-age=31536000, immutable"
"""Private: what is fetched with one member's token is not another's to see."""
_ERRORS: Final = problems(401, 403, 404, 429, 503)
_PACK_BYTES_MIN: Final = 1_024


def log_doors(parts: Parts, access: Access) -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["log"], dependencies=[Depends(access.check_open)])

    @router.get(
        PREFIX + CHECKPOINT,
        summary="The newest signed tree head, with the cosignatures that came so far",
        response_class=Response,
        responses={
            200: {"description": "A signed note.", "content": {"text/plain": {}}},
            **_ERRORS,
        },
        openapi_extra=with_token(),
    )
    async def checkpoint(request: Request) -> Response:
        access.member(request, await no_body(request))
        raw = await asyncio.to_thread(parts.log.serve, CHECKPOINT)
        return Response(raw, headers={"Content-Type": TEXT, "Cache-Control": BRIEFLY})

    @router.get(
        PREFIX + "tile/{name:path}",
        summary="A tile of the tree, or a bundle of entries (c2sp.org/tlog-tiles)",
        response_class=Response,
        responses={**binary(TILE, "Hashes, or entries behind their lengths."), **_ERRORS},
        openapi_extra=with_token(),
    )
    async def tile(request: Request, name: str) -> Response:
        access.member(request, await no_body(request))
        try:
            raw = await asyncio.to_thread(parts.log.serve, f"tile/{name}")
        except NoteRefused as error:
            raise _no_such(error) from None
        headers = {"Content-Type": TILE, "Cache-Control": FOR_EVER}
        if name.startswith("entries/"):
            headers["Vary"] = "Accept-Encoding"
            if len(raw) >= _PACK_BYTES_MIN and _takes_gzip(request):
                raw = await asyncio.to_thread(gzip.compress, raw, 1)
                headers["Content-Encoding"] = "gzip"
        return Response(raw, headers=headers)

    return router


def _takes_gzip(request: Request) -> bool:
    accepted = request.headers.get("accept-encoding", "").replace(" ", "").lower().split(",")
    return "gzip" in accepted


def _no_such(error: NoteRefused) -> NotFound:
    return NotFound(
        "no tile of a log has this path",
        "该路径不是日志的瓦片",
        remedy=("see c2sp.org/tlog-tiles for the names", "命名规则见 c2sp.org/tlog-tiles"),
        failure=error.failure,
    )
