"""Doors for dataset keys: `POST /v1/dataset-keys/{dataset}` and `POST /v1/possession`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from exchange.flow.bodies import CBOR, COSE, read_possession
from exchange.hub.access import Access
from exchange.hub.body import no_body, read_body
from exchange.hub.described import binary, body, problems, with_token
from exchange.hub.parts import Parts
from exchange.limits import POSSESSION_BYTES_MAX
from exchange.model.ids import SLUG
from keys.cbor import encode


def key_doors(parts: Parts, access: Access) -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["dataset keys"], dependencies=[Depends(access.check_open)])

    @router.post(
        "/v1/dataset-keys/{dataset}",
        summary="Prepare a dataset's KEM key, or show the one that waits",
        response_class=Response,
        responses={
            **binary(CBOR, "Canonical CBOR [kid, public key]."),
            **problems(400, 401, 403, 429, 503),
        },
        openapi_extra=with_token(),
    )
    async def prepare(
        request: Request, dataset: Annotated[str, Path(pattern=rf"^{SLUG}\z")]
    ) -> Response:
        access.authority_officer(request, await no_body(request))
        key = parts.dataset_keys.prepare(dataset)
        return Response(encode([key.kid, key.raw]), media_type=CBOR)

    @router.post(
        "/v1/possession",
        summary="Show that this hub holds a dataset's key",
        response_class=Response,
        responses={
            **binary(COSE, "The proof, COSE_Sign1; exchange/hub/SPEC.md."),
            **problems(400, 401, 403, 404, 408, 413, 415, 422, 429, 503),
        },
        openapi_extra=with_token(
            body(CBOR, "Canonical CBOR [dataset, kid, wrapped challenge].", POSSESSION_BYTES_MAX)
        ),
    )
    async def possession(request: Request) -> Response:
        raw = await read_body(request, bytes_max=POSSESSION_BYTES_MAX, content_type=CBOR)
        access.member(request, raw)
        proof = parts.dataset_keys.prove(*read_possession(raw))
        return Response(proof, media_type=COSE)

    return router
