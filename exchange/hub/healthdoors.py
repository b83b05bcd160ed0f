"""Doors for operators: alive, ready, metrics."""

import ipaddress
from dataclasses import asdict

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict

from exchange.hub.access import Access, address_of
from exchange.hub.body import no_body
from exchange.hub.described import problems, with_token
from exchange.hub.parts import Parts, Published
from exchange.hub.problem import RETRY_AFTER_SECONDS
from exchange.hub.readiness import Ready
from exchange.metrics import CONTENT_TYPE, HUB_READY, render
from exchange.model.logstate import LogState
from exchange.model.problem import Problem, Sentences


class LiveView(BaseModel):
    """The process serves; nothing more is claimed."""

    model_config = ConfigDict(frozen=True)

    live: bool = True


class ReadyView(Problem):
    """A readiness answer; when not ready, ``missing`` is the step and the rest is the error.

    ``log`` says how far the log is published; absent before its first checkpoint.
    """

    ready: bool
    held: list[str]
    missing: str
    log: LogState | None


def health_doors(parts: Parts, access: Access) -> APIRouter:
    """The routes."""
    router = APIRouter(tags=["health"])

    async def look() -> Ready:
        answer = await parts.readiness.ask()
        HUB_READY.set(answer.ready)
        return answer

    @router.get("/health/live", summary="Whether the process serves")
    async def live() -> LiveView:
        return LiveView()

    @router.get(
        "/health/ready",
        summary="Whether acts can be admitted now; otherwise the first missing step",
        response_model=ReadyView,
        responses={503: {"model": ReadyView, "description": "Not ready; `missing` says why."}},
    )
    async def ready() -> Response:
        answer = await look()
        status = 200 if answer.ready else 503
        headers = {} if answer.ready else {"Retry-After": str(RETRY_AFTER_SECONDS[503])}
        return JSONResponse(
            _view(answer, parts.log.published()).model_dump(exclude_none=True), status, headers
        )

    @router.get(
        "/metrics",
        summary="Prometheus metrics: to the same machine, or with a token",
        dependencies=[Depends(access.check_address)],
        response_class=Response,
        responses={
            200: {"description": "Metrics.", "content": {"text/plain": {}}},
            **problems(401, 403, 429),
        },
        openapi_extra=with_token(),
    )
    async def metrics(request: Request) -> Response:
        if not _is_loopback(address_of(request)):
            access.member(request, await no_body(request))
        await look()  # whoever reads numbers only must not be shown the readiness of long ago
        return Response(render(), headers={"Content-Type": CONTENT_TYPE})

    return router


def _view(answer: Ready, published: Published | None) -> ReadyView:
    return ReadyView(
        category="" if answer.ready else "hub-unavailable",
        failure=answer.missing,
        message=Sentences.of(answer.message),
        remedy=Sentences.of(answer.remedy),
        rules=[],
        retriable=not answer.ready,
        ready=answer.ready,
        held=list(answer.held),
        missing=answer.missing,
        log=None if published is None else LogState.model_validate(asdict(published)),
    )


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
