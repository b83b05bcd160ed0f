"""What every request passes first and last: a bound on work under way, numbers, one log line.

The log line names the route's template, the status and the time taken. Paths, queries, bodies and
tokens are never logged.
"""

import time
from http import HTTPStatus

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exchange.errors import HubUnavailable
from exchange.hub.problem import respond
from exchange.metrics import HUB_LIMITED, HUB_REQUEST, HUB_REQUESTS, HUB_UNDER_WAY

_LOG = structlog.get_logger("exchange.hub")


class Front:
    """ASGI middleware around the doors of one hub."""

    def __init__(self, app: ASGIApp, *, at_once_max: int) -> None:
        self._app = app
        self._at_once_max = at_once_max
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or turn it away when too many are under way."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status = 500

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        self._count(1)
        started_s = time.perf_counter()
        try:
            await self._admit(scope, receive, noting)
        finally:
            self._count(-1)
            self._note(scope, status, time.perf_counter() - started_s)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._under_way > self._at_once_max and not scope["path"].startswith("/health/"):
            await respond(_busy())(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _count(self, change: int) -> None:
        self._under_way += change
        HUB_UNDER_WAY.set(self._under_way)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "none")
        method = Request(scope).method if route != "none" else "any"
        HUB_REQUESTS.labels(route=route, status=str(status)).inc()
        HUB_REQUEST.labels(route=route).observe(seconds)
        if status == HTTPStatus.TOO_MANY_REQUESTS:
            HUB_LIMITED.inc()
        if not route.startswith("/health/"):
            _LOG.info(
                "answered", route=route, method=method, status=status, seconds=round(seconds, 4)
            )


def _busy() -> HubUnavailable:
    return HubUnavailable(
        "the hub has too many requests under way",
        "枢纽正在处理的请求过多",
        remedy=("wait as Retry-After says", "请按 Retry-After 等待后重试"),
        failure="busy",
    )
