"""The hub's doors as one ASGI application; SPEC.md beside this file is the contract.

The app is made of `Parts` that are already running; starting and stopping them is
exchange/wiring/hub.py's business, serving is `exchange.hub.serve`.
"""

from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from exchange.errors import ExchangeError, Unavailable
from exchange.hub.access import Access
from exchange.hub.actdoors import act_doors
from exchange.hub.described import SECURITY_SCHEMES
from exchange.hub.front import Front
from exchange.hub.healthdoors import health_doors
from exchange.hub.keydoors import key_doors
from exchange.hub.logdoors import log_doors
from exchange.hub.parts import Parts
from exchange.hub.problem import ExpectedError, WithStatus, respond
from exchange.hub.readdoors import read_doors
from exchange.limits import REQUESTS_AT_ONCE_MAX
from exchange.model.text import Text
from keys.errors import KeysError


def hub_app(parts: Parts) -> FastAPI:
    """The application."""
    app = FastAPI(
        title="Exchange hub",
        description="Acts, keys and the ledger. Formats: exchange/hub/SPEC.md.",
        version="1",
        docs_url=None,  # both pages would load scripts from elsewhere
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    access = Access(parts)
    for doors in (act_doors, key_doors, read_doors, log_doors, health_doors):
        app.include_router(doors(parts, access))
    _answer_errors(app, parts, access)
    _describe_tokens(app)
    app.add_middleware(Front, at_once_max=REQUESTS_AT_ONCE_MAX)
    return app


def _answer_errors(app: FastAPI, parts: Parts, access: Access) -> None:
    """One JSON object for whatever goes wrong; strangers are charged for it."""

    async def one_object(request: Request, error: Exception) -> Response:
        foreseen = await _doubted(parts, _foreseen(error))
        access.charge_address(request, foreseen)
        return respond(foreseen)

    for kind in (ExchangeError, KeysError, HTTPException, RequestValidationError, Exception):
        app.add_exception_handler(kind, one_object)


async def _doubted(parts: Parts, error: ExpectedError) -> ExpectedError:
    """``error``, unless it rests on this hub's clock and the clock is what is wrong."""
    if error.failure in _BY_THE_CLOCK:
        try:
            await parts.check_clock()
        except Unavailable as wrong:
            return wrong
    return error


def _foreseen(error: Exception) -> ExpectedError:
    match error:
        case ExchangeError() | KeysError():
            return error
        case HTTPException():
            return _of_status(error.status_code)
        case RequestValidationError():
            return _of_query(error)
    return _UNFORESEEN  # the server logs it; a caller learns nothing from it


_BY_THE_CLOCK = frozenset({"not-yet", "expired", "token-time"})
_UNFORESEEN = WithStatus(
    500,
    "unforeseen",
    Text("the hub failed in a way nobody foresaw", "枢纽发生未预见的故障"),
    remedy=("tell the hub's operator the time of this request", "请将请求时间告知枢纽运维人员"),
    retriable=True,
)


def _of_status(status: int) -> WithStatus:
    phrase = HTTPStatus(status).phrase.lower()
    chinese = {404: "没有此路径", 405: "不支持此方法"}.get(status, f"HTTP {status}")
    return WithStatus(
        status,
        phrase.replace(" ", "-"),
        Text(phrase, chinese),
        remedy=("see /openapi.json for what there is", "可用接口见 /openapi.json"),
    )


def _of_query(error: RequestValidationError) -> WithStatus:
    first = error.errors()[0]
    name = str(first["loc"][-1])
    return WithStatus(
        400,
        "parameter",
        Text(f"parameter {name}: {first['msg']}", f"参数 {name} 不合规"),
        remedy=("see /openapi.json for its bounds", "取值范围见 /openapi.json"),
    )


def _describe_tokens(app: FastAPI) -> None:
    plain = app.openapi

    def described() -> dict[str, Any]:
        schema = plain()
        schema.setdefault("components", {})["securitySchemes"] = SECURITY_SCHEMES
        return schema

    app.openapi = described  # type: ignore[method-assign]  # FastAPI's documented way
